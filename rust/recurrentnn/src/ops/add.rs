use smallvec::SmallVec;

use super::{Form, Operand, Pull, Rule, broadcast};
use crate::element::Element;
use crate::error::{Error, Result};
use crate::kernels::broadcast::{Extent, accumulate_broadcast, map_broadcast};
use crate::kernels::{Cost, Isa};
use crate::shape::Shape;

/// The sum of any number of matrices, from left to right; columns, rows and 1x1 broadcast.
#[derive(Clone, Copy, Debug)]
pub struct Add {}

impl Rule for Add {
    const NAME: &'static str = "add";

    fn shape(&self, inputs: &[Shape]) -> Result<Shape> {
        let Some((first, rest)) = inputs.split_first() else {
            return Err(Error::argument(
                Self::NAME,
                "takes at least one matrix but none came",
            ));
        };
        rest.iter().try_fold(*first, |sum, shape| {
            broadcast::both(Self::NAME, sum, *shape)
        })
    }

    fn form(&self) -> Form {
        Form::Sum
    }

    fn forward<T: Element>(&self, isa: Isa, inputs: &[Operand<'_, T>], out: &mut [T]) {
        let whole = inputs.iter().fold(inputs[0].shape, |sum, input| {
            sum.broadcast(input.shape).unwrap_or(sum)
        });
        let (dims, cheap) = (whole.dims(), Cost::Cheap);
        let terms: SmallVec<[_; 4]> = inputs.iter().map(|&m| broadcast::of(m, whole)).collect();
        // Most sums have three terms, W x + U h + b: one pass over the output.
        let rest = match terms[..] {
            [] => return,
            [a] => {
                map_broadcast(isa, cheap, dims, [a], out, |[a]| a);
                &terms[1..]
            }
            [a, b] => {
                map_broadcast(isa, cheap, dims, [a, b], out, |[a, b]| a + b);
                &terms[2..]
            }
            [a, b, c, ..] => {
                map_broadcast(isa, cheap, dims, [a, b, c], out, |[a, b, c]| a + b + c);
                &terms[3..]
            }
        };
        for &term in rest {
            accumulate_broadcast(isa, cheap, dims, [term], Extent::Full, out, |[x]| x);
        }
    }

    fn backward<T: Element>(&self, isa: Isa, wrt: usize, pull: Pull<'_, T>, into: &mut [T]) {
        broadcast::pull_back(isa, wrt, pull, [pull.grad_operand()], into, |[g]| g);
    }
}
