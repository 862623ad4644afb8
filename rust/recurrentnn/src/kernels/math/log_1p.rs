//! The natural logarithm of one plus a number.

use super::log;
use crate::element::simd::Vector;

/// ln(1 + x), exact to rounding near 0.
#[inline(always)]
pub fn log_1p<V: Vector>(x: V) -> V {
    let one = V::number(1.0);
    let sum = one + x;
    // What rounding took from the sum, exactly (Knuth), and ln(sum + lost) = ln sum + lost / sum.
    let added = sum - one;
    let lost = (one - (sum - added)) + (x - added);
    let y = log::log_plus(sum, V::number(0.0), lost / sum);
    // Of 0, the sum keeps the value but not the sign.
    log::with_limits(sum, y).with_sign_of(x)
}
