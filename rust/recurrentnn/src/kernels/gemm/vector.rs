//! A matrix times a vector: every element of the matrix is used once, so nothing is packed.

use super::tile::{Place, tile};
use super::{Output, Strided};
use crate::element::Element;
use crate::element::simd::Simd;
use crate::kernels::isa::Task;

/// `y += a * x` for `rows` rows of `a`.
pub(super) struct VectorBlock<'a, T> {
    pub(super) rows: usize,
    pub(super) a: Strided<'a, T>,
    pub(super) x: &'a [T],
    pub(super) y: Output<T>,
}

impl<T: Element> Task for VectorBlock<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self) {
        let Strided {
            values,
            row_step,
            column_step,
        } = self.a;
        assert!(values.len() > (self.rows - 1) * row_step + (self.x.len() - 1) * column_step);
        if self.a.row_step == 1 {
            // Eight registers of rows at a time, and ever fewer for the rest.
            let mut i = 0;
            match 8 * S::REGISTER_BYTES / size_of::<T>() {
                64 => i = self.adjacent_rows::<S, 64>(i),
                32 => i = self.adjacent_rows::<S, 32>(i),
                _ => {}
            }
            i = self.adjacent_rows::<S, 16>(i);
            i = self.adjacent_rows::<S, 8>(i);
            i = self.adjacent_rows::<S, 4>(i);
            i = self.adjacent_rows::<S, 2>(i);
            self.adjacent_rows::<S, 1>(i);
        } else {
            let mut i = 0;
            i = self.distant_rows::<S, 8>(i);
            i = self.distant_rows::<S, 4>(i);
            self.distant_rows::<S, 1>(i);
        }
    }
}

impl<T: Element> VectorBlock<'_, T> {
    /// As many times ROWS rows as there are from row `i` on; returns the first row left.
    #[inline(always)]
    fn adjacent_rows<S: Simd, const ROWS: usize>(&self, mut i: usize) -> usize {
        let x = Place {
            start: self.x.as_ptr(),
            row_step: 1,
            column_step: 0,
        };
        while i + ROWS <= self.rows {
            // SAFETY: rows i..i + ROWS exist in `a` and, ours alone, in `y`; `run` has asserted
            // the length of `a`.
            unsafe {
                let a = self.a.values.as_ptr().add(i);
                let y = self.y.start.add(i);
                tile::<S, T, ROWS, 1>(self.x.len(), a, self.a.column_step, x, y, 0);
            }
            i += ROWS;
        }
        i
    }

    /// The same where the elements of a row, not of a column, are adjacent: ROWS scalar chains side
    /// by side, for a sum of lanes would be another order of summation.
    #[inline(always)]
    fn distant_rows<S: Simd, const ROWS: usize>(&self, mut i: usize) -> usize {
        while i + ROWS <= self.rows {
            let rows: [&[T]; ROWS] = std::array::from_fn(|r| {
                &self.a.values[(i + r) * self.a.row_step..][..self.x.len()]
            });
            // SAFETY: rows i..i + ROWS of `y` exist and are ours.
            let y = unsafe { &mut *self.y.start.add(i).cast::<[T; ROWS]>() };
            let mut acc = *y;
            for (p, x) in self.x.iter().enumerate() {
                for (acc, row) in acc.iter_mut().zip(rows) {
                    *acc = S::mul_add(row[p], *x, *acc);
                }
            }
            *y = acc;
            i += ROWS;
        }
        i
    }
}
