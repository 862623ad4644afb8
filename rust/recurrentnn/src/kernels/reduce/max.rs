//! Maxima of columns and rows, and where their gradients go. NaN counts as larger than all numbers.

use super::LANES;
use crate::element::Element;
use crate::element::simd::Simd;
use crate::kernels::isa::{Isa, Task};

/// The largest element, NaN if there is one, negative infinity if there is none.
#[inline(always)]
fn lane_max<T: Element>(values: &[T]) -> T {
    let mut lanes = [T::NEG_INFINITY; LANES];
    let (rows, rest) = values.as_chunks::<LANES>();
    for row in rows {
        for (lane, x) in lanes.iter_mut().zip(row) {
            *lane = lane.maximum(*x);
        }
    }
    let all = lanes.iter().chain(rest);
    all.fold(T::NEG_INFINITY, |max, x| max.maximum(*x))
}

/// `out[j]` = largest element of column j of `a` (rows x cols); NaN wins.
///
/// # Panics
/// If a slice has not the length of its matrix.
pub fn max_per_column<T: Element>(isa: Isa, whole: (usize, usize), a: &[T], out: &mut [T]) {
    check(whole, a, out, whole.1);
    isa.run(MaxPerColumn {
        rows: whole.0,
        a,
        out,
    });
}

struct MaxPerColumn<'a, T> {
    rows: usize,
    a: &'a [T],
    out: &'a mut [T],
}

impl<T: Element> Task for MaxPerColumn<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self) {
        for (j, out) in self.out.iter_mut().enumerate() {
            *out = lane_max(&self.a[j * self.rows..][..self.rows]);
        }
    }
}

/// `out[i]` = largest element of row i of `a` (rows x cols); NaN wins.
///
/// # Panics
/// If a slice has not the length of its matrix.
pub fn max_per_row<T: Element>(isa: Isa, whole: (usize, usize), a: &[T], out: &mut [T]) {
    check(whole, a, out, whole.0);
    isa.run(MaxPerRow { a, out });
}

struct MaxPerRow<'a, T> {
    a: &'a [T],
    out: &'a mut [T],
}

impl<T: Element> Task for MaxPerRow<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self) {
        self.out.fill(T::NEG_INFINITY);
        for column in self.a.chunks_exact(self.out.len().max(1)) {
            for (max, x) in self.out.iter_mut().zip(column) {
                *max = max.maximum(*x);
            }
        }
    }
}

/// Adds `grad[j]` to the element of `into` where column j of `a` first has its maximum `max[j]`.
///
/// # Panics
/// If a slice has not the length of its matrix.
pub fn max_per_column_gradient<T: Element>(
    whole: (usize, usize),
    a: &[T],
    max: &[T],
    grad: &[T],
    into: &mut [T],
) {
    check(whole, into, max, whole.1);
    check(whole, a, grad, whole.1);
    for (j, (max, grad)) in max.iter().zip(grad).enumerate() {
        let mut column = a[j * whole.0..][..whole.0].iter();
        if let Some(i) = column.position(|x| is_max(*x, *max)) {
            into[j * whole.0 + i] += *grad;
        }
    }
}

/// Adds `grad[i]` to the element of `into` where row i of `a` first has its maximum `max[i]`.
///
/// # Panics
/// If a slice has not the length of its matrix.
pub fn max_per_row_gradient<T: Element>(
    whole: (usize, usize),
    a: &[T],
    max: &[T],
    grad: &[T],
    into: &mut [T],
) {
    check(whole, into, max, whole.0);
    check(whole, a, grad, whole.0);
    for (i, (max, grad)) in max.iter().zip(grad).enumerate() {
        let mut row = (0..whole.1).map(|j| i + j * whole.0);
        if let Some(at) = row.find(|at| is_max(a[*at], *max)) {
            into[at] += *grad;
        }
    }
}

fn is_max<T: Element>(x: T, max: T) -> bool {
    x == max || x.is_nan() && max.is_nan()
}

fn check<T>(whole: (usize, usize), a: &[T], reduced: &[T], len: usize) {
    assert_eq!(a.len(), whole.0 * whole.1);
    assert_eq!(reduced.len(), len);
}
