//! Copies into one panel: `to[p * ROWS + i] = from(i, p)`, ROWS the lanes of its registers.

use crate::element::Element;
use crate::element::simd::{Simd, Vector};
use crate::kernels::isa::Task;

/// A column is asked for so many columns before its turn: they lie too far from one another for the CPU
/// to foresee them.
const AHEAD: usize = 16;

/// From columns: element (i, p) is `from[p * step + i]`.
pub(in crate::kernels) struct Pack<'a, T> {
    pub(in crate::kernels) from: &'a [T],
    pub(in crate::kernels) step: usize,
    /// Rows there are; the panel has zeros below.
    pub(in crate::kernels) rows: usize,
    pub(in crate::kernels) depth: usize,
    /// Registers of the panel: 1 or 2.
    pub(in crate::kernels) registers: usize,
    pub(in crate::kernels) to: &'a mut [T],
}

impl<T: Element> Task for Pack<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self) {
        if self.registers == 2 {
            self.copy::<S, 2>();
        } else {
            self.copy::<S, 1>();
        }
    }
}

impl<T: Element> Pack<'_, T> {
    #[inline(always)]
    fn copy<S: Simd, const R: usize>(self) {
        let lanes = T::Vector::<S>::LANES;
        let columns = self.to.chunks_exact_mut(R * lanes).take(self.depth);
        if self.rows == R * lanes {
            for (p, to) in columns.enumerate() {
                let ahead = (self.from.as_ptr()).wrapping_add((p + AHEAD) * self.step);
                for r in 0..R {
                    S::prefetch(ahead.wrapping_add(r * lanes));
                }
                let from = &self.from[p * self.step..][..R * lanes];
                for r in 0..R {
                    T::Vector::<S>::load(&from[r * lanes..]).store(&mut to[r * lanes..]);
                }
            }
        } else {
            let last = self.rows - (R - 1) * lanes;
            for (p, to) in columns.enumerate() {
                let from = &self.from[p * self.step..][..self.rows];
                for r in 0..R - 1 {
                    T::Vector::<S>::load(&from[r * lanes..]).store(&mut to[r * lanes..]);
                }
                let rest = &from[(R - 1) * lanes..];
                let rest = if last == lanes {
                    T::Vector::<S>::load(rest)
                } else {
                    T::Vector::<S>::load_first(rest)
                };
                rest.store(&mut to[(R - 1) * lanes..]);
            }
        }
    }
}

/// From rows: element (i, p) is `from[i * step + p]`.
pub(in crate::kernels) struct PackTransposed<'a, T> {
    pub(in crate::kernels) from: &'a [T],
    pub(in crate::kernels) step: usize,
    /// Rows there are; the panel has zeros below.
    pub(in crate::kernels) rows: usize,
    pub(in crate::kernels) depth: usize,
    /// Registers of the panel: 1 or 2.
    pub(in crate::kernels) registers: usize,
    pub(in crate::kernels) to: &'a mut [T],
}

impl<T: Element> Task for PackTransposed<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self) {
        let lanes = T::Vector::<S>::LANES;
        let step = self.registers * lanes;
        let to = &mut self.to[..self.depth * step];
        for first in (0..step).step_by(lanes) {
            let rows = self.rows.saturating_sub(first).min(lanes);
            // Squares as long as there are some, single numbers for the rest.
            let squares = if rows == lanes {
                self.depth / lanes * lanes
            } else {
                0
            };
            for p in (0..squares).step_by(lanes) {
                let from = &self.from[first * self.step + p..];
                T::Vector::<S>::transpose(from, self.step, &mut to[p * step + first..], step);
            }
            for p in squares..self.depth {
                let to = &mut to[p * step + first..][..lanes];
                for (i, to) in to.iter_mut().enumerate() {
                    *to = if i < rows {
                        self.from[(first + i) * self.step + p]
                    } else {
                        T::ZERO
                    };
                }
            }
        }
    }
}
