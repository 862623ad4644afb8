use super::Elementwise;
use crate::element::simd::Vector;
use crate::kernels::{Cost, Formula, Saved, math};

/// y = x above 0, alpha (e^x - 1) below (Clevert et al. 2016); y' = 1 above, alpha e^x below.
#[derive(Clone, Copy, Debug)]
pub struct Elu {
    /// Minus the value far below 0.
    pub alpha: f64,
}

impl Elementwise for Elu {
    const NAME: &'static str = "elu";
}

impl Formula for Elu {
    const SAVED: Saved = Saved::Input;
    const COST: Cost = Cost::Transcendental;

    #[inline(always)]
    fn value<V: Vector>(&self, x: V) -> V {
        let zero = V::number(0.0);
        V::select(x.greater(zero), x, V::number(self.alpha) * math::exp_m1(x))
    }

    #[inline(always)]
    fn derivative<V: Vector>(&self, x: V) -> V {
        let (zero, one) = (V::number(0.0), V::number(1.0));
        V::select(x.greater(zero), one, V::number(self.alpha) * math::exp(x))
    }
}
