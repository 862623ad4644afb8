use super::{Operand, Pull, Rule, pointwise_loss};
use crate::element::Element;
use crate::error::Result;
use crate::kernels::{Cost, Isa};
use crate::shape::Shape;

/// Mean of |p - t| over all elements of prediction p and target t; its derivative at 0 is 0.
#[derive(Clone, Copy, Debug)]
pub struct AbsoluteError {}

impl Rule for AbsoluteError {
    const NAME: &'static str = "absolute_error";

    fn shape(&self, inputs: &[Shape]) -> Result<Shape> {
        pointwise_loss::shape(Self::NAME, inputs)
    }

    fn forward<T: Element>(&self, isa: Isa, inputs: &[Operand<'_, T>], out: &mut [T]) {
        pointwise_loss::forward(isa, Cost::Cheap, inputs, out, |p, t| (p - t).abs());
    }

    fn backward<T: Element>(&self, isa: Isa, wrt: usize, pull: Pull<'_, T>, into: &mut [T]) {
        let one = if wrt == 0 { T::ONE } else { -T::ONE };
        pointwise_loss::backward(isa, Cost::Cheap, pull, into, |p, t| {
            if p > t {
                one
            } else if p < t {
                -one
            } else {
                T::ZERO
            }
        });
    }
}
