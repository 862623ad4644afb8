use super::{Elementwise, Saved};
use crate::element::Element;
use crate::kernels::Cost;

/// y = clip(x / 6 + 1/2, 0, 1), y' = 1/6 strictly inside, 0 at the edges and outside (PyTorch; Keras
/// had x / 5 until version 3).
#[derive(Clone, Copy, Debug)]
pub struct HardSigmoid {}

impl Elementwise for HardSigmoid {
    const NAME: &'static str = "hard_sigmoid";
    const SAVED: Saved = Saved::Input;
    const COST: Cost = Cost::Cheap;

    #[inline]
    fn value<T: Element>(&self, x: T) -> T {
        let line = x / T::from_f64(6.0) + T::from_f64(0.5);
        line.maximum(T::ZERO).minimum(T::ONE)
    }

    #[inline]
    fn derivative<T: Element>(&self, x: T) -> T {
        let three = T::from_f64(3.0);
        if x > -three && x < three {
            T::ONE / T::from_f64(6.0)
        } else {
            T::ZERO
        }
    }
}
