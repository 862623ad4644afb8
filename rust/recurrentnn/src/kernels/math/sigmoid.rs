//! The logistic function.

use super::{exp, for_type};
use crate::element::simd::Vector;

/// 1 / (1 + e^-x), with its relative accuracy where it is small.
///
/// With e^|x| = 2^n (1 + q) the smaller side is 1 / ((1 + 2^n q) + 2^n). Numerator and denominator
/// are taken times a small power of two, so that the denominator has room where the result is denormal.
/// Its two sums in this order round least: 2^n q is the smaller part, and 2^n alone would swallow the
/// 1 from n = 24 on. The larger side is 1 minus the smaller.
#[inline(always)]
pub fn sigmoid<V: Vector>(x: V) -> V {
    // Beyond `bound` the result is 0 or 1.
    let (bound, shift) = for_type::<V, _>((105.0, 64.0), (747.0, 512.0));
    let (n, q) = exp::rough_parts(x.abs().at_most(bound));
    let power = (n - V::number(shift)).power_of_two();
    let one = V::number((-shift).exp2());
    let small = one / (power.mul_add(q, one) + power);
    V::select(x.greater(V::number(0.0)), V::number(1.0) - small, small)
}
