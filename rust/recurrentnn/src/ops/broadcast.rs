//! Operands that are columns, rows or 1x1 beside a full matrix.

use super::{Operand, Pull, expect_operands};
use crate::element::Element;
use crate::error::{Error, Result};
use crate::kernels::broadcast::{self, Extent, accumulate_broadcast, map_broadcast};
use crate::kernels::{Cost, Isa};
use crate::shape::Shape;

/// The shape that two operands broadcast to.
pub(super) fn pair(op: &'static str, inputs: &[Shape]) -> Result<Shape> {
    expect_operands(op, inputs, 2)?;
    both(op, inputs[0], inputs[1])
}

/// The shape that both broadcast to.
pub(super) fn both(op: &'static str, left: Shape, right: Shape) -> Result<Shape> {
    left.broadcast(right).ok_or_else(|| {
        let message =
            format!("left is {left} but right is {right}; each dimension must be equal or 1");
        Error::shape(op, message)
    })
}

/// An operand as the kernels take it.
pub(super) fn of<T: Element>(operand: Operand<'_, T>, whole: Shape) -> broadcast::Operand<'_, T> {
    broadcast::Operand::new(operand.data, operand.shape.dims(), whole.dims())
}

/// f(left, right) of every element of the shape that both broadcast to.
pub(super) fn map_pair<T: Element>(
    isa: Isa,
    inputs: &[Operand<'_, T>],
    out: &mut [T],
    f: impl Fn(T, T) -> T + Sync,
) {
    let (left, right) = (inputs[0], inputs[1]);
    let whole = left.shape.broadcast(right.shape).unwrap_or(left.shape);
    let operands = [of(left, whole), of(right, whole)];
    map_broadcast(isa, Cost::Cheap, whole.dims(), operands, out, |[a, b]| {
        f(a, b)
    });
}

/// Adds to the gradient of input `wrt` what `f` makes of the output's gradient and `others`, summed
/// over what the input lacks of the output's shape.
pub(super) fn pull_back<T: Element, const N: usize>(
    isa: Isa,
    wrt: usize,
    pull: Pull<'_, T>,
    operands: [Operand<'_, T>; N],
    into: &mut [T],
    f: impl Fn([T; N]) -> T + Sync,
) {
    let whole = pull.output.shape;
    let extent = Extent::of(pull.inputs[wrt].shape.dims(), whole.dims());
    let operands = operands.map(|operand| of(operand, whole));
    accumulate_broadcast(isa, Cost::Cheap, whole.dims(), operands, extent, into, f);
}

impl<'a, T> Pull<'a, T> {
    /// The output's gradient as an operand.
    pub(super) fn grad_operand(&self) -> Operand<'a, T> {
        Operand {
            shape: self.output.shape,
            data: self.grad,
        }
    }
}
