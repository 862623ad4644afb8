//! Products with packed weights, for loops over time: several outputs of one operand at once.
//!
//! Every element of an output is one chain, `y = mul_add(w[i, p], x[p, j], y)` with p ascending over
//! all segments of the operand, so its bits depend on its row, its column and the instruction set,
//! on nothing else: neither on how many columns nor on which panels are worked out in one call.

mod drive;
pub(super) mod pack;
mod packed;
pub(super) mod row;
pub(super) mod tile;

use std::ops::Range;

use smallvec::SmallVec;

pub use self::packed::Packed;
pub(in crate::kernels) use self::packed::Panel;
pub(in crate::kernels) use self::tile::Start;

use self::drive::Multiply;
use super::isa::Isa;
use crate::element::Element;

/// Some depths of the operand; those of all segments one below the other make the whole depth.
#[derive(Clone, Copy, Debug)]
pub(in crate::kernels) struct Segment<T> {
    /// The first row of the first column.
    pub(in crate::kernels) start: *const T,
    /// How many rows, one adjacent to the other.
    pub(in crate::kernels) rows: usize,
    /// From one column to the next.
    pub(in crate::kernels) column_step: usize,
}

/// Where the product of one target of a [`Packed`] goes.
#[derive(Clone, Copy, Debug)]
pub(in crate::kernels) struct Target<T> {
    /// The first row of the first column; rows are adjacent.
    pub(in crate::kernels) output: *mut T,
    /// From one column to the next.
    pub(in crate::kernels) column_step: usize,
    /// What is there before.
    pub(in crate::kernels) start: Start<T>,
}

/// `targets[i][:, 0..cols] = start + W_i operand` for all targets of `packed`.
///
/// # Safety
/// The segments make up the depth of `packed` and have `cols` columns to read; there is one target
/// for each of `packed`, with `cols` columns of its rows, which nobody else uses; `Column` starts
/// have a number for each row. `isa` is that of `packed`.
pub(in crate::kernels) unsafe fn multiply<T: Element>(
    isa: Isa,
    packed: &Packed<T>,
    operand: &[Segment<T>],
    targets: &[Target<T>],
    cols: usize,
) {
    // SAFETY: the same promise.
    unsafe { multiply_panels(isa, packed, operand, targets, cols, 0..packed.panels()) }
}

/// The same for the rows of some panels only.
///
/// # Safety
/// As [`multiply`], of the outputs the rows of these panels.
pub(in crate::kernels) unsafe fn multiply_panels<T: Element>(
    isa: Isa,
    packed: &Packed<T>,
    operand: &[Segment<T>],
    targets: &[Target<T>],
    cols: usize,
    panels: Range<usize>,
) {
    assert_eq!(isa, packed.isa());
    assert_eq!(targets.len(), packed.rows().len());
    debug_assert_eq!(
        operand.iter().map(|s| s.rows).sum::<usize>(),
        packed.depth()
    );
    if cols == 0 {
        return;
    }
    let (wholes, halves) = packed.runs(panels);
    let product = Multiply {
        isa,
        wholes,
        halves,
        depth: packed.depth(),
        operand,
        targets,
        cols,
    };
    // SAFETY: the same promise.
    unsafe { product.run() }
}

/// `outputs[i] += W_i operand`, of dense matrices of `cols` columns: for tests and measurements.
///
/// # Panics
/// If a slice has not the length of its matrix.
pub fn accumulate<T: Element>(
    packed: &Packed<T>,
    operand: &[T],
    outputs: &mut [&mut [T]],
    cols: usize,
) {
    assert_eq!(operand.len(), packed.depth() * cols);
    assert_eq!(outputs.len(), packed.rows().len());
    let targets: SmallVec<[_; 4]> = outputs
        .iter_mut()
        .zip(packed.rows())
        .map(|(output, rows)| {
            assert_eq!(output.len(), rows * cols);
            Target {
                output: output.as_mut_ptr(),
                column_step: *rows,
                start: Start::Keep,
            }
        })
        .collect();
    let segment = Segment {
        start: operand.as_ptr(),
        rows: packed.depth(),
        column_step: packed.depth(),
    };
    // SAFETY: the lengths have been asserted; the outputs are borrowed mutably.
    unsafe { multiply(packed.isa(), packed, &[segment], &targets, cols) }
}

#[cfg(test)]
mod tests;
