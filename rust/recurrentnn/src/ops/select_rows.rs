use std::sync::Arc;

use super::{Operand, Pull, Rule, expect_indices, expect_operands};
use crate::element::Element;
use crate::error::Result;
use crate::kernels::Isa;
use crate::shape::Shape;

/// Row `indices[j]` becomes column j: the look-up of an embedding. A row picked twice gets both
/// gradients.
#[derive(Clone, Debug)]
pub struct SelectRows {
    /// The rows.
    pub indices: Arc<[usize]>,
}

impl Rule for SelectRows {
    const NAME: &'static str = "select_rows";

    fn shape(&self, inputs: &[Shape]) -> Result<Shape> {
        expect_operands(Self::NAME, inputs, 1)?;
        expect_indices(Self::NAME, "rows", &self.indices, inputs[0].rows)?;
        Ok(Shape::new(inputs[0].cols, self.indices.len()))
    }

    fn forward<T: Element>(&self, _isa: Isa, inputs: &[Operand<'_, T>], out: &mut [T]) {
        let Shape { rows, cols } = inputs[0].shape;
        for (out, &row) in out.chunks_exact_mut(cols.max(1)).zip(self.indices.iter()) {
            for (col, out) in out.iter_mut().enumerate() {
                *out = inputs[0].data[col * rows + row];
            }
        }
    }

    fn backward<T: Element>(&self, _isa: Isa, _wrt: usize, pull: Pull<'_, T>, into: &mut [T]) {
        let Shape { rows, cols } = pull.inputs[0].shape;
        for (grad, &row) in pull.grad.chunks_exact(cols.max(1)).zip(self.indices.iter()) {
            for (col, &g) in grad.iter().enumerate() {
                into[col * rows + row] += g;
            }
        }
    }
}
