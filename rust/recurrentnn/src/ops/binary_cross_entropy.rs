use super::{Operand, Pull, Rule, Sigmoid, pointwise_loss};
use crate::element::Element;
use crate::error::{Error, Result};
use crate::kernels::formula::map_formula;
use crate::kernels::{Cost, Isa};
use crate::shape::Shape;

/// Mean of -t ln y - (1 - t) ln(1 - y) with y = sigmoid(x), over all elements of logits x and target
/// t in [0, 1], as max(x, 0) - t x + ln(1 + e^-|x|), which stays finite for any finite x: PyTorch's
/// `binary_cross_entropy_with_logits`. dx = y - t, dt = -x.
#[derive(Clone, Copy, Debug)]
pub struct BinaryCrossEntropy {}

impl Rule for BinaryCrossEntropy {
    const NAME: &'static str = "binary_cross_entropy";

    fn shape(&self, inputs: &[Shape]) -> Result<Shape> {
        pointwise_loss::shape(Self::NAME, inputs)
    }

    fn check<T: Element>(&self, inputs: &[Operand<'_, T>]) -> Result<()> {
        let outside = |t: &&T| !(T::ZERO..=T::ONE).contains(*t);
        match inputs[1].data.iter().find(outside) {
            None => Ok(()),
            Some(t) => {
                let message = format!("target must be in [0, 1] but holds {t}");
                Err(Error::argument(Self::NAME, message))
            }
        }
    }

    fn forward<T: Element>(&self, isa: Isa, inputs: &[Operand<'_, T>], out: &mut [T]) {
        pointwise_loss::forward(isa, Cost::Called, inputs, out, |x, t| {
            x.maximum(T::ZERO) - t * x + (-x.abs()).exp().ln_1p()
        });
    }

    fn backward<T: Element>(&self, isa: Isa, wrt: usize, pull: Pull<'_, T>, into: &mut [T]) {
        if wrt == 0 {
            let mut y = vec![T::ZERO; into.len()];
            map_formula(isa, &Sigmoid {}, pull.inputs[0].data, &mut y);
            let y = Operand {
                data: &y,
                ..pull.inputs[0]
            };
            let pull = Pull {
                inputs: &[y, pull.inputs[1]],
                ..pull
            };
            pointwise_loss::backward(isa, Cost::Cheap, pull, into, |y, t| y - t);
        } else {
            pointwise_loss::backward(isa, Cost::Cheap, pull, into, |x, _| -x);
        }
    }
}
