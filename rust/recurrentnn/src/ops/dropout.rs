use super::{Operand, Pull, Rule, expect_operands};
use crate::element::Element;
use crate::error::{Error, Result};
use crate::kernels::{Cost, Isa, map};
use crate::random::{Purpose, Stream};
use crate::shape::Shape;

/// Every element is 0 with probability `rate`, else x / (1 - rate) (Srivastava et al. 2014).
///
/// Element k, counted column by column, stays where draw k of (seed, step) is not below the rate: the
/// backward pass draws the same mask again instead of keeping it.
#[derive(Clone, Copy, Debug)]
pub struct Dropout {
    /// Probability of 0.
    pub rate: f64,
    /// Seed of the masks.
    pub seed: u64,
    /// Which mask of the seed.
    pub step: u32,
}

impl Dropout {
    /// What every element is multiplied by: 0 or 1 / (1 - rate).
    fn mask<T: Element>(&self, len: usize) -> Vec<T> {
        let stream = Stream::new(self.seed, Purpose::Dropout, self.step);
        let mut mask = vec![T::ZERO; len];
        stream.fill_keep(&mut mask, self.rate);
        mask
    }
}

impl Rule for Dropout {
    const NAME: &'static str = "dropout";

    fn shape(&self, inputs: &[Shape]) -> Result<Shape> {
        expect_operands(Self::NAME, inputs, 1)?;
        if (0.0..1.0).contains(&self.rate) {
            return Ok(inputs[0]);
        }
        let message = format!("rate must be in [0, 1) but is {}", self.rate);
        Err(Error::argument(Self::NAME, message))
    }

    fn forward<T: Element>(&self, isa: Isa, inputs: &[Operand<'_, T>], out: &mut [T]) {
        let mask = self.mask(out.len());
        map::map(
            isa,
            Cost::Cheap,
            [inputs[0].data, &mask],
            out,
            |[x, factor]| x * factor,
        );
    }

    fn backward<T: Element>(&self, isa: Isa, _wrt: usize, pull: Pull<'_, T>, into: &mut [T]) {
        let mask = self.mask(into.len());
        map::accumulate(isa, Cost::Cheap, [pull.grad, &mask], into, |[g, factor]| {
            g * factor
        });
    }
}
