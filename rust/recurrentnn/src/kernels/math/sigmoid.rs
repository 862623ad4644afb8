//! The logistic function.

use super::{at_most, exp, for_type};
use crate::element::simd::Vector;

/// 1 / (1 + e^-x), with its relative accuracy where it is small.
///
/// With e^|x| = 2^n (1 + q) the smaller side is 2^-n / (1 + (2^-n + q)): two roundings and a
/// quotient. The larger is 1 minus that.
#[inline(always)]
pub fn sigmoid<V: Vector>(x: V) -> V {
    let one = V::number(1.0);
    // Beyond `bound` the result is 0 or 1. Up to 2^-most is a normal number, and lost beside 1.
    let (bound, most) = for_type::<V, _>((105.0, 100.0), (747.0, 1000.0));
    let (n, q) = exp::parts(at_most(x.abs(), V::number(bound)));
    let first = at_most(n, V::number(most));
    let power = (-first).power_of_two();
    let small = power / (one + (power + q)) * (first - n).power_of_two();
    V::select(x.greater(V::number(0.0)), one - small, small)
}
