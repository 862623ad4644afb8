//! The gated-feedback GRU (Chung et al. 2015): n = tanh(W_n x + b_n + r F), F as in
//! [`super::feedback`]: the reset comes after the gated sum, in RecurrentNN.jl too; the update as in
//! [`super::gru`].

use super::activation::{Activation, ActivationKind};
use super::feedback::{FedGate, Feedback, UnitGates};
use super::unit::Unit;
use super::{Layer, Options, State, StepInput, gru};
use crate::error::Result;
use crate::ops::Recorder;
use crate::params::{Registry, Vars};

/// Parameters `{reset, update}.{weight_x, weight_h, bias}`, `candidate.{weight_x, bias}` and
/// `feedback.*`.
#[derive(Clone, Debug)]
pub struct GfGru {
    reset: Unit,
    update: Unit,
    candidate: FedGate,
    activation: Activation,
    feedback: Feedback,
    units: UnitGates,
}

impl GfGru {
    pub(super) fn new(reg: &mut Registry, layer: &Layer<'_>, options: &Options) -> Self {
        let units = UnitGates::new(options);
        Self {
            reset: units.gate(reg, "reset", layer, options),
            update: units.gate(reg, "update", layer, options),
            candidate: FedGate::new(reg, "candidate", layer),
            activation: options.activation_of("candidate", ActivationKind::Tanh),
            feedback: Feedback::new(reg, layer, options),
            units,
        }
    }

    pub(super) fn step<R: Recorder>(
        &self,
        r: &mut R,
        p: Vars<'_, R::Var>,
        input: &StepInput<'_, R::Var>,
    ) -> Result<State<R::Var>> {
        let (x, h) = (input.x, self.units.reads(input));
        let reset = self.reset.value(r, p, x, h)?;
        let z = self.update.value(r, p, x, h)?;
        let fed = self.feedback.sum(r, p, input)?;
        let remembered = r.mul(&reset, &fed)?;
        let n = self.candidate.sum(r, p, x, &remembered)?;
        let n = self.activation.apply(r, &n)?;
        let n = input.dropped(r, n)?;
        gru::interpolate(r, &z, &n, input.hidden())
    }
}
