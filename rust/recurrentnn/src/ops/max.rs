use super::axis::{self, Axis};
use super::{Form, Operand, Pull, Rule};
use crate::element::Element;
use crate::error::Result;
use crate::kernels::{Isa, reduce};
use crate::shape::Shape;

/// Largest of each column or of each row, NaN if there is one. The gradient goes to the first of
/// equals.
#[derive(Clone, Copy, Debug)]
pub struct Max {
    /// What it runs over.
    pub axis: Axis,
}

impl Rule for Max {
    const NAME: &'static str = "max";

    fn shape(&self, inputs: &[Shape]) -> Result<Shape> {
        axis::reduced_of_some(Self::NAME, inputs, Some(self.axis))
    }

    fn form(&self) -> Form {
        match self.axis {
            Axis::Rows => Form::Columns,
            Axis::Columns => Form::Mixes,
        }
    }

    fn forward<T: Element>(&self, isa: Isa, inputs: &[Operand<'_, T>], out: &mut [T]) {
        let (whole, data) = (inputs[0].shape.dims(), inputs[0].data);
        match self.axis {
            Axis::Rows => reduce::max_per_column(isa, whole, data, out),
            Axis::Columns => reduce::max_per_row(isa, whole, data, out),
        }
    }

    fn backward<T: Element>(&self, _isa: Isa, _wrt: usize, pull: Pull<'_, T>, into: &mut [T]) {
        let (whole, data) = (pull.inputs[0].shape.dims(), pull.inputs[0].data);
        let (max, grad) = (pull.output.data, pull.grad);
        match self.axis {
            Axis::Rows => reduce::max_per_column_gradient(whole, data, max, grad, into),
            Axis::Columns => reduce::max_per_row_gradient(whole, data, max, grad, into),
        }
    }
}
