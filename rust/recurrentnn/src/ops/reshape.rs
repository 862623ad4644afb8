use super::{Operand, Pull, Rule, accumulate, expect_operands};
use crate::element::Element;
use crate::error::{Error, Result};
use crate::kernels::Isa;
use crate::shape::Shape;

/// The same elements in another shape; their order, column by column, stays.
#[derive(Clone, Copy, Debug)]
pub struct Reshape {
    /// Rows of the result.
    pub rows: usize,
    /// Columns of the result.
    pub cols: usize,
}

impl Rule for Reshape {
    const NAME: &'static str = "reshape";

    fn shape(&self, inputs: &[Shape]) -> Result<Shape> {
        expect_operands(Self::NAME, inputs, 1)?;
        let count = inputs[0].len();
        if self.rows.checked_mul(self.cols) == Some(count) {
            return Ok(Shape::new(self.rows, self.cols));
        }
        let (rows, cols) = (self.rows, self.cols);
        let message = format!(
            "{} has {count} elements but {rows}x{cols} was asked for",
            inputs[0]
        );
        Err(Error::shape(Self::NAME, message))
    }

    fn forward<T: Element>(&self, _isa: Isa, inputs: &[Operand<'_, T>], out: &mut [T]) {
        out.copy_from_slice(inputs[0].data);
    }

    fn backward<T: Element>(&self, _isa: Isa, _wrt: usize, pull: Pull<'_, T>, into: &mut [T]) {
        accumulate(into, pull.grad);
    }
}
