//! What an op of one number is: a formula and a name.

use std::sync::Arc;

use super::{Form, Operand, Pull, Rule, expect_operands};
use crate::element::Element;
use crate::error::Result;
use crate::kernels::formula::{accumulate_slope, map_formula};
use crate::kernels::machine::Function;
use crate::kernels::{Formula, Isa, Saved};
use crate::shape::Shape;

/// An op that maps every number by itself.
pub(crate) trait Elementwise: Formula + Clone + 'static {
    /// The name in messages, tables, Python and the reference.
    const NAME: &'static str;

    /// Fails unless the attributes are in their domain.
    fn check_attributes(&self) -> Result<()> {
        Ok(())
    }

    /// How a compiled step may treat it.
    fn form(&self) -> Form {
        Form::Map
    }
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

    fn function<T: Element>(&self) -> Option<(Saved, Arc<dyn Function<T>>)> {
        Some((E::SAVED, Arc::new(self.clone())))
    }

    fn forward<T: Element>(&self, isa: Isa, inputs: &[Operand<'_, T>], out: &mut [T]) {
        map_formula(isa, self, inputs[0].data, out);
    }

    fn backward<T: Element>(&self, isa: Isa, _wrt: usize, pull: Pull<'_, T>, into: &mut [T]) {
        let saved = match E::SAVED {
            Saved::Input => pull.inputs[0].data,
            Saved::Output => pull.output.data,
        };
        accumulate_slope(isa, self, pull.grad, saved, into);
    }
}
