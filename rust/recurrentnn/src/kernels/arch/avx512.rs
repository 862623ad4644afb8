//! 512-bit registers: servers and workstations since about 2017, AMD's since Zen 4.

#[allow(clippy::wildcard_imports)] // some sixty intrinsics
use std::arch::x86_64::*;
use std::ops::{Add, Div, Mul, Neg, Sub};

use crate::element::Element;
use crate::element::simd::{Simd, Vector};

/// AVX-512 F, BW, DQ and VL. Code over it runs inside [`Isa::run`](crate::kernels::Isa::run) alone, which makes
/// every intrinsic below sound: the CPU has been asked.
#[derive(Clone, Copy, Debug)]
pub(in crate::kernels) struct Avx512;

impl Simd for Avx512 {
    type F32 = F32x16;
    type F64 = F64x8;
    const REGISTER_BYTES: usize = 64;
    #[inline(always)]
    fn mul_add<T: Element>(a: T, b: T, c: T) -> T {
        a.fused_mul_add(b, c)
    }
    #[inline(always)]
    fn prefetch<T>(from: *const T) {
        // SAFETY: a prefetch of any address is no access.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(from.cast()) }
    }
}

/// Calls an intrinsic that touches registers only.
macro_rules! call {
    ($intrinsic:ident($($argument:expr),*)) => {
        // SAFETY: see `Avx512`: the CPU has the instruction.
        unsafe { $intrinsic($($argument),*) }
    };
}

macro_rules! register {
    ($name:ident: $lanes:literal, $type:ident, $register:ident, $mask:ident, $bits:ident, $mantissa:literal, $bias:literal;
     $set1:ident $load:ident $load_masked:ident $store:ident $store_masked:ident $add:ident $sub:ident $mul:ident $div:ident $fma:ident
     $sqrt:ident $round:ident $compare:ident $blend:ident $and:ident $andnot:ident $or:ident $xor:ident
     $to_bits:ident $from_bits:ident $shift_left:ident $shift_right:ident
     $set_bits:ident) => {
        /// A register.
        #[derive(Clone, Copy, Debug)]
        pub(in crate::kernels) struct $name($register);

        impl $name {
            /// The mask of the first `n` lanes.
            #[allow(clippy::cast_possible_truncation)] // slices of numbers are shorter
            #[inline(always)]
            fn first(n: usize) -> $mask {
                !(<$mask>::MAX.checked_shl(n as u32).unwrap_or(0))
            }
        }

        impl Add for $name {
            type Output = Self;
            #[inline(always)]
            fn add(self, other: Self) -> Self {
                Self(call!($add(self.0, other.0)))
            }
        }
        impl Sub for $name {
            type Output = Self;
            #[inline(always)]
            fn sub(self, other: Self) -> Self {
                Self(call!($sub(self.0, other.0)))
            }
        }
        impl Mul for $name {
            type Output = Self;
            #[inline(always)]
            fn mul(self, other: Self) -> Self {
                Self(call!($mul(self.0, other.0)))
            }
        }
        impl Div for $name {
            type Output = Self;
            #[inline(always)]
            fn div(self, other: Self) -> Self {
                Self(call!($div(self.0, other.0)))
            }
        }
        impl Neg for $name {
            type Output = Self;
            #[inline(always)]
            fn neg(self) -> Self {
                let sign = Self::splat(-0.0).0;
                Self(call!($xor(self.0, sign)))
            }
        }

        impl Vector for $name {
            type Element = $type;
            type Mask = $mask;
            const LANES: usize = $lanes;

            #[inline(always)]
            fn splat(x: $type) -> Self {
                Self(call!($set1(x)))
            }
            #[inline(always)]
            fn load(from: &[$type]) -> Self {
                assert!(from.len() >= $lanes);
                // SAFETY: the slice has as many numbers, and the load needs no alignment.
                Self(unsafe { $load(from.as_ptr()) })
            }
            #[inline(always)]
            fn store(self, to: &mut [$type]) {
                assert!(to.len() >= $lanes);
                // SAFETY: the slice has as much room, and the store needs no alignment.
                unsafe { $store(to.as_mut_ptr(), self.0) }
            }
            #[inline(always)]
            fn load_first(from: &[$type]) -> Self {
                let mask = Self::first(from.len());
                // SAFETY: only lanes with a mask are read.
                Self(unsafe { $load_masked(mask, from.as_ptr()) })
            }
            #[inline(always)]
            fn store_first(self, to: &mut [$type]) {
                let mask = Self::first(to.len());
                // SAFETY: only lanes with a mask are written.
                unsafe { $store_masked(to.as_mut_ptr(), mask, self.0) }
            }
            #[inline(always)]
            fn mul_add(self, a: Self, b: Self) -> Self {
                Self(call!($fma(self.0, a.0, b.0)))
            }
            #[inline(always)]
            fn abs(self) -> Self {
                let sign = Self::splat(-0.0).0;
                Self(call!($andnot(sign, self.0)))
            }
            #[inline(always)]
            fn sqrt(self) -> Self {
                Self(call!($sqrt(self.0)))
            }
            #[inline(always)]
            fn round(self) -> Self {
                // SAFETY: see `Avx512`: the CPU has the instruction.
                Self(unsafe { $round::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>(self.0) })
            }
            #[inline(always)]
            fn power_of_two(self) -> Self {
                // The sum has the biased exponent as an integer in its lowest bits.
                let sum = self + Self::splat(1.5 * (1_u64 << $mantissa) as $type + $bias);
                // SAFETY: see `Avx512`: the CPU has the instructions.
                Self(unsafe { $from_bits($shift_left::<$mantissa>($to_bits(sum.0))) })
            }
            #[inline(always)]
            fn split(self) -> (Self, Self) {
                const MANTISSA: $bits = (1 << $mantissa) - 1;
                // 2^mantissa + e as a number has e in its lowest bits.
                let magic = Self::splat((1_u64 << $mantissa) as $type);
                // SAFETY: see `Avx512`: the CPU has the instructions.
                unsafe {
                    let m = $and(self.0, $from_bits($set_bits(MANTISSA)));
                    let m = $or(m, Self::splat(1.0).0);
                    let e = $from_bits($shift_right::<$mantissa>($to_bits(self.0)));
                    let e =
                        Self($or(e, magic.0)) - Self::splat((1_u64 << $mantissa) as $type + $bias);
                    (Self(m), e)
                }
            }
            #[inline(always)]
            fn with_sign_of(self, sign: Self) -> Self {
                let bit = Self::splat(-0.0).0;
                let size = call!($andnot(bit, self.0));
                let sign = call!($and(bit, sign.0));
                Self(call!($or(size, sign)))
            }
            #[inline(always)]
            fn greater(self, other: Self) -> $mask {
                // SAFETY: see `Avx512`: the CPU has the instruction.
                unsafe { $compare::<_CMP_GT_OQ>(self.0, other.0) }
            }
            #[inline(always)]
            fn equal(self, other: Self) -> $mask {
                // SAFETY: see `Avx512`: the CPU has the instruction.
                unsafe { $compare::<_CMP_EQ_OQ>(self.0, other.0) }
            }
            #[inline(always)]
            fn select(mask: $mask, yes: Self, no: Self) -> Self {
                Self(call!($blend(mask, no.0, yes.0)))
            }
            #[inline(always)]
            fn map_lanes(self, f: impl Fn($type) -> $type) -> Self {
                let mut all = [0.0; $lanes];
                self.store(&mut all);
                Self::load(&all.map(f))
            }
        }
    };
}

register!(F32x16: 16, f32, __m512, __mmask16, i32, 23, 127.0;
    _mm512_set1_ps _mm512_loadu_ps _mm512_maskz_loadu_ps _mm512_storeu_ps _mm512_mask_storeu_ps
    _mm512_add_ps _mm512_sub_ps _mm512_mul_ps _mm512_div_ps _mm512_fmadd_ps _mm512_sqrt_ps
    _mm512_roundscale_ps _mm512_cmp_ps_mask _mm512_mask_blend_ps _mm512_and_ps _mm512_andnot_ps
    _mm512_or_ps _mm512_xor_ps _mm512_castps_si512 _mm512_castsi512_ps _mm512_slli_epi32
    _mm512_srli_epi32 _mm512_set1_epi32);
register!(F64x8: 8, f64, __m512d, __mmask8, i64, 52, 1023.0;
    _mm512_set1_pd _mm512_loadu_pd _mm512_maskz_loadu_pd _mm512_storeu_pd _mm512_mask_storeu_pd
    _mm512_add_pd _mm512_sub_pd _mm512_mul_pd _mm512_div_pd _mm512_fmadd_pd _mm512_sqrt_pd
    _mm512_roundscale_pd _mm512_cmp_pd_mask _mm512_mask_blend_pd _mm512_and_pd _mm512_andnot_pd
    _mm512_or_pd _mm512_xor_pd _mm512_castpd_si512 _mm512_castsi512_pd _mm512_slli_epi64
    _mm512_srli_epi64 _mm512_set1_epi64);
