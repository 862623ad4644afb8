use super::{Elementwise, Saved};
use crate::element::Element;
use crate::kernels::Cost;

/// y = x^2, y' = 2 x.
#[derive(Clone, Copy, Debug)]
pub struct Square {}

impl Elementwise for Square {
    const NAME: &'static str = "square";
    const SAVED: Saved = Saved::Input;
    const COST: Cost = Cost::Cheap;

    #[inline]
    fn value<T: Element>(&self, x: T) -> T {
        x * x
    }

    #[inline]
    fn derivative<T: Element>(&self, x: T) -> T {
        x + x
    }
}
