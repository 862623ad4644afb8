//! The loop of an optimizer: a weight, its gradient and its running mean change in step.

use rayon::prelude::*;

use super::isa::{Isa, Task};
use super::parallel::Cost;
use crate::element::Element;
use crate::element::simd::Simd;

/// Calls `rule(&mut value[i], &mut grad[i], &mut mean[i])` for every i; returns how often it was true.
///
/// # Panics
/// If the slices differ in length.
pub fn update<T, F>(isa: Isa, value: &mut [T], grad: &mut [T], mean: &mut [T], rule: F) -> usize
where
    T: Element,
    F: Fn(&mut T, &mut T, &mut T) -> bool + Sync,
{
    assert_eq!(value.len(), grad.len());
    assert_eq!(value.len(), mean.len());
    let rule = &rule;
    if !Cost::Cheap.splits(value.len()) {
        return isa.run(Update {
            value,
            grad,
            mean,
            rule,
        });
    }
    let piece = Cost::Cheap.piece();
    let gradients = grad.par_chunks_mut(piece).zip(mean.par_chunks_mut(piece));
    let pieces = value.par_chunks_mut(piece).zip(gradients);
    pieces
        .map(|(value, (grad, mean))| {
            isa.run(Update {
                value,
                grad,
                mean,
                rule,
            })
        })
        .sum()
}

struct Update<'a, T, F> {
    value: &'a mut [T],
    grad: &'a mut [T],
    mean: &'a mut [T],
    rule: &'a F,
}

impl<T: Element, F: Fn(&mut T, &mut T, &mut T) -> bool> Task for Update<'_, T, F> {
    type Output = usize;

    #[inline(always)]
    fn run<S: Simd>(self) -> usize {
        let Self {
            value,
            grad,
            mean,
            rule,
        } = self;
        let gradients = grad.iter_mut().zip(mean);
        let mut count = 0;
        for (value, (grad, mean)) in value.iter_mut().zip(gradients) {
            count += usize::from(rule(value, grad, mean));
        }
        count
    }
}

#[cfg(test)]
mod tests {
    use super::super::naive::{for_all, numbers};
    use super::*;

    fn updates_every_element_once<T: Element>(isa: Isa) {
        for len in [0, 1, 17, 140_000] {
            let [w, g, s] = [1, 2, 3].map(|seed| numbers::<T>(seed, len));
            let (mut value, mut grad, mut mean) = (w.clone(), g.clone(), s.clone());
            let count = update(isa, &mut value, &mut grad, &mut mean, |w, g, s| {
                *s += *g * *g;
                *w = *w - *g;
                let positive = *g > T::ZERO;
                *g = T::ZERO;
                positive
            });
            assert_eq!(count, g.iter().filter(|g| **g > T::ZERO).count());
            for i in 0..len {
                let expected = (w[i] - g[i], T::ZERO, s[i] + g[i] * g[i]);
                assert_eq!((value[i], grad[i], mean[i]), expected);
            }
        }
    }

    #[test]
    fn all_three_slices_change_in_step() {
        for_all!(updates_every_element_once);
    }
}
