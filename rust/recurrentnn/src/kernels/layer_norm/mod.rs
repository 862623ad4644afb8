//! Layer normalisation of each column, and its gradients.
//!
//! With z = (x - mean) / s, s = sqrt(variance + eps), of a column x, and d = gain g:
//!
//! ```text
//! y = gain z + bias      dx = (d - mean(d) - z mean(z d)) / s      dgain = sum of g z
//! ```
//!
//! Mean and 1 / s are taken again in the backward pass, which reads x anyway, rather than kept. A
//! column's sums run within it alone, in one order, and no product is fused with a sum: its bits are
//! the same in every batch and on every instruction set.

use rayon::prelude::*;

use super::broadcast::{Extent, Operand, accumulate_broadcast};
use super::isa::{Isa, Task};
use super::parallel::Cost;
use super::reduce::lane_sum_of;
use crate::element::Element;
use crate::element::simd::Simd;

/// A layer normalisation of columns of as many numbers as `gain` has.
#[derive(Clone, Copy, Debug)]
pub struct LayerNorm<'a, T> {
    /// Which instructions.
    pub isa: Isa,
    /// Keeps s above 0.
    pub eps: f64,
    /// Column by column.
    pub x: &'a [T],
    /// A factor for each row.
    pub gain: &'a [T],
}

impl<'a, T: Element> LayerNorm<'a, T> {
    /// `out = gain z + bias`.
    ///
    /// # Panics
    /// If `bias` has not the rows of `gain`, or `out` not the size of `x`.
    pub fn normalise(self, bias: &[T], out: &mut [T]) {
        assert_eq!(bias.len(), self.gain.len());
        self.each_piece([self.x], out, |[x], out| {
            let norm = Self { x, ..self };
            self.isa.run(Normalise { norm, bias, out });
        });
    }

    /// `into += dx` for the gradient `grad` of the value.
    ///
    /// # Panics
    /// If `grad` or `into` have not the size of `x`.
    pub fn accumulate_gradient(self, grad: &'a [T], into: &mut [T]) {
        self.each_piece([self.x, grad], into, |[x, grad], into| {
            let norm = Self { x, ..self };
            self.isa.run(Gradient { norm, grad, into });
        });
    }

    /// `into += dgain` for the gradient `grad` of the value.
    ///
    /// # Panics
    /// If `grad` has not the size of `x`, or `into` not that of `gain`.
    pub fn accumulate_gain_gradient(self, grad: &[T], into: &mut [T]) {
        let rows = self.gain.len();
        let cols = self.x.len().checked_div(rows).unwrap_or(0);
        let (mut means, mut inverses) = (vec![T::ZERO; cols], vec![T::ZERO; cols]);
        self.isa.run(AllMoments {
            norm: self,
            means: &mut means,
            inverses: &mut inverses,
        });
        let operands = [
            (grad, Extent::Full),
            (self.x, Extent::Full),
            (&means[..], Extent::Row),
            (&inverses[..], Extent::Row),
        ]
        .map(|(values, extent)| Operand { values, extent });
        let z_g = |[g, x, mean, inverse]: [T; 4]| g * ((x - mean) * inverse);
        let (cost, whole) = (Cost::Cheap, (rows, cols));
        accumulate_broadcast(self.isa, cost, whole, operands, Extent::Column, into, z_g);
    }

    /// Whole columns of the operands and of `out`, in pieces that threads may share.
    fn each_piece<const N: usize>(
        self,
        operands: [&'a [T]; N],
        out: &mut [T],
        work: impl Fn([&'a [T]; N], &mut [T]) + Sync,
    ) {
        let rows = self.gain.len();
        assert!(operands.iter().all(|operand| operand.len() == out.len()));
        if out.is_empty() {
            return;
        }
        assert_eq!(out.len() % rows, 0);
        if !Cost::Cheap.splits(out.len()) {
            return work(operands, out);
        }
        let piece = (Cost::Cheap.piece() / rows).max(1) * rows;
        out.par_chunks_mut(piece).enumerate().for_each(|(i, out)| {
            work(
                operands.map(|operand| &operand[i * piece..][..out.len()]),
                out,
            );
        });
    }

    /// Mean and 1 / s of a column.
    #[inline(always)]
    fn moments(self, x: &[T]) -> (T, T) {
        let mean = mean_of([x], |[x]| x);
        let variance = mean_of([x], |[x]| (x - mean) * (x - mean));
        (mean, T::ONE / (variance + T::from_f64(self.eps)).sqrt())
    }
}

/// The mean of what `f` computes from the numbers of columns.
#[inline(always)]
fn mean_of<T: Element, const N: usize>(columns: [&[T]; N], f: impl Fn([T; N]) -> T) -> T {
    T::from_f64(lane_sum_of(columns, f) / columns[0].len() as f64)
}

/// [`LayerNorm::normalise`] of some columns.
struct Normalise<'a, T> {
    norm: LayerNorm<'a, T>,
    bias: &'a [T],
    out: &'a mut [T],
}

impl<T: Element> Task for Normalise<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self) {
        let Self { norm, bias, out } = self;
        let rows = norm.gain.len();
        for (x, out) in norm.x.chunks_exact(rows).zip(out.chunks_exact_mut(rows)) {
            let (mean, inverse) = norm.moments(x);
            for (((out, &x), &gain), &bias) in out.iter_mut().zip(x).zip(norm.gain).zip(bias) {
                *out = gain * ((x - mean) * inverse) + bias;
            }
        }
    }
}

/// [`LayerNorm::accumulate_gradient`] of some columns.
struct Gradient<'a, T> {
    norm: LayerNorm<'a, T>,
    grad: &'a [T],
    into: &'a mut [T],
}

impl<T: Element> Task for Gradient<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self) {
        let Self { norm, grad, into } = self;
        let (gain, rows) = (norm.gain, norm.gain.len());
        let columns = norm.x.chunks_exact(rows).zip(grad.chunks_exact(rows));
        for ((x, grad), into) in columns.zip(into.chunks_exact_mut(rows)) {
            let (mean, inverse) = norm.moments(x);
            let mean_d = mean_of([grad, gain], |[g, gain]| gain * g);
            let mean_zd = mean_of([x, grad, gain], |[x, g, gain]| {
                (x - mean) * inverse * (gain * g)
            });
            for (((into, &x), &g), &gain) in into.iter_mut().zip(x).zip(grad).zip(gain) {
                let z = (x - mean) * inverse;
                *into += (gain * g - mean_d - z * mean_zd) * inverse;
            }
        }
    }
}

/// Mean and 1 / s of all columns.
struct AllMoments<'a, T> {
    norm: LayerNorm<'a, T>,
    means: &'a mut [T],
    inverses: &'a mut [T],
}

impl<T: Element> Task for AllMoments<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self) {
        let Self {
            norm,
            means,
            inverses,
        } = self;
        let columns = norm.x.chunks_exact(norm.gain.len().max(1));
        for (x, (mean, inverse)) in columns.zip(means.iter_mut().zip(inverses)) {
            (*mean, *inverse) = norm.moments(x);
        }
    }
}

#[cfg(test)]
mod tests;
