//! Matrix products, `c += op(a) * op(b)`.
//!
//! Every element of `c` is one chain, `c = mul_add(a[i, p], b[p, j], c)` with p ascending: blocks,
//! tiles, panels and threads split rows and columns of `c`, and walk p in order. So the bits of an
//! element depend on its row of `a`, its column of `b` and the instruction set, on nothing else:
//! neither on the batch it is computed in nor on the number of threads.

mod bulk;
mod vector;

use rayon::prelude::*;
use smallvec::SmallVec;

use self::bulk::{Bulk, Left};
use self::vector::VectorBlock;
use super::helpers;
use super::isa::Isa;
use super::panel::tile::TILE_COLS;
use super::parallel::threads;
use crate::element::Element;

/// Which operand is stored transposed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Product {
    /// `a` is m x k, `b` is k x n.
    Plain,
    /// `a` is stored k x m.
    TransposedLeft,
    /// `b` is stored n x k.
    TransposedRight,
}

/// From so many multiply-adds on (some 20 microseconds of one core) threads pay.
const PARALLEL_MACS: usize = 1 << 20;
/// The same where each element of a matrix is used once, so that reading it sets the pace.
const PARALLEL_VECTOR_MACS: usize = 1 << 18;
/// Rows and columns of `c` go to threads in multiples of a cache line or of a tile.
const ROW_GRAIN: usize = 16;
const COLUMN_GRAIN: usize = TILE_COLS;

/// Adds the m x n product of `op(a)` (m x k) and `op(b)` (k x n) to `c`.
///
/// # Panics
/// If a slice has not the length of its matrix.
#[allow(clippy::too_many_arguments)] // the names and the order are the field's
pub fn gemm<T: Element>(
    isa: Isa,
    product: Product,
    m: usize,
    n: usize,
    k: usize,
    a: &[T],
    b: &[T],
    c: &mut [T],
) {
    assert_eq!(a.len(), m * k);
    assert_eq!(b.len(), k * n);
    assert_eq!(c.len(), m * n);
    if c.is_empty() || k == 0 {
        return;
    }
    let a = Strided::new(a, m, k, product == Product::TransposedLeft);
    let b = Strided::new(b, k, n, product == Product::TransposedRight);
    let c = Output {
        start: c.as_mut_ptr(),
        column_step: m,
    };
    // A vector is contiguous, stored transposed or not; a row is the transpose of a column:
    // c' += op(b)' * op(a)'.
    if n == 1 && a.row_step == 1 {
        vector_product(isa, m, a, b.values, c);
    } else if m == 1 && b.column_step == 1 {
        vector_product(isa, n, b.transposed(), a.values, c);
    } else if m == 1 {
        let x = Strided::new(a.values, k, 1, false);
        let (a, column_step) = (b.transposed(), n);
        bulk_product(
            isa,
            &[Left {
                rows: n,
                a,
                c: Output { column_step, ..c },
            }],
            x,
            (k, 1),
        );
    } else {
        bulk_product(isa, &[Left { rows: m, a, c }], b, (k, n));
    }
}

/// One weight's gradient in [`outer`].
#[derive(Debug)]
pub struct Outer<'a, T> {
    /// Rows of the weight.
    pub rows: usize,
    /// The gradient of the product, rows x cols.
    pub dz: &'a [T],
    /// The gradient of the weight, rows x operand_rows.
    pub dw: &'a mut [T],
}

/// Adds `dz * operand'` to each `dw`, with the operand operand_rows x cols: gradients of weights
/// that were multiplied with the same operand.
///
/// # Panics
/// If a slice has not the length of its matrix.
pub fn outer<T: Element>(
    isa: Isa,
    targets: &mut [Outer<'_, T>],
    operand: &[T],
    operand_rows: usize,
    cols: usize,
) {
    assert_eq!(operand.len(), operand_rows * cols);
    let lefts: Vec<_> = targets
        .iter_mut()
        .map(|Outer { rows, dz, dw }| {
            assert_eq!(dz.len(), *rows * cols);
            assert_eq!(dw.len(), *rows * operand_rows);
            let c = Output {
                start: dw.as_mut_ptr(),
                column_step: *rows,
            };
            let a = Strided::new(dz, *rows, cols, false);
            Left { rows: *rows, a, c }
        })
        .filter(|left| left.rows > 0)
        .collect();
    if !lefts.is_empty() && operand_rows > 0 && cols > 0 {
        let b = Strided::new(operand, cols, operand_rows, true);
        bulk_product(isa, &lefts, b, (cols, operand_rows));
    }
}

/// `c += a * b` of all `lefts`: b is k x n.
fn bulk_product<T: Element>(
    isa: Isa,
    lefts: &[Left<'_, T>],
    b: Strided<'_, T>,
    (k, n): (usize, usize),
) {
    let multiply = |lefts: &[Left<'_, T>], j0: usize, cols: usize| {
        let lefts: SmallVec<[_; 4]> = (lefts.iter())
            .map(|left| Left {
                c: left.c.from(0, j0),
                ..*left
            })
            .collect();
        Bulk {
            isa,
            lefts: &lefts,
            b: b.from(0, j0),
            depth: k,
            cols,
        }
        .run();
    };
    let m: usize = lefts.iter().map(|left| left.rows).sum();
    let parts = threads_for(m * n * k, PARALLEL_MACS);
    if parts == 1 {
        multiply(lefts, 0, n);
    } else if m >= n.min(parts * 4 * ROW_GRAIN) {
        // Rows by preference: then no thread packs a row of `a` that another packs too.
        split(m, parts, ROW_GRAIN, &|from, rows| {
            multiply(&rows_of(lefts, from, from + rows), 0, n);
        });
    } else {
        split(n, parts, COLUMN_GRAIN, &|j0, cols| {
            multiply(lefts, j0, cols);
        });
    }
}

/// What rows `from..to` of all lefts below one another have of each.
fn rows_of<'a, T: Copy>(lefts: &[Left<'a, T>], from: usize, to: usize) -> Vec<Left<'a, T>> {
    let mut end = 0;
    let mut some = Vec::new();
    for left in lefts {
        let start = end;
        end += left.rows;
        let (from, to) = (from.max(start), to.min(end));
        if from < to {
            some.push(Left {
                rows: to - from,
                a: left.a.from(from - start, 0),
                c: left.c.from(from - start, 0),
            });
        }
    }
    some
}

fn vector_product<T: Element>(isa: Isa, rows: usize, a: Strided<'_, T>, x: &[T], y: Output<T>) {
    let multiply = |i0: usize, rows: usize| {
        isa.run(VectorBlock {
            rows,
            a: a.from(i0, 0),
            x,
            y: y.from(i0, 0),
        });
    };
    let parts = threads_for(rows * x.len(), PARALLEL_VECTOR_MACS);
    if parts == 1 {
        multiply(0, rows);
    } else {
        split(rows, parts, ROW_GRAIN, &multiply);
    }
}

fn threads_for(macs: usize, least: usize) -> usize {
    if macs < least {
        1
    } else {
        threads().clamp(1, macs * 2 / least)
    }
}

/// Does the work on about `parts` pieces of `len`, cut at multiples of `grain`, at the same time: it is
/// given where each starts and how long it is.
fn split(len: usize, parts: usize, grain: usize, work: &(impl Fn(usize, usize) + Sync)) {
    let piece = len.div_ceil(parts).next_multiple_of(grain);
    let pieces = len.div_ceil(piece);
    let one = |i: usize| work(i * piece, piece.min(len - i * piece));
    if rayon::current_thread_index().is_some() {
        // In somebody's pool only its threads work.
        let all = (0..pieces).into_par_iter().with_max_len(1);
        all.for_each(one);
    } else {
        helpers::together(pieces, &one, || one(0));
    }
}

/// An operand: element (i, j) is `values[i * row_step + j * column_step]`, and one step is 1.
#[derive(Clone, Copy)]
struct Strided<'a, T> {
    values: &'a [T],
    row_step: usize,
    column_step: usize,
}

impl<'a, T> Strided<'a, T> {
    fn new(values: &'a [T], rows: usize, cols: usize, stored_transposed: bool) -> Self {
        let (row_step, column_step) = if stored_transposed {
            (cols, 1)
        } else {
            (1, rows)
        };
        Self {
            values,
            row_step,
            column_step,
        }
    }

    fn transposed(self) -> Self {
        Self {
            row_step: self.column_step,
            column_step: self.row_step,
            ..self
        }
    }

    /// What lies right of and below (i, j).
    fn from(self, i: usize, j: usize) -> Self {
        Self {
            values: &self.values[i * self.row_step + j * self.column_step..],
            ..self
        }
    }
}

/// `c`: element (i, j) is at `start + i + j * column_step`. A pointer, because blocks of rows of a
/// column-major matrix are disjoint without being slices.
#[derive(Clone, Copy)]
struct Output<T> {
    start: *mut T,
    column_step: usize,
}

// SAFETY: threads get disjoint blocks of `c`, which `gemm` borrows mutably until they are done.
unsafe impl<T: Send> Send for Output<T> {}
// SAFETY: as above; a shared `Output` only makes further ones.
unsafe impl<T: Send> Sync for Output<T> {}

impl<T> Output<T> {
    fn from(self, i: usize, j: usize) -> Self {
        Self {
            start: self.start.wrapping_add(i + j * self.column_step),
            ..self
        }
    }
}

#[cfg(test)]
mod tests;
