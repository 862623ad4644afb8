use super::Elementwise;
use crate::element::simd::Vector;
use crate::kernels::{Cost, Formula, Saved, math};

/// y = tanh(x), y' = 1 - y^2.
#[derive(Clone, Copy, Debug)]
pub struct Tanh {}

impl Elementwise for Tanh {
    const NAME: &'static str = "tanh";
}

impl Formula for Tanh {
    const SAVED: Saved = Saved::Output;
    const COST: Cost = Cost::Transcendental;

    #[inline(always)]
    fn value<V: Vector>(&self, x: V) -> V {
        math::tanh(x)
    }

    #[inline(always)]
    fn derivative<V: Vector>(&self, y: V) -> V {
        V::number(1.0) - y * y
    }
}
