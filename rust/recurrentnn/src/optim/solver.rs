//! The rule of both ancestors (RecurrentJS `Solver`, RecurrentNN.jl `Solver`), kept to reproduce
//! their numbers:
//!
//! ```text
//! s = decay_rate s + (1 - decay_rate) g^2        the gradient before clipping
//! w = w - learning_rate clip(g) / sqrt(s + eps) - weight_decay w
//! ```
//!
//! It differs from [`super::RmsProp`] in all of this: one outlier grows s before it is clipped and
//! so slows learning for thousands of steps, eps stands inside the root, and the decay is not scaled
//! by the learning rate and reaches biases.

#![allow(clippy::inline_always)] // as the kernels: what is not inlined misses the instruction set

use super::{Clip, LARGEST, UpdateRule, expect_positive, expect_range};
use crate::element::simd::Vector;
use crate::error::Result;
use crate::kernels::update::{Rule, Step};

/// The settings of one step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Solver {
    /// How much of the running mean square stays.
    pub decay_rate: f64,
    /// Keeps the quotient finite.
    pub eps: f64,
    /// How far a step goes.
    pub learning_rate: f64,
    /// Share of the weight that a step takes away.
    pub weight_decay: f64,
    /// Largest magnitude of a gradient.
    pub clip_value: f64,
}

impl UpdateRule for Solver {
    const NAME: &'static str = "solver";
    const CLASS: &'static str = "Solver";

    fn check(&self) -> Result<()> {
        let op = Self::CLASS;
        expect_range(op, "decay_rate", self.decay_rate, 0.0..1.0)?;
        expect_range(op, "eps", self.eps, 0.0..LARGEST)?;
        expect_range(op, "learning_rate", self.learning_rate, 0.0..LARGEST)?;
        expect_range(op, "weight_decay", self.weight_decay, 0.0..LARGEST)?;
        expect_positive(op, "clip_value", Some(self.clip_value))
    }

    fn clip(&self) -> Clip {
        Clip {
            value: Some(self.clip_value),
            norm: None,
        }
    }

    fn decays_biases(&self) -> bool {
        true
    }

    fn squares_clipped(&self) -> bool {
        false
    }
}

impl Rule for Solver {
    #[inline(always)]
    fn update<V: Vector>(self, step: Step<V>, w: V, s: V) -> (V, V) {
        let [decay, rest] = [self.decay_rate, 1.0 - self.decay_rate].map(V::number);
        let s = s * decay + rest * step.g * step.g;
        let root = (s + V::number(self.eps)).sqrt();
        // A root of 0, with eps 0 and a gradient whose square is 0, moves nothing.
        let zero = V::number(0.0);
        let quotient = V::select(root.greater(zero), step.clipped / root, zero);
        let moved = w - V::number(self.learning_rate) * quotient;
        (moved - V::number(self.weight_decay) * w, s)
    }
}
