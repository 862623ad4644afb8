use super::{Operand, Pull, Rule, expect_equal, expect_operands};
use crate::element::Element;
use crate::error::Result;
use crate::kernels::{Cost, Isa, map};
use crate::shape::Shape;

/// The smaller of both, NaN if either is NaN. The gradient goes to the smaller, half to each where they are
/// equal (as PyTorch).
#[derive(Clone, Copy, Debug)]
pub struct Minimum {}

impl Rule for Minimum {
    const NAME: &'static str = "minimum";

    fn shape(&self, inputs: &[Shape]) -> Result<Shape> {
        expect_operands(Self::NAME, inputs, 2)?;
        expect_equal(Self::NAME, inputs)
    }

    fn forward<T: Element>(&self, isa: Isa, inputs: &[Operand<'_, T>], out: &mut [T]) {
        map::map(
            isa,
            Cost::Cheap,
            [inputs[0].data, inputs[1].data],
            out,
            |[a, b]| a.minimum(b),
        );
    }

    fn backward<T: Element>(&self, isa: Isa, wrt: usize, pull: Pull<'_, T>, into: &mut [T]) {
        let (this, other) = (pull.inputs[wrt].data, pull.inputs[1 - wrt].data);
        let half = T::from_f64(0.5);
        map::accumulate(
            isa,
            Cost::Cheap,
            [pull.grad, this, other],
            into,
            |[g, this, other]| {
                if this < other {
                    g
                } else if this == other {
                    half * g
                } else {
                    T::ZERO
                }
            },
        );
    }
}
