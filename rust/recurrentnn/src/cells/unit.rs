//! A gate with its nonlinearity and what the options put around it:
//!
//! ```text
//! act(W x + U h + b)
//! act(gain (W x + U h - mean) / s + b)      layer_norm, over the gate's units (Ba et al. 2016)
//! ```
//!
//! and with peepholes (Gers and Schmidhuber 2000) p * c as a further term of the sum.
//!
//! Ba et al. normalise the two products of an LSTM apart and over all gates; this is their formula for
//! the simple net, gate by gate.

use super::activation::Activation;
use super::{Gate, Options};
use crate::error::Result;
use crate::ops::Recorder;
use crate::params::{ParamId, Registry, Role, Vars};

/// Below the root of a layer normalisation, as in PyTorch.
pub(super) const EPS: f64 = 1e-5;

/// Parameters `name.{weight_x, weight_h, bias}`, perhaps `name.gain` and `name.peephole`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Unit {
    pub(super) gate: Gate,
    gain: Option<ParamId>,
    peephole: Option<ParamId>,
    activation: Activation,
}

impl Unit {
    /// A gate of `size` units that reads `inputs` and `state` numbers.
    pub(super) fn new(
        reg: &mut Registry,
        name: &str,
        (inputs, state, size): (usize, usize, usize),
        activation: Activation,
        options: &Options,
    ) -> Self {
        let gate = Gate::new(reg, name, inputs, state, size);
        let gain = |reg: &mut Registry| reg.add("gain", size, 1, Role::Gain);
        Self {
            gate,
            gain: options.layer_norm.then(|| reg.scope(name, gain)),
            peephole: None,
            activation,
        }
    }

    /// The same gate with a peephole, where the options say so.
    pub(super) fn with_peephole(
        self,
        reg: &mut Registry,
        name: &str,
        size: usize,
        options: &Options,
    ) -> Self {
        let add = |reg: &mut Registry| reg.add("peephole", size, 1, Role::Peephole);
        Self {
            peephole: options.peepholes.then(|| reg.scope(name, add)),
            ..self
        }
    }

    /// The gate's value.
    pub(super) fn value<R: Recorder>(
        &self,
        r: &mut R,
        p: Vars<'_, R::Var>,
        x: &R::Var,
        h: &R::Var,
    ) -> Result<R::Var> {
        let wx = r.matmul(&p[self.gate.weight_x], x)?;
        let uh = r.matmul(&p[self.gate.weight_h], h)?;
        self.of_sum(r, p, &[&wx, &uh])
    }

    /// The gate's value where a peephole, if it has one, lets it see the memory cell c.
    pub(super) fn seeing<R: Recorder>(
        &self,
        r: &mut R,
        p: Vars<'_, R::Var>,
        x: &R::Var,
        h: &R::Var,
        c: &R::Var,
    ) -> Result<R::Var> {
        let Some(peephole) = self.peephole else {
            return self.value(r, p, x, h);
        };
        let wx = r.matmul(&p[self.gate.weight_x], x)?;
        let uh = r.matmul(&p[self.gate.weight_h], h)?;
        let seen = r.mul(&p[peephole], c)?;
        self.of_sum(r, p, &[&wx, &uh, &seen])
    }

    /// The gate's value from the terms of its sum but the bias.
    pub(super) fn of_sum<R: Recorder>(
        &self,
        r: &mut R,
        p: Vars<'_, R::Var>,
        terms: &[&R::Var],
    ) -> Result<R::Var> {
        let bias = &p[self.gate.bias];
        let sum = match self.gain {
            None => r.add(&[terms, &[bias]].concat())?,
            Some(gain) => {
                let sum = r.add(terms)?;
                r.layer_norm(&sum, &p[gain], bias, EPS)?
            }
        };
        self.activation.apply(r, &sum)
    }
}
