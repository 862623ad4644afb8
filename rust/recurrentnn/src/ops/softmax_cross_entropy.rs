use std::sync::Arc;

use super::{Operand, Pull, Rule, expect_indices, expect_operands};
use crate::element::Element;
use crate::error::{Error, Result};
use crate::kernels::{Isa, softmax};
use crate::shape::Shape;

/// Mean over the unmasked columns of -ln softmax(logits) at the target, in nats; the gradient of a column
/// is (softmax(logits) - onehot(target)) / count. Logits of any finite size stay finite.
#[derive(Clone, Debug)]
pub struct SoftmaxCrossEntropy {
    /// The right symbol of each column.
    pub targets: Arc<[usize]>,
    /// Which columns count; `None`: all.
    pub mask: Option<Arc<[bool]>>,
}

impl SoftmaxCrossEntropy {
    fn counts(&self, column: usize) -> bool {
        self.mask.as_ref().is_none_or(|mask| mask[column])
    }

    fn count(&self) -> usize {
        (0..self.targets.len())
            .filter(|&column| self.counts(column))
            .count()
    }
}

impl Rule for SoftmaxCrossEntropy {
    const NAME: &'static str = "softmax_cross_entropy";

    fn shape(&self, inputs: &[Shape]) -> Result<Shape> {
        expect_operands(Self::NAME, inputs, 1)?;
        let Shape { rows, cols } = inputs[0];
        let per_column = |name: &str, len: usize| {
            if len == cols {
                return Ok(());
            }
            let message = format!("{name} must have one entry per column, {cols}, but has {len}");
            Err(Error::shape(Self::NAME, message))
        };
        per_column("targets", self.targets.len())?;
        per_column("mask", self.mask.as_ref().map_or(cols, |mask| mask.len()))?;
        expect_indices(Self::NAME, "logits (in targets)", &self.targets, rows)?;
        if cols == 0 {
            let message = format!("expected at least one column but logits is {}", inputs[0]);
            return Err(Error::shape(Self::NAME, message));
        }
        if self.count() == 0 {
            let message = "mask must leave at least one column but leaves none of";
            return Err(Error::argument(Self::NAME, format!("{message} {cols}")));
        }
        Ok(Shape::SCALAR)
    }

    fn forward<T: Element>(&self, isa: Isa, inputs: &[Operand<'_, T>], out: &mut [T]) {
        let Shape { rows, cols } = inputs[0].shape;
        let mut logs = vec![T::ZERO; cols];
        let (whole, logits) = ((rows, cols), inputs[0].data);
        softmax::picked_log_softmax(isa, whole, logits, &self.targets, &mut logs);
        let counting = logs.iter().enumerate().filter(|(col, _)| self.counts(*col));
        let sum: f64 = counting.map(|(_, log)| -log.to_f64()).sum();
        out[0] = T::from_f64(sum / self.count() as f64);
    }

    fn backward<T: Element>(&self, isa: Isa, _wrt: usize, pull: Pull<'_, T>, into: &mut [T]) {
        let (shape, logits) = (pull.inputs[0].shape, pull.inputs[0].data);
        let g = pull.grad[0] * T::from_f64(1.0 / self.count() as f64);
        let weight = |col| self.counts(col).then_some(g);
        softmax::accumulate_softmax(isa, shape.dims(), logits, weight, into);
        for (col, &target) in self.targets.iter().enumerate() {
            if self.counts(col) {
                into[col * shape.rows + target] += -g;
            }
        }
    }
}
