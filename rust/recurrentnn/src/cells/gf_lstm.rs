//! The gated-feedback LSTM (Chung et al. 2015): n = tanh(W_n x + b_n + F), F as in
//! [`super::feedback`]; the gates i, f, o and the memory as in [`super::lstm`].

use super::feedback::{FedGate, Feedback, UnitGates};
use super::{Gate, Layer, Options, State, StepInput, lstm};
use crate::error::Result;
use crate::ops::Recorder;
use crate::params::{Registry, Vars};

/// Parameters `{input, forget, output}.{weight_x, weight_h, bias}`, `candidate.{weight_x, bias}` and
/// `feedback.*`.
#[derive(Clone, Debug)]
pub struct GfLstm {
    input: Gate,
    forget: Gate,
    output: Gate,
    candidate: FedGate,
    feedback: Feedback,
    units: UnitGates,
}

impl GfLstm {
    pub(super) fn new(reg: &mut Registry, layer: &Layer<'_>, options: &Options) -> Self {
        let units = UnitGates::new(options);
        Self {
            input: units.gate(reg, "input", layer),
            forget: units.gate(reg, "forget", layer),
            output: units.gate(reg, "output", layer),
            candidate: FedGate::new(reg, "candidate", layer),
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
        let i = self.input.sigmoid(r, p, x, h)?;
        let f = self.forget.sigmoid(r, p, x, h)?;
        let o = self.output.sigmoid(r, p, x, h)?;
        let fed = self.feedback.sum(r, p, input)?;
        let n = self.candidate.sum(r, p, x, &fed)?;
        let n = r.tanh(&n)?;
        lstm::memory(r, [&i, &f, &n, &o], input.cell()?)
    }
}
