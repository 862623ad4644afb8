//! The natural logarithm, and the part of it that `log_1p` shares.

use super::{for_type, ln_2, polynomial};
use crate::element::simd::Vector;

/// (2 artanh s - 2 s) / s^3 in powers of s^2, where (1 + s) / (1 - s) runs from sqrt(1/2) to
/// sqrt(2); 2^-30.2 of the whole remain.
const SINGLE: [f64; 3] = [0.6666677594184875, 0.39977550506591797, 0.29871609807014465];
/// The same; 2^-59.4 remain.
const DOUBLE: [f64; 7] = [
    0.6666666666666734,
    0.39999999999414587,
    0.2857142874245097,
    0.22222198562365864,
    0.18183565104273453,
    0.15314025333801765,
    0.1479625312572365,
];

/// ln x + `more` for a normal x > 0 and a `more` that is small beside 1.
///
/// With x = 2^e (1 + f) and s = f / (2 + f), ln(1 + f) = 2 artanh s = f - s (f - ...): written so
/// that the exact f is added last but one, and e ln 2 last (as in fdlibm's `log`).
#[inline(always)]
pub(super) fn log_plus<V: Vector>(x: V, e: V, more: V) -> V {
    let (one, half) = (V::number(1.0), V::number(0.5));
    let (m, exponent) = x.split();
    let large = m.greater(V::number(std::f64::consts::SQRT_2));
    let m = V::select(large, m * half, m);
    let exponent = V::select(large, exponent + one, exponent) + e;
    let f = m - one;
    let s = f / (V::number(2.0) + f);
    let z = s * s;
    let p = polynomial(z, for_type::<V, &[f64]>(&SINGLE, &DOUBLE));
    let parabola = half * f * f;
    let (high, low) = ln_2::<V>();
    let small = s * (parabola + z * p) + exponent.mul_add(low, more);
    exponent.mul_add(high, -((parabola - small) - f))
}

/// `y` where x > 0; negative infinity at 0, infinity at infinity, NaN below 0 and at NaN.
#[inline(always)]
pub(super) fn with_limits<V: Vector>(x: V, y: V) -> V {
    let (zero, infinity) = (V::number(0.0), V::number(f64::INFINITY));
    let outside = V::select(x.equal(zero), -infinity, V::number(f64::NAN));
    let y = V::select(x.equal(infinity), infinity, y);
    V::select(x.greater(zero), y, outside)
}

/// Natural logarithm.
#[inline(always)]
pub fn log<V: Vector>(x: V) -> V {
    let zero = V::number(0.0);
    // A denormal number has no exponent of its own: it is made a normal one.
    let (smallest, digits) = for_type::<V, _>(
        (f64::from(f32::MIN_POSITIVE), 24.0),
        (f64::MIN_POSITIVE, 53.0),
    );
    let denormal = V::number(smallest).greater(x);
    let digits = V::number(digits);
    let normal = V::select(denormal, x * digits.power_of_two(), x);
    let e = V::select(denormal, -digits, zero);
    with_limits(x, log_plus(normal, e, zero))
}
