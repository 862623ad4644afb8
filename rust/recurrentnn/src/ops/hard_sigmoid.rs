use super::Elementwise;
use crate::element::simd::Vector;
use crate::kernels::{Cost, Formula, Saved};

/// y = clip(x / 6 + 1/2, 0, 1), y' = 1/6 strictly inside, 0 at the edges and outside (PyTorch; Keras
/// had x / 5 until version 3).
#[derive(Clone, Copy, Debug)]
pub struct HardSigmoid {}

impl Elementwise for HardSigmoid {
    const NAME: &'static str = "hard_sigmoid";
}

impl Formula for HardSigmoid {
    const SAVED: Saved = Saved::Input;
    const COST: Cost = Cost::Cheap;

    #[inline(always)]
    fn value<V: Vector>(&self, x: V) -> V {
        let line = x / V::number(6.0) + V::number(0.5);
        line.maximum(V::number(0.0)).minimum(V::number(1.0))
    }

    #[inline(always)]
    fn derivative<V: Vector>(&self, x: V) -> V {
        let inside = V::number(3.0).greater(x.abs());
        V::select(inside, V::number(1.0 / 6.0), V::number(0.0))
    }
}
