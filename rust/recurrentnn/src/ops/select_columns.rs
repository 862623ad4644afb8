use std::sync::Arc;

use super::{Operand, Pull, Rule, accumulate, expect_indices, expect_operands};
use crate::element::Element;
use crate::error::Result;
use crate::kernels::Isa;
use crate::shape::Shape;

/// Column j is column `indices[j]` of the operand. A column picked twice gets both gradients.
#[derive(Clone, Debug)]
pub struct SelectColumns {
    /// The columns.
    pub indices: Arc<[usize]>,
}

impl Rule for SelectColumns {
    const NAME: &'static str = "select_columns";

    fn shape(&self, inputs: &[Shape]) -> Result<Shape> {
        expect_operands(Self::NAME, inputs, 1)?;
        expect_indices(Self::NAME, "columns", &self.indices, inputs[0].cols)?;
        Ok(Shape::new(inputs[0].rows, self.indices.len()))
    }

    fn forward<T: Element>(&self, _isa: Isa, inputs: &[Operand<'_, T>], out: &mut [T]) {
        let rows = inputs[0].shape.rows;
        for (out, &col) in out.chunks_exact_mut(rows.max(1)).zip(self.indices.iter()) {
            out.copy_from_slice(&inputs[0].data[col * rows..][..rows]);
        }
    }

    fn backward<T: Element>(&self, _isa: Isa, _wrt: usize, pull: Pull<'_, T>, into: &mut [T]) {
        let rows = pull.inputs[0].shape.rows;
        for (grad, &col) in pull.grad.chunks_exact(rows.max(1)).zip(self.indices.iter()) {
            accumulate(&mut into[col * rows..], grad);
        }
    }
}
