//! The gated recurrent unit (Cho et al. 2014), with the reset gate after or before the product:
//!
//! ```text
//! r = sigmoid(W_r x + U_r h + b_r)    z = sigmoid(W_z x + U_z h + b_z)
//! after:   n = tanh(W_n x + b_n + r (U_n h + c_n))     (PyTorch, cuDNN)
//! before:  n = tanh(W_n x + U_n (r h) + b_n)           (Cho et al., RecurrentNN.jl)
//! h' = (1 - z) n + z h
//! ```
//!
//! The update gate z keeps the old state, as in PyTorch, ONNX and Keras; Chung et al. 2015 and
//! RecurrentNN.jl write it the other way round.

use super::{Gate, Layer, Options, Reset, State, StepInput};
use crate::error::Result;
use crate::ops::Recorder;
use crate::params::{ParamId, Registry, Role, Vars};

/// Parameters `{reset, update, candidate}.{weight_x, weight_h, bias}`, and `candidate.bias_h` where
/// the reset comes after the product.
#[derive(Clone, Debug)]
pub struct Gru {
    reset: Gate,
    update: Gate,
    candidate: Gate,
    /// c_n, which only the reset-after form can tell from b_n.
    candidate_bias_h: Option<ParamId>,
}

impl Gru {
    pub(super) fn new(reg: &mut Registry, layer: &Layer<'_>, options: &Options) -> Self {
        let mut gate = |name| Gate::new(reg, name, layer.inputs, layer.size, layer.size);
        let (reset, update, candidate) = (gate("reset"), gate("update"), gate("candidate"));
        let candidate_bias_h = (options.reset == Reset::After).then(|| {
            reg.scope("candidate", |reg| {
                reg.add("bias_h", layer.size, 1, Role::Bias)
            })
        });
        Self {
            reset,
            update,
            candidate,
            candidate_bias_h,
        }
    }

    pub(super) fn step<R: Recorder>(
        &self,
        r: &mut R,
        p: Vars<'_, R::Var>,
        input: &StepInput<'_, R::Var>,
    ) -> Result<State<R::Var>> {
        let (x, h) = (input.x, input.hidden());
        let reset = self.reset.sigmoid(r, p, x, h)?;
        let z = self.update.sigmoid(r, p, x, h)?;
        let n = if let Some(bias_h) = self.candidate_bias_h {
            let uh = r.matmul(&p[self.candidate.weight_h], h)?;
            let uh = r.add(&[&uh, &p[bias_h]])?;
            let remembered = r.mul(&reset, &uh)?;
            let wx = r.matmul(&p[self.candidate.weight_x], x)?;
            r.add(&[&wx, &p[self.candidate.bias], &remembered])?
        } else {
            let remembered = r.mul(&reset, h)?;
            self.candidate.sum(r, p, x, &remembered)?
        };
        let n = r.tanh(&n)?;
        interpolate(r, &z, &n, h)
    }
}

/// h' = (1 - z) n + z h: shared with the gated-feedback GRU.
pub(super) fn interpolate<R: Recorder>(
    r: &mut R,
    z: &R::Var,
    n: &R::Var,
    h: &R::Var,
) -> Result<State<R::Var>> {
    let negative = r.neg(z)?;
    let opening = r.shift(&negative, 1.0)?;
    let written = r.mul(&opening, n)?;
    let kept = r.mul(z, h)?;
    Ok(State::hidden(r.add(&[&written, &kept])?))
}
