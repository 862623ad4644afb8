use super::{Elementwise, Saved};
use crate::element::Element;
use crate::kernels::Cost;

/// y = max(x, 0), y' = 1 above 0, 0 below, and at 0 what the caller says: 0 in RecurrentJS and
/// PyTorch, 1 in RecurrentNN.jl. NaN stays NaN.
#[derive(Clone, Copy, Debug)]
pub struct Relu {
    /// The derivative at exactly 0.
    pub slope_at_zero: f64,
}

impl Elementwise for Relu {
    const NAME: &'static str = "relu";
    const SAVED: Saved = Saved::Input;
    const COST: Cost = Cost::Cheap;

    #[inline]
    fn value<T: Element>(&self, x: T) -> T {
        x.maximum(T::ZERO)
    }

    #[inline]
    fn derivative<T: Element>(&self, x: T) -> T {
        if x > T::ZERO {
            T::ONE
        } else if x == T::ZERO {
            T::from_f64(self.slope_at_zero)
        } else {
            T::ZERO
        }
    }
}
