use super::Elementwise;
use crate::element::simd::Vector;
use crate::kernels::{Cost, Formula, Saved, math};

/// y = ln x, y' = 1 / x.
#[derive(Clone, Copy, Debug)]
pub struct Log {}

impl Elementwise for Log {
    const NAME: &'static str = "log";
}

impl Formula for Log {
    const SAVED: Saved = Saved::Input;
    const COST: Cost = Cost::Transcendental;

    #[inline(always)]
    fn value<V: Vector>(&self, x: V) -> V {
        math::log(x)
    }

    #[inline(always)]
    fn derivative<V: Vector>(&self, x: V) -> V {
        V::number(1.0) / x
    }
}
