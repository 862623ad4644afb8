//! Gradients that need a column's softmax again.

use rayon::prelude::*;

use super::{shares, sum_of_shares};
use crate::element::Element;
use crate::element::simd::Simd;
use crate::kernels::isa::{Isa, Task};
use crate::kernels::parallel::Cost;
use crate::kernels::reduce::lane_sum_of;

/// `into[:, j] += weight(j) * softmax(a[:, j])`; both rows x cols. A column without a weight is not
/// looked at.
///
/// # Panics
/// If a slice has not the length of its matrix.
pub fn accumulate_softmax<T: Element>(
    isa: Isa,
    whole: (usize, usize),
    a: &[T],
    weight: impl Fn(usize) -> Option<T> + Sync,
    into: &mut [T],
) {
    each_column(whole, [a, a], into, |j, [x, _], into, shares| {
        if let Some(weight) = weight(j) {
            isa.run(AddSoftmax {
                x,
                weight,
                into,
                shares,
            });
        }
    });
}

/// `into[:, j] += grad[:, j] - exp(y[:, j]) * (sum of grad[:, j])` for y = `log_softmax`; all rows x
/// cols.
///
/// # Panics
/// If a slice has not the length of its matrix.
pub fn accumulate_log_softmax_gradient<T: Element>(
    isa: Isa,
    whole: (usize, usize),
    y: &[T],
    grad: &[T],
    into: &mut [T],
) {
    each_column(whole, [y, grad], into, |_, [y, grad], into, shares| {
        isa.run(AddLogGradient {
            y,
            grad,
            into,
            shares,
        });
    });
}

/// `work(j, columns of a, column of into, room for a column)` for every column.
fn each_column<T: Element>(
    (rows, cols): (usize, usize),
    a: [&[T]; 2],
    into: &mut [T],
    work: impl Fn(usize, [&[T]; 2], &mut [T], &mut [T]) + Sync,
) {
    assert!(a.iter().all(|a| a.len() == rows * cols));
    assert_eq!(into.len(), rows * cols);
    if into.is_empty() {
        return;
    }
    let column = |room: &mut Vec<T>, (j, into): (usize, &mut [T])| {
        work(j, a.map(|a| &a[j * rows..][..rows]), into, room);
    };
    let room = || vec![T::ZERO; rows];
    if Cost::Transcendental.splits(into.len()) {
        let columns = into.par_chunks_exact_mut(rows).enumerate();
        columns.for_each_init(room, column);
    } else {
        let mut room = room();
        let columns = into.chunks_exact_mut(rows).enumerate();
        columns.for_each(|each| column(&mut room, each));
    }
}

struct AddSoftmax<'a, T> {
    x: &'a [T],
    weight: T,
    into: &'a mut [T],
    shares: &'a mut [T],
}

impl<T: Element> Task for AddSoftmax<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self) {
        let scale = self.weight / shares::<T::Vector<S>>(self.x, self.shares);
        for (into, share) in self.into.iter_mut().zip(self.shares) {
            *into += *share * scale;
        }
    }
}

struct AddLogGradient<'a, T> {
    y: &'a [T],
    grad: &'a [T],
    into: &'a mut [T],
    shares: &'a mut [T],
}

impl<T: Element> Task for AddLogGradient<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self) {
        sum_of_shares::<T::Vector<S>>(self.y, T::ZERO, Some(self.shares));
        let total = T::from_f64(lane_sum_of([self.grad], |[g]| g));
        let terms = self.grad.iter().zip(self.shares);
        for (into, (grad, share)) in self.into.iter_mut().zip(terms) {
            *into += *grad - *share * total;
        }
    }
}
