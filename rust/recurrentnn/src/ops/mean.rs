use super::axis::{self, Axis};
use super::{Operand, Pull, Rule};
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

    fn forward<T: Element>(&self, isa: Isa, inputs: &[Operand<'_, T>], out: &mut [T]) {
        axis::sum(isa, self.axis, inputs[0], out);
        let share = axis::share(inputs[0].shape, self.axis);
        for out in out {
            *out *= share;
        }
    }

    fn backward<T: Element>(&self, isa: Isa, _wrt: usize, pull: Pull<'_, T>, into: &mut [T]) {
        let share = axis::share(pull.inputs[0].shape, self.axis);
        axis::spread(isa, pull, share, into);
    }
}
