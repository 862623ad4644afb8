use super::Elementwise;
use crate::element::simd::Vector;
use crate::kernels::{Cost, Formula, Saved};

/// y = |x|, y' = the sign of x, 0 at 0.
#[derive(Clone, Copy, Debug)]
pub struct Abs {}

impl Elementwise for Abs {
    const NAME: &'static str = "abs";
}

impl Formula for Abs {
    const SAVED: Saved = Saved::Input;
    const COST: Cost = Cost::Cheap;

    #[inline(always)]
    fn value<V: Vector>(&self, x: V) -> V {
        x.abs()
    }

    #[inline(always)]
    fn derivative<V: Vector>(&self, x: V) -> V {
        let (zero, one) = (V::number(0.0), V::number(1.0));
        V::select(x.abs().greater(zero), one.with_sign_of(x), zero)
    }
}
