use super::{Elementwise, Saved};
use crate::element::Element;
use crate::kernels::Cost;

/// y = x above 0, slope x below; y' = 1 above 0, slope at 0 and below.
#[derive(Clone, Copy, Debug)]
pub struct LeakyRelu {
    /// The slope below 0.
    pub slope: f64,
}

impl Elementwise for LeakyRelu {
    const NAME: &'static str = "leaky_relu";
    const SAVED: Saved = Saved::Input;
    const COST: Cost = Cost::Cheap;

    #[inline]
    fn value<T: Element>(&self, x: T) -> T {
        if x > T::ZERO {
            x
        } else {
            T::from_f64(self.slope) * x
        }
    }

    #[inline]
    fn derivative<T: Element>(&self, x: T) -> T {
        if x > T::ZERO {
            T::ONE
        } else {
            T::from_f64(self.slope)
        }
    }
}
