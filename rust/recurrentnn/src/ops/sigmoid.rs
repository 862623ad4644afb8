use super::{Elementwise, Saved};
use crate::element::Element;
use crate::kernels::Cost;

/// y = 1 / (1 + e^-x), y' = y (1 - y).
///
/// From e^-|x|, so that neither end overflows and small values keep their relative accuracy.
#[derive(Clone, Copy, Debug)]
pub struct Sigmoid {}

impl Elementwise for Sigmoid {
    const NAME: &'static str = "sigmoid";
    const SAVED: Saved = Saved::Output;
    const COST: Cost = Cost::Transcendental;

    #[inline]
    fn value<T: Element>(&self, x: T) -> T {
        let e = (-x.abs()).exp();
        let small = e / (T::ONE + e);
        if x > T::ZERO {
            T::ONE / (T::ONE + e)
        } else {
            small
        }
    }

    #[inline]
    fn derivative<T: Element>(&self, y: T) -> T {
        y * (T::ONE - y)
    }
}
