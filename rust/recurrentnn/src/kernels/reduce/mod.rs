//! Sums and maxima. Sums of anything computed from several slices: [`super::broadcast`].

mod max;

use rayon::prelude::*;

pub use self::max::{max_per_column, max_per_column_gradient, max_per_row, max_per_row_gradient};
use super::broadcast::{Extent, Operand, accumulate_broadcast, sum_of};
use super::isa::{Isa, Task};
use super::parallel::Cost;
use crate::element::Element;
use crate::element::simd::Simd;

/// Partial sums side by side: two registers of the widest instruction set, in floats.
const LANES: usize = 16;
/// Numbers that are summed in their own precision.
const BLOCK: usize = 128;

/// The sum of a short slice: lane l takes elements l, l + 16, ..., then halves are added.
#[inline(always)]
pub(super) fn lane_sum<T: Element>(values: &[T]) -> T {
    let mut lanes = [T::ZERO; LANES];
    let (rows, rest) = values.as_chunks::<LANES>();
    for row in rows {
        for (lane, x) in lanes.iter_mut().zip(row) {
            *lane += *x;
        }
    }
    for (lane, x) in lanes.iter_mut().zip(rest) {
        *lane += *x;
    }
    let mut half = LANES / 2;
    while half > 0 {
        for l in 0..half {
            let other = lanes[l + half];
            lanes[l] += other;
        }
        half /= 2;
    }
    lanes[0]
}

/// The sum over slices of equal length of what `f` computes from their numbers: within blocks as
/// [`lane_sum`] does, beyond in double precision.
#[inline(always)]
pub(super) fn lane_sum_of<T: Element, const N: usize>(
    inputs: [&[T]; N],
    f: impl Fn([T; N]) -> T,
) -> f64 {
    let len = inputs.first().map_or(0, |input| input.len());
    let mut total = 0.0;
    for start in (0..len).step_by(BLOCK) {
        let block = inputs.map(|input| &input[start..len.min(start + BLOCK)]);
        let (rows, rest) = (
            block.map(|input| input.as_chunks::<LANES>().0),
            block.map(|input| input.as_chunks::<LANES>().1),
        );
        let mut lanes = [T::ZERO; LANES];
        for row in 0..rows[0].len() {
            let row = rows.map(|rows| &rows[row]);
            for (l, lane) in lanes.iter_mut().enumerate() {
                *lane += f(row.map(|row| row[l]));
            }
        }
        for (l, lane) in lanes.iter_mut().enumerate().take(rest[0].len()) {
            *lane += f(rest.map(|rest| rest[l]));
        }
        total += lane_sum(&lanes).to_f64();
    }
    total
}

/// The sum of all elements; 0 if there are none.
pub fn sum<T: Element>(isa: Isa, a: &[T]) -> f64 {
    sum_of(isa, Cost::Cheap, [a], |[x]| x)
}

/// `out[j]` = sum of column j of `a` (rows x cols).
///
/// # Panics
/// If a slice has not the length of its matrix.
pub fn sum_per_column<T: Element>(isa: Isa, whole: (usize, usize), a: &[T], out: &mut [T]) {
    sum_into(isa, whole, a, Extent::Row, out);
}

/// `out[i]` = sum of row i of `a` (rows x cols).
///
/// # Panics
/// If a slice has not the length of its matrix.
pub fn sum_per_row<T: Element>(isa: Isa, whole: (usize, usize), a: &[T], out: &mut [T]) {
    sum_into(isa, whole, a, Extent::Column, out);
}

fn sum_into<T: Element>(isa: Isa, whole: (usize, usize), a: &[T], extent: Extent, out: &mut [T]) {
    out.fill(T::ZERO);
    let a = Operand {
        values: a,
        extent: Extent::Full,
    };
    accumulate_broadcast(isa, Cost::Cheap, whole, [a], extent, out, |[x]| x);
}

/// The sum of squares, in double precision throughout.
pub fn sum_of_squares<T: Element>(isa: Isa, a: &[T]) -> f64 {
    let piece = Cost::Cheap.piece();
    let squares = |a| isa.run(SumOfSquares(a));
    if Cost::Cheap.splits(a.len()) {
        let sums: Vec<f64> = a.par_chunks(piece).map(squares).collect();
        sums.iter().sum()
    } else {
        a.chunks(piece).map(squares).sum()
    }
}

struct SumOfSquares<'a, T>(&'a [T]);

impl<T: Element> Task for SumOfSquares<'_, T> {
    type Output = f64;

    #[inline(always)]
    fn run<S: Simd>(self) -> f64 {
        let mut lanes = [0.0; LANES];
        let (rows, rest) = self.0.as_chunks::<LANES>();
        for row in rows {
            for (lane, x) in lanes.iter_mut().zip(row) {
                let x = x.to_f64();
                *lane += x * x;
            }
        }
        for (lane, x) in lanes.iter_mut().zip(rest) {
            let x = x.to_f64();
            *lane += x * x;
        }
        lane_sum(&lanes)
    }
}

#[cfg(test)]
mod tests;
