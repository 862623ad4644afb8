use super::{Elementwise, Saved};
use crate::element::Element;
use crate::kernels::Cost;

/// y = tanh(x), y' = 1 - y^2.
#[derive(Clone, Copy, Debug)]
pub struct Tanh {}

impl Elementwise for Tanh {
    const NAME: &'static str = "tanh";
    const SAVED: Saved = Saved::Output;
    const COST: Cost = Cost::Transcendental;

    #[inline]
    fn value<T: Element>(&self, x: T) -> T {
        x.tanh()
    }

    #[inline]
    fn derivative<T: Element>(&self, y: T) -> T {
        T::ONE - y * y
    }
}
