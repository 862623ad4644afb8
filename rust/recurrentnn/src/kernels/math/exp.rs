//! The exponential function, and the parts of it that its kin are made of.

use super::{for_type, ln_2, polynomial};
use crate::element::simd::Vector;

/// (e^r - 1 - r) / r^2 for |r| <= ln 2 / 2; 2^-28.2 of e^r remain.
const SINGLE: [f64; 5] = [
    0.4999999403953552,
    0.1666652113199234,
    0.04166838899254799,
    0.00836874544620514,
    0.0013814539415761828,
];
/// The same; 2^-57.9 remain.
const DOUBLE: [f64; 10] = [
    0.5000000000000011,
    0.1666666666666641,
    0.041666666666529725,
    0.008333333333494982,
    0.0013888888943760225,
    0.00019841269505767618,
    2.480149294935911e-05,
    2.7557586807971833e-06,
    2.763030634758801e-07,
    2.5000017846119357e-08,
];

/// (n, q) with e^x = 2^n (1 + q): n the integer nearest to x / ln 2, and |q| < 0.42.
///
/// q is exact to rounding near 0, where n is 0. Not for |x| above 2^10.
#[inline(always)]
pub(super) fn parts<V: Vector>(x: V) -> (V, V) {
    let n = (x * V::number(std::f64::consts::LOG2_E)).round();
    let (high, low) = ln_2::<V>();
    // r = start - rest; rounding that difference would cost half as much as the last sum.
    let (start, rest) = (n.mul_add(-high, x), n * low);
    let r = start - rest;
    let p = polynomial(r, for_type::<V, &[f64]>(&SINGLE, &DOUBLE));
    (n, start + (r * r).mul_add(p, -rest))
}

/// The same as [`parts`], but q is exact to rounding of 1, not of itself.
#[inline(always)]
pub(super) fn rough_parts<V: Vector>(x: V) -> (V, V) {
    let n = (x * V::number(std::f64::consts::LOG2_E)).round();
    let (high, low) = ln_2::<V>();
    let r = n.mul_add(-low, n.mul_add(-high, x));
    let p = polynomial(r, for_type::<V, &[f64]>(&SINGLE, &DOUBLE));
    (n, r * r.mul_add(p, V::number(1.0)))
}

/// x 2^n, where neither 2^n nor the result need be a normal number.
#[inline(always)]
pub(super) fn scale<V: Vector>(x: V, n: V) -> V {
    let half = (n * V::number(0.5)).round();
    x * half.power_of_two() * (n - half).power_of_two()
}

/// e^x.
#[inline(always)]
pub fn exp<V: Vector>(x: V) -> V {
    // Beyond these the result is 0 or infinite, and n stays in the reach of `scale`.
    let (low, high) = for_type::<V, _>((-105.0, 89.0), (-747.0, 710.0));
    let x = x.at_most(high).at_least(low);
    let (n, q) = parts(x);
    scale(V::number(1.0) + q, n)
}
