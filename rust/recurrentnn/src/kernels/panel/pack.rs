//! Copies into one panel: `to[p * ROWS + i] = from(i, p)`, ROWS the lanes of its registers.

use crate::element::Element;
use crate::element::simd::{Simd, Vector};
use crate::kernels::isa::Task;

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
        match self.registers * S::REGISTER_BYTES / size_of::<T>() {
            32 => self.transpose::<32>(),
            16 => self.transpose::<16>(),
            8 => self.transpose::<8>(),
            4 => self.transpose::<4>(),
            _ => self.transpose::<2>(),
        }
    }
}

/// Rows and columns of a block that is transposed in registers.
const SIDE: usize = 4;

impl<T: Element> PackTransposed<'_, T> {
    #[inline(always)]
    fn transpose<const ROWS: usize>(self) {
        let panel = &mut self.to.as_chunks_mut::<ROWS>().0[..self.depth];
        let row = |i: usize| &self.from[i * self.step..][..self.depth];
        let mut i = 0;
        while i + SIDE <= self.rows {
            let from: [&[T]; SIDE] = std::array::from_fn(|r| row(i + r));
            let from = from.map(|row| row.as_chunks::<SIDE>());
            let (blocks, rest) = panel.as_chunks_mut::<SIDE>();
            for (q, block) in blocks.iter_mut().enumerate() {
                let square = from.map(|row| row.0[q]);
                for (p, to) in block.iter_mut().enumerate() {
                    to[i..i + SIDE].copy_from_slice(&square.map(|row| row[p]));
                }
            }
            for (p, to) in rest.iter_mut().enumerate() {
                to[i..i + SIDE].copy_from_slice(&from.map(|row| row.1[p]));
            }
            i += SIDE;
        }
        for i in i..ROWS {
            if i < self.rows {
                for (to, x) in panel.iter_mut().zip(row(i)) {
                    to[i] = *x;
                }
            } else {
                for to in panel.iter_mut() {
                    to[i] = T::ZERO;
                }
            }
        }
    }
}
