use super::axis::{self, Axis};
use super::{Form, Operand, Pull, Rule};
use crate::element::Element;
use crate::error::Result;
use crate::kernels::Isa;
use crate::shape::Shape;

/// Mean of all, of each column or of each row.
#[derive(Clone, Copy, Debug)]
pub struct Mean {
    /// What it runs over; `None`: all.
    pub axis: Option<Axis>,
}

impl Rule for Mean {
    const NAME: &'static str = "mean";

    fn shape(&self, inputs: &[Shape]) -> Result<Shape> {
        axis::reduced_of_some(Self::NAME, inputs, self.axis)
    }

    fn form(&self) -> Form {
        match self.axis {
            Some(Axis::Rows) => Form::Columns,
            None | Some(Axis::Columns) => Form::Mixes,
        }
    }

    fn forward<T: Element>(&self, isa: Isa, inputs: &[Operand<'_, T>], out: &mut [T]) {
        axis::sum(isa, self.axis, inputs[0], out);
        let count = T::from_f64(axis::count(inputs[0].shape, self.axis) as f64);
        for out in out {
            *out = *out / count;
        }
    }

    fn backward<T: Element>(&self, isa: Isa, _wrt: usize, pull: Pull<'_, T>, into: &mut [T]) {
        let count = axis::count(pull.inputs[0].shape, self.axis);
        axis::spread(isa, pull, T::from_f64(1.0 / count as f64), into);
    }
}
