//! The element types: `f32` and `f64`, and nothing else.

use std::fmt::{Debug, Display};
use std::iter::Sum;
use std::ops::{Add, AddAssign, Div, Mul, MulAssign, Neg, Sub};

pub mod free_list;
pub mod simd;

use free_list::FreeList;
use simd::{Simd, Vector};

/// Which element type a matrix has, as a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DType {
    /// IEEE 754 binary32.
    Float32,
    /// IEEE 754 binary64.
    Float64,
}

impl DType {
    /// The name used in Python and in messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Float32 => "float32",
            Self::Float64 => "float64",
        }
    }
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for f32 {}
    impl Sealed for f64 {}
}

/// A real number: what matrices are made of.
#[allow(clippy::return_self_not_must_use)] // arithmetic, like `+`
pub trait Element:
    sealed::Sealed
    + Copy
    + Send
    + Sync
    + Debug
    + Display
    + Default
    + PartialOrd
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + AddAssign
    + MulAssign
    + Sum
    + 'static
{
    /// The type as a value.
    const DTYPE: DType;
    /// 0.
    const ZERO: Self;
    /// 1.
    const ONE: Self;
    /// The largest finite number.
    const MAX: Self;
    /// Negative infinity.
    const NEG_INFINITY: Self;
    /// Not a number.
    const NAN: Self;

    /// A register of such numbers.
    type Vector<S: Simd>: Vector<Element = Self>;
    /// The bytes of one number.
    type Bytes: IntoIterator<Item = u8>;

    /// Where freed memory of such numbers waits.
    fn free_list() -> &'static FreeList<Self>;
    /// Little-endian bytes.
    fn to_le_bytes(self) -> Self::Bytes;
    /// The number of the little-endian bytes at the beginning; missing ones count as 0.
    fn from_le_bytes(bytes: &[u8]) -> Self;
    /// The nearest value of this type.
    fn from_f64(x: f64) -> Self;
    /// The same value in double precision.
    fn to_f64(self) -> f64;
    /// `self * a + b`, rounded once.
    fn fused_mul_add(self, a: Self, b: Self) -> Self;
    /// e^x.
    fn exp(self) -> Self;
    /// e^x - 1, exact near 0.
    fn exp_m1(self) -> Self;
    /// Natural logarithm.
    fn ln(self) -> Self;
    /// ln(1 + x), exact near 0.
    fn ln_1p(self) -> Self;
    /// Square root.
    fn sqrt(self) -> Self;
    /// Hyperbolic tangent.
    fn tanh(self) -> Self;
    /// x^p.
    fn powf(self, p: Self) -> Self;
    /// |x|.
    fn abs(self) -> Self;
    /// Neither infinite nor NaN.
    fn is_finite(self) -> bool;
    /// Not a number.
    fn is_nan(self) -> bool;
    /// The larger of both; NaN if either is NaN.
    #[inline]
    fn maximum(self, other: Self) -> Self {
        if self >= other || self.is_nan() {
            self
        } else {
            other
        }
    }
    /// The smaller of both; NaN if either is NaN.
    #[inline]
    fn minimum(self, other: Self) -> Self {
        if self <= other || self.is_nan() {
            self
        } else {
            other
        }
    }
}

macro_rules! element {
    ($type:ty, $register:ident, $dtype:expr, $from:expr, $to:expr) => {
        impl Element for $type {
            const DTYPE: DType = $dtype;
            const ZERO: Self = 0.0;
            const ONE: Self = 1.0;
            const MAX: Self = <$type>::MAX;
            const NEG_INFINITY: Self = <$type>::NEG_INFINITY;
            const NAN: Self = <$type>::NAN;
            type Vector<S: Simd> = S::$register;
            type Bytes = [u8; size_of::<$type>()];

            fn free_list() -> &'static FreeList<Self> {
                static FREED: FreeList<$type> = FreeList::empty();
                &FREED
            }
            #[inline]
            fn to_le_bytes(self) -> Self::Bytes {
                self.to_le_bytes()
            }
            #[inline]
            fn from_le_bytes(bytes: &[u8]) -> Self {
                let mut all = [0; size_of::<$type>()];
                for (to, from) in all.iter_mut().zip(bytes) {
                    *to = *from;
                }
                Self::from_le_bytes(all)
            }

            #[inline]
            fn from_f64(x: f64) -> Self {
                $from(x)
            }
            #[inline]
            fn to_f64(self) -> f64 {
                $to(self)
            }
            #[inline]
            fn fused_mul_add(self, a: Self, b: Self) -> Self {
                self.mul_add(a, b)
            }
            #[inline]
            fn exp(self) -> Self {
                self.exp()
            }
            #[inline]
            fn exp_m1(self) -> Self {
                self.exp_m1()
            }
            #[inline]
            fn ln(self) -> Self {
                self.ln()
            }
            #[inline]
            fn ln_1p(self) -> Self {
                self.ln_1p()
            }
            #[inline]
            fn sqrt(self) -> Self {
                self.sqrt()
            }
            #[inline]
            fn tanh(self) -> Self {
                self.tanh()
            }
            #[inline]
            fn powf(self, p: Self) -> Self {
                self.powf(p)
            }
            #[inline]
            fn abs(self) -> Self {
                self.abs()
            }
            #[inline]
            fn is_finite(self) -> bool {
                self.is_finite()
            }
            #[inline]
            fn is_nan(self) -> bool {
                self.is_nan()
            }
        }
    };
}

#[allow(clippy::cast_possible_truncation)] // rounding to the nearest f32 is what is asked for
fn narrow(x: f64) -> f32 {
    x as f32
}

element!(f32, F32, DType::Float32, narrow, f64::from);
element!(f64, F64, DType::Float64, |x| x, |x| x);
