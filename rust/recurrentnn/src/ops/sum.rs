use super::axis::{self, Axis};
use super::{Form, Operand, Pull, Rule, expect_operands};
use crate::element::Element;
use crate::error::Result;
use crate::kernels::Isa;
use crate::shape::Shape;

/// Sum of all, of each column or of each row; 0 over nothing.
#[derive(Clone, Copy, Debug)]
pub struct Sum {
    /// What it runs over; `None`: all.
    pub axis: Option<Axis>,
}

impl Rule for Sum {
    const NAME: &'static str = "sum";

    fn shape(&self, inputs: &[Shape]) -> Result<Shape> {
        expect_operands(Self::NAME, inputs, 1)?;
        Ok(axis::reduced(inputs[0], self.axis))
    }

    fn form(&self) -> Form {
        match self.axis {
            Some(Axis::Rows) => Form::Columns,
            None | Some(Axis::Columns) => Form::Mixes,
        }
    }

    fn forward<T: Element>(&self, isa: Isa, inputs: &[Operand<'_, T>], out: &mut [T]) {
        axis::sum(isa, self.axis, inputs[0], out);
    }

    fn backward<T: Element>(&self, isa: Isa, _wrt: usize, pull: Pull<'_, T>, into: &mut [T]) {
        axis::spread(isa, pull, T::ONE, into);
    }
}
