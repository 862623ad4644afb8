//! The hyperbolic tangent.

use super::{at_most, exp, for_type, polynomial};
use crate::element::simd::Vector;

/// (tanh x - x) / x^3 in powers of x^2 for |x| <= 0.55; 2^-29.8 of tanh x remain.
const SINGLE: [f64; 5] = [
    -0.33333316445350647,
    0.13332585990428925,
    -0.05385230854153633,
    0.021071679890155792,
    -0.0062742396257817745,
];
/// The same; 2^-60.5 remain.
const DOUBLE: [f64; 11] = [
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

/// tanh x, odd, and never beyond 1.
///
/// Up to 0.55, where tanh is about a half, a polynomial; beyond, 1 - 2 / (1 + e^2|x|), whose
/// subtraction halves the errors of what is subtracted.
#[inline(always)]
pub fn tanh<V: Vector>(x: V) -> V {
    let one = V::number(1.0);
    let size = x.abs();
    let square = size * size;
    let p = polynomial(square, for_type::<V, &[f64]>(&SINGLE, &DOUBLE));
    let near = (size * square).mul_add(p, size);
    // From 20 on the result is 1 in both types.
    let (n, q) = exp::parts(at_most(size + size, V::number(40.0)));
    let power = (-n).power_of_two();
    let far = one - (power + power) / (one + (power + q));
    V::select(size.greater(V::number(0.55)), far, near).with_sign_of(x)
}
