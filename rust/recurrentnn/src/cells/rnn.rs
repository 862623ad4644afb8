//! The simple recurrent net (Elman 1990): h' = act(W x + U h + b), with *one* bias where PyTorch
//! has two that are only ever added.

use super::unit::Unit;
use super::{Layer, Options, State, StepInput};
use crate::error::Result;
use crate::ops::Recorder;
use crate::params::{Registry, Vars};

/// Parameters `hidden.{weight_x, weight_h, bias}`.
#[derive(Clone, Debug)]
pub struct Rnn {
    hidden: Unit,
}

impl Rnn {
    pub(super) fn new(reg: &mut Registry, layer: &Layer<'_>, options: &Options) -> Self {
        let sizes = (layer.inputs, layer.hidden, layer.size);
        Self {
            hidden: Unit::new(reg, "hidden", sizes, options.activation(), options),
        }
    }

    pub(super) fn step<R: Recorder>(
        &self,
        r: &mut R,
        p: Vars<'_, R::Var>,
        input: &StepInput<'_, R::Var>,
    ) -> Result<State<R::Var>> {
        let h = self.hidden.value(r, p, input.x, input.hidden())?;
        Ok(State::hidden(h))
    }
}
