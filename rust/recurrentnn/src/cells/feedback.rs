//! Gated feedback (Chung et al. 2015, section 3): every layer i, the layer itself and those above
//! included, feeds layer j across one step, through a gate that reads the layer's input x_j and the
//! hidden vectors h* of all layers at the last step:
//!
//! ```text
//! g_i = sigmoid(w_i x_j + u_i h* + b_i)
//! F   = sum over i of g_i (U_i h_i)
//! ```
//!
//! The paper's gate is one number a sample (`scalar`); RecurrentNN.jl has one a unit (`vector`). The
//! bias is not in the paper's formula, but in its author's code; it begins at 0.

use super::activation::ActivationKind;
use super::unit::Unit;
use super::{FeedbackGate, Gate, Layer, Options, StepInput};
use crate::error::Result;
use crate::ops::Recorder;
use crate::params::{ParamId, Registry, Role, Vars};

/// Parameters `feedback.I.weight_h` and `feedback.I.gate.{weight_x, weight_h, bias}` of every
/// source layer I.
#[derive(Clone, Debug)]
pub(super) struct Feedback {
    sources: Vec<Source>,
}

#[derive(Clone, Copy, Debug)]
struct Source {
    /// U_i, size x (size of layer i).
    weight_h: ParamId,
    gate: Gate,
}

impl Feedback {
    pub(super) fn new(reg: &mut Registry, layer: &Layer<'_>, options: &Options) -> Self {
        let gate_size = match options.gate {
            FeedbackGate::Scalar => 1,
            FeedbackGate::Vector => layer.size,
        };
        let mut source = |(from, &source_size): (usize, &usize)| {
            reg.scope(&format!("feedback.{from}"), |reg| Source {
                weight_h: reg.add("weight_h", layer.size, source_size, Role::Recurrent),
                gate: Gate::new(reg, "gate", layer.inputs, layer.all_hidden(), gate_size),
            })
        };
        let sources = layer.sizes.iter().enumerate().map(&mut source).collect();
        Self { sources }
    }

    /// F, summed over the layers from the lowest up.
    pub(super) fn sum<R: Recorder>(
        &self,
        r: &mut R,
        p: Vars<'_, R::Var>,
        input: &StepInput<'_, R::Var>,
    ) -> Result<R::Var> {
        let mut terms = Vec::with_capacity(self.sources.len());
        for (source, h) in self.sources.iter().zip(input.all) {
            let g = source.gate.sigmoid(r, p, input.x, input.stack)?;
            let uh = r.matmul(&p[source.weight_h], h)?;
            terms.push(r.mul(&g, &uh)?);
        }
        r.add(&terms.iter().collect::<Vec<_>>())
    }
}

/// The gate whose recurrent term is replaced by gated feedback: W x + b + F, or W x + b alone.
#[derive(Clone, Copy, Debug)]
pub(super) struct FedGate {
    weight_x: ParamId,
    bias: ParamId,
}

impl FedGate {
    pub(super) fn new(reg: &mut Registry, name: &str, layer: &Layer<'_>) -> Self {
        reg.scope(name, |reg| Self {
            weight_x: reg.add("weight_x", layer.size, layer.inputs, Role::Input),
            bias: reg.add("bias", layer.size, 1, Role::Bias),
        })
    }

    /// W x + b + `feedback`.
    pub(super) fn sum<R: Recorder>(
        &self,
        r: &mut R,
        p: Vars<'_, R::Var>,
        x: &R::Var,
        feedback: &R::Var,
    ) -> Result<R::Var> {
        let wx = r.matmul(&p[self.weight_x], x)?;
        r.add(&[&wx, feedback, &p[self.bias]])
    }
}

/// What the unit gates of a gated-feedback cell read of the last step: their own layer's hidden
/// vector, or those of all layers as in the paper's published models.
#[derive(Clone, Copy, Debug)]
pub(super) struct UnitGates {
    all: bool,
}

impl UnitGates {
    pub(super) fn new(options: &Options) -> Self {
        Self {
            all: options.all_to_gates,
        }
    }

    pub(super) fn gate(
        self,
        reg: &mut Registry,
        name: &str,
        layer: &Layer<'_>,
        options: &Options,
    ) -> Unit {
        let state = if self.all {
            layer.all_hidden()
        } else {
            layer.hidden
        };
        let activation = options.activation_of(name, ActivationKind::Sigmoid);
        let sizes = (layer.inputs, state, layer.size);
        Unit::new(reg, name, sizes, activation, options)
    }

    pub(super) fn reads<'a, V>(self, input: &StepInput<'a, V>) -> &'a V {
        if self.all {
            input.stack
        } else {
            input.hidden()
        }
    }
}
