//! Log-sum-exp, softmax and its logarithm, of each column.
//!
//! With M the maximum of a column x and S = sum of exp(x - M):
//!
//! ```text
//! logsumexp = M + ln S      softmax = exp(x - M) / S      log_softmax = (x - M) - ln S
//! ```
//!
//! No exponent is positive, so nothing overflows, and S >= 1. NaN in a column makes all of it NaN.

use rayon::prelude::*;

use super::isa::{Isa, Task};
use super::parallel::Cost;
use super::reduce::{lane_max, lane_sum};
use crate::element::Element;
use crate::element::simd::Simd;

/// `out[:, j] = softmax(a[:, j])`; both rows x cols.
///
/// # Panics
/// If a slice has not the length of its matrix.
pub fn softmax<T: Element>(isa: Isa, whole: (usize, usize), a: &[T], out: &mut [T]) {
    each_column::<T, false>(isa, whole, a, out);
}

/// `out[:, j] = ln softmax(a[:, j])`; both rows x cols.
///
/// # Panics
/// If a slice has not the length of its matrix.
pub fn log_softmax<T: Element>(isa: Isa, whole: (usize, usize), a: &[T], out: &mut [T]) {
    each_column::<T, true>(isa, whole, a, out);
}

/// `out[j]` = ln of the sum of exp over column j of `a` (rows x cols); -inf if all are -inf or
/// there are none.
///
/// # Panics
/// If a slice has not the length of its matrix.
pub fn logsumexp_per_column<T: Element>(isa: Isa, whole: (usize, usize), a: &[T], out: &mut [T]) {
    let (rows, cols) = whole;
    assert_eq!(a.len(), rows * cols);
    assert_eq!(out.len(), cols);
    let column = |(j, out): (usize, &mut T)| {
        *out = isa.run(LogSumExp(&a[j * rows..][..rows]));
    };
    if Cost::Transcendental.splits(a.len()) {
        out.par_iter_mut().enumerate().for_each(column);
    } else {
        out.iter_mut().enumerate().for_each(column);
    }
}

fn each_column<T: Element, const LOG: bool>(
    isa: Isa,
    (rows, cols): (usize, usize),
    a: &[T],
    out: &mut [T],
) {
    assert_eq!(a.len(), rows * cols);
    assert_eq!(out.len(), rows * cols);
    if out.is_empty() {
        return;
    }
    let column = |(x, y): (&[T], &mut [T])| isa.run(Softmax::<T, LOG> { x, y });
    if Cost::Transcendental.splits(out.len()) {
        let columns = a.par_chunks_exact(rows).zip(out.par_chunks_exact_mut(rows));
        columns.for_each(column);
    } else {
        a.chunks_exact(rows)
            .zip(out.chunks_exact_mut(rows))
            .for_each(column);
    }
}

struct Softmax<'a, T, const LOG: bool> {
    x: &'a [T],
    y: &'a mut [T],
}

impl<T: Element, const LOG: bool> Task for Softmax<'_, T, LOG> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self) {
        let Self { x, y } = self;
        let max = lane_max(x);
        for (y, x) in y.iter_mut().zip(x) {
            *y = (*x - max).exp();
        }
        let sum = sum_in_blocks(y);
        if LOG {
            let ln_sum = T::from_f64(sum.ln());
            for (y, x) in y.iter_mut().zip(x) {
                *y = (*x - max) - ln_sum;
            }
        } else {
            let sum = T::from_f64(sum);
            for y in y {
                *y = *y / sum;
            }
        }
    }
}

struct LogSumExp<'a, T>(&'a [T]);

impl<T: Element> Task for LogSumExp<'_, T> {
    type Output = T;

    #[inline(always)]
    fn run<S: Simd>(self) -> T {
        let max = lane_max(self.0);
        if !max.is_finite() {
            return max; // inf - inf would make NaN of a sum that is infinite or zero
        }
        let mut values = [T::ZERO; BLOCK];
        let mut sum = 0.0;
        for x in self.0.chunks(BLOCK) {
            let values = &mut values[..x.len()];
            for (y, x) in values.iter_mut().zip(x) {
                *y = (*x - max).exp();
            }
            sum += lane_sum(values).to_f64();
        }
        max + T::from_f64(sum.ln())
    }
}

const BLOCK: usize = 128;

#[inline(always)]
fn sum_in_blocks<T: Element>(values: &[T]) -> f64 {
    let mut sum = 0.0;
    for block in values.chunks(BLOCK) {
        sum += lane_sum(block).to_f64();
    }
    sum
}

#[cfg(test)]
mod tests;
