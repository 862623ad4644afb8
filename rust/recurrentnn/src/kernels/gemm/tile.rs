//! The register tile: where all the time of a product goes.

use crate::element::Element;
use crate::element::simd::Simd;

/// Columns of a tile. With two registers of rows that makes 12 accumulators, enough to hide the
/// latency of two multiply-adds a cycle, and leaves 2 registers for `a` and 1 for `b` of 16.
pub(super) const TILE_COLS: usize = 6;

/// A column-major block that tiles read or write, by the place of its first element.
#[derive(Clone, Copy)]
pub(super) struct Place<P> {
    pub(super) start: P,
    /// From one row to the next.
    pub(super) row_step: usize,
    /// From one column to the next.
    pub(super) column_step: usize,
}

/// `c += a * b` for a `ROWS` x `COLS` tile of `c`.
///
/// ```text
/// acc = c                                in registers
/// for p in 0..depth:                     ascending: the only order of summation there is
///     for j in 0..COLS:
///         acc[:, j] += a[:, p] * b[p, j]     ROWS lanes at once, b broadcast
/// c = acc
/// ```
///
/// `a` has `depth` columns of `ROWS` adjacent elements, `a_step` apart; `c` has adjacent rows too.
///
/// # Safety
/// All elements named above exist, and those of `c` are nobody else's.
#[inline(always)]
pub(super) unsafe fn tile<S: Simd, T: Element, const ROWS: usize, const COLS: usize>(
    depth: usize,
    a: *const T,
    a_step: usize,
    b: Place<*const T>,
    c: *mut T,
    c_step: usize,
) {
    let mut acc = [[T::ZERO; ROWS]; COLS];
    for (j, acc) in acc.iter_mut().enumerate() {
        // SAFETY: column j of `c` has ROWS elements, by the caller's promise.
        *acc = unsafe { c.add(j * c_step).cast::<[T; ROWS]>().read() };
    }
    let (mut a, mut b_row) = (a, b.start);
    for _ in 0..depth {
        // SAFETY: column p of `a` has ROWS elements, by the caller's promise.
        let column = unsafe { a.cast::<[T; ROWS]>().read() };
        for (j, acc) in acc.iter_mut().enumerate() {
            // SAFETY: row p of `b` has COLS elements, by the caller's promise.
            let factor = unsafe { b_row.add(j * b.column_step).read() };
            for (acc, x) in acc.iter_mut().zip(column) {
                *acc = S::mul_add(x, factor, *acc);
            }
        }
        // The last step leaves the allocation; nothing is read there.
        a = a.wrapping_add(a_step);
        b_row = b_row.wrapping_add(b.row_step);
    }
    for (j, acc) in acc.iter().enumerate() {
        // SAFETY: column j of `c` has ROWS elements and is ours, by the caller's promise.
        unsafe { c.add(j * c_step).cast::<[T; ROWS]>().write(*acc) };
    }
}
