use super::Elementwise;
use crate::element::simd::Vector;
use crate::kernels::{Cost, Formula, Saved, math};

/// y = ln(1 + e^x), y' = sigmoid(x).
///
/// As max(x, 0) + ln(1 + e^-|x|), which overflows nowhere.
#[derive(Clone, Copy, Debug)]
pub struct Softplus {}

impl Elementwise for Softplus {
    const NAME: &'static str = "softplus";
}

impl Formula for Softplus {
    const SAVED: Saved = Saved::Input;
    const COST: Cost = Cost::Transcendental;

    #[inline(always)]
    fn value<V: Vector>(&self, x: V) -> V {
        x.maximum(V::number(0.0)) + math::log_1p(math::exp(-x.abs()))
    }

    #[inline(always)]
    fn derivative<V: Vector>(&self, x: V) -> V {
        math::sigmoid(x)
    }
}
