use super::{Elementwise, Form};
use crate::element::simd::Vector;
use crate::kernels::{Cost, Formula, Saved};

/// y = factor x.
#[derive(Clone, Copy, Debug)]
pub struct Scale {
    /// What every element is multiplied by.
    pub factor: f64,
}

impl Elementwise for Scale {
    const NAME: &'static str = "scale";

    fn form(&self) -> Form {
        Form::Affine {
            scale: self.factor,
            shift: 0.0,
        }
    }
}

impl Formula for Scale {
    const SAVED: Saved = Saved::Input;
    const COST: Cost = Cost::Cheap;

    #[inline(always)]
    fn value<V: Vector>(&self, x: V) -> V {
        V::number(self.factor) * x
    }

    #[inline(always)]
    fn derivative<V: Vector>(&self, _x: V) -> V {
        V::number(self.factor)
    }
}
