//! RMSProp (Tieleman and Hinton 2012; centered: Graves 2013), as in PyTorch where the rules coincide:
//!
//! ```text
//! g = clip(gradient)
//! s = decay_rate s + (1 - decay_rate) g^2
//! m = decay_rate m + (1 - decay_rate) g       centered; else m = 0
//! b = momentum b + g / (sqrt(s - m^2) + eps)
//! w = w - learning_rate (b + weight_decay w)
//! ```
//!
//! eps stands outside the root. Clipping comes before accumulation. The decay is decoupled: PyTorch
//! adds `weight_decay w` to g before it is squared.

#![allow(clippy::inline_always)] // as the kernels: what is not inlined misses the instruction set

use super::means::over_root;
use super::moments::Past;
use super::settings::{Setting, Settings};
use super::{Squares, UpdateRule};
use crate::element::simd::Vector;
use crate::kernels::update::{MEMORY, Rule, Step};

/// The settings of RMSProp.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RmsProp {
    /// How much of the running means stays.
    pub decay_rate: f64,
    /// Keeps the quotient finite.
    pub eps: f64,
    /// How much of the step before stays.
    pub momentum: f64,
    /// Whether to divide by the deviation from the mean gradient.
    pub centered: bool,
}

impl Default for RmsProp {
    fn default() -> Self {
        Self {
            decay_rate: 0.95,
            eps: 1e-8,
            momentum: 0.0,
            centered: false,
        }
    }
}

impl UpdateRule for RmsProp {
    type Kernel = RmsPropStep;
    const NAME: &'static str = "rmsprop";
    const CLASS: &'static str = "RMSProp";
    const MEMORY: &'static [&'static str] = &["square", "momentum", "mean"];
    const SQUARES: Squares = Squares::Clipped;
    const LEARNING_RATE: f64 = 1e-3;

    fn settings(&mut self) -> Settings<'_> {
        vec![
            ("decay_rate", Setting::share(&mut self.decay_rate)),
            ("eps", Setting::positive(&mut self.eps)),
            ("momentum", Setting::share(&mut self.momentum)),
            ("centered", Setting::Switch(&mut self.centered)),
        ]
    }

    fn remembers(&self) -> usize {
        if self.centered {
            3
        } else {
            1 + usize::from(self.momentum > 0.0)
        }
    }

    fn kernel(&self, rate: f64, decay: f64, _: &mut Past) -> RmsPropStep {
        RmsPropStep {
            rule: *self,
            rate,
            decay,
        }
    }
}

/// One step.
#[derive(Clone, Copy, Debug)]
pub struct RmsPropStep {
    rule: RmsProp,
    rate: f64,
    decay: f64,
}

impl Rule for RmsPropStep {
    const LEAST: usize = 1;
    const MOST: usize = 3;

    #[inline(always)]
    fn update<V: Vector>(self, step: Step<V>, w: V, [s, b, m]: [V; MEMORY]) -> (V, [V; MEMORY]) {
        let [keep, rest] = [self.rule.decay_rate, 1.0 - self.rule.decay_rate].map(V::number);
        let g = step.clipped;
        let s = keep * s + rest * g * g;
        let (m, spread) = if self.rule.centered {
            let m = keep * m + rest * g;
            // Rounding may leave less than nothing of a constant gradient.
            (m, (s - m * m).at_least(0.0))
        } else {
            (m, s)
        };
        let moved = over_root(g, spread.sqrt() + V::number(self.rule.eps));
        let b = V::number(self.rule.momentum) * b + moved;
        let w = w - V::number(self.rate) * (b + V::number(self.decay) * w);
        (w, [s, b, m])
    }
}
