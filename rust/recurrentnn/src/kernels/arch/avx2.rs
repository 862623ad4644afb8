//! 256-bit registers with fused multiply-add: every x86-64 CPU since about 2013.

#[allow(clippy::wildcard_imports)] // some sixty intrinsics
use std::arch::x86_64::*;
use std::ops::{Add, Div, Mul, Neg, Sub};

use crate::element::Element;
use crate::element::simd::{Simd, Vector};

/// AVX2 and FMA. Code over it runs inside [`Isa::run`](crate::kernels::Isa::run) alone, which makes
/// every intrinsic below sound: the CPU has been asked.
#[derive(Clone, Copy, Debug)]
pub(in crate::kernels) struct Avx2;

impl Simd for Avx2 {
    type F32 = F32x8;
    type F64 = F64x4;
    const REGISTER_BYTES: usize = 32;
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
        // SAFETY: see `Avx2`: the CPU has the instruction.
        unsafe { $intrinsic($($argument),*) }
    };
}

macro_rules! register {
    ($name:ident: $lanes:literal, $type:ident, $register:ident, $bits:ident, $mantissa:literal, $bias:literal;
     $set1:ident $load:ident $load_masked:ident $store:ident $store_first:ident $add:ident $sub:ident $mul:ident $div:ident $fma:ident
     $sqrt:ident $min:ident $max:ident $round:ident $compare:ident $blend:ident $and:ident $andnot:ident $or:ident $xor:ident
     $to_bits:ident $from_bits:ident $shift_left:ident $shift_right:ident
     $set_bits:ident $transpose:ident) => {
        /// A register.
        #[derive(Clone, Copy, Debug)]
        pub(in crate::kernels) struct $name($register);

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
            type Mask = $register;
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
                /// All bits in as many lanes as numbers are wanted, from the right place on.
                const MASKS: [$bits; 2 * $lanes] = {
                    let mut masks = [0; 2 * $lanes];
                    let mut i = 0;
                    while i < $lanes {
                        masks[i] = -1;
                        i += 1;
                    }
                    masks
                };
                let at = $lanes - from.len().min($lanes);
                // SAFETY: `at` leaves LANES masks, and only lanes with a mask are read.
                Self(unsafe {
                    let mask = _mm256_loadu_si256(MASKS.as_ptr().add(at).cast());
                    $load_masked(from.as_ptr(), mask)
                })
            }
            #[inline(always)]
            fn store_first(self, to: &mut [$type]) {
                // SAFETY: there is room for the numbers of `to`, of which LANES are written at most.
                unsafe { $store_first(self.0, to.as_mut_ptr(), to.len().min($lanes)) }
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
            fn at_most(self, high: f64) -> Self {
                // Where either is NaN the instruction gives its second operand.
                Self(call!($min(Self::number(high).0, self.0)))
            }
            #[inline(always)]
            fn at_least(self, low: f64) -> Self {
                Self(call!($max(Self::number(low).0, self.0)))
            }
            #[inline(always)]
            fn round(self) -> Self {
                // SAFETY: see `Avx2`: the CPU has the instruction.
                Self(unsafe { $round::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>(self.0) })
            }
            #[inline(always)]
            fn power_of_two(self) -> Self {
                // The sum has the biased exponent as an integer in its lowest bits.
                let sum = self + Self::splat(1.5 * (1_u64 << $mantissa) as $type + $bias);
                // SAFETY: see `Avx2`: the CPU has the instructions.
                Self(unsafe { $from_bits($shift_left::<$mantissa>($to_bits(sum.0))) })
            }
            #[inline(always)]
            fn split(self) -> (Self, Self) {
                const MANTISSA: $bits = (1 << $mantissa) - 1;
                // 2^mantissa + e as a number has e in its lowest bits.
                let magic = Self::splat((1_u64 << $mantissa) as $type);
                // SAFETY: see `Avx2`: the CPU has the instructions.
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
            fn greater(self, other: Self) -> $register {
                // SAFETY: see `Avx2`: the CPU has the instruction.
                unsafe { $compare::<_CMP_GT_OQ>(self.0, other.0) }
            }
            #[inline(always)]
            fn equal(self, other: Self) -> $register {
                // SAFETY: see `Avx2`: the CPU has the instruction.
                unsafe { $compare::<_CMP_EQ_OQ>(self.0, other.0) }
            }
            #[inline(always)]
            fn select(mask: $register, yes: Self, no: Self) -> Self {
                Self(call!($blend(no.0, yes.0, mask)))
            }
            #[inline(always)]
            fn transpose(from: &[$type], from_step: usize, to: &mut [$type], to_step: usize) {
                let rows = std::array::from_fn(|i| Self::load(&from[i * from_step..]).0);
                // SAFETY: see `Avx2`: the CPU has the instructions.
                let columns: [_; $lanes] = unsafe { $transpose(rows) };
                for (p, column) in columns.into_iter().enumerate() {
                    Self(column).store(&mut to[p * to_step..]);
                }
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

register!(F32x8: 8, f32, __m256, i32, 23, 127.0;
    _mm256_set1_ps _mm256_loadu_ps _mm256_maskload_ps _mm256_storeu_ps store_first_ps _mm256_add_ps _mm256_sub_ps _mm256_mul_ps
    _mm256_div_ps _mm256_fmadd_ps _mm256_sqrt_ps _mm256_min_ps _mm256_max_ps _mm256_round_ps _mm256_cmp_ps _mm256_blendv_ps
    _mm256_and_ps _mm256_andnot_ps _mm256_or_ps _mm256_xor_ps _mm256_castps_si256
    _mm256_castsi256_ps _mm256_slli_epi32 _mm256_srli_epi32 _mm256_set1_epi32 transpose_ps);
register!(F64x4: 4, f64, __m256d, i64, 52, 1023.0;
    _mm256_set1_pd _mm256_loadu_pd _mm256_maskload_pd _mm256_storeu_pd store_first_pd _mm256_add_pd _mm256_sub_pd _mm256_mul_pd
    _mm256_div_pd _mm256_fmadd_pd _mm256_sqrt_pd _mm256_min_pd _mm256_max_pd _mm256_round_pd _mm256_cmp_pd _mm256_blendv_pd
    _mm256_and_pd _mm256_andnot_pd _mm256_or_pd _mm256_xor_pd _mm256_castpd_si256
    _mm256_castsi256_pd _mm256_slli_epi64 _mm256_srli_epi64 _mm256_set1_epi64x transpose_pd);

/// The first `n` <= 8 numbers: in parts of 4, 2 and 1, for a masked store is slow where it counts
/// (tens of cycles on AMD's).
#[inline(always)]
unsafe fn store_first_ps(x: __m256, mut to: *mut f32, n: usize) {
    // SAFETY: see `Avx2`; the caller has room for n numbers.
    unsafe {
        if n == 8 {
            return _mm256_storeu_ps(to, x);
        }
        let mut low = _mm256_castps256_ps128(x);
        if n & 4 != 0 {
            _mm_storeu_ps(to, low);
            low = _mm256_extractf128_ps::<1>(x);
            to = to.add(4);
        }
        if n & 2 != 0 {
            _mm_storel_pd(to.cast(), _mm_castps_pd(low));
            low = _mm_movehl_ps(low, low);
            to = to.add(2);
        }
        if n & 1 != 0 {
            _mm_store_ss(to, low);
        }
    }
}

/// The first `n` <= 4 numbers.
#[inline(always)]
unsafe fn store_first_pd(x: __m256d, mut to: *mut f64, n: usize) {
    // SAFETY: as above.
    unsafe {
        if n == 4 {
            return _mm256_storeu_pd(to, x);
        }
        let mut low = _mm256_castpd256_pd128(x);
        if n & 2 != 0 {
            _mm_storeu_pd(to, low);
            low = _mm256_extractf128_pd::<1>(x);
            to = to.add(2);
        }
        if n & 1 != 0 {
            _mm_store_sd(to, low);
        }
    }
}

/// Columns from rows: pairs, then fours, then both halves.
#[inline(always)]
unsafe fn transpose_ps(r: [__m256; 8]) -> [__m256; 8] {
    // SAFETY: see `Avx2`.
    unsafe {
        let mut pairs = r;
        for i in 0..4 {
            pairs[2 * i] = _mm256_unpacklo_ps(r[2 * i], r[2 * i + 1]);
            pairs[2 * i + 1] = _mm256_unpackhi_ps(r[2 * i], r[2 * i + 1]);
        }
        let mut fours = pairs;
        for i in [0, 4] {
            fours[i] = _mm256_shuffle_ps::<0x44>(pairs[i], pairs[i + 2]);
            fours[i + 1] = _mm256_shuffle_ps::<0xEE>(pairs[i], pairs[i + 2]);
            fours[i + 2] = _mm256_shuffle_ps::<0x44>(pairs[i + 1], pairs[i + 3]);
            fours[i + 3] = _mm256_shuffle_ps::<0xEE>(pairs[i + 1], pairs[i + 3]);
        }
        let mut columns = fours;
        for i in 0..4 {
            columns[i] = _mm256_permute2f128_ps::<0x20>(fours[i], fours[i + 4]);
            columns[i + 4] = _mm256_permute2f128_ps::<0x31>(fours[i], fours[i + 4]);
        }
        columns
    }
}

/// Columns from rows: pairs, then both halves.
#[inline(always)]
unsafe fn transpose_pd(r: [__m256d; 4]) -> [__m256d; 4] {
    // SAFETY: see `Avx2`.
    unsafe {
        let [a, b] = [[r[0], r[1]], [r[2], r[3]]]
            .map(|[x, y]| [_mm256_unpacklo_pd(x, y), _mm256_unpackhi_pd(x, y)]);
        [
            _mm256_permute2f128_pd::<0x20>(a[0], b[0]),
            _mm256_permute2f128_pd::<0x20>(a[1], b[1]),
            _mm256_permute2f128_pd::<0x31>(a[0], b[0]),
            _mm256_permute2f128_pd::<0x31>(a[1], b[1]),
        ]
    }
}
