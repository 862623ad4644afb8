use super::axis::{Axis, reduced_of_some};
use super::{Form, Operand, Pull, Rule};
use crate::element::Element;
use crate::error::Result;
use crate::kernels::{Isa, softmax};
use crate::shape::Shape;

/// y = ln sum e^x of each column; the gradient of x is softmax(x) g. The largest element is taken out
/// first, so nothing overflows.
#[derive(Clone, Copy, Debug)]
pub struct Logsumexp {}

impl Rule for Logsumexp {
    const NAME: &'static str = "logsumexp";

    fn shape(&self, inputs: &[Shape]) -> Result<Shape> {
        reduced_of_some(Self::NAME, inputs, Some(Axis::Rows))
    }

    fn form(&self) -> Form {
        Form::Columns
    }

    fn forward<T: Element>(&self, isa: Isa, inputs: &[Operand<'_, T>], out: &mut [T]) {
        softmax::logsumexp_per_column(isa, inputs[0].shape.dims(), inputs[0].data, out);
    }

    fn backward<T: Element>(&self, isa: Isa, _wrt: usize, pull: Pull<'_, T>, into: &mut [T]) {
        // Not e^(x - y): for large x the rounding of y would be the whole result.
        let (whole, x) = (pull.inputs[0].shape.dims(), pull.inputs[0].data);
        let weight = |col: usize| Some(pull.grad[col]);
        softmax::accumulate_softmax(isa, whole, x, weight, into);
    }
}
