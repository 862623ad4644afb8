//! What an op of one number is: two formulas and a name.

use super::{Form, Operand, Pull, Rule, expect_operands};
use crate::element::Element;
use crate::error::Result;
use crate::kernels::{Cost, Isa, map};
use crate::shape::Shape;

/// What the derivative is written with.
pub(crate) enum Saved {
    /// The operand.
    Input,
    /// The result, where that is cheaper: tanh' = 1 - y^2.
    Output,
}

/// An op that maps every number by itself.
pub(crate) trait Elementwise: Sync {
    /// The name in messages, tables, Python and the reference.
    const NAME: &'static str;
    /// What `derivative` gets.
    const SAVED: Saved;
    /// What the value costs.
    const COST: Cost;

    /// Fails unless the attributes are in their domain.
    fn check_attributes(&self) -> Result<()> {
        Ok(())
    }

    /// How a compiled step may treat it.
    fn form(&self) -> Form {
        Form::Map
    }

    /// The value at x.
    fn value<T: Element>(&self, x: T) -> T;

    /// The derivative, from what [`Elementwise::SAVED`] names.
    fn derivative<T: Element>(&self, saved: T) -> T;
}

impl<E: Elementwise> Rule for E {
    const NAME: &'static str = E::NAME;

    fn shape(&self, inputs: &[Shape]) -> Result<Shape> {
        expect_operands(E::NAME, inputs, 1)?;
        self.check_attributes()?;
        Ok(inputs[0])
    }

    fn form(&self) -> Form {
        Elementwise::form(self)
    }

    fn forward<T: Element>(&self, isa: Isa, inputs: &[Operand<'_, T>], out: &mut [T]) {
        map::map(isa, E::COST, [inputs[0].data], out, |[x]| self.value(x));
    }

    fn backward<T: Element>(&self, isa: Isa, _wrt: usize, pull: Pull<'_, T>, into: &mut [T]) {
        let saved = match E::SAVED {
            Saved::Input => pull.inputs[0].data,
            Saved::Output => pull.output.data,
        };
        let slope = |[g, saved]: [T; 2]| g * self.derivative(saved);
        map::accumulate(isa, E::COST, [pull.grad, saved], into, slope);
    }
}
