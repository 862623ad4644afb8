//! A running average of weights, in one pass.

use rayon::prelude::*;

use super::isa::{Isa, Task};
use super::parallel::Cost;
use crate::element::Element;
use crate::element::simd::{Simd, Vector};

/// `average[i] += share * (value[i] - average[i])`.
///
/// # Panics
/// If the slices differ in length.
pub fn blend<T: Element>(isa: Isa, share: f64, value: &[T], average: &mut [T]) {
    assert_eq!(value.len(), average.len());
    let blend = |(value, average)| {
        isa.run(Blend {
            share,
            value,
            average,
        });
    };
    if Cost::Cheap.splits(value.len()) {
        let size = Cost::Cheap.piece();
        let pieces = value.par_chunks(size).zip(average.par_chunks_mut(size));
        pieces.for_each(blend);
    } else {
        blend((value, average));
    }
}

struct Blend<'a, T> {
    share: f64,
    value: &'a [T],
    average: &'a mut [T],
}

impl<T: Element> Task for Blend<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self) {
        let lanes = T::Vector::<S>::LANES;
        let share = T::Vector::<S>::number(self.share);
        let values = self.value.chunks_exact(lanes);
        let rest = values.remainder();
        let mut averages = self.average.chunks_exact_mut(lanes);
        for (value, average) in values.zip(&mut averages) {
            let (w, a) = (T::Vector::<S>::load(value), T::Vector::<S>::load(average));
            (a + share * (w - a)).store(average);
        }
        if !rest.is_empty() {
            let average = averages.into_remainder();
            let w = T::Vector::<S>::load_first(rest);
            let a = T::Vector::<S>::load_first(average);
            (a + share * (w - a)).store_first(average);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::naive::{for_all, numbers, with_threads};
    use super::*;

    fn is_naive<T: Element>(isa: Isa) {
        for len in [0, 1, 3, 16, 17, 33, 400, 140_003] {
            let (value, before) = (numbers::<T>(1, len), numbers::<T>(2, len));
            for threads in [1, 3] {
                let mut average = before.clone();
                with_threads(threads, || blend(isa, 0.3, &value, &mut average));
                for i in 0..len {
                    let moved = before[i] + T::from_f64(0.3) * (value[i] - before[i]);
                    assert_eq!(average[i], moved);
                }
            }
        }
    }

    #[test]
    fn every_average_moves_towards_its_value() {
        for_all!(is_naive);
    }
}
