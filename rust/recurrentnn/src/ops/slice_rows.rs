use super::{Form, Operand, Pull, Rule, accumulate, expect_operands, expect_slice};
use crate::element::Element;
use crate::error::Result;
use crate::kernels::Isa;
use crate::shape::Shape;

/// Rows start..stop.
#[derive(Clone, Copy, Debug)]
pub struct SliceRows {
    /// First row.
    pub start: usize,
    /// One past the last row.
    pub stop: usize,
}

impl Rule for SliceRows {
    const NAME: &'static str = "slice_rows";

    fn shape(&self, inputs: &[Shape]) -> Result<Shape> {
        expect_operands(Self::NAME, inputs, 1)?;
        expect_slice(Self::NAME, "rows", self.start, self.stop, inputs[0].rows)?;
        Ok(Shape::new(self.stop - self.start, inputs[0].cols))
    }

    fn form(&self) -> Form {
        Form::Columns
    }

    fn forward<T: Element>(&self, _isa: Isa, inputs: &[Operand<'_, T>], out: &mut [T]) {
        let (height, rows) = (inputs[0].shape.rows.max(1), (self.stop - self.start).max(1));
        for (out, column) in out
            .chunks_exact_mut(rows)
            .zip(inputs[0].data.chunks_exact(height))
        {
            out.copy_from_slice(&column[self.start..self.stop]);
        }
    }

    fn backward<T: Element>(&self, _isa: Isa, _wrt: usize, pull: Pull<'_, T>, into: &mut [T]) {
        let height = pull.inputs[0].shape.rows.max(1);
        let rows = (self.stop - self.start).max(1);
        for (column, grad) in into
            .chunks_exact_mut(height)
            .zip(pull.grad.chunks_exact(rows))
        {
            accumulate(&mut column[self.start..self.stop], grad);
        }
    }
}
