//! The product of one thread's block: loops around the tile that keep its operands in cache.

use super::pack::pack_rows;
use super::tile::{Place, TILE_COLS, tile};
use super::{Output, Strided};
use crate::element::Element;
use crate::element::simd::Simd;
use crate::kernels::isa::Task;
use crate::kernels::memory::Scratch;

/// Depth of a block: a panel of `a` (16 x 256 floats) is half of a 32 KiB level-1 cache.
const BLOCK_DEPTH: usize = 256;
/// Bytes of `b` that stay in the level-2 cache while panels of `a` go by.
const B_BLOCK_BYTES: usize = 256 << 10;
/// From so many columns on, a panel of `a` whose rows are adjacent is copied before use.
const PACK_COLS: usize = 4 * TILE_COLS;
/// From so many rows on, `b` is copied if its columns are strided.
const PACK_ROWS: usize = 64;

/// `c += a * b` for `rows` x `cols` of `c`.
pub(super) struct Block<'a, T> {
    pub(super) rows: usize,
    pub(super) cols: usize,
    pub(super) depth: usize,
    pub(super) a: Strided<'a, T>,
    pub(super) b: Strided<'a, T>,
    pub(super) c: Output<T>,
}

impl<T: Element> Task for Block<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self) {
        match 2 * S::REGISTER_BYTES / size_of::<T>() {
            16 => self.multiply::<S, 16>(),
            8 => self.multiply::<S, 8>(),
            _ => self.multiply::<S, 4>(),
        }
    }
}

impl<T: Element> Block<'_, T> {
    /// ```text
    /// for p0 in depth by BLOCK_DEPTH:            ascending: c continues its chains
    ///     for j0 in cols by as many as fit in level 2:
    ///         b' = b[p0.., j0..], packed if strided
    ///         for i0 in rows by ROWS:
    ///             a' = a[i0.., p0..], packed into a panel unless used once or twice
    ///             for tiles of c[i0.., j0..]: c += a' * b'
    /// ```
    #[inline(always)]
    fn multiply<S: Simd, const ROWS: usize>(&self) {
        let block_depth = self.depth.min(BLOCK_DEPTH);
        let block_cols = (B_BLOCK_BYTES / size_of::<T>() / block_depth)
            .next_multiple_of(TILE_COLS)
            .min(self.cols.next_multiple_of(TILE_COLS));
        let pack_b = self.b.row_step != 1 && self.rows >= PACK_ROWS;
        let b_len = if pack_b { block_cols * block_depth } else { 0 };
        let mut scratch = Scratch::take();
        let scratch = scratch.elements::<T>(ROWS * block_depth + b_len);
        let (panel, b_packed) = scratch.split_at_mut(ROWS * block_depth);
        for p0 in (0..self.depth).step_by(block_depth) {
            let depth = block_depth.min(self.depth - p0);
            for j0 in (0..self.cols).step_by(block_cols) {
                let cols = block_cols.min(self.cols - j0);
                let mut b = self.b.from(p0, j0);
                if pack_b {
                    // b' is stored as b is: rows one after the other, without the gaps.
                    for (p, to) in b_packed.chunks_exact_mut(cols).take(depth).enumerate() {
                        to.copy_from_slice(&b.values[p * b.row_step..][..cols]);
                    }
                    b = Strided {
                        values: b_packed,
                        row_step: cols,
                        column_step: 1,
                    };
                }
                for i0 in (0..self.rows).step_by(ROWS) {
                    let rows = ROWS.min(self.rows - i0);
                    let mut a = self.a.from(i0, p0);
                    if a.row_step != 1 || rows < ROWS || cols >= PACK_COLS {
                        pack_rows::<T, ROWS>(a, rows, depth, panel);
                        a = Strided {
                            values: panel,
                            row_step: 1,
                            column_step: ROWS,
                        };
                    }
                    let c = self.c.from(i0, j0);
                    row_of_tiles::<S, T, ROWS>((rows, cols, depth), a, b, c);
                }
            }
        }
    }
}

/// `c += a * b` for `rows` <= ROWS rows, of which `a` has all ROWS, in tiles of nearly equal width.
#[inline(always)]
fn row_of_tiles<S: Simd, T: Element, const ROWS: usize>(
    (rows, cols, depth): (usize, usize, usize),
    a: Strided<'_, T>,
    b: Strided<'_, T>,
    c: Output<T>,
) {
    assert!(a.values.len() >= (depth - 1) * a.column_step + ROWS);
    assert!(b.values.len() > (depth - 1) * b.row_step + (cols - 1) * b.column_step);
    let tiles = cols.div_ceil(TILE_COLS);
    let (width, wider) = (cols / tiles, cols % tiles);
    let mut j = 0;
    for t in 0..tiles {
        let width = width + usize::from(t < wider);
        let b = b.from(0, j);
        let b = Place {
            start: b.values.as_ptr(),
            row_step: b.row_step,
            column_step: b.column_step,
        };
        let c = c.from(0, j);
        let mut edge = [[T::ZERO; ROWS]; TILE_COLS];
        let whole = rows == ROWS;
        let (to, to_step) = if whole {
            (c.start, c.column_step)
        } else {
            for (j, edge) in edge.iter_mut().enumerate().take(width) {
                for (i, x) in edge.iter_mut().enumerate().take(rows) {
                    // SAFETY: i < rows and j < width lie in our block of `c`.
                    *x = unsafe { c.start.add(i + j * c.column_step).read() };
                }
            }
            (edge.as_mut_ptr().cast::<T>(), ROWS)
        };
        let a_start = a.values.as_ptr();
        // SAFETY: `a` has ROWS rows and `depth` columns, `b` has `width` columns more from j on,
        // both asserted; `to` is a whole tile of our block of `c`, or `edge`.
        unsafe {
            match width {
                1 => tile::<S, T, ROWS, 1>(depth, a_start, a.column_step, b, to, to_step),
                2 => tile::<S, T, ROWS, 2>(depth, a_start, a.column_step, b, to, to_step),
                3 => tile::<S, T, ROWS, 3>(depth, a_start, a.column_step, b, to, to_step),
                4 => tile::<S, T, ROWS, 4>(depth, a_start, a.column_step, b, to, to_step),
                5 => tile::<S, T, ROWS, 5>(depth, a_start, a.column_step, b, to, to_step),
                _ => tile::<S, T, ROWS, 6>(depth, a_start, a.column_step, b, to, to_step),
            }
        }
        if !whole {
            for (j, edge) in edge.iter().enumerate().take(width) {
                for (i, x) in edge.iter().enumerate().take(rows) {
                    // SAFETY: as above.
                    unsafe { c.start.add(i + j * c.column_step).write(*x) };
                }
            }
        }
        j += width;
    }
}
