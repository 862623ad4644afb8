//! Registers of numbers, as traits: kernels and formulas are written once, over any of them.
//!
//! No type of this crate that implements [`Simd`] can be named outside `kernels`: the only way to
//! run code over one is [`Isa::run`](crate::kernels::Isa::run), which has asked the CPU.

#![allow(clippy::inline_always)] // see `Task`: what is not inlined misses the instruction set

use std::ops::{Add, Div, Mul, Neg, Sub};

use crate::element::Element;

/// The registers of one instruction set, and the scalar arithmetic that goes with them.
pub trait Simd: Copy + 'static {
    /// A register of single precision.
    type F32: Vector<Element = f32>;
    /// A register of double precision.
    type F64: Vector<Element = f64>;
    /// Size of a register.
    const REGISTER_BYTES: usize;
    /// `a * b + c` of plain numbers, rounded as [`Vector::mul_add`] rounds.
    fn mul_add<T: Element>(a: T, b: T, c: T) -> T;
    /// Asks for a cache line that will be read or written soon. Any address will do.
    #[inline(always)]
    fn prefetch<T>(_: *const T) {}
}

/// A register of [`LANES`](Self::LANES) numbers. Every operation acts on each lane by itself.
#[allow(clippy::return_self_not_must_use)] // arithmetic, like `+`
pub trait Vector:
    Copy
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
{
    /// The type of a lane.
    type Element: Element;
    /// A truth value a lane.
    type Mask: Copy;
    /// How many numbers it holds.
    const LANES: usize;

    /// `x` in every lane.
    fn splat(x: Self::Element) -> Self;
    /// The nearest value of `x` in every lane.
    #[inline(always)]
    fn number(x: f64) -> Self {
        Self::splat(Self::Element::from_f64(x))
    }
    /// The first LANES numbers; panics if there are fewer.
    fn load(from: &[Self::Element]) -> Self;
    /// Writes the first LANES numbers; panics if there is less room.
    fn store(self, to: &mut [Self::Element]);
    /// All numbers of a slice shorter than LANES, and zeros behind them.
    fn load_first(from: &[Self::Element]) -> Self;
    /// Fills a slice shorter than LANES from the first lanes.
    fn store_first(self, to: &mut [Self::Element]);

    /// `self * a + b`, with one rounding where the CPU has such an instruction and two elsewhere.
    fn mul_add(self, a: Self, b: Self) -> Self;
    /// |x|.
    fn abs(self) -> Self;
    /// Square root.
    fn sqrt(self) -> Self;
    /// The nearest integer of |x| < 2^22, ties to even.
    fn round(self) -> Self;
    /// 2^x for an integer x for which that is a normal number.
    fn power_of_two(self) -> Self;
    /// (m, e) with x = m 2^e and 1 <= m < 2, for a normal x > 0.
    fn split(self) -> (Self, Self);
    /// The size of `self` with the sign of `sign`.
    fn with_sign_of(self, sign: Self) -> Self;

    /// self > other; false where either is NaN.
    fn greater(self, other: Self) -> Self::Mask;
    /// self = other; false where either is NaN.
    fn equal(self, other: Self) -> Self::Mask;
    /// `yes` where the mask is true, else `no`.
    fn select(mask: Self::Mask, yes: Self, no: Self) -> Self;
    /// The smaller of `self` and a number `high`; NaN if `self` is NaN.
    #[inline(always)]
    fn at_most(self, high: f64) -> Self {
        let high = Self::number(high);
        Self::select(self.greater(high), high, self)
    }
    /// The larger of `self` and a number `low`; NaN if `self` is NaN.
    #[inline(always)]
    fn at_least(self, low: f64) -> Self {
        let low = Self::number(low);
        Self::select(low.greater(self), low, self)
    }
    /// The larger of both; NaN if either is NaN.
    #[inline(always)]
    fn maximum(self, other: Self) -> Self {
        let larger = Self::select(self.greater(other), self, other);
        // Only where `self` is NaN it is not equal to itself, and then it is the answer.
        Self::select(self.equal(self), larger, self)
    }
    /// The smaller of both; NaN if either is NaN.
    #[inline(always)]
    fn minimum(self, other: Self) -> Self {
        let smaller = Self::select(other.greater(self), self, other);
        Self::select(self.equal(self), smaller, self)
    }
    /// Transposes a square of LANES x LANES: row i of it is `from[i * from_step..]`, which becomes
    /// column i, so that row p is `to[p * to_step..]`.
    #[inline(always)]
    fn transpose(
        from: &[Self::Element],
        from_step: usize,
        to: &mut [Self::Element],
        to_step: usize,
    ) {
        for i in 0..Self::LANES {
            for p in 0..Self::LANES {
                to[p * to_step + i] = from[i * from_step + p];
            }
        }
    }
    /// `f` of each lane: for what has no vector form.
    fn map_lanes(self, f: impl Fn(Self::Element) -> Self::Element) -> Self;
}
