use super::{Elementwise, Form, Saved};
use crate::element::Element;
use crate::kernels::Cost;

/// y = x + amount.
#[derive(Clone, Copy, Debug)]
pub struct Shift {
    /// What is added to every element.
    pub amount: f64,
}

impl Elementwise for Shift {
    const NAME: &'static str = "shift";
    const SAVED: Saved = Saved::Input;
    const COST: Cost = Cost::Cheap;

    fn form(&self) -> Form {
        Form::Affine {
            scale: 1.0,
            shift: self.amount,
        }
    }

    #[inline]
    fn value<T: Element>(&self, x: T) -> T {
        x + T::from_f64(self.amount)
    }

    #[inline]
    fn derivative<T: Element>(&self, _x: T) -> T {
        T::ONE
    }
}
