//! Elementwise loops over slices of equal length.
//!
//! The function of one element is a closure; it is compiled into the loop of each instruction set,
//! so closures of plain arithmetic become vector code. No product is fused with a sum here: the
//! result has the same bits on every instruction set. What calls exp and its kin is a
//! [`Formula`](super::formula::Formula), over registers.

use rayon::prelude::*;

use super::isa::{Isa, Task};
use super::parallel::Cost;
use crate::element::Element;
use crate::element::simd::Simd;

/// `out[i] = f([inputs[0][i], inputs[1][i], ...])`.
///
/// # Panics
/// If the slices differ in length.
pub fn map<T, F, const N: usize>(isa: Isa, cost: Cost, inputs: [&[T]; N], out: &mut [T], f: F)
where
    T: Element,
    F: Fn([T; N]) -> T + Sync,
{
    each_piece::<T, F, N, false>(isa, cost, inputs, out, &f);
}

/// `into[i] += f([inputs[0][i], inputs[1][i], ...])`.
///
/// # Panics
/// If the slices differ in length.
pub fn accumulate<T, F, const N: usize>(
    isa: Isa,
    cost: Cost,
    inputs: [&[T]; N],
    into: &mut [T],
    f: F,
) where
    T: Element,
    F: Fn([T; N]) -> T + Sync,
{
    each_piece::<T, F, N, true>(isa, cost, inputs, into, &f);
}

fn each_piece<T, F, const N: usize, const ADD: bool>(
    isa: Isa,
    cost: Cost,
    inputs: [&[T]; N],
    out: &mut [T],
    f: &F,
) where
    T: Element,
    F: Fn([T; N]) -> T + Sync,
{
    assert!(inputs.iter().all(|input| input.len() == out.len()));
    if !cost.splits(out.len()) {
        return isa.run(Map::<_, _, N, ADD> { inputs, out, f });
    }
    let piece = cost.piece();
    out.par_chunks_mut(piece).enumerate().for_each(|(i, out)| {
        let inputs = inputs.map(|input| &input[i * piece..][..out.len()]);
        isa.run(Map::<_, _, N, ADD> { inputs, out, f });
    });
}

/// One piece of [`map`] or, with `ADD`, of [`accumulate`].
pub(super) struct Map<'a, T, F, const N: usize, const ADD: bool> {
    pub(super) inputs: [&'a [T]; N],
    pub(super) out: &'a mut [T],
    pub(super) f: &'a F,
}

impl<T, F, const N: usize, const ADD: bool> Task for Map<'_, T, F, N, ADD>
where
    T: Element,
    F: Fn([T; N]) -> T,
{
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self) {
        let Self { inputs, out, f } = self;
        // One length, known to all: no bounds check is left in the loop.
        let inputs = inputs.map(|input| &input[..out.len()]);
        for i in 0..out.len() {
            let y = f(inputs.map(|input| input[i]));
            out[i] = if ADD { out[i] + y } else { y };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::naive::{for_all, numbers};
    use super::*;

    fn maps_are_the_closure_of_each_element<T: Element>(isa: Isa) {
        for len in [0, 1, 2, 15, 16, 17, 33, 100, 8193, 140_000] {
            let [a, b, c] = [1, 2, 3].map(|seed| numbers::<T>(seed, len));
            let f = |x: T, y: T, z: T| x * y + z.exp();
            let expected: Vec<T> = (0..len).map(|i| f(a[i], b[i], c[i])).collect();
            for cost in [Cost::Cheap, Cost::Transcendental, Cost::Called] {
                let mut out = vec![T::NAN; len];
                map(isa, cost, [&a, &b, &c], &mut out, |[x, y, z]| f(x, y, z));
                assert_eq!(out, expected);
                accumulate(isa, cost, [&a], &mut out, |[x]| x);
                for (i, out) in out.into_iter().enumerate() {
                    assert_eq!(out, expected[i] + a[i]);
                }
            }
        }
    }

    #[test]
    fn maps_have_the_same_bits_on_every_instruction_set() {
        for_all!(maps_are_the_closure_of_each_element);
    }

    #[test]
    #[should_panic(expected = "len")]
    fn unequal_lengths_are_refused() {
        map(Isa::PORTABLE, Cost::Cheap, [&[1.0_f32]], &mut [], |[x]| x);
    }
}
