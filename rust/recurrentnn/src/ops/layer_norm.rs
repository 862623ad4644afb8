use super::{Form, Operand, Pull, Rule, accumulate, expect_operands};
use crate::element::Element;
use crate::error::{Error, Result};
use crate::kernels::Isa;
use crate::kernels::normal::{Normal, normalise, pull_gain, pull_x};
use crate::shape::Shape;

/// Layer normalisation (Ba et al. 2016) of each column x of n rows:
///
/// ```text
/// y = gain (x - mean) / s + bias,  s = sqrt(mean of (x - mean)^2 + eps)
/// ```
///
/// The gradient of x, with z = (x - mean) / s and d = gain g: (d - mean d - z mean(z d)) / s.
#[derive(Clone, Copy, Debug)]
pub struct LayerNorm {
    /// Keeps s above 0; inside the root, as in PyTorch.
    pub eps: f64,
}

impl LayerNorm {
    fn normal<'a, T>(self, inputs: &[Operand<'a, T>]) -> Normal<'a, T> {
        Normal {
            rows: inputs[0].shape.rows.max(1),
            eps: self.eps,
            x: inputs[0].data,
            gain: inputs[1].data,
        }
    }
}

impl Rule for LayerNorm {
    const NAME: &'static str = "layer_norm";

    fn shape(&self, inputs: &[Shape]) -> Result<Shape> {
        expect_operands(Self::NAME, inputs, 3)?;
        for (name, shape) in [("gain", inputs[1]), ("bias", inputs[2])] {
            if shape != Shape::new(inputs[0].rows, 1) {
                let message = format!("{name} must be {}x1 but is {shape}", inputs[0].rows);
                return Err(Error::shape(Self::NAME, message));
            }
        }
        if inputs[0].rows == 0 && inputs[0].cols > 0 {
            let message = format!("m must have at least one row but is {}", inputs[0]);
            return Err(Error::shape(Self::NAME, message));
        }
        if self.eps >= 0.0 && self.eps.is_finite() {
            return Ok(inputs[0]);
        }
        let message = format!("eps must be finite and not negative but is {}", self.eps);
        Err(Error::argument(Self::NAME, message))
    }

    fn form(&self) -> Form {
        Form::Columns
    }

    fn forward<T: Element>(&self, isa: Isa, inputs: &[Operand<'_, T>], out: &mut [T]) {
        normalise(isa, self.normal(inputs), inputs[2].data, out);
    }

    fn backward<T: Element>(&self, isa: Isa, wrt: usize, pull: Pull<'_, T>, into: &mut [T]) {
        let normal = self.normal(pull.inputs);
        match wrt {
            0 => pull_x(isa, normal, pull.grad, into),
            1 => pull_gain(isa, normal, pull.grad, into),
            _ => {
                for g in pull.grad.chunks_exact(normal.rows) {
                    accumulate(into, g);
                }
            }
        }
    }
}
