use super::Elementwise;
use crate::element::simd::Vector;
use crate::kernels::{Cost, Formula, Saved};

/// y = max(x, 0), y' = 1 above 0, 0 below, and at 0 what the caller says: 0 in RecurrentJS and
/// PyTorch, 1 in RecurrentNN.jl. NaN stays NaN.
#[derive(Clone, Copy, Debug)]
pub struct Relu {
    /// The derivative at exactly 0.
    pub slope_at_zero: f64,
}

impl Elementwise for Relu {
    const NAME: &'static str = "relu";
}

impl Formula for Relu {
    const SAVED: Saved = Saved::Input;
    const COST: Cost = Cost::Cheap;

    #[inline(always)]
    fn value<V: Vector>(&self, x: V) -> V {
        x.maximum(V::number(0.0))
    }

    #[inline(always)]
    fn derivative<V: Vector>(&self, x: V) -> V {
        let (zero, one) = (V::number(0.0), V::number(1.0));
        let rest = V::select(x.equal(zero), V::number(self.slope_at_zero), zero);
        V::select(x.greater(zero), one, rest)
    }
}
