use super::{Form, Operand, Pull, Rule, expect_equal, expect_operands};
use crate::element::Element;
use crate::error::Result;
use crate::kernels::{Cost, Isa, map};
use crate::shape::Shape;

/// `a` where the condition is not zero (NaN is not), else `b`. The condition has no gradient.
#[derive(Clone, Copy, Debug)]
pub struct Where {}

impl Rule for Where {
    const NAME: &'static str = "where";

    fn shape(&self, inputs: &[Shape]) -> Result<Shape> {
        expect_operands(Self::NAME, inputs, 3)?;
        expect_equal(Self::NAME, inputs)
    }

    fn form(&self) -> Form {
        Form::Columns
    }

    fn forward<T: Element>(&self, isa: Isa, inputs: &[Operand<'_, T>], out: &mut [T]) {
        let inputs = [inputs[0].data, inputs[1].data, inputs[2].data];
        map::map(isa, Cost::Cheap, inputs, out, |[c, a, b]| {
            if c == T::ZERO { b } else { a }
        });
    }

    fn backward<T: Element>(&self, isa: Isa, wrt: usize, pull: Pull<'_, T>, into: &mut [T]) {
        if wrt == 0 {
            return;
        }
        let chosen = [pull.grad, pull.inputs[0].data];
        map::accumulate(isa, Cost::Cheap, chosen, into, |[g, c]| {
            if (c == T::ZERO) == (wrt == 2) {
                g
            } else {
                T::ZERO
            }
        });
    }
}
