//! The nonlinearities of gates, by name.

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::ops::Recorder;

/// A nonlinearity, by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActivationKind {
    /// Hyperbolic tangent.
    Tanh,
    /// max(x, 0).
    Relu,
    /// 1 / (1 + e^-x).
    Sigmoid,
    /// clip(x/6 + 1/2, 0, 1), as in PyTorch.
    HardSigmoid,
    /// ln(1 + e^x).
    Softplus,
    /// x above 0, e^x - 1 below.
    Elu,
    /// x above 0, x/100 below.
    LeakyRelu,
    /// x Phi(x).
    Gelu,
    /// x.
    Linear,
}

/// A nonlinearity with what it needs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Activation {
    pub(super) kind: ActivationKind,
    /// The derivative of relu at 0.
    pub(super) slope_at_zero: f64,
}

impl Activation {
    pub(super) fn apply<R: Recorder>(self, r: &mut R, x: &R::Var) -> Result<R::Var> {
        match self.kind {
            ActivationKind::Tanh => r.tanh(x),
            ActivationKind::Relu => r.relu(x, self.slope_at_zero),
            ActivationKind::Sigmoid => r.sigmoid(x),
            ActivationKind::HardSigmoid => r.hard_sigmoid(x),
            ActivationKind::Softplus => r.softplus(x),
            ActivationKind::Elu => r.elu(x, 1.0),
            ActivationKind::LeakyRelu => r.leaky_relu(x, 0.01),
            ActivationKind::Gelu => r.gelu(x),
            ActivationKind::Linear => Ok(x.clone()),
        }
    }
}
