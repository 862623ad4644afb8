//! Lion (Chen et al. 2023):
//!
//! ```text
//! g = clip(gradient)
//! u = sign(beta1 m + (1 - beta1) g)           0 where the sum is 0
//! w = w - learning_rate (u + weight_decay w)
//! m = beta2 m + (1 - beta2) g
//! ```
//!
//! Every weight moves as far, so the learning rate is smaller than Adam's, three to ten times, and the
//! weight decay larger by as much.

#![allow(clippy::inline_always)] // as the kernels: what is not inlined misses the instruction set

use super::moments::Past;
use super::settings::{Setting, Settings};
use super::{Squares, UpdateRule};
use crate::element::simd::Vector;
use crate::kernels::update::{MEMORY, Rule, Step};

/// The settings of Lion.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lion {
    /// How much of the mean gradient enters a step.
    pub beta1: f64,
    /// How much of the mean gradient stays.
    pub beta2: f64,
}

impl Default for Lion {
    fn default() -> Self {
        Self {
            beta1: 0.9,
            beta2: 0.99,
        }
    }
}

impl UpdateRule for Lion {
    type Kernel = LionStep;
    const NAME: &'static str = "lion";
    const CLASS: &'static str = "Lion";
    const MEMORY: &'static [&'static str] = &["mean"];
    const SQUARES: Squares = Squares::None;
    const LEARNING_RATE: f64 = 1e-4;

    fn settings(&mut self) -> Settings<'_> {
        vec![
            ("beta1", Setting::share(&mut self.beta1)),
            ("beta2", Setting::share(&mut self.beta2)),
        ]
    }

    fn kernel(&self, rate: f64, decay: f64, _: &mut Past) -> LionStep {
        LionStep {
            rule: *self,
            rate,
            decay,
        }
    }
}

/// One step.
#[derive(Clone, Copy, Debug)]
pub struct LionStep {
    rule: Lion,
    rate: f64,
    decay: f64,
}

impl Rule for LionStep {
    const LEAST: usize = 1;
    const MOST: usize = 1;

    #[inline(always)]
    fn update<V: Vector>(self, step: Step<V>, w: V, [m, ..]: [V; MEMORY]) -> (V, [V; MEMORY]) {
        let (zero, one) = (V::number(0.0), V::number(1.0));
        let sum = mixed(self.rule.beta1, m, step.clipped);
        let sign = V::select(sum.equal(zero), zero, one.with_sign_of(sum));
        let w = w - V::number(self.rate) * (sign + V::number(self.decay) * w);
        (w, [mixed(self.rule.beta2, m, step.clipped); MEMORY])
    }
}

#[inline(always)]
fn mixed<V: Vector>(beta: f64, m: V, g: V) -> V {
    V::number(beta) * m + V::number(1.0 - beta) * g
}
