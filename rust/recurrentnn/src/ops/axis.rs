//! The direction of a reduction, and what it leaves.

use super::{Operand, Pull, expect_operands};
use crate::element::Element;
use crate::error::{Error, Result};
use crate::kernels::broadcast::{self, Extent, accumulate_broadcast};
use crate::kernels::{Cost, Isa, reduce};
use crate::shape::Shape;

/// What a reduction runs over, numbered as in NumPy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Axis {
    /// Axis 0: over the rows; one number a column is left.
    Rows,
    /// Axis 1: over the columns; one number a row is left.
    Columns,
}

/// The shape that is left; `None` runs over all.
pub(super) fn reduced(shape: Shape, axis: Option<Axis>) -> Shape {
    match axis {
        None => Shape::SCALAR,
        Some(Axis::Rows) => Shape::new(1, shape.cols),
        Some(Axis::Columns) => Shape::new(shape.rows, 1),
    }
}

/// As [`reduced`], for a reduction that has no value over nothing.
pub(super) fn reduced_of_some(
    op: &'static str,
    inputs: &[Shape],
    axis: Option<Axis>,
) -> Result<Shape> {
    expect_operands(op, inputs, 1)?;
    let over = count(inputs[0], axis);
    let left = reduced(inputs[0], axis);
    if over == 0 && !left.is_empty() {
        let message = format!(
            "expected at least one element to reduce but m is {}",
            inputs[0]
        );
        return Err(Error::shape(op, message));
    }
    Ok(left)
}

/// The sums that an axis leaves.
pub(super) fn sum<T: Element>(isa: Isa, axis: Option<Axis>, m: Operand<'_, T>, out: &mut [T]) {
    let whole = m.shape.dims();
    match axis {
        None => out[0] = T::from_f64(reduce::sum(isa, m.data)),
        Some(Axis::Rows) => reduce::sum_per_column(isa, whole, m.data, out),
        Some(Axis::Columns) => reduce::sum_per_row(isa, whole, m.data, out),
    }
}

/// How many elements one number of the result is made of.
pub(super) fn count(shape: Shape, axis: Option<Axis>) -> usize {
    match axis {
        None => shape.len(),
        Some(Axis::Rows) => shape.rows,
        Some(Axis::Columns) => shape.cols,
    }
}

/// Gives every element of the operand the gradient of the number it went into, times `factor`.
pub(super) fn spread<T: Element>(isa: Isa, pull: Pull<'_, T>, factor: T, into: &mut [T]) {
    let whole = pull.inputs[0].shape.dims();
    let grad = broadcast::Operand::new(pull.grad, pull.output.shape.dims(), whole);
    accumulate_broadcast(
        isa,
        Cost::Cheap,
        whole,
        [grad],
        Extent::Full,
        into,
        |[g]| factor * g,
    );
}
