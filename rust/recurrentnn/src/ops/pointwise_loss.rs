//! What the losses share that are a mean over all elements of a function of prediction and target.

use super::{Operand, Pull, expect_operands};
use crate::element::Element;
use crate::error::{Error, Result};
use crate::kernels::{Cost, Isa, broadcast, map};
use crate::shape::Shape;

/// 1x1, of operands that have one shape and at least one element.
pub(super) fn shape(op: &'static str, inputs: &[Shape]) -> Result<Shape> {
    expect_operands(op, inputs, 2)?;
    let (prediction, target) = (inputs[0], inputs[1]);
    if prediction != target {
        let message = format!("prediction is {prediction} but target is {target}");
        return Err(Error::shape(op, message));
    }
    if prediction.is_empty() {
        let message = format!("expected at least one element but prediction is {prediction}");
        return Err(Error::shape(op, message));
    }
    Ok(Shape::SCALAR)
}

/// The mean of f(prediction, target).
pub(super) fn forward<T: Element>(
    isa: Isa,
    cost: Cost,
    inputs: &[Operand<'_, T>],
    out: &mut [T],
    f: impl Fn(T, T) -> T + Sync,
) {
    let pairs = [inputs[0].data, inputs[1].data];
    let sum = broadcast::sum_of(isa, cost, pairs, |[p, t]| f(p, t));
    out[0] = T::from_f64(sum / pairs[0].len() as f64);
}

/// Adds the mean's gradient, given the derivative of f by the input asked for.
pub(super) fn backward<T: Element>(
    isa: Isa,
    cost: Cost,
    pull: Pull<'_, T>,
    into: &mut [T],
    slope: impl Fn(T, T) -> T + Sync,
) {
    let g = pull.grad[0] * T::from_f64(1.0 / into.len() as f64);
    let pairs = [pull.inputs[0].data, pull.inputs[1].data];
    map::accumulate(isa, cost, pairs, into, |[p, t]| g * slope(p, t));
}
