//! Copies of operands in the order in which the tiles read them, and the memory for them.

use std::cell::Cell;

use super::Strided;
use crate::element::Element;

/// One cache line; scratch memory is made of them, so that panels start on a line.
#[derive(Clone, Copy)]
#[repr(align(64))]
#[allow(dead_code)] // read as numbers, through a pointer
pub(super) struct Line([u64; 8]);

thread_local! {
    // Kept between products: fresh pages would cost more than a small product.
    static SCRATCH: Cell<Vec<Line>> = const { Cell::new(Vec::new()) };
}

/// This thread's scratch memory, until it is dropped. (A guard, not a function that takes a closure:
/// a closure of this size would not be inlined and so miss the instruction set.)
pub(super) struct Scratch(Vec<Line>);

impl Scratch {
    #[inline(always)]
    pub(super) fn take() -> Self {
        Self(SCRATCH.take())
    }

    /// `len` elements of unspecified value, from the start of a cache line on.
    #[inline(always)]
    pub(super) fn elements<T: Element>(&mut self, len: usize) -> &mut [T] {
        let lines = (len * size_of::<T>()).div_ceil(size_of::<Line>());
        if self.0.len() < lines {
            self.0.resize(lines, Line([0; 8]));
        }
        // SAFETY: the lines hold `len` elements or more, are initialised and aligned for them, and
        // any bits are an f32 or f64 (`Element` is sealed).
        unsafe { std::slice::from_raw_parts_mut(self.0.as_mut_ptr().cast::<T>(), len) }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        SCRATCH.set(std::mem::take(&mut self.0));
    }
}

/// `panel[p * ROWS + i] = a[i, p]` for the first `rows` <= ROWS rows and all `depth` columns of `a`,
/// zero in the rows beyond.
#[inline(always)]
pub(super) fn pack_rows<T: Element, const ROWS: usize>(
    a: Strided<'_, T>,
    rows: usize,
    depth: usize,
    panel: &mut [T],
) {
    let panel = &mut panel.as_chunks_mut::<ROWS>().0[..depth];
    if a.row_step == 1 {
        for (p, to) in panel.iter_mut().enumerate() {
            let from = &a.values[p * a.column_step..][..rows];
            if let Ok(from) = <&[T; ROWS]>::try_from(from) {
                *to = *from;
            } else {
                *to = [T::ZERO; ROWS];
                to[..rows].copy_from_slice(from);
            }
        }
    } else {
        transpose::<T, ROWS>(a, rows, panel);
    }
}

/// Rows and columns of a block that is transposed in registers.
const SIDE: usize = 4;

/// `panel[p][i] = a[i, p]` where the elements of a row of `a` are adjacent; zero from `rows` on.
#[inline(always)]
fn transpose<T: Element, const ROWS: usize>(
    a: Strided<'_, T>,
    rows: usize,
    panel: &mut [[T; ROWS]],
) {
    let depth = panel.len();
    let row = |i: usize| &a.values[i * a.row_step..][..depth];
    let mut i = 0;
    while i + SIDE <= rows {
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
        if i < rows {
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
