//! What the larger and the smaller of two matrices share.

use super::Pull;
use crate::element::Element;
use crate::kernels::{Cost, Isa, map};

/// The gradient goes to the operand that wins, half to each where they are equal (as PyTorch).
pub(super) fn backward<T: Element>(
    isa: Isa,
    wrt: usize,
    pull: Pull<'_, T>,
    into: &mut [T],
    wins: impl Fn(T, T) -> bool + Sync,
) {
    let operands = [pull.grad, pull.inputs[wrt].data, pull.inputs[1 - wrt].data];
    let half = T::from_f64(0.5);
    map::accumulate(isa, Cost::Cheap, operands, into, |[g, this, other]| {
        if wins(this, other) {
            g
        } else if this == other {
            half * g
        } else {
            T::ZERO
        }
    });
}
