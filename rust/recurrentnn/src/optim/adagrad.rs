//! Adagrad (Duchi, Hazan and Singer 2011), PyTorch's rule, with t the steps made, from 1:
//!
//! ```text
//! g = clip(gradient) + weight_decay w
//! s = s + g^2                                 from initial_square
//! w = w - learning_rate / (1 + (t - 1) rate_decay) g / (sqrt(s) + eps)
//! ```

#![allow(clippy::inline_always)] // as the kernels: what is not inlined misses the instruction set

use super::means::over_root;
use super::moments::Past;
use super::settings::{Setting, Settings};
use super::{Squares, UpdateRule};
use crate::element::simd::Vector;
use crate::kernels::update::{MEMORY, Rule, Step};

/// The settings of Adagrad.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Adagrad {
    /// How the rate falls with the steps.
    pub rate_decay: f64,
    /// Where the sums of squares begin.
    pub initial_square: f64,
    /// Keeps the quotient finite.
    pub eps: f64,
}

impl Default for Adagrad {
    fn default() -> Self {
        Self {
            rate_decay: 0.0,
            initial_square: 0.0,
            eps: 1e-10,
        }
    }
}

impl UpdateRule for Adagrad {
    type Kernel = AdagradStep;
    const NAME: &'static str = "adagrad";
    const CLASS: &'static str = "Adagrad";
    const MEMORY: &'static [&'static str] = &["square"];
    const SQUARES: Squares = Squares::Clipped;
    const LEARNING_RATE: f64 = 1e-2;

    fn settings(&mut self) -> Settings<'_> {
        vec![
            ("rate_decay", Setting::positive(&mut self.rate_decay)),
            (
                "initial_square",
                Setting::positive(&mut self.initial_square),
            ),
            ("eps", Setting::positive(&mut self.eps)),
        ]
    }

    fn begins(&self) -> f64 {
        self.initial_square
    }

    fn kernel(&self, rate: f64, decay: f64, past: &mut Past) -> AdagradStep {
        AdagradStep {
            rate: rate / (1.0 + (past.steps - 1) as f64 * self.rate_decay),
            decay,
            eps: self.eps,
        }
    }
}

/// One step.
#[derive(Clone, Copy, Debug)]
pub struct AdagradStep {
    rate: f64,
    decay: f64,
    eps: f64,
}

impl Rule for AdagradStep {
    const LEAST: usize = 1;
    const MOST: usize = 1;

    #[inline(always)]
    fn update<V: Vector>(self, step: Step<V>, w: V, [s, ..]: [V; MEMORY]) -> (V, [V; MEMORY]) {
        let g = step.clipped + V::number(self.decay) * w;
        let s = s + g * g;
        let moved = over_root(g, s.sqrt() + V::number(self.eps));
        (w - V::number(self.rate) * moved, [s; MEMORY])
    }
}
