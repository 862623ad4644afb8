use super::{Elementwise, Saved};
use crate::element::Element;
use crate::kernels::Cost;

/// y = |x|, y' = the sign of x, 0 at 0.
#[derive(Clone, Copy, Debug)]
pub struct Abs {}

impl Elementwise for Abs {
    const NAME: &'static str = "abs";
    const SAVED: Saved = Saved::Input;
    const COST: Cost = Cost::Cheap;

    #[inline]
    fn value<T: Element>(&self, x: T) -> T {
        x.abs()
    }

    #[inline]
    fn derivative<T: Element>(&self, x: T) -> T {
        if x > T::ZERO {
            T::ONE
        } else if x < T::ZERO {
            -T::ONE
        } else {
            T::ZERO
        }
    }
}
