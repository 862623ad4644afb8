use super::Elementwise;
use crate::element::Element;
use crate::element::simd::Vector;
use crate::kernels::{Cost, Formula, Saved};

/// y = x^exponent, y' = exponent x^(exponent - 1). NaN stays NaN, for exponent 0 too,
/// where IEEE 754 has 1.
#[derive(Clone, Copy, Debug)]
pub struct Pow {
    /// The power.
    pub exponent: f64,
}

impl Elementwise for Pow {
    const NAME: &'static str = "pow";
}

impl Formula for Pow {
    const SAVED: Saved = Saved::Input;
    const COST: Cost = Cost::Called;

    #[inline(always)]
    fn value<V: Vector>(&self, x: V) -> V {
        let exponent = V::Element::from_f64(self.exponent);
        x.map_lanes(|x| if x.is_nan() { x } else { x.powf(exponent) })
    }

    #[inline(always)]
    fn derivative<V: Vector>(&self, x: V) -> V {
        // 0 x^-1 is 0 everywhere, at x = 0 too.
        if self.exponent == 0.0 {
            return V::number(0.0);
        }
        let exponent = V::Element::from_f64(self.exponent - 1.0);
        V::number(self.exponent) * x.map_lanes(|x| x.powf(exponent))
    }
}
