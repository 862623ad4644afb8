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

    fn backward<T: Element>(&self, _isa: Isa, _wrt: usize, pull: Pull<'_, T>, into: &mut [T]) {
        let rows = pull.output.shape.rows.max(1);
        let columns = pull
            .output
            .data
            .chunks_exact(rows)
            .zip(pull.grad.chunks_exact(rows));
        for (into, (y, g)) in into.chunks_exact_mut(rows).zip(columns) {
            let total = T::from_f64(g.iter().map(|g| g.to_f64()).sum());
            for (into, (&y, &g)) in into.iter_mut().zip(y.iter().zip(g)) {
                *into += g - y.exp() * total;
            }
        }
    }
}
