//! How the operands of a big product come to lie as the tiles read them.

use super::Strided;
use crate::element::Element;
use crate::element::simd::Simd;
use crate::kernels::isa::{Isa, Task};
use crate::kernels::panel::Segment;
use crate::kernels::panel::pack::{Pack, PackTransposed};
use crate::kernels::panel::row::Layout;
use crate::kernels::panel::tile::TILE_COLS;

/// Columns that are worked out together, in tiles of nearly equal width.
#[derive(Clone, Copy)]
pub(super) struct Tiles {
    pub(super) wide: usize,
    pub(super) width: usize,
    /// Tiles behind them, one column narrower.
    pub(super) narrow: usize,
}

impl Tiles {
    pub(super) fn new(cols: usize) -> Self {
        let count = cols.div_ceil(TILE_COLS);
        let width = cols.div_ceil(count);
        let narrow = count * width - cols;
        Self {
            wide: count - narrow,
            width,
            narrow,
        }
    }

    pub(super) fn cols(self) -> usize {
        (self.wide + self.narrow) * self.width - self.narrow
    }
}

/// The panel of the first `rows` rows of `a`.
pub(super) fn pack_a<T: Element>(
    isa: Isa,
    a: Strided<'_, T>,
    (rows, depth): (usize, usize),
    registers: usize,
    to: &mut [T],
) {
    let from = a.values;
    if a.row_step == 1 {
        isa.run(Pack {
            from,
            step: a.column_step,
            rows,
            depth,
            registers,
            to,
        });
    } else {
        isa.run(PackTransposed {
            from,
            step: a.row_step,
            rows,
            depth,
            registers,
            to,
        });
    }
}

/// What is read as it lies.
pub(super) fn in_place<T: Element>(b: Strided<'_, T>, depth: usize) -> (Layout, Segment<T>) {
    let layout = if b.row_step == 1 {
        Layout::Columns
    } else {
        Layout::Rows(b.row_step)
    };
    let segment = Segment {
        start: b.values.as_ptr(),
        rows: depth,
        column_step: b.column_step,
    };
    (layout, segment)
}

/// Copies `depth` x `cols` of `b`: columns as columns, rows as tiles.
pub(super) fn pack_b<T: Element>(
    isa: Isa,
    b: Strided<'_, T>,
    (depth, cols): (usize, usize),
    tiles: Tiles,
    to: &mut [T],
) -> (Layout, Segment<T>) {
    let layout = if b.row_step == 1 {
        for (j, to) in to.chunks_exact_mut(depth).take(cols).enumerate() {
            to.copy_from_slice(&b.values[j * b.column_step..][..depth]);
        }
        Layout::Columns
    } else {
        let (wide, narrow) = to.split_at_mut(tiles.wide * tiles.width * depth);
        let (width, step) = (tiles.width, b.row_step);
        pack_tiles(isa, b.values, step, width, depth, wide);
        if tiles.narrow > 0 {
            let from = &b.values[tiles.wide * width..];
            let narrow = &mut narrow[..tiles.narrow * (width - 1) * depth];
            pack_tiles(isa, from, step, width - 1, depth, narrow);
        }
        Layout::Tiles
    };
    let segment = Segment {
        start: to.as_ptr(),
        rows: depth,
        column_step: depth,
    };
    (layout, segment)
}

fn pack_tiles<T: Element>(
    isa: Isa,
    from: &[T],
    step: usize,
    width: usize,
    depth: usize,
    to: &mut [T],
) {
    match width {
        1 => isa.run(PackTiles::<T, 1>(from, step, depth, to)),
        2 => isa.run(PackTiles::<T, 2>(from, step, depth, to)),
        3 => isa.run(PackTiles::<T, 3>(from, step, depth, to)),
        4 => isa.run(PackTiles::<T, 4>(from, step, depth, to)),
        5 => isa.run(PackTiles::<T, 5>(from, step, depth, to)),
        _ => isa.run(PackTiles::<T, 6>(from, step, depth, to)),
    }
}

/// Rows that are copied into one tile before the next tile.
const TILE_ROWS: usize = 8;

/// Rows `step` apart into tiles of N columns and of this depth: a tile after the other.
struct PackTiles<'a, T, const N: usize>(&'a [T], usize, usize, &'a mut [T]);

impl<T: Element, const N: usize> Task for PackTiles<'_, T, N> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self) {
        let Self(from, step, depth, to) = self;
        // A few rows at a time: their lines are still there when the next tile asks for them, and those
        // of the next few rows are on their way.
        for p0 in (0..depth).step_by(TILE_ROWS) {
            for (t, tile) in to.chunks_exact_mut(depth * N).enumerate() {
                let from = &from[t * N + p0 * step..];
                let rows = tile.as_chunks_mut::<N>().0[p0..].iter_mut().take(TILE_ROWS);
                for (p, to) in rows.enumerate() {
                    S::prefetch(from.as_ptr().wrapping_add((p + TILE_ROWS) * step));
                    to.copy_from_slice(&from[p * step..][..N]);
                }
            }
        }
    }
}
