use super::Elementwise;
use crate::element::simd::Vector;
use crate::kernels::{Cost, Formula, Saved, math};

/// y = 1 / (1 + e^-x), y' = y (1 - y).
///
/// From e^-|x|, so that neither end overflows and small values keep their relative accuracy.
#[derive(Clone, Copy, Debug)]
pub struct Sigmoid {}

impl Elementwise for Sigmoid {
    const NAME: &'static str = "sigmoid";
}

impl Formula for Sigmoid {
    const SAVED: Saved = Saved::Output;
    const COST: Cost = Cost::Transcendental;

    #[inline(always)]
    fn value<V: Vector>(&self, x: V) -> V {
        math::sigmoid(x)
    }

    #[inline(always)]
    fn derivative<V: Vector>(&self, y: V) -> V {
        y * (V::number(1.0) - y)
    }
}
