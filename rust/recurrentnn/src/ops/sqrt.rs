use super::{Elementwise, Saved};
use crate::element::Element;
use crate::kernels::Cost;

/// y = sqrt(x), y' = 1 / (2 y); infinite at 0.
#[derive(Clone, Copy, Debug)]
pub struct Sqrt {}

impl Elementwise for Sqrt {
    const NAME: &'static str = "sqrt";
    const SAVED: Saved = Saved::Output;
    const COST: Cost = Cost::Cheap;

    #[inline]
    fn value<T: Element>(&self, x: T) -> T {
        x.sqrt()
    }

    #[inline]
    fn derivative<T: Element>(&self, y: T) -> T {
        T::from_f64(0.5) / y
    }
}
