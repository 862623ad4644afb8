use super::{Operand, Pull, Rule, accumulate, expect_operands, expect_slice};
use crate::element::Element;
use crate::error::Result;
use crate::kernels::Isa;
use crate::shape::Shape;

/// Columns start..stop.
#[derive(Clone, Copy, Debug)]
pub struct SliceColumns {
    /// First column.
    pub start: usize,
    /// One past the last column.
    pub stop: usize,
}

impl Rule for SliceColumns {
    const NAME: &'static str = "slice_columns";

    fn shape(&self, inputs: &[Shape]) -> Result<Shape> {
        expect_operands(Self::NAME, inputs, 1)?;
        expect_slice(Self::NAME, "columns", self.start, self.stop, inputs[0].cols)?;
        Ok(Shape::new(inputs[0].rows, self.stop - self.start))
    }

    fn forward<T: Element>(&self, _isa: Isa, inputs: &[Operand<'_, T>], out: &mut [T]) {
        let start = self.start * inputs[0].shape.rows;
        out.copy_from_slice(&inputs[0].data[start..][..out.len()]);
    }

    fn backward<T: Element>(&self, _isa: Isa, _wrt: usize, pull: Pull<'_, T>, into: &mut [T]) {
        let start = self.start * pull.inputs[0].shape.rows;
        accumulate(&mut into[start..], pull.grad);
    }
}
