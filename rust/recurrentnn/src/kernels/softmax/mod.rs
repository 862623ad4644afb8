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
use super::isa::{Isa, Task};
use super::math;
use super::parallel::Cost;
use super::reduce::lane_sum;
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
    each_number(isa, whole, a, out, |_, _, max, log_sum| {
        // inf - inf would have made NaN of a sum that is infinite or zero
        if max.is_finite() { max + log_sum } else { max }
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
    each_number(isa, whole, a, out, |j, column, max, log_sum| {
        (column[picks[j]] - max) - log_sum
    });
}

/// `out[j] = f(j, column, M, ln S)`.
fn each_number<T: Element>(
    isa: Isa,
    (rows, cols): (usize, usize),
    a: &[T],
    out: &mut [T],
    f: impl Fn(usize, &[T], T, T) -> T + Sync,
) {
    assert_eq!(a.len(), rows * cols);
    assert_eq!(out.len(), cols);
    let piece = |(i, out): (usize, &mut [T])| {
        let first = i * MOST_LANES;
        let columns = &a[first * rows..][..out.len() * rows];
        let (max, log_sum) = isa.run(LogSums { rows, columns });
        for (j, out) in out.iter_mut().enumerate() {
            let column = &columns[j * rows..][..rows];
            *out = f(first + j, column, max[j], log_sum[j]);
        }
    };
    if Cost::Transcendental.splits(a.len()) {
        out.par_chunks_mut(MOST_LANES).enumerate().for_each(piece);
    } else {
        out.chunks_mut(MOST_LANES).enumerate().for_each(piece);
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
        if LOG {
            let column = LogSums {
                rows: x.len(),
                columns: x,
            };
            let (max, log_sum) = column.run::<S>();
            for (y, x) in y.iter_mut().zip(x) {
                *y = (*x - max[0]) - log_sum[0];
            }
        } else {
            let sum = shares::<T::Vector<S>>(x, y);
            for y in y {
                *y = *y / sum;
            }
        }
    }
}

/// M and ln S of some columns, at most [`MOST_LANES`]: one step for all of them and then the next, since
/// each step of a column waits for the one before.
struct LogSums<'a, T> {
    rows: usize,
    columns: &'a [T],
}

impl<T: Element> Task for LogSums<'_, T> {
    type Output = ([T; MOST_LANES], [T; MOST_LANES]);

    #[inline(always)]
    fn run<S: Simd>(self) -> Self::Output {
        let count = self.columns.len().checked_div(self.rows).unwrap_or(0);
        let column = |j: usize| &self.columns[j * self.rows..][..self.rows];
        let (mut max, mut sums) = ([T::NEG_INFINITY; MOST_LANES], [T::ONE; MOST_LANES]);
        for (j, max) in max.iter_mut().enumerate().take(count) {
            *max = largest::<T::Vector<S>>(column(j));
        }
        for (j, sum) in sums.iter_mut().enumerate().take(count) {
            *sum = sum_of_shares::<T::Vector<S>>(column(j), max[j], None);
        }
        for sums in sums.chunks_exact_mut(T::Vector::<S>::LANES) {
            math::log(T::Vector::<S>::load(sums)).store(sums);
        }
        (max, sums)
    }
}

/// Writes exp(x - M) and gives S.
#[inline(always)]
fn shares<V: Vector>(x: &[V::Element], y: &mut [V::Element]) -> V::Element {
    sum_of_shares::<V>(x, largest::<V>(x), Some(y))
}

/// So many numbers are added in their own precision, the sums of more in double precision.
const BLOCK: usize = 512;

/// S of a column whose M is `max`, and exp(x - M), if anybody wants it.
#[inline(always)]
fn sum_of_shares<V: Vector>(
    x: &[V::Element],
    max: V::Element,
    mut y: Option<&mut [V::Element]>,
) -> V::Element {
    let (zero, max) = (V::number(0.0), V::splat(max));
    let mut total = 0.0;
    for start in (0..x.len()).step_by(BLOCK) {
        let block = start..x.len().min(start + BLOCK);
        let (whole, rest) = x[block.clone()].split_at(block.len() / V::LANES * V::LANES);
        let mut sums = zero;
        for (at, x) in whole.chunks_exact(V::LANES).enumerate() {
            let share = math::exp(V::load(x) - max);
            sums = sums + share;
            if let Some(y) = y.as_deref_mut() {
                share.store(&mut y[start + at * V::LANES..]);
            }
        }
        if !rest.is_empty() {
            let share = math::exp(V::load_first(rest) - max);
            sums = sums + V::select(lanes_from::<V>(rest.len()), zero, share);
            if let Some(y) = y.as_deref_mut() {
                share.store_first(&mut y[start + whole.len()..block.end]);
            }
        }
        total += lane_sum(&lanes_of(sums)[..V::LANES]).to_f64();
    }
    V::Element::from_f64(total)
}

/// M of a column: NaN if there is one.
#[inline(always)]
fn largest<V: Vector>(x: &[V::Element]) -> V::Element {
    let lowest = V::Element::NEG_INFINITY;
    let Some(last) = x.len().checked_sub(V::LANES) else {
        return x.iter().fold(lowest, |max, x| max.maximum(*x));
    };
    // The last register may take some numbers twice.
    let mut largest = V::load(&x[last..]);
    for x in x.chunks_exact(V::LANES) {
        largest = largest.maximum(V::load(x));
    }
    let mut lanes = lanes_of(largest);
    let mut half = V::LANES / 2;
    while half > 0 {
        for l in 0..half {
            lanes[l] = lanes[l].maximum(lanes[l + half]);
        }
        half /= 2;
    }
    lanes[0]
}

/// Lanes of the widest register.
const MOST_LANES: usize = 16;

#[inline(always)]
fn lanes_of<V: Vector>(register: V) -> [V::Element; MOST_LANES] {
    let mut lanes = [V::Element::ZERO; MOST_LANES];
    register.store(&mut lanes);
    lanes
}

/// True in the lanes from `count` on.
#[inline(always)]
fn lanes_from<V: Vector>(count: usize) -> V::Mask {
    let mut numbers = [V::Element::ZERO; MOST_LANES];
    for (lane, number) in numbers.iter_mut().enumerate() {
        *number = V::Element::from_f64(lane as f64 + 0.5);
    }
    V::load(&numbers).greater(V::number(count as f64))
}

#[cfg(test)]
mod tests;
