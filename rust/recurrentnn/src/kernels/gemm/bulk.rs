//! Loops around the tiles that keep the operands of a big product in cache.

use super::{Output, Strided};
use crate::element::Element;
use crate::element::simd::Simd;
use crate::kernels::isa::{Isa, Task};
use crate::kernels::memory::Scratch;
use crate::kernels::panel::pack::{Pack, PackTransposed};
use crate::kernels::panel::row::{Layout, Row, row_of_tiles};
use crate::kernels::panel::tile::TILE_COLS;
use crate::kernels::panel::{Panel, Segment, Start, Target};

/// Bytes of a panel of `a`. It need not stay in the level-1 cache, for level 2 delivers several times
/// what a tile takes; a deeper panel reads and writes `c` less often.
const PANEL_BYTES: usize = 32 << 10;
/// Bytes of `b` that stay in the level-2 cache while panels of `a` go by.
const B_BLOCK_BYTES: usize = 512 << 10;
/// From so many columns on, a panel of `a` whose rows are adjacent is copied before use.
const PACK_COLS: usize = 4 * TILE_COLS;
/// From so many rows on `b` is copied in the order in which the tiles read it.
const PACK_ROWS: usize = 64;

/// One product of several that share the right operand: `c += a * b`.
#[derive(Clone, Copy)]
pub(super) struct Left<'a, T> {
    pub(super) rows: usize,
    pub(super) a: Strided<'a, T>,
    pub(super) c: Output<T>,
}

/// `c += a * b` of all `lefts`, for columns `from..from + cols` of `b`.
pub(super) struct Bulk<'a, T> {
    pub(super) isa: Isa,
    pub(super) lefts: &'a [Left<'a, T>],
    pub(super) b: Strided<'a, T>,
    pub(super) depth: usize,
    pub(super) cols: usize,
}

/// Columns that are worked out together, in tiles of nearly equal width.
#[derive(Clone, Copy)]
struct Tiles {
    wide: usize,
    width: usize,
    /// Tiles behind them, one column narrower.
    narrow: usize,
}

impl Tiles {
    fn new(cols: usize) -> Self {
        let count = cols.div_ceil(TILE_COLS);
        let width = cols.div_ceil(count);
        let narrow = count * width - cols;
        Self {
            wide: count - narrow,
            width,
            narrow,
        }
    }
}

impl<T: Element> Bulk<'_, T> {
    /// ```text
    /// for p0 in depth by as many as a panel has room for: ascending: c continues its chains
    ///     for j0 in cols by as many as fit in level 2:
    ///         b' = b[p0.., j0..], packed if it is used often
    ///         for i0 in the rows of all lefts by two registers:
    ///             a' = a[i0.., p0..], packed into a panel unless used a few times
    ///             for tiles of c[i0.., j0..]: c += a' * b'
    /// ```
    pub(super) fn run(&self) {
        let panel_rows = 2 * self.isa.lanes::<T>();
        let blocks = (self.depth * panel_rows * size_of::<T>()).div_ceil(PANEL_BYTES);
        let most_depth = self.depth.div_ceil(blocks);
        let most_cols = (B_BLOCK_BYTES / size_of::<T>() / most_depth).max(TILE_COLS);
        let most_cols = self.cols.div_ceil(self.cols.div_ceil(most_cols));
        let rows: usize = self.lefts.iter().map(|left| left.rows).sum();
        let packs = rows >= PACK_ROWS
            && (self.b.row_step != 1 || blocks > 1 && self.b.column_step > most_depth);
        let b_len = if packs { most_depth * most_cols } else { 0 };
        let mut scratch = Scratch::take();
        let scratch = scratch.elements::<T>(panel_rows * most_depth + b_len);
        let (panel, b_packed) = scratch.split_at_mut(panel_rows * most_depth);
        for p0 in (0..self.depth).step_by(most_depth) {
            let depth = most_depth.min(self.depth - p0);
            for j0 in (0..self.cols).step_by(most_cols) {
                let cols = most_cols.min(self.cols - j0);
                let tiles = Tiles::new(cols);
                let b = self.b.from(p0, j0);
                let (layout, segment) = if packs {
                    pack_b(self.isa, b, (depth, cols), tiles, b_packed)
                } else {
                    in_place(b, depth)
                };
                for left in self.lefts {
                    let target = Target {
                        output: left.c.from(0, j0).start,
                        column_step: left.c.column_step,
                        start: Start::Keep,
                    };
                    for row in (0..left.rows).step_by(panel_rows) {
                        let rows = panel_rows.min(left.rows - row);
                        let registers = rows.div_ceil(panel_rows / 2);
                        let a = left.a.from(row, p0);
                        let whole = rows == registers * panel_rows / 2;
                        let (start, step) = if whole && a.row_step == 1 && cols < PACK_COLS {
                            (a.values.as_ptr(), a.column_step)
                        } else {
                            pack_a(self.isa, a, (rows, depth), registers, panel);
                            (panel.as_ptr(), registers * panel_rows / 2)
                        };
                        let rows = Panel {
                            target: 0,
                            row,
                            rows,
                        };
                        let row = Row {
                            panels: std::slice::from_ref(&rows),
                            start,
                            step,
                            panel_step: 0,
                            operand: std::slice::from_ref(&segment),
                            layout,
                            targets: std::slice::from_ref(&target),
                            from: 0,
                            depth,
                            column: 0,
                            tiles: tiles.wide,
                        };
                        // SAFETY: `a` and `b` are slices with all that the tiles read; the rows and
                        // columns of `c` are this product's.
                        unsafe { row_of_panel(self.isa, registers, tiles, row) };
                    }
                }
            }
        }
    }
}

/// All tiles of one panel.
///
/// # Safety
/// As [`row_of_tiles`].
unsafe fn row_of_panel<T: Element>(isa: Isa, registers: usize, tiles: Tiles, mut row: Row<'_, T>) {
    // SAFETY: the caller's promise.
    let tiles_of = |width: usize, row: &Row<'_, T>| unsafe {
        if registers == 2 {
            row_of_tiles::<T, 2>(isa, width, row);
        } else {
            row_of_tiles::<T, 1>(isa, width, row);
        }
    };
    tiles_of(tiles.width, &row);
    if tiles.narrow > 0 {
        row.column = tiles.wide * tiles.width;
        row.tiles = tiles.narrow;
        tiles_of(tiles.width - 1, &row);
    }
}

/// The panel of the first `rows` rows of `a`.
fn pack_a<T: Element>(
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

fn in_place<T: Element>(b: Strided<'_, T>, depth: usize) -> (Layout, Segment<T>) {
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
fn pack_b<T: Element>(
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

/// Rows `step` apart into tiles of N columns and of this depth: a tile after the other.
struct PackTiles<'a, T, const N: usize>(&'a [T], usize, usize, &'a mut [T]);

impl<T: Element, const N: usize> Task for PackTiles<'_, T, N> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self) {
        let Self(from, step, depth, to) = self;
        // A few rows at a time: their lines are still there when the next tile asks for them.
        for p0 in (0..depth).step_by(8) {
            for (t, tile) in to.chunks_exact_mut(depth * N).enumerate() {
                let from = &from[t * N + p0 * step..];
                let rows = tile.as_chunks_mut::<N>().0[p0..].iter_mut().take(8);
                for (p, to) in rows.enumerate() {
                    to.copy_from_slice(&from[p * step..][..N]);
                }
            }
        }
    }
}
