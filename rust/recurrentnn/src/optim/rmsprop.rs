//! RMSProp (Tieleman and Hinton 2012), as in PyTorch where the rules coincide:
//!
//! ```text
//! g = clip(gradient)
//! s = decay_rate s + (1 - decay_rate) g^2
//! w = w - learning_rate (g / (sqrt(s) + eps) + weight_decay w)
//! ```
//!
//! eps stands outside the root. Clipping comes before accumulation. The decay is decoupled: PyTorch
//! adds `weight_decay w` to g before it is squared.

#![allow(clippy::inline_always)] // as the kernels: what is not inlined misses the instruction set

use super::{Clip, LARGEST, UpdateRule, expect_positive, expect_range};
use crate::element::simd::Vector;
use crate::error::Result;
use crate::kernels::update::{Rule, Step};

/// The settings of RMSProp.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RmsProp {
    /// How far a step goes.
    pub learning_rate: f64,
    /// How much of the running mean square stays.
    pub decay_rate: f64,
    /// Keeps the quotient finite.
    pub eps: f64,
    /// Pull towards 0, times the learning rate.
    pub weight_decay: f64,
    /// Clipping by norm, then by value.
    pub clip: Clip,
    /// Whether weight decay reaches biases too.
    pub decay_biases: bool,
}

impl Default for RmsProp {
    fn default() -> Self {
        Self {
            learning_rate: 1e-3,
            decay_rate: 0.95,
            eps: 1e-8,
            weight_decay: 0.0,
            clip: Clip::default(),
            decay_biases: false,
        }
    }
}

impl UpdateRule for RmsProp {
    const NAME: &'static str = "rmsprop";
    const CLASS: &'static str = "RMSProp";

    fn check(&self) -> Result<()> {
        let op = Self::CLASS;
        expect_range(op, "learning_rate", self.learning_rate, 0.0..LARGEST)?;
        expect_range(op, "decay_rate", self.decay_rate, 0.0..1.0)?;
        expect_range(op, "eps", self.eps, 0.0..LARGEST)?;
        expect_range(op, "weight_decay", self.weight_decay, 0.0..LARGEST)?;
        expect_positive(op, "clip_value", self.clip.value)?;
        expect_positive(op, "clip_norm", self.clip.norm)
    }

    fn clip(&self) -> Clip {
        self.clip
    }

    fn decays_biases(&self) -> bool {
        self.decay_biases
    }

    fn squares_clipped(&self) -> bool {
        self.clip.value.or(self.clip.norm).is_some()
    }
}

impl Rule for RmsProp {
    #[inline(always)]
    fn update<V: Vector>(self, step: Step<V>, w: V, s: V) -> (V, V) {
        let [decay, rest] = [self.decay_rate, 1.0 - self.decay_rate].map(V::number);
        let g = step.clipped;
        let s = decay * s + rest * g * g;
        let root = s.sqrt() + V::number(self.eps);
        // A root of 0, with eps 0 and a gradient whose square is 0, moves nothing.
        let zero = V::number(0.0);
        let mut direction = V::select(root.greater(zero), g / root, zero);
        if step.decays {
            direction = direction + V::number(self.weight_decay) * w;
        }
        (w - V::number(self.learning_rate) * direction, s)
    }
}
