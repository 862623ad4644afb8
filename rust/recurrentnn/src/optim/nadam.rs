//! NAdam (Dozat 2016): Adam with Nesterov's momentum, PyTorch's rule, with t the steps made, from 1:
//!
//! ```text
//! g = clip(gradient) + weight_decay w
//! m = beta1 m + (1 - beta1) g
//! v = beta2 v + (1 - beta2) g^2
//! u = beta1 (1 - 0.96^(t momentum_decay) / 2)        u' is that of t + 1
//! p = p u                                            from 1
//! n = (1 - u) / (1 - p) g + u' / (1 - p u') m
//! w = w - learning_rate n / (sqrt(v / (1 - beta2^t)) + eps)
//! ```

#![allow(clippy::inline_always)] // as the kernels: what is not inlined misses the instruction set

use super::means::{Means, over_root};
use super::moments::Past;
use super::settings::{Setting, Settings};
use super::{Squares, UpdateRule};
use crate::element::simd::Vector;
use crate::kernels::update::{MEMORY, Rule, Step};

/// The settings of NAdam.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NAdam {
    /// How the means run.
    pub means: Means,
    /// Keeps the quotient finite.
    pub eps: f64,
    /// How fast the momentum comes to its full size.
    pub momentum_decay: f64,
}

impl Default for NAdam {
    fn default() -> Self {
        Self {
            means: Means::default(),
            eps: 1e-8,
            momentum_decay: 4e-3,
        }
    }
}

impl UpdateRule for NAdam {
    type Kernel = NAdamStep;
    const NAME: &'static str = "nadam";
    const CLASS: &'static str = "NAdam";
    const MEMORY: &'static [&'static str] = Means::NAMES;
    const PRODUCT: bool = true;
    const SQUARES: Squares = Squares::Clipped;
    const LEARNING_RATE: f64 = 2e-3;

    fn settings(&mut self) -> Settings<'_> {
        let mut all = self.means.settings();
        all.push(("eps", Setting::positive(&mut self.eps)));
        all.push((
            "momentum_decay",
            Setting::positive(&mut self.momentum_decay),
        ));
        all
    }

    fn kernel(&self, rate: f64, decay: f64, past: &mut Past) -> NAdamStep {
        let momentum = |steps: u64| {
            let exponent = steps as f64 * self.momentum_decay;
            self.means.beta1 * (1.0 - 0.5 * 0.96_f64.powf(exponent))
        };
        let (now, next) = (momentum(past.steps), momentum(past.steps + 1));
        past.product *= now;
        NAdamStep {
            means: self.means,
            of_gradient: rate * (1.0 - now) / (1.0 - past.product),
            of_mean: rate * next / (1.0 - past.product * next),
            widen: Means::lack(self.means.beta2, past.steps).sqrt().recip(),
            eps: self.eps,
            decay,
        }
    }
}

/// One step.
#[derive(Clone, Copy, Debug)]
pub struct NAdamStep {
    means: Means,
    of_gradient: f64,
    of_mean: f64,
    widen: f64,
    eps: f64,
    decay: f64,
}

impl Rule for NAdamStep {
    const LEAST: usize = 2;
    const MOST: usize = 2;

    #[inline(always)]
    fn update<V: Vector>(self, step: Step<V>, w: V, [m, v, rest]: [V; MEMORY]) -> (V, [V; MEMORY]) {
        let g = step.clipped + V::number(self.decay) * w;
        let (m, v) = self.means.update(g, m, v);
        let root = v.sqrt() * V::number(self.widen) + V::number(self.eps);
        let ahead = V::number(self.of_gradient) * g + V::number(self.of_mean) * m;
        (w - over_root(ahead, root), [m, v, rest])
    }
}
