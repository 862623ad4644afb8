//! The long short-term memory with a forget gate (Hochreiter and Schmidhuber 1997; Gers et al.
//! 2000), without peepholes:
//!
//! ```text
//! i = sigmoid(W_i x + U_i h + b_i)    f = sigmoid(W_f x + U_f h + b_f)
//! n = tanh(W_n x + U_n h + b_n)       o = sigmoid(W_o x + U_o h + b_o)
//! c' = f c + i n                      h' = o tanh(c')
//! ```
//!
//! One bias a gate, where PyTorch has two that are only ever added.

use super::{Gate, Layer, State, StepInput};
use crate::error::Result;
use crate::ops::Recorder;
use crate::params::{Registry, Vars};

/// Parameters `{input, forget, candidate, output}.{weight_x, weight_h, bias}`.
#[derive(Clone, Debug)]
pub struct Lstm {
    input: Gate,
    forget: Gate,
    candidate: Gate,
    output: Gate,
}

impl Lstm {
    pub(super) fn new(reg: &mut Registry, layer: &Layer<'_>) -> Self {
        let mut gate = |name| Gate::new(reg, name, layer.inputs, layer.size, layer.size);
        Self {
            input: gate("input"),
            forget: gate("forget"),
            candidate: gate("candidate"),
            output: gate("output"),
        }
    }

    pub(super) fn step<R: Recorder>(
        &self,
        r: &mut R,
        p: Vars<'_, R::Var>,
        input: &StepInput<'_, R::Var>,
    ) -> Result<State<R::Var>> {
        let (x, h) = (input.x, input.hidden());
        let i = self.input.sigmoid(r, p, x, h)?;
        let f = self.forget.sigmoid(r, p, x, h)?;
        let n = self.candidate.sum(r, p, x, h)?;
        let n = r.tanh(&n)?;
        let o = self.output.sigmoid(r, p, x, h)?;
        memory(r, [&i, &f, &n, &o], input.cell()?)
    }
}

/// c' = f c + i n, h' = o tanh(c'): shared with the gated-feedback LSTM.
pub(super) fn memory<R: Recorder>(
    r: &mut R,
    [i, f, n, o]: [&R::Var; 4],
    c: &R::Var,
) -> Result<State<R::Var>> {
    let kept = r.mul(f, c)?;
    let written = r.mul(i, n)?;
    let c = r.add(&[&kept, &written])?;
    let squashed = r.tanh(&c)?;
    Ok(State::with_cell(r.mul(o, &squashed)?, c))
}
