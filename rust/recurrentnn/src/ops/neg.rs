use super::{Elementwise, Form};
use crate::element::simd::Vector;
use crate::kernels::{Cost, Formula, Saved};

/// y = -x.
#[derive(Clone, Copy, Debug)]
pub struct Neg {}

impl Elementwise for Neg {
    const NAME: &'static str = "neg";

    fn form(&self) -> Form {
        Form::Affine {
            scale: -1.0,
            shift: 0.0,
        }
    }
}

impl Formula for Neg {
    const SAVED: Saved = Saved::Input;
    const COST: Cost = Cost::Cheap;

    #[inline(always)]
    fn value<V: Vector>(&self, x: V) -> V {
        -x
    }

    #[inline(always)]
    fn derivative<V: Vector>(&self, _x: V) -> V {
        V::number(-1.0)
    }
}
