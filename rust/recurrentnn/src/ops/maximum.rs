use super::{Form, Operand, Pull, Rule, expect_equal, expect_operands, extremum};
use crate::element::Element;
use crate::error::Result;
use crate::kernels::{Cost, Isa, map};
use crate::shape::Shape;

/// The larger of both, NaN if either is NaN.
#[derive(Clone, Copy, Debug)]
pub struct Maximum {}

impl Rule for Maximum {
    const NAME: &'static str = "maximum";

    fn shape(&self, inputs: &[Shape]) -> Result<Shape> {
        expect_operands(Self::NAME, inputs, 2)?;
        expect_equal(Self::NAME, inputs)
    }

    fn form(&self) -> Form {
        Form::Columns
    }

    fn forward<T: Element>(&self, isa: Isa, inputs: &[Operand<'_, T>], out: &mut [T]) {
        let operands = [inputs[0].data, inputs[1].data];
        map::map(isa, Cost::Cheap, operands, out, |[a, b]| a.maximum(b));
    }

    fn backward<T: Element>(&self, isa: Isa, wrt: usize, pull: Pull<'_, T>, into: &mut [T]) {
        extremum::backward(isa, wrt, pull, into, |this, other| this > other);
    }
}
