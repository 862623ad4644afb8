use super::{Operand, Pull, Rule, expect_operands};
use crate::element::Element;
use crate::error::Result;
use crate::kernels::Isa;
use crate::shape::Shape;

/// Rows become columns.
#[derive(Clone, Copy, Debug)]
pub struct Transpose {}

impl Rule for Transpose {
    const NAME: &'static str = "transpose";

    fn shape(&self, inputs: &[Shape]) -> Result<Shape> {
        expect_operands(Self::NAME, inputs, 1)?;
        Ok(Shape::new(inputs[0].cols, inputs[0].rows))
    }

    fn forward<T: Element>(&self, _isa: Isa, inputs: &[Operand<'_, T>], out: &mut [T]) {
        let Shape { rows, cols } = inputs[0].shape;
        for (row, out) in out.chunks_exact_mut(cols.max(1)).enumerate() {
            for (col, out) in out.iter_mut().enumerate() {
                *out = inputs[0].data[col * rows + row];
            }
        }
    }

    fn backward<T: Element>(&self, _isa: Isa, _wrt: usize, pull: Pull<'_, T>, into: &mut [T]) {
        let Shape { rows, cols } = pull.inputs[0].shape;
        for (row, grad) in pull.grad.chunks_exact(cols.max(1)).enumerate() {
            for (col, &g) in grad.iter().enumerate() {
                into[col * rows + row] += g;
            }
        }
    }
}
