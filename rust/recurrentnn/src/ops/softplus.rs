use super::Sigmoid;
use super::{Elementwise, Saved};
use crate::element::Element;
use crate::kernels::Cost;

/// y = ln(1 + e^x), y' = sigmoid(x).
///
/// As max(x, 0) + ln(1 + e^-|x|), which overflows nowhere.
#[derive(Clone, Copy, Debug)]
pub struct Softplus {}

impl Elementwise for Softplus {
    const NAME: &'static str = "softplus";
    const SAVED: Saved = Saved::Input;
    const COST: Cost = Cost::Transcendental;

    #[inline]
    fn value<T: Element>(&self, x: T) -> T {
        x.maximum(T::ZERO) + (-x.abs()).exp().ln_1p()
    }

    #[inline]
    fn derivative<T: Element>(&self, x: T) -> T {
        Sigmoid {}.value(x)
    }
}
