use super::Elementwise;
use crate::element::Element;
use crate::element::simd::Vector;
use crate::kernels::{Cost, Formula, Saved};

/// y = x Phi(x), Phi the normal distribution function (Hendrycks and Gimpel 2016), exactly, not by
/// the tanh approximation; y' = Phi(x) + x phi(x).
#[derive(Clone, Copy, Debug)]
pub struct Gelu {}

/// (1 + erf(x / sqrt 2)) / 2, without cancellation for negative x.
fn distribution(x: f64) -> f64 {
    0.5 * libm::erfc(-x * std::f64::consts::FRAC_1_SQRT_2)
}

fn density(x: f64) -> f64 {
    (-0.5 * x * x).exp() / std::f64::consts::TAU.sqrt()
}

impl Elementwise for Gelu {
    const NAME: &'static str = "gelu";
}

impl Formula for Gelu {
    const SAVED: Saved = Saved::Input;
    const COST: Cost = Cost::Called;

    #[inline(always)]
    fn value<V: Vector>(&self, x: V) -> V {
        x.map_lanes(|x| {
            let x = x.to_f64();
            V::Element::from_f64(x * distribution(x))
        })
    }

    #[inline(always)]
    fn derivative<V: Vector>(&self, x: V) -> V {
        x.map_lanes(|x| {
            let x = x.to_f64();
            V::Element::from_f64(distribution(x) + x * density(x))
        })
    }
}
