//! A cell of one's own: its parameters and its step, stated by whoever needs it.
//!
//! ```
//! use recurrentnn::cells::Custom;
//! use recurrentnn::ops::Recorder;
//!
//! // The minimal gated unit (Zhou et al. 2016).
//! let mgu = Custom::new("MGU", &["hidden"], |cell, layer| {
//!     let forget = cell.gate("forget", layer.inputs, layer.size);
//!     let candidate = cell.gate("candidate", layer.inputs, layer.size);
//!     let (x, h) = (cell.x(), cell.state("hidden")?);
//!     let f = forget.sigmoid(cell, &x, &h)?;
//!     let remembered = cell.mul(&f, &h)?;
//!     let n = candidate.sum(cell, &x, &remembered)?;
//!     let n = cell.tanh(&n)?;
//!     let change = cell.sub(&n, &h)?;
//!     let change = cell.mul(&f, &change)?;
//!     Ok(vec![cell.add(&[&h, &change])?])
//! })?;
//! # Ok::<(), recurrentnn::error::Error>(())
//! ```

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::sketch::{Recorded, Sketch};
use super::{CellKind, Layer, State, StepInput};
use crate::error::{Error, Result};
use crate::ops::Recorder;
use crate::params::{ParamId, Registry, Vars};
use crate::program::{Expression, Symbol};

/// Most state vectors that a cell may carry.
const MAX_STATES: usize = 64;

type Record = dyn Fn(&Layer<'_>) -> Result<Recorded> + Send + Sync;

/// A cell of one's own: a name, the vectors that it carries, and how a layer of it is recorded.
///
/// Two are equal if names, vectors and options are. A file holds no more than those: what was read from one
/// has no step until it is given ([`crate::config::Config::define`]).
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Custom {
    name: String,
    states: Vec<String>,
    /// What its step was told, in words.
    options: String,
    #[serde(skip)]
    record: Option<Arc<Record>>,
}

impl Custom {
    /// A cell whose `step` registers the parameters of a layer and gives its new states, in the order
    /// of `states`.
    ///
    /// # Errors
    /// [`Error::Argument`] unless the first of `states` is `hidden` and all names differ.
    pub fn new(
        name: &str,
        states: &[&str],
        step: impl Fn(&mut Sketch, &Layer<'_>) -> Result<Vec<Symbol>> + Send + Sync + 'static,
    ) -> Result<Self> {
        let names: Vec<_> = states.iter().map(|&name| name.to_owned()).collect();
        Self::recorded(name, states, move |layer| {
            let mut sketch = Sketch::new(layer, &names);
            let next = step(&mut sketch, layer)?;
            sketch.finish(&next)
        })
    }

    /// A cell whose layers `record` makes from a [`Sketch`] of its own.
    ///
    /// # Errors
    /// As [`Custom::new`].
    pub fn recorded(
        name: &str,
        states: &[&str],
        record: impl Fn(&Layer<'_>) -> Result<Recorded> + Send + Sync + 'static,
    ) -> Result<Self> {
        let cell = Self {
            name: name.to_owned(),
            states: states.iter().map(|&name| name.to_owned()).collect(),
            options: String::new(),
            record: Some(Arc::new(record)),
        };
        cell.check()?;
        Ok(cell)
    }

    /// The same cell, told apart from others of its name by what its step was told.
    #[must_use]
    pub fn with_options(self, options: String) -> Self {
        Self { options, ..self }
    }

    /// Its name in files and messages.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The vectors it carries from step to step; the first is the hidden vector.
    pub fn states(&self) -> Vec<&str> {
        self.states.iter().map(String::as_str).collect()
    }

    /// What its step was told, in words; empty if nothing.
    pub fn options(&self) -> &str {
        &self.options
    }

    /// Fails where a file could not have come from [`Custom::new`].
    pub(crate) fn check(&self) -> Result<()> {
        let states = &self.states;
        let refuse = |message| Err(Error::argument("Model", message));
        if self.name.is_empty() {
            return refuse("the name of a cell must not be empty".to_owned());
        }
        if CellKind::by_name(&self.name).is_ok() {
            let message = format!(
                "cell {:?} is one of this library: take another name",
                self.name
            );
            return refuse(message);
        }
        if states.first().is_none_or(|first| first != "hidden") || states.len() > MAX_STATES {
            return refuse(format!(
                "states of cell {} must begin with \"hidden\" and be at most {MAX_STATES} but are {states:?}",
                self.name
            ));
        }
        let twice = |(at, name)| states[..at].contains(name);
        if states.iter().enumerate().any(twice) {
            let name = &self.name;
            return refuse(format!(
                "states of cell {name} must differ but are {states:?}"
            ));
        }
        Ok(())
    }

    /// The cell of one layer, its parameters registered.
    pub(super) fn build(&self, reg: &mut Registry, layer: &Layer<'_>) -> Result<CustomLayer> {
        let Some(record) = &self.record else {
            let message = format!(
                "cell {:?} is no cell of this library: load it with its definition",
                self.name
            );
            return Err(Error::argument("Model", message));
        };
        let recorded = record(layer)?;
        let specs = recorded.specs.into_iter();
        Ok(CustomLayer {
            params: specs.map(|spec| reg.push(spec)).collect(),
            step: recorded.step,
        })
    }
}

impl PartialEq for Custom {
    fn eq(&self, other: &Self) -> bool {
        let same_step = self.name == other.name && self.options == other.options;
        same_step && self.states == other.states
    }
}

impl Eq for Custom {}

impl fmt::Debug for Custom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Custom({:?}, {:?})", self.name, self.states)
    }
}

/// One layer of a cell of one's own: its recorded step and the parameters that this reads.
#[derive(Clone, Debug)]
pub struct CustomLayer {
    params: Vec<ParamId>,
    step: Expression,
}

impl CustomLayer {
    pub(super) fn step<R: Recorder>(
        &self,
        r: &mut R,
        p: Vars<'_, R::Var>,
        input: &StepInput<'_, R::Var>,
    ) -> Result<State<R::Var>> {
        let params: Vec<_> = self.params.iter().map(|&id| p[id].clone()).collect();
        let states: Vec<_> = input.state.vectors().cloned().collect();
        let mut next = self.step.replay(r, &params, input.x, &states)?.into_iter();
        let missing = || Error::argument("forward", "the step gives no hidden vector");
        Ok(State {
            hidden: next.next().ok_or_else(missing)?,
            more: next.collect(),
        })
    }
}
