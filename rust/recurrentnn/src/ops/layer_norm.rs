use super::{Form, Operand, Pull, Rule, expect_operands};
use crate::element::Element;
use crate::error::{Error, Result};
use crate::kernels::broadcast::{self, Extent, accumulate_broadcast};
use crate::kernels::{Cost, Isa, layer_norm};
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
        self.kernel(isa, inputs).normalise(inputs[2].data, out);
    }

    fn backward<T: Element>(&self, isa: Isa, wrt: usize, pull: Pull<'_, T>, into: &mut [T]) {
        let (kernel, grad) = (self.kernel(isa, pull.inputs), pull.grad);
        match wrt {
            0 => kernel.accumulate_gradient(grad, into),
            1 => kernel.accumulate_gain_gradient(grad, into),
            _ => {
                let whole = pull.inputs[0].shape.dims();
                let grad = broadcast::Operand::new(grad, whole, whole);
                let (cost, column) = (Cost::Cheap, Extent::Column);
                accumulate_broadcast(isa, cost, whole, [grad], column, into, |[g]| g);
            }
        }
    }
}

impl LayerNorm {
    fn kernel<'a, T>(self, isa: Isa, inputs: &[Operand<'a, T>]) -> layer_norm::LayerNorm<'a, T> {
        layer_norm::LayerNorm {
            isa,
            eps: self.eps,
            x: inputs[0].data,
            gain: inputs[1].data,
        }
    }
}
