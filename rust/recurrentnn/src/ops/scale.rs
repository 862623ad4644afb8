use super::{Elementwise, Form, Saved};
use crate::element::Element;
use crate::kernels::Cost;

/// y = factor x.
#[derive(Clone, Copy, Debug)]
pub struct Scale {
    /// What every element is multiplied by.
    pub factor: f64,
}

impl Elementwise for Scale {
    const NAME: &'static str = "scale";
    const SAVED: Saved = Saved::Input;
    const COST: Cost = Cost::Cheap;

    fn form(&self) -> Form {
        Form::Affine {
            scale: self.factor,
            shift: 0.0,
        }
    }

    #[inline]
    fn value<T: Element>(&self, x: T) -> T {
        T::from_f64(self.factor) * x
    }

    #[inline]
    fn derivative<T: Element>(&self, _x: T) -> T {
        T::from_f64(self.factor)
    }
}
