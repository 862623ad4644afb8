//! Loops around the tile that keep its operands in cache.

use super::packed::{Panel, Run};
use super::tile::{Factor, Panels, Start, Strip, TILE_COLS, accumulate, begin, finish};
use super::{Segment, Target};
use crate::element::Element;
use crate::element::simd::{Simd, Vector};
use crate::kernels::isa::Task;

/// Bytes of a panel that stay in the level-1 cache while tiles of columns go by.
const PANEL_BYTES: usize = 16 << 10;
/// Bytes of the operand that stay in the level-2 cache while panels go by.
const OPERAND_BYTES: usize = 256 << 10;

/// `targets[i][:, 0..cols] = start + W_i operand` for the rows of some panels.
pub(super) struct Multiply<'a, T> {
    pub(super) wholes: Run<'a, T>,
    pub(super) halves: Run<'a, T>,
    pub(super) depth: usize,
    pub(super) operand: &'a [Segment<T>],
    pub(super) targets: &'a [Target<T>],
    pub(super) cols: usize,
}

/// The part of the product that is worked out at once: some depths, some columns.
#[derive(Clone, Copy)]
struct Block {
    from: usize,
    depth: usize,
    column: usize,
}

impl<T: Element> Task for Multiply<'_, T> {
    type Output = ();

    /// ```text
    /// for depths by as many as a panel has in level 1:       ascending: outputs continue their chains
    ///     for columns by as many as fit in level 2:
    ///         for panels, several at once if columns are few:
    ///             for columns by 1 to 6, of nearly equal number: a tile
    /// ```
    #[inline(always)]
    fn run<S: Simd>(self) {
        let tiles = self.cols.div_ceil(TILE_COLS);
        let panel_step = 2 * S::REGISTER_BYTES;
        // A panel that one tile or two use need not stay anywhere.
        let deepest = if tiles <= 2 {
            self.depth
        } else {
            PANEL_BYTES / panel_step
        };
        let blocks = self.depth.div_ceil(deepest.max(1)).max(1);
        let mut from = 0;
        for b in 0..blocks {
            let depth = (self.depth - from) / (blocks - b);
            let tiles_at_once = (OPERAND_BYTES / size_of::<T>() / TILE_COLS / depth.max(1)).max(1);
            let mut column = 0;
            let mut tile = 0;
            while tile < tiles {
                let count = tiles_at_once.min(tiles - tile);
                let end = self.cols * (tile + count) / tiles;
                let block = Block {
                    from,
                    depth,
                    column,
                };
                self.run_of_panels::<S, 2>(self.wholes, block, end, count);
                self.run_of_panels::<S, 1>(self.halves, block, end, count);
                tile += count;
                column = end;
            }
            from += depth;
        }
    }
}

impl<T: Element> Multiply<'_, T> {
    #[inline(always)]
    fn run_of_panels<S: Simd, const R: usize>(
        &self,
        run: Run<'_, T>,
        block: Block,
        end: usize,
        tiles: usize,
    ) {
        let most = match (end - block.column).div_ceil(tiles) {
            1 => 6,
            2 => 3,
            3 => 2,
            _ => 1,
        };
        let groups = run.panels.len().div_ceil(most);
        let mut at = 0;
        for g in 0..groups {
            let count = (run.panels.len() - at).div_ceil(groups - g);
            let panels = &run.panels[at..at + count];
            let start = run
                .start
                .wrapping_add(at * run.panel_step + block.from * R * T::Vector::<S>::LANES);
            let mut block = block;
            for t in 0..tiles {
                let width = (end - block.column).div_ceil(tiles - t);
                let a = Panels {
                    start,
                    step: R * T::Vector::<S>::LANES,
                    panel_step: run.panel_step,
                };
                // SAFETY: by the promise to `multiply_panels`; the block lies within it.
                unsafe {
                    match width {
                        1 => self.few_columns::<S, R, 1>(panels, a, block),
                        2 => self.few_columns::<S, R, 2>(panels, a, block),
                        3 => self.few_columns::<S, R, 3>(panels, a, block),
                        4 => self.few_columns::<S, R, 4>(panels, a, block),
                        5 => self.few_columns::<S, R, 5>(panels, a, block),
                        _ => self.few_columns::<S, R, 6>(panels, a, block),
                    }
                }
                block.column += width;
            }
            at += count;
        }
    }

    #[inline(always)]
    unsafe fn few_columns<S: Simd, const R: usize, const N: usize>(
        &self,
        panels: &[Panel],
        a: Panels<T>,
        block: Block,
    ) {
        // SAFETY: the caller's promise.
        unsafe {
            match panels.len() {
                6 if N == 1 => self.tile::<S, 6, R, N>(panels, a, block),
                5 if N == 1 => self.tile::<S, 5, R, N>(panels, a, block),
                4 if N == 1 => self.tile::<S, 4, R, N>(panels, a, block),
                3 if N <= 2 => self.tile::<S, 3, R, N>(panels, a, block),
                2 if N <= 3 => self.tile::<S, 2, R, N>(panels, a, block),
                _ => {
                    for (q, panel) in panels.iter().enumerate() {
                        let start = a.start.wrapping_add(q * a.panel_step);
                        let a = Panels { start, ..a };
                        self.tile::<S, 1, R, N>(std::slice::from_ref(panel), a, block);
                    }
                }
            }
        }
    }

    #[inline(always)]
    unsafe fn tile<S: Simd, const P: usize, const R: usize, const N: usize>(
        &self,
        panels: &[Panel],
        a: Panels<T>,
        block: Block,
    ) {
        let strips: [Strip<T>; P] = std::array::from_fn(|q| {
            let panel = panels[q];
            let target = self.targets[panel.target];
            let start = match target.start {
                _ if block.from > 0 => Start::Keep,
                Start::Column(column) => Start::Column(column.wrapping_add(panel.row)),
                other => other,
            };
            Strip {
                output: target
                    .output
                    .wrapping_add(panel.row + block.column * target.column_step),
                column_step: target.column_step,
                rows: panel.rows,
                start,
            }
        });
        // SAFETY: the caller's promise: the operand has `depth` rows from `from` on, panels as many
        // steps, and the outputs the rows of the panels.
        unsafe {
            let mut tile = begin::<T::Vector<S>, P, R, N>(&strips);
            let (mut skip, mut left, mut a) = (block.from, block.depth, a);
            for segment in self.operand {
                if skip >= segment.rows {
                    skip -= segment.rows;
                    continue;
                }
                let depth = left.min(segment.rows - skip);
                let b = Factor {
                    start: segment
                        .start
                        .wrapping_add(skip + block.column * segment.column_step),
                    row_step: 1,
                    column_step: segment.column_step,
                };
                accumulate::<S, T, P, R, N>(&mut tile, a, b, depth);
                a.start = a.start.wrapping_add(depth * a.step);
                (skip, left) = (0, left - depth);
                if left == 0 {
                    break;
                }
            }
            finish::<T::Vector<S>, P, R, N>(&tile, &strips);
        }
    }
}
