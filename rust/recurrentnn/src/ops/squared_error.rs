use super::{Operand, Pull, Rule, pointwise_loss};
use crate::element::Element;
use crate::error::Result;
use crate::kernels::{Cost, Isa};
use crate::shape::Shape;

/// Mean of (p - t)^2 over all elements of prediction p and target t.
#[derive(Clone, Copy, Debug)]
pub struct SquaredError {}

impl Rule for SquaredError {
    const NAME: &'static str = "squared_error";

    fn shape(&self, inputs: &[Shape]) -> Result<Shape> {
        pointwise_loss::shape(Self::NAME, inputs)
    }

    fn forward<T: Element>(&self, isa: Isa, inputs: &[Operand<'_, T>], out: &mut [T]) {
        pointwise_loss::forward(isa, Cost::Cheap, inputs, out, |p, t| (p - t) * (p - t));
    }

    fn backward<T: Element>(&self, isa: Isa, wrt: usize, pull: Pull<'_, T>, into: &mut [T]) {
        let two = T::from_f64(if wrt == 0 { 2.0 } else { -2.0 });
        pointwise_loss::backward(isa, Cost::Cheap, pull, into, |p, t| two * (p - t));
    }
}
