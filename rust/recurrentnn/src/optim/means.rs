//! The running means of Adam and its kin: of the gradient, and of its square.

#![allow(clippy::inline_always)] // as the kernels: what is not inlined misses the instruction set

use super::settings::{Setting, Settings};
use crate::element::simd::Vector;

/// `m = beta1 m + (1 - beta1) g` and `v = beta2 v + (1 - beta2) g^2`, from 0.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Means {
    /// How much of the mean gradient stays.
    pub beta1: f64,
    /// How much of the mean square stays.
    pub beta2: f64,
}

impl Default for Means {
    fn default() -> Self {
        Self {
            beta1: 0.9,
            beta2: 0.999,
        }
    }
}

impl Means {
    /// What the rules that have both call them.
    pub(super) const NAMES: &'static [&'static str] = &["mean", "square"];

    pub(super) fn settings(&mut self) -> Settings<'_> {
        vec![
            ("beta1", Setting::share(&mut self.beta1)),
            ("beta2", Setting::share(&mut self.beta2)),
        ]
    }

    /// What a mean that began with 0 lacks after that many steps.
    pub(super) fn lack(beta: f64, steps: u64) -> f64 {
        1.0 - beta.powf(steps as f64)
    }

    #[inline(always)]
    pub(super) fn update<V: Vector>(self, g: V, m: V, v: V) -> (V, V) {
        let m = V::number(self.beta1) * m + V::number(1.0 - self.beta1) * g;
        let v = V::number(self.beta2) * v + V::number(1.0 - self.beta2) * g * g;
        (m, v)
    }
}

/// The quotient; 0 where the root is, as with eps 0 and gradients whose squares are 0.
#[inline(always)]
pub(super) fn over_root<V: Vector>(x: V, root: V) -> V {
    let zero = V::number(0.0);
    V::select(root.greater(zero), x / root, zero)
}
