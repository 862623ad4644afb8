//! A row of tiles: the code of each shape of tile is a function of its own, with its own registers.

use super::packed::Panel;
use super::tile::{Factor, Panels, Start, Strip, accumulate, begin, finish};
use super::{Segment, Target};
use crate::element::Element;
use crate::element::simd::{Simd, Vector};
use crate::kernels::isa::{Isa, Task};

/// Some panels times some columns over a part of the depth.
#[derive(Clone, Copy)]
pub(in crate::kernels) struct Row<'a, T> {
    /// Panels of one kind, at most [`panels_at_once`] for the width.
    pub(in crate::kernels) panels: &'a [Panel],
    /// Where the first of them has the first depth.
    pub(in crate::kernels) start: *const T,
    /// From one depth to the next.
    pub(in crate::kernels) step: usize,
    /// From one panel to the next.
    pub(in crate::kernels) panel_step: usize,
    pub(in crate::kernels) operand: &'a [Segment<T>],
    pub(in crate::kernels) layout: Layout,
    pub(in crate::kernels) targets: &'a [Target<T>],
    /// The first depth and how many.
    pub(in crate::kernels) from: usize,
    pub(in crate::kernels) depth: usize,
    /// The first column and how many tiles of one width.
    pub(in crate::kernels) column: usize,
    pub(in crate::kernels) tiles: usize,
}

/// How an operand lies in memory.
#[derive(Clone, Copy, Debug)]
pub(in crate::kernels) enum Layout {
    /// Rows are adjacent, columns `column_step` apart.
    Columns,
    /// Columns are adjacent, rows so far apart.
    Rows(usize),
    /// In the order in which the tiles read it: a tile is `[row][column]`, and a tile that begins
    /// with column j is at `j * column_step`, with the depth as `column_step`.
    Tiles,
}

/// How many panels of two registers a tile of `width` columns takes: as many as make 8 to 12
/// accumulators, for fewer would wait for one another.
pub(in crate::kernels) fn panels_at_once(width: usize) -> usize {
    match width {
        1 => 6,
        2 => 3,
        3 => 2,
        _ => 1,
    }
}

/// Works out a row of tiles of `width` columns of panels of R registers.
///
/// # Safety
/// As [`multiply_panels`](super::multiply_panels), for these depths and columns.
#[inline]
pub(in crate::kernels) unsafe fn row_of_tiles<T: Element, const R: usize>(
    isa: Isa,
    width: usize,
    row: &Row<'_, T>,
) {
    match (width, row.panels.len()) {
        (1, 1) => isa.run(Tiles::<T, 1, R, 1>(row)),
        (1, 2) => isa.run(Tiles::<T, 2, R, 1>(row)),
        (1, 3) => isa.run(Tiles::<T, 3, R, 1>(row)),
        (1, 4) => isa.run(Tiles::<T, 4, R, 1>(row)),
        (1, 5) => isa.run(Tiles::<T, 5, R, 1>(row)),
        (1, 6) => isa.run(Tiles::<T, 6, R, 1>(row)),
        (2, 1) => isa.run(Tiles::<T, 1, R, 2>(row)),
        (2, 2) => isa.run(Tiles::<T, 2, R, 2>(row)),
        (2, 3) => isa.run(Tiles::<T, 3, R, 2>(row)),
        (3, 1) => isa.run(Tiles::<T, 1, R, 3>(row)),
        (3, 2) => isa.run(Tiles::<T, 2, R, 3>(row)),
        (4, 1) => isa.run(Tiles::<T, 1, R, 4>(row)),
        (5, 1) => isa.run(Tiles::<T, 1, R, 5>(row)),
        (6, 1) => isa.run(Tiles::<T, 1, R, 6>(row)),
        other => unreachable!("no tile of {other:?} columns and panels"),
    }
}

/// P panels of R registers, N columns a tile.
struct Tiles<'a, T, const P: usize, const R: usize, const N: usize>(&'a Row<'a, T>);

impl<T: Element, const P: usize, const R: usize, const N: usize> Task for Tiles<'_, T, P, R, N> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self) {
        let row = self.0;
        for t in 0..row.tiles {
            // SAFETY: by the promise to `row_of_tiles`, which makes these tasks only.
            unsafe { tile::<S, T, P, R, N>(row, row.column + t * N) }
        }
    }
}

#[inline(always)]
unsafe fn tile<S: Simd, T: Element, const P: usize, const R: usize, const N: usize>(
    row: &Row<'_, T>,
    column: usize,
) {
    let strips: [Strip<T>; P] = std::array::from_fn(|q| {
        let panel = row.panels[q];
        let target = row.targets[panel.target];
        let first = target.column_step * column + panel.row;
        Strip {
            output: target.output.wrapping_add(first),
            column_step: target.column_step,
            rows: panel.rows,
            start: match target.start {
                _ if row.from > 0 => Start::Keep,
                Start::Column(numbers) => Start::Column(numbers.wrapping_add(panel.row)),
                other => other,
            },
        }
    });
    let (mut skip, mut left, mut start) = (row.from, row.depth, row.start);
    // SAFETY: the caller's promise: panels and operand have `depth` steps from `from` on, and the
    // outputs the rows of the panels.
    unsafe {
        let mut tile = begin::<T::Vector<S>, P, R, N>(&strips);
        if P == 1 {
            // Where the next tile begins and ends, for it starts with reading that.
            for j in N..2 * N {
                let next = strips[0].output.wrapping_add(j * strips[0].column_step);
                S::prefetch(next);
                S::prefetch(next.wrapping_add(R * T::Vector::<S>::LANES - 1));
            }
        }
        for segment in row.operand {
            if skip >= segment.rows {
                skip -= segment.rows;
                continue;
            }
            let depth = left.min(segment.rows - skip);
            let a = Panels {
                start,
                step: row.step,
                panel_step: row.panel_step,
            };
            let (row_step, column_step) = match row.layout {
                Layout::Columns => (1, segment.column_step),
                Layout::Rows(step) => (step, 1),
                Layout::Tiles => (N, 1),
            };
            let first = skip * row_step + column * segment.column_step;
            let b = Factor {
                start: segment.start.wrapping_add(first),
                row_step,
                column_step,
            };
            accumulate::<S, T, P, R, N>(&mut tile, a, b, depth);
            start = start.wrapping_add(depth * row.step);
            (skip, left) = (0, left - depth);
            if left == 0 {
                break;
            }
        }
        finish::<T::Vector<S>, P, R, N>(&tile, &strips);
    }
}
