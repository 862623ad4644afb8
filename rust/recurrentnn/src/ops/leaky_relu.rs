use super::Elementwise;
use crate::element::simd::Vector;
use crate::kernels::{Cost, Formula, Saved};

/// y = x above 0, slope x below; y' = 1 above 0, slope at 0 and below.
#[derive(Clone, Copy, Debug)]
pub struct LeakyRelu {
    /// The slope below 0.
    pub slope: f64,
}

impl Elementwise for LeakyRelu {
    const NAME: &'static str = "leaky_relu";
}

impl Formula for LeakyRelu {
    const SAVED: Saved = Saved::Input;
    const COST: Cost = Cost::Cheap;

    #[inline(always)]
    fn value<V: Vector>(&self, x: V) -> V {
        V::select(x.greater(V::number(0.0)), x, V::number(self.slope) * x)
    }

    #[inline(always)]
    fn derivative<V: Vector>(&self, x: V) -> V {
        let above = x.greater(V::number(0.0));
        V::select(above, V::number(1.0), V::number(self.slope))
    }
}
