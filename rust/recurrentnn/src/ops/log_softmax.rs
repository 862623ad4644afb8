use super::{Form, Operand, Pull, Rule, expect_operands};
use crate::element::Element;
use crate::error::Result;
use crate::kernels::{Isa, softmax};
use crate::shape::Shape;

/// y = x - ln sum e^x of each column; the gradient of x is g - e^y sum g.
#[derive(Clone, Copy, Debug)]
pub struct LogSoftmax {}

impl Rule for LogSoftmax {
    const NAME: &'static str = "log_softmax";

    fn shape(&self, inputs: &[Shape]) -> Result<Shape> {
        expect_operands(Self::NAME, inputs, 1)?;
        Ok(inputs[0])
    }

    fn form(&self) -> Form {
        Form::Columns
    }

    fn forward<T: Element>(&self, isa: Isa, inputs: &[Operand<'_, T>], out: &mut [T]) {
        softmax::log_softmax(isa, inputs[0].shape.dims(), inputs[0].data, out);
    }

    fn backward<T: Element>(&self, isa: Isa, _wrt: usize, pull: Pull<'_, T>, into: &mut [T]) {
        let (whole, y) = (pull.output.shape.dims(), pull.output.data);
        softmax::accumulate_log_softmax_gradient(isa, whole, y, pull.grad, into);
    }
}
