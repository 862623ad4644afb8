//! A matrix of adjacent rows times a vector: every element of the matrix is used once, so nothing is
//! packed.

use super::{Output, Strided};
use crate::element::Element;
use crate::element::simd::{Simd, Vector};
use crate::kernels::isa::Task;
use crate::kernels::panel::tile::{Factor, Panels, Start, Strip, accumulate, begin, finish};

/// `y += a * x` for `rows` rows of `a`, which are adjacent.
pub(super) struct VectorBlock<'a, T> {
    pub(super) rows: usize,
    pub(super) a: Strided<'a, T>,
    pub(super) x: &'a [T],
    pub(super) y: Output<T>,
}

impl<T: Element> Task for VectorBlock<'_, T> {
    type Output = ();

    /// Twelve registers of rows at a time, then two, then one, then what does not fill one.
    #[inline(always)]
    fn run<S: Simd>(self) {
        let Self { rows, a, x, y } = self;
        assert_eq!(a.row_step, 1);
        assert!(a.values.len() >= (x.len() - 1) * a.column_step + rows);
        let mut i = 0;
        // SAFETY: `a` has been asserted to have all rows in all columns; those of `y` are ours.
        unsafe {
            i = self.registers::<S, 6, 2>(i);
            i = self.registers::<S, 1, 2>(i);
            i = self.registers::<S, 1, 1>(i);
        }
        if i < rows {
            let mut acc = [T::ZERO; 64];
            let acc = &mut acc[..rows - i];
            // SAFETY: these rows of `y` are ours.
            let y = unsafe { std::slice::from_raw_parts_mut(y.start.add(i), rows - i) };
            acc.copy_from_slice(y);
            for (p, x) in x.iter().enumerate() {
                let column = &a.values[i + p * a.column_step..][..rows - i];
                for (acc, a) in acc.iter_mut().zip(column) {
                    *acc = S::mul_add(*a, *x, *acc);
                }
            }
            y.copy_from_slice(acc);
        }
    }
}

impl<T: Element> VectorBlock<'_, T> {
    /// As many times P times R registers as there are from row `i` on; returns the first row left.
    ///
    /// # Safety
    /// All rows are in all columns of `a`, and in `y`.
    #[inline(always)]
    unsafe fn registers<S: Simd, const P: usize, const R: usize>(&self, mut i: usize) -> usize {
        let rows = R * T::Vector::<S>::LANES;
        while i + P * rows <= self.rows {
            let strips: [Strip<T>; P] = std::array::from_fn(|q| Strip {
                output: self.y.start.wrapping_add(i + q * rows),
                column_step: 0,
                rows,
                start: Start::Keep,
            });
            let a = Panels {
                start: self.a.values[i..].as_ptr(),
                step: self.a.column_step,
                panel_step: rows,
            };
            let x = Factor {
                start: self.x.as_ptr(),
                row_step: 1,
                column_step: 0,
            };
            // SAFETY: the caller's promise.
            unsafe {
                let mut tile = begin::<T::Vector<S>, P, R, 1>(&strips);
                accumulate::<S, T, P, R, 1>(&mut tile, a, x, self.x.len());
                finish::<T::Vector<S>, P, R, 1>(&tile, &strips);
            }
            i += P * rows;
        }
        i
    }
}
