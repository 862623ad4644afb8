//! The gated-feedback RNN (Chung et al. 2015): h' = act(W x + b + F), F as in [`super::feedback`].

use super::activation::Activation;
use super::feedback::{FedGate, Feedback};
use super::{Layer, Options, State, StepInput};
use crate::error::Result;
use crate::ops::Recorder;
use crate::params::{Registry, Vars};

/// Parameters `hidden.{weight_x, bias}` and `feedback.*`.
#[derive(Clone, Debug)]
pub struct GfRnn {
    hidden: FedGate,
    feedback: Feedback,
    activation: Activation,
}

impl GfRnn {
    pub(super) fn new(reg: &mut Registry, layer: &Layer<'_>, options: &Options) -> Self {
        Self {
            hidden: FedGate::new(reg, "hidden", layer),
            feedback: Feedback::new(reg, layer, options),
            activation: options.activation(),
        }
    }

    pub(super) fn step<R: Recorder>(
        &self,
        r: &mut R,
        p: Vars<'_, R::Var>,
        input: &StepInput<'_, R::Var>,
    ) -> Result<State<R::Var>> {
        let fed = self.feedback.sum(r, p, input)?;
        let sum = self.hidden.sum(r, p, input.x, &fed)?;
        Ok(State::hidden(self.activation.apply(r, &sum)?))
    }
}
