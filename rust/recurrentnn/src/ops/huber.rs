use super::{Operand, Pull, Rule, pointwise_loss};
use crate::element::Element;
use crate::error::{Error, Result};
use crate::kernels::{Cost, Isa};
use crate::shape::Shape;

/// Mean of Huber's loss (1964) over all elements of prediction p and target t: with e = p - t,
/// e^2 / 2 for |e| <= delta, delta (|e| - delta / 2) beyond; its derivative is e, clipped to ±delta.
#[derive(Clone, Copy, Debug)]
pub struct Huber {
    /// Where the parabola becomes a line.
    pub delta: f64,
}

impl Rule for Huber {
    const NAME: &'static str = "huber";

    fn shape(&self, inputs: &[Shape]) -> Result<Shape> {
        if !(self.delta > 0.0 && self.delta.is_finite()) {
            let message = format!("delta must be finite and above 0 but is {}", self.delta);
            return Err(Error::argument(Self::NAME, message));
        }
        pointwise_loss::shape(Self::NAME, inputs)
    }

    fn forward<T: Element>(&self, isa: Isa, inputs: &[Operand<'_, T>], out: &mut [T]) {
        let (delta, half) = (T::from_f64(self.delta), T::from_f64(0.5));
        pointwise_loss::forward(isa, Cost::Cheap, inputs, out, |p, t| {
            let e = (p - t).abs();
            if e <= delta {
                half * e * e
            } else {
                delta * (e - half * delta)
            }
        });
    }

    fn backward<T: Element>(&self, isa: Isa, wrt: usize, pull: Pull<'_, T>, into: &mut [T]) {
        let (delta, sign) = (
            T::from_f64(self.delta),
            if wrt == 0 { T::ONE } else { -T::ONE },
        );
        pointwise_loss::backward(isa, Cost::Cheap, pull, into, |p, t| {
            sign * (p - t).minimum(delta).maximum(-delta)
        });
    }
}
