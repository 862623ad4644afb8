use super::{Elementwise, Saved};
use crate::element::Element;
use crate::kernels::Cost;

/// y = ln x, y' = 1 / x.
#[derive(Clone, Copy, Debug)]
pub struct Log {}

impl Elementwise for Log {
    const NAME: &'static str = "log";
    const SAVED: Saved = Saved::Input;
    const COST: Cost = Cost::Transcendental;

    #[inline]
    fn value<T: Element>(&self, x: T) -> T {
        x.ln()
    }

    #[inline]
    fn derivative<T: Element>(&self, x: T) -> T {
        T::ONE / x
    }
}
