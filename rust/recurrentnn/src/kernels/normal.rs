//! Layer normalisation of columns: z = (x - mean) / s, s = sqrt(mean of (x - mean)^2 + eps).
//!
//! Sums run in double precision over eight numbers at a time, whatever the registers: the same bits on
//! every instruction set.

use super::isa::{Isa, Task};
use crate::element::Element;
use crate::element::simd::Simd;

/// Partial sums beside each other.
const LANES: usize = 8;

/// The columns of a call, and what they are normalised with.
#[derive(Clone, Copy)]
pub struct Normal<'a, T> {
    /// Rows of a column, at least one.
    pub rows: usize,
    /// Below the root.
    pub eps: f64,
    /// The columns.
    pub x: &'a [T],
    /// One number a row.
    pub gain: &'a [T],
}

/// `out = gain z + bias`.
pub fn normalise<T: Element>(isa: Isa, normal: Normal<'_, T>, bias: &[T], out: &mut [T]) {
    isa.run(Value { normal, bias, out });
}

/// Adds to `into` the gradient of x: (d - mean d - z mean(z d)) / s with d = gain g.
pub fn pull_x<T: Element>(isa: Isa, normal: Normal<'_, T>, grad: &[T], into: &mut [T]) {
    isa.run(PullX { normal, grad, into });
}

/// Adds to `into` the gradient of the gain: the sum over columns of g z.
pub fn pull_gain<T: Element>(isa: Isa, normal: Normal<'_, T>, grad: &[T], into: &mut [T]) {
    isa.run(PullGain { normal, grad, into });
}

struct Value<'a, T> {
    normal: Normal<'a, T>,
    bias: &'a [T],
    out: &'a mut [T],
}

struct PullX<'a, T> {
    normal: Normal<'a, T>,
    grad: &'a [T],
    into: &'a mut [T],
}

struct PullGain<'a, T> {
    normal: Normal<'a, T>,
    grad: &'a [T],
    into: &'a mut [T],
}

/// The sum of f over all rows.
#[inline(always)]
fn sum(rows: usize, f: impl Fn(usize) -> f64) -> f64 {
    let mut sums = [0.0; LANES];
    let whole = rows - rows % LANES;
    for first in (0..whole).step_by(LANES) {
        for (lane, sum) in sums.iter_mut().enumerate() {
            *sum += f(first + lane);
        }
    }
    for row in whole..rows {
        sums[row % LANES] += f(row);
    }
    let [a, b, c, d, e, f, g, h] = sums;
    ((a + e) + (c + g)) + ((b + f) + (d + h))
}

/// mean and 1 / s.
#[inline(always)]
fn moments<T: Element>(x: &[T], eps: f64) -> (T, T) {
    let count = x.len() as f64;
    let mean = T::from_f64(sum(x.len(), |row| x[row].to_f64()) / count);
    let square = |row: usize| {
        let far = x[row] - mean;
        (far * far).to_f64()
    };
    let variance = T::from_f64(sum(x.len(), square) / count);
    (mean, T::ONE / (variance + T::from_f64(eps)).sqrt())
}

impl<T: Element> Task for Value<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self) {
        let Normal { rows, eps, x, gain } = self.normal;
        let (gain, bias) = (&gain[..rows], &self.bias[..rows]);
        for (out, x) in self.out.chunks_exact_mut(rows).zip(x.chunks_exact(rows)) {
            let (mean, inverse) = moments(x, eps);
            for row in 0..rows {
                out[row] = gain[row] * ((x[row] - mean) * inverse) + bias[row];
            }
        }
    }
}

impl<T: Element> Task for PullX<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self) {
        let Normal { rows, eps, x, gain } = self.normal;
        let gain = &gain[..rows];
        let columns = x.chunks_exact(rows).zip(self.grad.chunks_exact(rows));
        for ((x, g), into) in columns.zip(self.into.chunks_exact_mut(rows)) {
            let (mean, inverse) = moments(x, eps);
            let z = |row: usize| (x[row] - mean) * inverse;
            let d = |row: usize| gain[row] * g[row];
            let count = rows as f64;
            let mean_d = T::from_f64(sum(rows, |row| d(row).to_f64()) / count);
            let mean_zd = T::from_f64(sum(rows, |row| (z(row) * d(row)).to_f64()) / count);
            for (row, into) in into.iter_mut().enumerate() {
                *into += (d(row) - mean_d - z(row) * mean_zd) * inverse;
            }
        }
    }
}

impl<T: Element> Task for PullGain<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self) {
        let Normal { rows, eps, x, .. } = self.normal;
        let into = &mut self.into[..rows];
        for (x, g) in x.chunks_exact(rows).zip(self.grad.chunks_exact(rows)) {
            let (mean, inverse) = moments(x, eps);
            for row in 0..rows {
                into[row] += g[row] * ((x[row] - mean) * inverse);
            }
        }
    }
}
