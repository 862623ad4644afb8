use super::{Form, Operand, Pull, Rule, expect_operands};
use crate::element::Element;
use crate::error::{Error, Result};
use crate::kernels::Isa;
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
    /// mean and 1 / s of a column.
    fn moments<T: Element>(self, x: &[T]) -> (T, T) {
        let mean_of = |f: &dyn Fn(T) -> T| {
            let sum: f64 = x.iter().map(|&x| f(x).to_f64()).sum();
            T::from_f64(sum / x.len() as f64)
        };
        let mean = mean_of(&|x| x);
        let variance = mean_of(&|x| (x - mean) * (x - mean));
        (mean, T::ONE / (variance + T::from_f64(self.eps)).sqrt())
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

    fn forward<T: Element>(&self, _isa: Isa, inputs: &[Operand<'_, T>], out: &mut [T]) {
        let rows = inputs[0].shape.rows.max(1);
        for (out, x) in out
            .chunks_exact_mut(rows)
            .zip(inputs[0].data.chunks_exact(rows))
        {
            let (mean, inverse) = self.moments(x);
            for (row, (out, &x)) in out.iter_mut().zip(x).enumerate() {
                *out = inputs[1].data[row] * ((x - mean) * inverse) + inputs[2].data[row];
            }
        }
    }

    fn backward<T: Element>(&self, _isa: Isa, wrt: usize, pull: Pull<'_, T>, into: &mut [T]) {
        let (x, gain) = (pull.inputs[0], pull.inputs[1].data);
        let rows = x.shape.rows.max(1);
        for (col, (x, g)) in x
            .data
            .chunks_exact(rows)
            .zip(pull.grad.chunks_exact(rows))
            .enumerate()
        {
            let (mean, inverse) = self.moments(x);
            let z = |row: usize| (x[row] - mean) * inverse;
            if wrt > 0 {
                for (row, into) in into.iter_mut().enumerate() {
                    *into += if wrt == 1 { g[row] * z(row) } else { g[row] };
                }
                continue;
            }
            let d = |row: usize| gain[row] * g[row];
            let mean_of = |f: &dyn Fn(usize) -> T| {
                let sum: f64 = (0..rows).map(|row| f(row).to_f64()).sum();
                T::from_f64(sum / rows as f64)
            };
            let (mean_d, mean_zd) = (mean_of(&d), mean_of(&|row| z(row) * d(row)));
            for (row, into) in into[col * rows..][..rows].iter_mut().enumerate() {
                *into += (d(row) - mean_d - z(row) * mean_zd) * inverse;
            }
        }
    }
}
