//! Where the user's own cell is written down: one layer's parameters, input, states and step.

use super::{Gate, Layer};
use crate::error::{Error, Result};
use crate::init::Init;
use crate::ops::{Op, Recorder};
use crate::params::{Role, Spec};
use crate::program::{Columns, Expression, Symbol, Trace};
use crate::shape::Shape;

/// One layer of a cell, finished.
pub struct Recorded {
    pub(super) specs: Vec<Spec>,
    pub(super) step: Expression,
}

/// Records one layer: gives out symbols for parameters, input and states, and is the [`Recorder`]
/// that the step is written with.
#[derive(Debug)]
pub struct Sketch {
    size: usize,
    specs: Vec<Spec>,
    trace: Trace,
    x: Symbol,
    states: Vec<(String, Symbol)>,
}

impl Sketch {
    /// A layer of a cell that carries these vectors.
    pub fn new(layer: &Layer<'_>, states: &[String]) -> Self {
        let mut trace = Trace::new();
        let x = trace.input(layer.inputs);
        let states = states.iter().enumerate();
        Self {
            size: layer.size,
            specs: Vec::new(),
            x,
            states: states
                .map(|(number, name)| (name.clone(), trace.state(number, layer.size)))
                .collect(),
            trace,
        }
    }

    /// The layer's input, inputs x batch.
    pub fn x(&self) -> Symbol {
        self.x
    }

    /// The state vector of that name after the last step, size x batch.
    ///
    /// # Errors
    /// [`Error::Argument`] with the names there are.
    pub fn state(&self, name: &str) -> Result<Symbol> {
        let found = self.states.iter().find(|(known, _)| known == name);
        found.map(|(_, symbol)| *symbol).ok_or_else(|| {
            let names: Vec<_> = self.states.iter().map(|(name, _)| name).collect();
            let message = format!("state must be one of {names:?} but is {name:?}");
            Error::argument("step", message)
        })
    }

    /// Registers a parameter; its name may have dots. It begins as the model's `init` says for the
    /// role.
    pub fn param(&mut self, name: &str, rows: usize, cols: usize, role: Role) -> Symbol {
        self.register(name, Shape::new(rows, cols), role, None)
    }

    /// Registers a parameter that begins as `init` says, whatever the model's.
    pub fn param_from(
        &mut self,
        name: &str,
        (rows, cols): (usize, usize),
        role: Role,
        init: Init,
    ) -> Symbol {
        self.register(name, Shape::new(rows, cols), role, Some(init))
    }

    /// Registers `name.weight_x`, `name.weight_h` and `name.bias` of a gate that reads the layer's
    /// input and `size` numbers of state.
    pub fn gate(&mut self, name: &str, inputs: usize, size: usize) -> Gate<Symbol> {
        let mut add = |part, cols, role| self.param(&format!("{name}.{part}"), size, cols, role);
        Gate {
            weight_x: add("weight_x", inputs, Role::Input),
            weight_h: add("weight_h", size, Role::Recurrent),
            bias: add("bias", 1, Role::Bias),
        }
    }

    fn register(&mut self, name: &str, shape: Shape, role: Role, init: Option<Init>) -> Symbol {
        self.specs.push(Spec {
            name: name.to_owned(),
            shape,
            role,
            init,
        });
        self.trace.param(self.specs.len() - 1, shape)
    }

    /// The layer, whose step gives `next`: one vector for each state, in order.
    ///
    /// # Errors
    /// [`Error::Argument`] for a parameter registered twice or without a name, [`Error::Shape`] for
    /// results that cannot be the next states.
    pub fn finish(self, next: &[Symbol]) -> Result<Recorded> {
        for (at, spec) in self.specs.iter().enumerate() {
            let parts = spec.name.split('.');
            if parts.into_iter().any(str::is_empty) {
                let message = format!("a parameter needs a name but has {:?}", spec.name);
                return Err(Error::argument("build", message));
            }
            if self.specs[..at].iter().any(|known| known.name == spec.name) {
                let message = format!("parameter {} was registered before", spec.name);
                return Err(Error::argument("build", message));
            }
            if spec.shape.is_empty() {
                let message = format!("parameter {} must not be {}", spec.name, spec.shape);
                return Err(Error::shape("build", message));
            }
        }
        if next.len() != self.states.len() {
            let (expected, found) = (self.states.len(), next.len());
            let message = format!("must give {expected} new states but gave {found}");
            return Err(Error::argument("step", message));
        }
        for ((name, _), symbol) in self.states.iter().zip(next) {
            if (symbol.rows(), symbol.columns()) != (self.size, Columns::Batch) {
                let message = format!("{name} must be {}xbatch but is {symbol}", self.size);
                return Err(Error::shape("step", message));
            }
        }
        Ok(Recorded {
            specs: self.specs,
            step: self.trace.finish(next)?,
        })
    }
}

impl Recorder for Sketch {
    type Var = Symbol;

    fn apply(&mut self, op: Op, inputs: &[&Symbol]) -> Result<Symbol> {
        self.trace.apply(op, inputs)
    }
}
