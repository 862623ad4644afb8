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

use super::activation::ActivationKind;
use super::unit::Unit;
use super::{Layer, Options, Reset, State, StepInput, complement};
use crate::error::Result;
use crate::ops::Recorder;
use crate::params::{ParamId, Registry, Role, Vars};

/// Parameters `{reset, update, candidate}.{weight_x, weight_h, bias}`, and `candidate.bias_h` where
/// the reset comes after the product.
#[derive(Clone, Debug)]
pub struct Gru {
    reset: Unit,
    update: Unit,
    candidate: Unit,
    /// c_n, which only the reset-after form can tell from b_n.
    candidate_bias_h: Option<ParamId>,
}

impl Gru {
    pub(super) fn new(reg: &mut Registry, layer: &Layer<'_>, options: &Options) -> Self {
        let sizes = (layer.inputs, layer.hidden, layer.size);
        let mut unit = |name, usual| {
            let activation = options.activation_of(name, usual);
            Unit::new(reg, name, sizes, activation, options)
        };
        let reset = unit("reset", ActivationKind::Sigmoid);
        let update = unit("update", ActivationKind::Sigmoid);
        let candidate = unit("candidate", ActivationKind::Tanh);
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
        let reset = self.reset.value(r, p, x, h)?;
        let z = self.update.value(r, p, x, h)?;
        let n = if let Some(bias_h) = self.candidate_bias_h {
            let uh = r.matmul(&p[self.candidate.gate.weight_h], h)?;
            let uh = r.add(&[&uh, &p[bias_h]])?;
            let remembered = r.mul(&reset, &uh)?;
            let wx = r.matmul(&p[self.candidate.gate.weight_x], x)?;
            self.candidate.of_sum(r, p, &[&wx, &remembered])?
        } else {
            let remembered = r.mul(&reset, h)?;
            self.candidate.value(r, p, x, &remembered)?
        };
        let n = input.dropped(r, n)?;
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
    let opening = complement(r, z)?;
    let written = r.mul(&opening, n)?;
    let kept = r.mul(z, h)?;
    Ok(State::hidden(r.add(&[&written, &kept])?))
}
