//! Gradient descent with momentum (Polyak 1964; Nesterov 1983),
//! as Sutskever et al. (2013) have it, and PyTorch's rule:
//!
//! ```text
//! g = clip(gradient) + weight_decay w
//! b = momentum b + (1 - dampening) g          at the first step: g
//! w = w - learning_rate b                     nesterov: g + momentum b in the place of b
//! ```
//!
//! Without momentum nothing is remembered, and g is in the place of b.

#![allow(clippy::inline_always)] // as the kernels: what is not inlined misses the instruction set

use super::moments::Past;
use super::settings::{Setting, Settings};
use super::{Squares, UpdateRule};
use crate::element::simd::Vector;
use crate::error::{Error, Result};
use crate::kernels::update::{MEMORY, Rule, Step};

/// The settings of SGD.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Sgd {
    /// How much of the step before stays.
    pub momentum: f64,
    /// How much of the gradient does not enter the momentum.
    pub dampening: f64,
    /// Whether to look one step of momentum ahead.
    pub nesterov: bool,
}

impl UpdateRule for Sgd {
    type Kernel = SgdStep;
    const NAME: &'static str = "sgd";
    const CLASS: &'static str = "SGD";
    const MEMORY: &'static [&'static str] = &["momentum"];
    const SQUARES: Squares = Squares::None;
    const LEARNING_RATE: f64 = 1e-3;

    fn settings(&mut self) -> Settings<'_> {
        vec![
            ("momentum", Setting::share(&mut self.momentum)),
            ("dampening", Setting::Number(&mut self.dampening, 0.0..1.0)),
            ("nesterov", Setting::Switch(&mut self.nesterov)),
        ]
    }

    fn check(&self) -> Result<()> {
        if self.nesterov && (self.momentum == 0.0 || self.dampening != 0.0) {
            let message = format!(
                "nesterov needs a momentum above 0 and no dampening, but they are {} and {}",
                self.momentum, self.dampening
            );
            return Err(Error::argument(Self::CLASS, message));
        }
        Ok(())
    }

    fn remembers(&self) -> usize {
        usize::from(self.momentum > 0.0)
    }

    fn kernel(&self, rate: f64, decay: f64, past: &mut Past) -> SgdStep {
        let builds = self.momentum > 0.0 && past.steps > 1;
        let enters = if builds { 1.0 - self.dampening } else { 1.0 };
        SgdStep {
            rate,
            decay,
            momentum: self.momentum,
            enters,
            nesterov: self.nesterov,
        }
    }
}

/// One step.
#[derive(Clone, Copy, Debug)]
pub struct SgdStep {
    rate: f64,
    decay: f64,
    momentum: f64,
    enters: f64,
    nesterov: bool,
}

impl Rule for SgdStep {
    const LEAST: usize = 0;
    const MOST: usize = 1;

    #[inline(always)]
    fn update<V: Vector>(self, step: Step<V>, w: V, [b, ..]: [V; MEMORY]) -> (V, [V; MEMORY]) {
        let momentum = V::number(self.momentum);
        let g = step.clipped + V::number(self.decay) * w;
        // Without momentum b is no memory but 0, so this is g.
        let b = momentum * b + V::number(self.enters) * g;
        let direction = if self.nesterov { g + momentum * b } else { b };
        let w = w - V::number(self.rate) * direction;
        (w, [b; MEMORY])
    }
}
