//! The exponential function minus one.

use super::{exp, for_type};
use crate::element::simd::Vector;

/// e^x - 1, exact to rounding near 0.
#[inline(always)]
pub fn exp_m1<V: Vector>(x: V) -> V {
    // Below -40 the 1 is all that is left of the result.
    let high = for_type::<V, _>(89.0, 710.0);
    let bounded = x.at_most(high).at_least(-40.0);
    let (n, q) = exp::parts(bounded);
    // 2^n (1 + q) - 1 = 2^n (q + (1 - 2^-n)), where for n > 100 the last power is lost anyway.
    let lost = (-n.at_most(100.0)).power_of_two();
    let y = exp::scale(q + (V::number(1.0) - lost), n);
    // Of 0, the reduction keeps the value but not the sign.
    y.with_sign_of(x)
}
