//! Copies of operands in the order in which the tiles read them.

use super::Strided;
use crate::element::Element;

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
