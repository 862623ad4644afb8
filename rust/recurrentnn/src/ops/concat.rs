use super::{Form, Operand, Pull, Rule};
use crate::element::Element;
use crate::error::{Error, Result};
use crate::kernels::Isa;
use crate::shape::Shape;

/// The operands below one another.
#[derive(Clone, Copy, Debug)]
pub struct Concat {}

impl Rule for Concat {
    const NAME: &'static str = "concat";

    fn shape(&self, inputs: &[Shape]) -> Result<Shape> {
        let Some(first) = inputs.first() else {
            return Err(Error::argument(
                Self::NAME,
                "takes at least one matrix but none came",
            ));
        };
        if let Some(other) = inputs.iter().find(|shape| shape.cols != first.cols) {
            let message = format!("operands must have equal columns but are {first} and {other}");
            return Err(Error::shape(Self::NAME, message));
        }
        let rows = inputs
            .iter()
            .try_fold(0_usize, |sum, shape| sum.checked_add(shape.rows));
        let too_many = || Error::shape(Self::NAME, "the result has more rows than can be counted");
        let shape = |rows| Shape::new(rows, first.cols);
        rows.map(shape).ok_or_else(too_many)
    }

    fn form(&self) -> Form {
        Form::Stack
    }

    fn forward<T: Element>(&self, _isa: Isa, inputs: &[Operand<'_, T>], out: &mut [T]) {
        let rows = inputs
            .iter()
            .map(|input| input.shape.rows)
            .sum::<usize>()
            .max(1);
        for (col, mut column) in out.chunks_exact_mut(rows).enumerate() {
            for input in inputs {
                let part;
                (part, column) = column.split_at_mut(input.shape.rows);
                part.copy_from_slice(&input.data[col * part.len()..][..part.len()]);
            }
        }
    }

    fn backward<T: Element>(&self, _isa: Isa, wrt: usize, pull: Pull<'_, T>, into: &mut [T]) {
        let above: usize = pull.inputs[..wrt]
            .iter()
            .map(|input| input.shape.rows)
            .sum();
        let (rows, height) = (
            pull.inputs[wrt].shape.rows.max(1),
            pull.output.shape.rows.max(1),
        );
        for (into, grad) in into
            .chunks_exact_mut(rows)
            .zip(pull.grad.chunks_exact(height))
        {
            for (into, &g) in into.iter_mut().zip(&grad[above..]) {
                *into += g;
            }
        }
    }
}
