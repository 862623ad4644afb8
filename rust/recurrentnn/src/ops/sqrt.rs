use super::Elementwise;
use crate::element::simd::Vector;
use crate::kernels::{Cost, Formula, Saved};

/// y = sqrt(x), y' = 1 / (2 y); infinite at 0.
#[derive(Clone, Copy, Debug)]
pub struct Sqrt {}

impl Elementwise for Sqrt {
    const NAME: &'static str = "sqrt";
}

impl Formula for Sqrt {
    const SAVED: Saved = Saved::Output;
    const COST: Cost = Cost::Cheap;

    #[inline(always)]
    fn value<V: Vector>(&self, x: V) -> V {
        x.sqrt()
    }

    #[inline(always)]
    fn derivative<V: Vector>(&self, y: V) -> V {
        V::number(0.5) / y
    }
}
