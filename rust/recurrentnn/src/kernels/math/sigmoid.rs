//! The logistic function.

use super::{exp, for_type};
use crate::element::simd::Vector;

/// 1 / (1 + e^-x), with its relative accuracy where it is small.
///
/// With e^|x| = 2^n (1 + q) the smaller side is 2^-n / ((1 + 2^-n) + q): two roundings and a
/// quotient. The larger is 1 minus that.
#[inline(always)]
pub fn sigmoid<V: Vector>(x: V) -> V {
    let one = V::number(1.0);
    // Beyond `bound` the result is 0 or 1. 2^-n may be denormal, 2^(shift - n) is not.
    let (bound, shift) = for_type::<V, _>((105.0, 64.0), (747.0, 512.0));
    let (n, q) = exp::parts(x.abs().at_most(bound));
    let shifted = (V::number(shift) - n).power_of_two();
    let back = V::number((-shift).exp2());
    let sum = shifted.mul_add(back, one);
    let lost = shifted.mul_add(back, one - sum);
    let small = shifted / (sum + (q + lost)) * back;
    V::select(x.greater(V::number(0.0)), one - small, small)
}
