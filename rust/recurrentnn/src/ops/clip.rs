use super::{Elementwise, Saved};
use crate::element::Element;
use crate::error::{Error, Result};
use crate::kernels::Cost;

/// y = min(max(x, low), high), y' = 1 from low to high with both ends, 0 outside (as PyTorch's
/// `clamp`). NaN stays NaN.
#[derive(Clone, Copy, Debug)]
pub struct Clip {
    /// Smallest value.
    pub low: f64,
    /// Largest value.
    pub high: f64,
}

impl Elementwise for Clip {
    const NAME: &'static str = "clip";
    const SAVED: Saved = Saved::Input;
    const COST: Cost = Cost::Cheap;

    fn check_attributes(&self) -> Result<()> {
        if self.low <= self.high {
            return Ok(());
        }
        let message = format!(
            "low must not exceed high but they are {} and {}",
            self.low, self.high
        );
        Err(Error::argument("clip", message))
    }

    #[inline]
    fn value<T: Element>(&self, x: T) -> T {
        x.maximum(T::from_f64(self.low))
            .minimum(T::from_f64(self.high))
    }

    #[inline]
    fn derivative<T: Element>(&self, x: T) -> T {
        let inside = x >= T::from_f64(self.low) && x <= T::from_f64(self.high);
        if inside { T::ONE } else { T::ZERO }
    }
}
