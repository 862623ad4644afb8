//! Adam (Kingma and Ba 2015), PyTorch's rule, with t the steps made, from 1:
//!
//! ```text
//! g = clip(gradient) + weight_decay w
//! m = beta1 m + (1 - beta1) g
//! v = beta2 v + (1 - beta2) g^2
//! w = w - learning_rate (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + eps)
//! ```

#![allow(clippy::inline_always)] // as the kernels: what is not inlined misses the instruction set

use super::means::{Means, over_root};
use super::moments::Past;
use super::settings::{Setting, Settings};
use super::{Squares, UpdateRule};
use crate::element::simd::Vector;
use crate::kernels::update::{MEMORY, Rule, Step};

/// The settings of Adam.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Adam {
    /// How the means run.
    pub means: Means,
    /// Keeps the quotient finite.
    pub eps: f64,
}

impl Default for Adam {
    fn default() -> Self {
        Self {
            means: Means::default(),
            eps: 1e-8,
        }
    }
}

impl UpdateRule for Adam {
    type Kernel = AdamStep;
    const NAME: &'static str = "adam";
    const CLASS: &'static str = "Adam";
    const MEMORY: &'static [&'static str] = Means::NAMES;
    const SQUARES: Squares = Squares::Clipped;
    const LEARNING_RATE: f64 = 1e-3;

    fn settings(&mut self) -> Settings<'_> {
        let mut all = self.means.settings();
        all.push(("eps", Setting::positive(&mut self.eps)));
        all
    }

    fn kernel(&self, rate: f64, decay: f64, past: &mut Past) -> AdamStep {
        AdamStep {
            means: self.means,
            rate: rate / Means::lack(self.means.beta1, past.steps),
            widen: Means::lack(self.means.beta2, past.steps).sqrt().recip(),
            eps: self.eps,
            decay,
        }
    }
}

/// One step.
#[derive(Clone, Copy, Debug)]
pub struct AdamStep {
    means: Means,
    rate: f64,
    widen: f64,
    eps: f64,
    decay: f64,
}

impl Rule for AdamStep {
    const LEAST: usize = 2;
    const MOST: usize = 2;

    #[inline(always)]
    fn update<V: Vector>(self, step: Step<V>, w: V, [m, v, rest]: [V; MEMORY]) -> (V, [V; MEMORY]) {
        let g = step.clipped + V::number(self.decay) * w;
        let (m, v) = self.means.update(g, m, v);
        let root = v.sqrt() * V::number(self.widen) + V::number(self.eps);
        let w = w - V::number(self.rate) * over_root(m, root);
        (w, [m, v, rest])
    }
}
