//! 128 bits as an array, which every compiler target turns into what registers it has; product and
//! sum are rounded one after the other, for in software the fused form is some fifty times slower.

use std::ops::{Add, Div, Mul, Neg, Sub};

use crate::element::Element;
use crate::element::simd::{Simd, Vector};

/// The instruction set that is everywhere.
#[derive(Clone, Copy, Debug)]
pub(in crate::kernels) struct Portable;

impl Simd for Portable {
    type F32 = Array<f32, 4>;
    type F64 = Array<f64, 2>;
    const REGISTER_BYTES: usize = 16;
    #[inline(always)]
    fn mul_add<T: Element>(a: T, b: T, c: T) -> T {
        a * b + c
    }
}

/// N lanes.
#[derive(Clone, Copy, Debug)]
pub(in crate::kernels) struct Array<T, const N: usize>([T; N]);

impl<T: Element, const N: usize> Array<T, N> {
    #[inline(always)]
    fn zip(self, other: Self, f: impl Fn(T, T) -> T) -> Self {
        let mut out = self;
        for (out, other) in out.0.iter_mut().zip(other.0) {
            *out = f(*out, other);
        }
        out
    }

    #[inline(always)]
    fn compare(self, other: Self, f: impl Fn(&T, &T) -> bool) -> [bool; N] {
        std::array::from_fn(|i| f(&self.0[i], &other.0[i]))
    }
}

macro_rules! operator {
    ($trait:ident $method:ident $symbol:tt) => {
        impl<T: Element, const N: usize> $trait for Array<T, N> {
            type Output = Self;
            #[inline(always)]
            fn $method(self, other: Self) -> Self {
                self.zip(other, |a, b| a $symbol b)
            }
        }
    };
}
operator!(Add add +);
operator!(Sub sub -);
operator!(Mul mul *);
operator!(Div div /);

impl<T: Element, const N: usize> Neg for Array<T, N> {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        Self(self.0.map(|x| -x))
    }
}

/// What needs the bits of a number: 1.5 * 2^(mantissa bits), by which an addition rounds to an
/// integer and leaves it in the low bits.
macro_rules! array {
    ($type:ty, $bits:ty, $mantissa:literal, $bias:literal) => {
        impl<const N: usize> Vector for Array<$type, N> {
            type Element = $type;
            type Mask = [bool; N];
            const LANES: usize = N;

            #[inline(always)]
            fn splat(x: $type) -> Self {
                Self([x; N])
            }
            #[inline(always)]
            fn load(from: &[$type]) -> Self {
                Self(std::array::from_fn(|i| from[..N][i]))
            }
            #[inline(always)]
            fn store(self, to: &mut [$type]) {
                to[..N].copy_from_slice(&self.0);
            }
            #[inline(always)]
            fn load_first(from: &[$type]) -> Self {
                let mut out = [0.0; N];
                for (out, from) in out.iter_mut().zip(from) {
                    *out = *from;
                }
                Self(out)
            }
            #[inline(always)]
            fn store_first(self, to: &mut [$type]) {
                for (to, x) in to.iter_mut().zip(self.0) {
                    *to = x;
                }
            }
            #[inline(always)]
            fn mul_add(self, a: Self, b: Self) -> Self {
                self * a + b
            }
            #[inline(always)]
            fn abs(self) -> Self {
                Self(self.0.map(<$type>::abs))
            }
            #[inline(always)]
            fn sqrt(self) -> Self {
                Self(self.0.map(<$type>::sqrt))
            }
            #[inline(always)]
            fn round(self) -> Self {
                let magic = 1.5 * (1_u64 << $mantissa) as $type;
                Self(self.0.map(|x| (x + magic) - magic))
            }
            #[inline(always)]
            fn power_of_two(self) -> Self {
                let magic = 1.5 * (1_u64 << $mantissa) as $type + $bias;
                Self(
                    self.0
                        .map(|x| <$type>::from_bits((x + magic).to_bits() << $mantissa)),
                )
            }
            #[inline(always)]
            fn split(self) -> (Self, Self) {
                const MANTISSA: $bits = (1 << $mantissa) - 1;
                let one = <$type>::to_bits(1.0);
                let m = self
                    .0
                    .map(|x| <$type>::from_bits(x.to_bits() & MANTISSA | one));
                let e = self.0.map(|x| (x.to_bits() >> $mantissa) as $type - $bias);
                (Self(m), Self(e))
            }
            #[inline(always)]
            fn with_sign_of(self, sign: Self) -> Self {
                self.zip(sign, <$type>::copysign)
            }
            #[inline(always)]
            fn greater(self, other: Self) -> [bool; N] {
                self.compare(other, |a, b| a > b)
            }
            #[inline(always)]
            fn equal(self, other: Self) -> [bool; N] {
                self.compare(other, |a, b| a == b)
            }
            #[inline(always)]
            fn select(mask: [bool; N], yes: Self, no: Self) -> Self {
                Self(std::array::from_fn(|i| {
                    if mask[i] { yes.0[i] } else { no.0[i] }
                }))
            }
            #[inline(always)]
            fn map_lanes(self, f: impl Fn($type) -> $type) -> Self {
                Self(self.0.map(f))
            }
        }
    };
}
array!(f32, u32, 23, 127.0);
array!(f64, u64, 52, 1023.0);
