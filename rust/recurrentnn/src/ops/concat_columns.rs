use super::{Operand, Pull, Rule, accumulate};
use crate::element::Element;
use crate::error::{Error, Result};
use crate::kernels::Isa;
use crate::shape::Shape;

/// The operands beside one another.
#[derive(Clone, Copy, Debug)]
pub struct ConcatColumns {}

impl Rule for ConcatColumns {
    const NAME: &'static str = "concat_columns";

    fn shape(&self, inputs: &[Shape]) -> Result<Shape> {
        let Some(first) = inputs.first() else {
            return Err(Error::argument(
                Self::NAME,
                "takes at least one matrix but none came",
            ));
        };
        if let Some(other) = inputs.iter().find(|shape| shape.rows != first.rows) {
            let message = format!("operands must have equal rows but are {first} and {other}");
            return Err(Error::shape(Self::NAME, message));
        }
        let cols = inputs
            .iter()
            .try_fold(0_usize, |sum, shape| sum.checked_add(shape.cols));
        let too_many = || {
            Error::shape(
                Self::NAME,
                "the result has more columns than can be counted",
            )
        };
        let shape = |cols| Shape::new(first.rows, cols);
        cols.map(shape).ok_or_else(too_many)
    }

    fn forward<T: Element>(&self, _isa: Isa, inputs: &[Operand<'_, T>], out: &mut [T]) {
        let mut rest = out;
        for input in inputs {
            let part;
            (part, rest) = rest.split_at_mut(input.data.len());
            part.copy_from_slice(input.data);
        }
    }

    fn backward<T: Element>(&self, _isa: Isa, wrt: usize, pull: Pull<'_, T>, into: &mut [T]) {
        let before: usize = pull.inputs[..wrt]
            .iter()
            .map(|input| input.data.len())
            .sum();
        accumulate(into, &pull.grad[before..]);
    }
}
