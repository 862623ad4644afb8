use super::{Elementwise, Saved};
use crate::element::Element;
use crate::kernels::Cost;

/// y = e^x, y' = y.
#[derive(Clone, Copy, Debug)]
pub struct Exp {}

impl Elementwise for Exp {
    const NAME: &'static str = "exp";
    const SAVED: Saved = Saved::Output;
    const COST: Cost = Cost::Transcendental;

    #[inline]
    fn value<T: Element>(&self, x: T) -> T {
        x.exp()
    }

    #[inline]
    fn derivative<T: Element>(&self, y: T) -> T {
        y
    }
}
