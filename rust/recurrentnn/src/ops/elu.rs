use super::{Elementwise, Saved};
use crate::element::Element;
use crate::kernels::Cost;

/// y = x above 0, alpha (e^x - 1) below (Clevert et al. 2016); y' = 1 above, alpha e^x below.
#[derive(Clone, Copy, Debug)]
pub struct Elu {
    /// Minus the value far below 0.
    pub alpha: f64,
}

impl Elementwise for Elu {
    const NAME: &'static str = "elu";
    const SAVED: Saved = Saved::Input;
    const COST: Cost = Cost::Transcendental;

    #[inline]
    fn value<T: Element>(&self, x: T) -> T {
        if x > T::ZERO {
            x
        } else {
            T::from_f64(self.alpha) * x.exp_m1()
        }
    }

    #[inline]
    fn derivative<T: Element>(&self, x: T) -> T {
        if x > T::ZERO {
            T::ONE
        } else {
            T::from_f64(self.alpha) * x.exp()
        }
    }
}
