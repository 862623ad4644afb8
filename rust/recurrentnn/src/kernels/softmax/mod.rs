//! Log-sum-exp, softmax and its logarithm, of each column.
//!
//! With M the maximum of a column x and S = sum of exp(x - M):
//!
//! ```text
//! logsumexp = M + ln S      softmax = exp(x - M) / S      log_softmax = (x - M) - ln S
//! ```
//!
//! No exponent is positive, so nothing overflows, and S >= 1. NaN in a column makes all of it NaN.

mod gradient;

use rayon::prelude::*;

pub use self::gradient::{accumulate_log_softmax_gradient, accumulate_softmax};
use super::formula::{Formula, Saved, map_registers};
use super::isa::{Isa, Task};
use super::math;
use super::parallel::Cost;
use super::reduce::{lane_max, lane_sum};
use crate::element::Element;
use crate::element::simd::{Simd, Vector};

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
    each_number(isa, whole, a, out, |_, _, max, sum| {
        // inf - inf would have made NaN of a sum that is infinite or zero
        if max.is_finite() {
            max + T::from_f64(sum.ln())
        } else {
            max
        }
    });
}

/// `out[j]` = `log_softmax(a[:, j])[picks[j]]` for `a` (rows x cols).
///
/// # Panics
/// If a slice has not the length of its matrix, or a pick is not below `rows`.
pub fn picked_log_softmax<T: Element>(
    isa: Isa,
    whole: (usize, usize),
    a: &[T],
    picks: &[usize],
    out: &mut [T],
) {
    assert_eq!(picks.len(), out.len());
    each_number(isa, whole, a, out, |j, column, max, sum| {
        (column[picks[j]] - max) - T::from_f64(sum.ln())
    });
}

/// `out[j] = f(j, column, M, S)`.
fn each_number<T: Element>(
    isa: Isa,
    (rows, cols): (usize, usize),
    a: &[T],
    out: &mut [T],
    f: impl Fn(usize, &[T], T, f64) -> T + Sync,
) {
    assert_eq!(a.len(), rows * cols);
    assert_eq!(out.len(), cols);
    let column = |(j, out): (usize, &mut T)| {
        let column = &a[j * rows..][..rows];
        let (max, sum) = isa.run(MaxAndSum(column));
        *out = f(j, column, max, sum);
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
        let (max, sum) = shares::<T, S>(x, y);
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

/// e^(x - max), not yet divided by S.
struct Share {
    max: f64,
}

impl Formula for Share {
    const SAVED: Saved = Saved::Output;
    const COST: Cost = Cost::Transcendental;

    #[inline(always)]
    fn value<V: Vector>(&self, x: V) -> V {
        math::exp(x - V::number(self.max))
    }

    #[inline(always)]
    fn derivative<V: Vector>(&self, y: V) -> V {
        y
    }
}

/// Writes exp(x - M) and gives (M, S).
#[inline(always)]
fn shares<T: Element, S: Simd>(x: &[T], y: &mut [T]) -> (T, f64) {
    let max = lane_max(x);
    map_registers::<T::Vector<S>, _>(&Share { max: max.to_f64() }, x, y);
    (max, sum_in_blocks(y))
}

/// (M, S) of a column.
struct MaxAndSum<'a, T>(&'a [T]);

impl<T: Element> Task for MaxAndSum<'_, T> {
    type Output = (T, f64);

    #[inline(always)]
    fn run<S: Simd>(self) -> (T, f64) {
        let max = lane_max(self.0);
        let share = Share { max: max.to_f64() };
        let mut values = [T::ZERO; BLOCK];
        let mut sum = 0.0;
        for x in self.0.chunks(BLOCK) {
            let values = &mut values[..x.len()];
            map_registers::<T::Vector<S>, _>(&share, x, values);
            sum += lane_sum(values).to_f64();
        }
        (max, sum)
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
