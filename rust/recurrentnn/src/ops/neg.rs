use super::{Elementwise, Form, Saved};
use crate::element::Element;
use crate::kernels::Cost;

/// y = -x.
#[derive(Clone, Copy, Debug)]
pub struct Neg {}

impl Elementwise for Neg {
    const NAME: &'static str = "neg";
    const SAVED: Saved = Saved::Input;
    const COST: Cost = Cost::Cheap;

    fn form(&self) -> Form {
        Form::Affine {
            scale: -1.0,
            shift: 0.0,
        }
    }

    #[inline]
    fn value<T: Element>(&self, x: T) -> T {
        -x
    }

    #[inline]
    fn derivative<T: Element>(&self, _x: T) -> T {
        -T::ONE
    }
}
