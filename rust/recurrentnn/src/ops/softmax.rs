use super::{Form, Operand, Pull, Rule, expect_operands};
use crate::element::Element;
use crate::error::Result;
use crate::kernels::{Isa, softmax};
use crate::shape::Shape;

/// y = e^x / sum e^x of each column; the gradient of x is y (g - y . g).
#[derive(Clone, Copy, Debug)]
pub struct Softmax {}

impl Rule for Softmax {
    const NAME: &'static str = "softmax";

    fn shape(&self, inputs: &[Shape]) -> Result<Shape> {
        expect_operands(Self::NAME, inputs, 1)?;
        Ok(inputs[0])
    }

    fn form(&self) -> Form {
        Form::Columns
    }

    fn forward<T: Element>(&self, isa: Isa, inputs: &[Operand<'_, T>], out: &mut [T]) {
        softmax::softmax(isa, inputs[0].shape.dims(), inputs[0].data, out);
    }

    fn backward<T: Element>(&self, _isa: Isa, _wrt: usize, pull: Pull<'_, T>, into: &mut [T]) {
        let rows = pull.output.shape.rows.max(1);
        let columns = pull
            .output
            .data
            .chunks_exact(rows)
            .zip(pull.grad.chunks_exact(rows));
        for (into, (y, g)) in into.chunks_exact_mut(rows).zip(columns) {
            let inner: f64 = y.iter().zip(g).map(|(&y, &g)| (y * g).to_f64()).sum();
            let inner = T::from_f64(inner);
            for (into, (&y, &g)) in into.iter_mut().zip(y.iter().zip(g)) {
                *into += y * (g - inner);
            }
        }
    }
}
