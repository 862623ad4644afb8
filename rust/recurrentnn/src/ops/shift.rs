use super::{Elementwise, Form};
use crate::element::simd::Vector;
use crate::kernels::{Cost, Formula, Saved};

/// y = x + amount.
#[derive(Clone, Copy, Debug)]
pub struct Shift {
    /// What is added to every element.
    pub amount: f64,
}

impl Elementwise for Shift {
    const NAME: &'static str = "shift";

    fn form(&self) -> Form {
        Form::Affine {
            scale: 1.0,
            shift: self.amount,
        }
    }
}

impl Formula for Shift {
    const SAVED: Saved = Saved::Input;
    const COST: Cost = Cost::Cheap;

    #[inline(always)]
    fn value<V: Vector>(&self, x: V) -> V {
        x + V::number(self.amount)
    }

    #[inline(always)]
    fn derivative<V: Vector>(&self, _x: V) -> V {
        V::number(1.0)
    }
}
