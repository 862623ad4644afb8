use super::Elementwise;
use crate::element::simd::Vector;
use crate::kernels::{Cost, Formula, Saved, math};

/// y = e^x, y' = y.
#[derive(Clone, Copy, Debug)]
pub struct Exp {}

impl Elementwise for Exp {
    const NAME: &'static str = "exp";
}

impl Formula for Exp {
    const SAVED: Saved = Saved::Output;
    const COST: Cost = Cost::Transcendental;

    #[inline(always)]
    fn value<V: Vector>(&self, x: V) -> V {
        math::exp(x)
    }

    #[inline(always)]
    fn derivative<V: Vector>(&self, y: V) -> V {
        y
    }
}
