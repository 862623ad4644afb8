use super::Elementwise;
use crate::element::simd::Vector;
use crate::error::{Error, Result};
use crate::kernels::{Cost, Formula, Saved};

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
}

impl Formula for Clip {
    const SAVED: Saved = Saved::Input;
    const COST: Cost = Cost::Cheap;

    #[inline(always)]
    fn value<V: Vector>(&self, x: V) -> V {
        x.maximum(V::number(self.low)).minimum(V::number(self.high))
    }

    #[inline(always)]
    fn derivative<V: Vector>(&self, x: V) -> V {
        let (zero, one) = (V::number(0.0), V::number(1.0));
        V::select(self.value(x).equal(x), one, zero)
    }
}
