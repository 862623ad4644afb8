use super::{Form, Operand, Pull, Rule, broadcast};
use crate::element::Element;
use crate::error::Result;
use crate::kernels::Isa;
use crate::shape::Shape;

/// Y = A / B, elementwise; columns, rows and 1x1 broadcast. dA = G / B, dB = -G Y / B.
#[derive(Clone, Copy, Debug)]
pub struct Div {}

impl Rule for Div {
    const NAME: &'static str = "div";

    fn shape(&self, inputs: &[Shape]) -> Result<Shape> {
        broadcast::pair(Self::NAME, inputs)
    }

    fn form(&self) -> Form {
        Form::Columns
    }

    fn forward<T: Element>(&self, isa: Isa, inputs: &[Operand<'_, T>], out: &mut [T]) {
        broadcast::map_pair(isa, inputs, out, |a, b| a / b);
    }

    fn backward<T: Element>(&self, isa: Isa, wrt: usize, pull: Pull<'_, T>, into: &mut [T]) {
        let (grad, divisor) = (pull.grad_operand(), pull.inputs[1]);
        if wrt == 0 {
            broadcast::pull_back(isa, wrt, pull, [grad, divisor], into, |[g, b]| g / b);
        } else {
            let operands = [grad, pull.output, divisor];
            broadcast::pull_back(isa, wrt, pull, operands, into, |[g, y, b]| -(g * y / b));
        }
    }
}
