//! The hyperbolic tangent.

use super::{for_type, polynomial};
use crate::element::simd::Vector;

/// (tanh x - x) / x^3 in powers of x^2 for |x| <= 0.55; 2^-29.8 of tanh x remain.
const SINGLE_NEAR: [f64; 5] = [
    -0.33333316445350647,
    0.13332585990428925,
    -0.05385230854153633,
    0.021071679890155792,
    -0.0062742396257817745,
];
/// The same; 2^-60.5 remain.
const DOUBLE_NEAR: [f64; 11] = [
    -0.333333333333333,
    0.13333333333326622,
    -0.0539682539637606,
    0.02186948838585574,
    -0.00886323260144081,
    0.0035920920304365724,
    -0.0014555428457744795,
    0.0005884444863585473,
    -0.0002333815657954015,
    8.331644830263139e-05,
    -1.949468813569354e-05,
];

/// (2^f - 1) / 2f for |f| <= 1/2; 2^-28.9 of 2^f remain.
const SINGLE_FAR: [f64; 6] = [
    0.3465735912322998,
    0.12011323869228363,
    0.027751661837100983,
    0.004809218924492598,
    0.0006699475925415754,
    7.676650420762599e-05,
];
/// The same; 2^-58 remain.
const DOUBLE_FAR: [f64; 11] = [
    0.34657359027997264,
    0.12011325347955065,
    0.02775205433241004,
    0.004809064553796978,
    0.0006666779073388142,
    7.701765228670327e-05,
    7.626366746002995e-06,
    6.607717579560645e-07,
    5.089099922938381e-08,
    3.536902911627039e-09,
    2.2173790325402914e-10,
];

/// tanh x, odd, and never beyond 1.
///
/// Up to 0.55, where tanh is about a half, a polynomial; beyond, 1 - 2 / (1 + e^2|x|), whose
/// subtraction halves the errors of what is subtracted.
#[inline(always)]
pub fn tanh<V: Vector>(x: V) -> V {
    let (half, one) = (V::number(0.5), V::number(1.0));
    let size = x.abs();
    let square = size * size;
    let p = polynomial(square, for_type::<V, &[f64]>(&SINGLE_NEAR, &DOUBLE_NEAR));
    let near = (size * square).mul_add(p, size);
    // e^2|x| = 2^(n + f). The one rounding of n + f costs little: from 0.55 on the slope of tanh
    // falls faster than n grows. From 20 on the result is 1 in both types.
    let exponent = size.at_most(20.0) * V::number(2.0 * std::f64::consts::LOG2_E);
    let n = exponent.round();
    let f = exponent - n;
    let q = f * polynomial(f, for_type::<V, &[f64]>(&SINGLE_FAR, &DOUBLE_FAR));
    // 2 / (1 + e^2|x|) with numerator and denominator times 2^-n / 2.
    let power = (-n).power_of_two();
    let far = one - power / power.mul_add(half, half + q);
    V::select(size.greater(V::number(0.55)), far, near).with_sign_of(x)
}
