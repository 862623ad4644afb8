//! The gated-feedback LSTM (Chung et al. 2015): n = tanh(W_n x + b_n + F), F as in
//! [`super::feedback`]; the gates i, f, o as in [`super::lstm`], the memory as in [`super::memory`].

use super::activation::{Activation, ActivationKind};
use super::feedback::{FedGate, Feedback, UnitGates};
use super::memory::Memory;
use super::unit::Unit;
use super::{Layer, Options, State, StepInput};
use crate::error::Result;
use crate::ops::Recorder;
use crate::params::{Registry, Vars};

/// Parameters `{input, forget, output}.{weight_x, weight_h, bias}`, `candidate.{weight_x, bias}` and
/// `feedback.*`.
#[derive(Clone, Debug)]
pub struct GfLstm {
    input: Unit,
    forget: Unit,
    output: Unit,
    candidate: FedGate,
    activation: Activation,
    memory: Memory,
    feedback: Feedback,
    units: UnitGates,
}

impl GfLstm {
    pub(super) fn new(reg: &mut Registry, layer: &Layer<'_>, options: &Options) -> Self {
        let units = UnitGates::new(options);
        Self {
            input: units.gate(reg, "input", layer, options),
            forget: units.gate(reg, "forget", layer, options),
            output: units.gate(reg, "output", layer, options),
            candidate: FedGate::new(reg, "candidate", layer),
            activation: options.activation_of("candidate", ActivationKind::Tanh),
            memory: Memory::new(reg, layer, options),
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
        let i = self.input.value(r, p, x, h)?;
        let f = self.forget.value(r, p, x, h)?;
        let o = self.output.value(r, p, x, h)?;
        let fed = self.feedback.sum(r, p, input)?;
        let n = self.candidate.sum(r, p, x, &fed)?;
        let n = self.activation.apply(r, &n)?;
        let n = input.dropped(r, n)?;
        let c = self.memory.write(r, [&i, &f, &n], input.cell()?)?;
        let h = self.memory.read(r, p, &o, &c)?;
        Ok(State::with_cell(h, c))
    }
}
