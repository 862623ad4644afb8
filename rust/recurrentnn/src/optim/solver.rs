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
//! by the learning rate and reaches biases: use it with `decay_all`.

#![allow(clippy::inline_always)] // as the kernels: what is not inlined misses the instruction set

use super::means::over_root;
use super::moments::Past;
use super::settings::{Setting, Settings};
use super::{Squares, UpdateRule};
use crate::element::simd::Vector;
use crate::kernels::update::{MEMORY, Rule, Step};

/// The settings of the ancestors' solver.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Solver {
    /// How much of the running mean square stays.
    pub decay_rate: f64,
    /// Keeps the quotient finite.
    pub eps: f64,
}

impl Default for Solver {
    fn default() -> Self {
        Self {
            decay_rate: 0.999,
            eps: 1e-8,
        }
    }
}

impl UpdateRule for Solver {
    type Kernel = SolverStep;
    const NAME: &'static str = "solver";
    const CLASS: &'static str = "Solver";
    const MEMORY: &'static [&'static str] = &["square"];
    const SQUARES: Squares = Squares::Raw;
    const LEARNING_RATE: f64 = 0.01;

    fn settings(&mut self) -> Settings<'_> {
        vec![
            ("decay_rate", Setting::share(&mut self.decay_rate)),
            ("eps", Setting::positive(&mut self.eps)),
        ]
    }

    fn kernel(&self, rate: f64, decay: f64, _: &mut Past) -> SolverStep {
        SolverStep {
            rule: *self,
            rate,
            decay,
        }
    }
}

/// One step.
#[derive(Clone, Copy, Debug)]
pub struct SolverStep {
    rule: Solver,
    rate: f64,
    decay: f64,
}

impl Rule for SolverStep {
    const LEAST: usize = 1;
    const MOST: usize = 1;

    #[inline(always)]
    fn update<V: Vector>(self, step: Step<V>, w: V, [s, ..]: [V; MEMORY]) -> (V, [V; MEMORY]) {
        let [keep, rest] = [self.rule.decay_rate, 1.0 - self.rule.decay_rate].map(V::number);
        let s = s * keep + rest * step.g * step.g;
        let moved = over_root(step.clipped, (s + V::number(self.rule.eps)).sqrt());
        let w_moved = w - V::number(self.rate) * moved;
        (w_moved - V::number(self.decay) * w, [s; MEMORY])
    }
}
