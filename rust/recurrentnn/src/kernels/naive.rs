//! The kernels again, as short as they can be written: what the tests compare with.

use rayon::ThreadPoolBuilder;

use super::gemm::Product;
use super::isa::Task;
use crate::element::Element;
use crate::element::simd::Simd;

/// Calls `$test::<f32>(isa)` and `$test::<f64>(isa)` for every instruction set of this machine.
macro_rules! for_all {
    ($test:ident) => {
        for isa in $crate::kernels::Isa::available() {
            $test::<f32>(isa);
            $test::<f64>(isa);
        }
    };
}
pub(super) use for_all;

/// `len` numbers in [-1, 1) of which no two are likely equal; a generator of its own (Weyl's
/// sequence, scrambled), for this floor stands below `random`.
pub(super) fn numbers<T: Element>(seed: u64, len: usize) -> Vec<T> {
    let number = |i: u64| {
        let mut x = (seed << 32 | i).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        x = (x ^ x >> 31).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        T::from_f64((x >> 11) as f64 / (1_u64 << 52) as f64 - 1.0)
    };
    (0..len as u64).map(number).collect()
}

/// `work` on a pool of `threads` threads.
pub(super) fn with_threads<R: Send>(threads: usize, work: impl FnOnce() -> R + Send) -> R {
    let pool = ThreadPoolBuilder::new().num_threads(threads).build();
    pool.unwrap().install(work)
}

/// `c += op(a) * op(b)` in double precision.
pub(super) fn gemm<T: Element>(
    product: Product,
    (m, n, k): (usize, usize, usize),
    a: &[T],
    b: &[T],
    c: &[T],
) -> Vec<f64> {
    let mut out = vec![0.0; m * n];
    for j in 0..n {
        for i in 0..m {
            let mut sum = c[i + j * m].to_f64();
            for p in 0..k {
                let a = if product == Product::TransposedLeft {
                    a[p + i * k]
                } else {
                    a[i + p * m]
                };
                let b = if product == Product::TransposedRight {
                    b[j + p * n]
                } else {
                    b[p + j * k]
                };
                sum += a.to_f64() * b.to_f64();
            }
            out[i + j * m] = sum;
        }
    }
    out
}

/// `c + a_0 b_0 + a_1 b_1 + ...` in that order, rounded as the instruction set rounds.
pub(super) struct Chain<'a, T>(pub(super) T, pub(super) &'a [T], pub(super) &'a [T]);

impl<T: Element> Task for Chain<'_, T> {
    type Output = T;
    #[inline(always)]
    fn run<S: Simd>(self) -> T {
        let pairs = self.1.iter().zip(self.2);
        pairs.fold(self.0, |c, (a, b)| S::mul_add(*a, *b, c))
    }
}

/// Element (i, j) of an operand of shape (rows, cols) that is broadcast.
pub(super) fn at<T: Copy>(values: &[T], (rows, cols): (usize, usize), i: usize, j: usize) -> T {
    values[if rows == 1 { 0 } else { i } + rows * if cols == 1 { 0 } else { j }]
}

/// What rounding may do to a sum of `terms` random numbers of [-1, 1), in [`assert_close`]'s units:
/// the partial sums grow as the root of their number, so one standard deviation is 0.2 a term.
pub(super) fn rounding(terms: usize) -> f64 {
    2.0 + terms as f64
}

/// Asserts |x - y| <= `units` * epsilon * max(1, |y|) for all pairs.
pub(super) fn assert_close<T: Element>(actual: &[T], expected: &[f64], units: f64) {
    assert_eq!(actual.len(), expected.len());
    let epsilon = if size_of::<T>() == 4 {
        f64::from(f32::EPSILON)
    } else {
        f64::EPSILON
    };
    for (i, (x, y)) in actual.iter().zip(expected).enumerate() {
        let error = (x.to_f64() - y).abs();
        assert!(
            error <= units * epsilon * y.abs().max(1.0),
            "element {i}: {x} for {y}"
        );
    }
}
