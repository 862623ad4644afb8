use super::{Form, Operand, Pull, Rule, broadcast};
use crate::element::Element;
use crate::error::Result;
use crate::kernels::Isa;
use crate::shape::Shape;

/// Y = A B, elementwise; columns, rows and 1x1 broadcast.
#[derive(Clone, Copy, Debug)]
pub struct Mul {}

impl Rule for Mul {
    const NAME: &'static str = "mul";

    fn shape(&self, inputs: &[Shape]) -> Result<Shape> {
        broadcast::pair(Self::NAME, inputs)
    }

    fn form(&self) -> Form {
        Form::Multiply
    }

    fn forward<T: Element>(&self, isa: Isa, inputs: &[Operand<'_, T>], out: &mut [T]) {
        broadcast::map_pair(isa, inputs, out, |a, b| a * b);
    }

    fn backward<T: Element>(&self, isa: Isa, wrt: usize, pull: Pull<'_, T>, into: &mut [T]) {
        let operands = [pull.grad_operand(), pull.inputs[1 - wrt]];
        broadcast::pull_back(isa, wrt, pull, operands, into, |[g, other]| g * other);
    }
}
