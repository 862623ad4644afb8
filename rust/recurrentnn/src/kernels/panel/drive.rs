//! Loops around the tiles that keep their operands in cache.

use super::packed::Run;
use super::row::{Layout, Row, panels_at_once, row_of_tiles};
use super::tile::TILE_COLS;
use super::{Segment, Target};
use crate::element::Element;
use crate::kernels::isa::Isa;

/// Bytes of a panel that stay in the level-2 cache while tiles of columns go by: a deeper panel reads
/// and writes outputs less often, and level 2 delivers several times what a tile takes.
const PANEL_BYTES: usize = 64 << 10;
/// Bytes of the operand that stay there while panels go by.
const OPERAND_BYTES: usize = 512 << 10;

/// `targets[i][:, 0..cols] = start + W_i operand` for the rows of some panels.
pub(super) struct Multiply<'a, T> {
    pub(super) isa: Isa,
    pub(super) wholes: Run<'a, T>,
    pub(super) halves: Run<'a, T>,
    pub(super) depth: usize,
    pub(super) operand: &'a [Segment<T>],
    pub(super) targets: &'a [Target<T>],
    pub(super) cols: usize,
}

/// The part of the product that is worked out at once: some depths, some tiles of columns.
#[derive(Clone, Copy)]
struct Block {
    from: usize,
    depth: usize,
    column: usize,
    /// How many tiles are how wide; those behind them are one column narrower.
    wide: usize,
    width: usize,
    narrow: usize,
}

impl<T: Element> Multiply<'_, T> {
    /// ```text
    /// for depths by as many as a panel has in level 2:       ascending: outputs continue their chains
    ///     for columns by as many as fit in level 2:
    ///         for panels, several at once if columns are few:
    ///             for columns by 1 to 6, of nearly equal number: a tile
    /// ```
    ///
    /// # Safety
    /// As [`multiply_panels`](super::multiply_panels).
    #[inline]
    pub(super) unsafe fn run(&self) {
        if self.cols <= TILE_COLS {
            // Nothing is used twice. No divisions here: a small product is over before a few of them.
            let block = Block {
                from: 0,
                depth: self.depth,
                column: 0,
                wide: 1,
                width: self.cols,
                narrow: 0,
            };
            // SAFETY: the caller's promise.
            return unsafe { self.all_panels(block) };
        }
        let tiles = self.cols.div_ceil(TILE_COLS);
        // A panel that one tile or two use need not stay anywhere.
        let blocks = if tiles <= 2 {
            1
        } else {
            let panel_bytes = self.wholes.step * size_of::<T>() * self.depth;
            panel_bytes.div_ceil(PANEL_BYTES).max(1)
        };
        let mut from = 0;
        for b in 0..blocks {
            let depth = (self.depth - from) / (blocks - b);
            let tile_bytes = TILE_COLS * size_of::<T>() * depth.max(1);
            let at_once = (OPERAND_BYTES / tile_bytes).max(1);
            let mut column = 0;
            for tile in (0..tiles).step_by(at_once) {
                let count = at_once.min(tiles - tile);
                let cols = (self.cols - column) * count / (tiles - tile);
                let width = cols.div_ceil(count);
                let narrow = width * count - cols;
                let block = Block {
                    from,
                    depth,
                    column,
                    wide: count - narrow,
                    width,
                    narrow,
                };
                // SAFETY: the caller's promise; the block lies within the product.
                unsafe { self.all_panels(block) };
                column += cols;
            }
            from += depth;
        }
    }

    #[inline]
    unsafe fn all_panels(&self, block: Block) {
        // SAFETY: the caller's promise.
        unsafe {
            self.run_of_panels::<2>(self.wholes, block);
            self.run_of_panels::<1>(self.halves, block);
        }
    }

    #[inline]
    unsafe fn run_of_panels<const R: usize>(&self, run: Run<'_, T>, block: Block) {
        let most = panels_at_once(block.width);
        let mut panels = run.panels;
        let mut start = run.start.wrapping_add(block.from * run.step);
        while !panels.is_empty() {
            let count = match panels.len() {
                left if left <= most => left,
                left if left < 2 * most => left.div_ceil(2),
                _ => most,
            };
            let (group, rest) = panels.split_at(count);
            let mut row = Row {
                panels: group,
                start,
                step: run.step,
                panel_step: run.panel_step,
                operand: self.operand,
                layout: Layout::Columns,
                targets: self.targets,
                from: block.from,
                depth: block.depth,
                column: block.column,
                tiles: block.wide,
            };
            // SAFETY: the caller's promise.
            unsafe {
                row_of_tiles::<T, R>(self.isa, block.width, &row);
                if block.narrow > 0 {
                    row.column += block.wide * block.width;
                    row.tiles = block.narrow;
                    row_of_tiles::<T, R>(self.isa, block.width - 1, &row);
                }
            }
            panels = rest;
            start = start.wrapping_add(group.len() * run.panel_step);
        }
    }
}
