//! Loops around the tiles that keep the operands of a big product in cache.

use smallvec::{SmallVec, smallvec};

use super::operands::{Tiles, in_place, pack_a, pack_b};
use super::{Output, Strided};
use crate::element::Element;
use crate::element::simd::{Simd, Vector};
use crate::kernels::isa::{Isa, Task};
use crate::kernels::memory::Scratch;
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

/// Rows of the left operand, and where their products with some of the right ones go.
#[derive(Clone)]
pub(super) struct Left<'a, T> {
    pub(super) rows: usize,
    pub(super) a: Strided<'a, T>,
    /// `c += a * b`, each with the number of its `b`.
    pub(super) products: SmallVec<[(usize, Output<T>); 2]>,
    /// The sum of the columns of `a` is added to this column.
    pub(super) sum: Option<Output<T>>,
}

impl<'a, T> Left<'a, T> {
    /// With one product, that with the first right operand.
    pub(super) fn new(rows: usize, a: Strided<'a, T>, c: Output<T>) -> Self {
        Self {
            rows,
            a,
            products: smallvec![(0, c)],
            sum: None,
        }
    }
}

/// A right operand.
#[derive(Clone, Copy)]
pub(super) struct Right<'a, T> {
    pub(super) b: Strided<'a, T>,
    pub(super) cols: usize,
}

/// All products of the `lefts` with the `rights`: what they share is packed once.
pub(super) struct Bulk<'a, T> {
    pub(super) isa: Isa,
    pub(super) lefts: &'a [Left<'a, T>],
    pub(super) rights: &'a [Right<'a, T>],
    pub(super) depth: usize,
}

/// Columns of one right operand, and what of it the tiles read.
struct Piece<T> {
    right: usize,
    from: usize,
    tiles: Tiles,
    layout: Layout,
    segment: Segment<T>,
}

impl<T: Element> Bulk<'_, T> {
    /// ```text
    /// for p0 in depth by as many as a panel has room for: ascending: c continues its chains
    ///     for j0 in the columns of all rights by as many as fit in level 2:
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
        let passes = self.passes(most_cols);
        let rows: usize = self.lefts.iter().map(|left| left.rows).sum();
        let packs = |b: Strided<'_, T>| {
            rows >= PACK_ROWS && (b.row_step != 1 || blocks > 1 && b.column_step > most_depth)
        };
        let packed_cols = |pass: &Vec<(usize, usize, usize)>| -> usize {
            let packed = (pass.iter()).filter(|(right, ..)| packs(self.rights[*right].b));
            packed.map(|(.., cols)| cols).sum()
        };
        let b_len = most_depth * passes.iter().map(packed_cols).max().unwrap_or(0);
        let mut scratch = Scratch::take();
        let scratch = scratch.elements::<T>(panel_rows * most_depth + b_len);
        let (panel, b_packed) = scratch.split_at_mut(panel_rows * most_depth);
        for p0 in (0..self.depth).step_by(most_depth) {
            let depth = most_depth.min(self.depth - p0);
            for (number, pass) in passes.iter().enumerate() {
                let mut free = &mut *b_packed;
                let mut pieces = SmallVec::<[Piece<T>; 4]>::new();
                for &(right, from, cols) in pass {
                    let b = self.rights[right].b.from(p0, from);
                    let tiles = Tiles::new(cols);
                    let (layout, segment) = if packs(b) {
                        let (to, rest) = free.split_at_mut(depth * cols);
                        free = rest;
                        pack_b(self.isa, b, (depth, cols), tiles, to)
                    } else {
                        in_place(b, depth)
                    };
                    pieces.push(Piece {
                        right,
                        from,
                        tiles,
                        layout,
                        segment,
                    });
                }
                for left in self.lefts {
                    // The sum of a row is taken where its panel is at hand for the first time.
                    let sum = left.sum.filter(|_| number == 0);
                    self.products(left, sum, &pieces, (p0, depth), panel);
                }
            }
        }
    }

    /// (right, first column, columns) of what is worked out together: at most so many columns.
    fn passes(&self, most: usize) -> Vec<Vec<(usize, usize, usize)>> {
        let mut passes = vec![Vec::new()];
        let mut room = most;
        for (number, right) in self.rights.iter().enumerate() {
            let pieces = right.cols.div_ceil(most).max(1);
            let cols = right.cols.div_ceil(pieces);
            for from in (0..right.cols).step_by(cols.max(1)) {
                let cols = cols.min(right.cols - from);
                if cols > room {
                    passes.push(Vec::new());
                    room = most;
                }
                room -= cols;
                if let Some(pass) = passes.last_mut() {
                    pass.push((number, from, cols));
                }
            }
        }
        passes
    }

    /// All panels of `left` times these pieces.
    fn products(
        &self,
        left: &Left<'_, T>,
        sum: Option<Output<T>>,
        pieces: &[Piece<T>],
        (p0, depth): (usize, usize),
        panel: &mut [T],
    ) {
        // One operand may meet several weights of one sum.
        let mut targets = SmallVec::<[(&Piece<T>, Target<T>); 4]>::new();
        for piece in pieces {
            let of = (left.products.iter()).filter(|(right, _)| *right == piece.right);
            targets.extend(of.map(|(_, c)| {
                let target = Target {
                    output: c.from(0, piece.from).start,
                    column_step: c.column_step,
                    start: Start::Keep,
                };
                (piece, target)
            }));
        }
        if targets.is_empty() && sum.is_none() {
            return;
        }
        let cols: usize = targets.iter().map(|(piece, _)| piece.tiles.cols()).sum();
        let lanes = self.isa.lanes::<T>();
        for row in (0..left.rows).step_by(2 * lanes) {
            let rows = (2 * lanes).min(left.rows - row);
            let registers = rows.div_ceil(lanes);
            let a = left.a.from(row, p0);
            let whole = rows == registers * lanes;
            let (start, step) = if whole && a.row_step == 1 && cols < PACK_COLS {
                (a.values, a.column_step)
            } else {
                pack_a(self.isa, a, (rows, depth), registers, panel);
                (&*panel, registers * lanes)
            };
            if let Some(sum) = sum {
                // SAFETY: these rows of the sum are this product's.
                let to = unsafe { std::slice::from_raw_parts_mut(sum.from(row, 0).start, rows) };
                for (first, to) in (0..).step_by(lanes).zip(to.chunks_mut(lanes)) {
                    self.isa.run(SumColumns(&start[first..], step, depth, to));
                }
            }
            let rows = Panel {
                target: 0,
                row,
                rows,
            };
            for (piece, target) in &targets {
                let row = Row {
                    panels: std::slice::from_ref(&rows),
                    start: start.as_ptr(),
                    step,
                    panel_step: 0,
                    operand: std::slice::from_ref(&piece.segment),
                    layout: piece.layout,
                    targets: std::slice::from_ref(target),
                    from: 0,
                    depth,
                    column: 0,
                    tiles: piece.tiles.wide,
                };
                // SAFETY: `a` and `b` are slices with all that the tiles read; the rows and
                // columns of `c` are this product's.
                unsafe { row_of_panel(self.isa, registers, piece.tiles, row) };
            }
        }
    }
}

/// Adds to LANES numbers at most the sum of so many columns of as many, `step` apart.
struct SumColumns<'a, T>(&'a [T], usize, usize, &'a mut [T]);

impl<T: Element> Task for SumColumns<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self) {
        let Self(from, step, depth, to) = self;
        // Several sums at once, for one alone would wait for each addition.
        let mut sums = [T::Vector::<S>::splat(T::ZERO); 4];
        let column = |p: usize| T::Vector::<S>::load(&from[p * step..]);
        for p in (0..depth / 4).map(|p| 4 * p) {
            for (i, sum) in sums.iter_mut().enumerate() {
                *sum = *sum + column(p + i);
            }
        }
        for p in depth / 4 * 4..depth {
            sums[0] = sums[0] + column(p);
        }
        let [a, b, c, d] = sums;
        let sum = T::Vector::<S>::load_first(to) + ((a + b) + (c + d));
        sum.store_first(to);
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
