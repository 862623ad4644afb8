use super::{Elementwise, Saved};
use crate::element::Element;
use crate::kernels::Cost;

/// y = x^exponent, y' = exponent x^(exponent - 1). NaN stays NaN, for exponent 0 too,
/// where IEEE 754 has 1.
#[derive(Clone, Copy, Debug)]
pub struct Pow {
    /// The power.
    pub exponent: f64,
}

impl Elementwise for Pow {
    const NAME: &'static str = "pow";
    const SAVED: Saved = Saved::Input;
    const COST: Cost = Cost::Transcendental;

    #[inline]
    fn value<T: Element>(&self, x: T) -> T {
        if x.is_nan() {
            x
        } else {
            x.powf(T::from_f64(self.exponent))
        }
    }

    #[inline]
    fn derivative<T: Element>(&self, x: T) -> T {
        // 0 x^-1 is 0 everywhere, at x = 0 too.
        if self.exponent == 0.0 {
            return T::ZERO;
        }
        T::from_f64(self.exponent) * x.powf(T::from_f64(self.exponent - 1.0))
    }
}
