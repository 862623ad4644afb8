use super::Elementwise;
use crate::element::simd::Vector;
use crate::kernels::{Cost, Formula, Saved};

/// y = x^2, y' = 2 x.
#[derive(Clone, Copy, Debug)]
pub struct Square {}

impl Elementwise for Square {
    const NAME: &'static str = "square";
}

impl Formula for Square {
    const SAVED: Saved = Saved::Input;
    const COST: Cost = Cost::Cheap;

    #[inline(always)]
    fn value<V: Vector>(&self, x: V) -> V {
        x * x
    }

    #[inline(always)]
    fn derivative<V: Vector>(&self, x: V) -> V {
        x + x
    }
}
