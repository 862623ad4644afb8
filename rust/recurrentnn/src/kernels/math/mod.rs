//! Functions of registers: exp, log and their kin, without branches, to a unit in the last place.
//!
//! | function | f32, ulp | f64, ulp | cases |
//! |---|---|---|---|
//! | [`exp`] | 1 | 1 | down to the smallest denormal number, 0 below, infinity above |
//! | [`exp_m1`] | 2 | 2 | -1 at negative infinity |
//! | [`log`] | 1 | 1 | negative infinity at 0, NaN below, denormal numbers too |
//! | [`log_1p`] | 1 | 1 | negative infinity at -1, NaN below |
//! | [`tanh`] | 2 | 2 | odd, never beyond 1 |
//! | [`sigmoid`] | 2 | 2 | relative, for small results too; 1/2 at 0, never outside [0, 1] |
//!
//! The errors are bounds for registers with and without a fused multiply-add, which is why no formula
//! here needs one. NaN stays NaN, and 0 keeps its sign where the function passes through 0.
//!
//! The polynomials are our own minimax fits: Remez's exchange in 60 digits over the reduced
//! interval, with the error weighted so that what is least is the relative error of the whole
//! function, then rounded to the element type. The doc comment of each states what error remains.
#![allow(clippy::unreadable_literal)] // coefficients are copied, not read

mod exp;
mod exp_m1;
mod log;
mod log_1p;
mod sigmoid;
mod tanh;

pub use exp::exp;
pub use exp_m1::exp_m1;
pub use log::log;
pub use log_1p::log_1p;
pub use sigmoid::sigmoid;
pub use tanh::tanh;

use crate::element::simd::Vector;
use crate::element::{DType, Element};

/// The one for the registers' element type; the compiler sees through it.
#[inline(always)]
fn for_type<V: Vector, X>(single: X, double: X) -> X {
    match V::Element::DTYPE {
        DType::Float32 => single,
        DType::Float64 => double,
    }
}

/// c[0] + c[1] x + c[2] x^2 + ...
#[inline(always)]
fn polynomial<V: Vector>(x: V, coefficients: &[f64]) -> V {
    let mut sum = V::number(0.0);
    for (i, c) in coefficients.iter().rev().enumerate() {
        sum = if i == 0 {
            V::number(*c)
        } else {
            sum.mul_add(x, V::number(*c))
        };
    }
    sum
}

/// ln 2 in two parts. The higher has zeros at its end: its product with any exponent is exact.
#[inline(always)]
fn ln_2<V: Vector>() -> (V, V) {
    let (high, low) = for_type::<V, _>(
        (0.693145751953125, 1.428606765330187e-06),
        (0.693147180559663, 2.8235290563031577e-13),
    );
    (V::number(high), V::number(low))
}

#[cfg(test)]
mod tests;
