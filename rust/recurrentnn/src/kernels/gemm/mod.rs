//! Matrix products, `c += op(a) * op(b)`.
//!
//! Every element of `c` is one chain, `c = mul_add(a[i, p], b[p, j], c)` with p ascending: blocks,
//! tiles, panels and threads split rows and columns of `c`, and walk p in order. So the bits of an
//! element depend on its row of `a`, its column of `b` and the instruction set, on nothing else:
//! neither on the batch it is computed in nor on the number of threads. (The sums that [`outer`] takes of
//! columns have an order of their own, which depends on the depth and the instruction set.)

mod bulk;
mod operands;
mod vector;

use rayon::prelude::*;
use smallvec::SmallVec;

use self::bulk::{Bulk, Left, Right};
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
        let c = Output {
            column_step: n,
            ..c
        };
        bulk_product(
            isa,
            &[Left::new(n, b.transposed(), c)],
            &[Right { b: x, cols: 1 }],
            k,
        );
    } else {
        bulk_product(isa, &[Left::new(m, a, c)], &[Right { b, cols: n }], k);
    }
}

/// The gradient of some sum of products in [`outer`], and the gradients that follow from it.
#[derive(Debug)]
pub struct Outer<'a, T> {
    /// Rows of the sum.
    pub rows: usize,
    /// Its gradient, rows x cols.
    pub dz: &'a [T],
    /// The gradients of weights, rows x the operand's rows, each with the number of its operand.
    pub weights: Vec<(usize, &'a mut [T])>,
    /// The gradient of a bias, of as many rows.
    pub bias: Option<&'a mut [T]>,
}

/// Adds `dz * operand'` to the gradient of each weight, and the sum of the columns of `dz` to that of
/// the bias. An operand comes with its rows; it has `cols` columns, too.
///
/// # Panics
/// If a slice has not the length of its matrix.
pub fn outer<T: Element>(
    isa: Isa,
    targets: &mut [Outer<'_, T>],
    operands: &[(&[T], usize)],
    cols: usize,
) {
    let rights: SmallVec<[_; 4]> = (operands.iter())
        .map(|&(operand, rows)| {
            assert_eq!(operand.len(), rows * cols);
            let b = Strided::new(operand, cols, rows, true);
            Right { b, cols: rows }
        })
        .collect();
    let lefts: Vec<_> = (targets.iter_mut())
        .map(|target| {
            let rows = target.rows;
            assert_eq!(target.dz.len(), rows * cols);
            let output = |dw: &mut [T], columns: usize| {
                assert_eq!(dw.len(), rows * columns);
                Output {
                    start: dw.as_mut_ptr(),
                    column_step: rows,
                }
            };
            let weights = target.weights.iter_mut();
            Left {
                rows,
                a: Strided::new(target.dz, rows, cols, false),
                products: weights
                    .map(|(number, dw)| (*number, output(dw, operands[*number].1)))
                    .collect(),
                sum: target.bias.as_deref_mut().map(|db| output(db, 1)),
            }
        })
        .filter(|left| left.rows > 0)
        .collect();
    if cols > 0 {
        bulk_product(isa, &lefts, &rights, cols);
    }
}

/// The products of all `lefts` with their `rights`, all of depth `k`.
fn bulk_product<T: Element>(isa: Isa, lefts: &[Left<'_, T>], rights: &[Right<'_, T>], k: usize) {
    let multiply = |lefts: &[Left<'_, T>], rights: &[Right<'_, T>]| {
        Bulk {
            isa,
            lefts,
            rights,
            depth: k,
        }
        .run();
    };
    let m: usize = lefts.iter().map(|left| left.rows).sum();
    let n: usize = rights.iter().map(|right| right.cols).sum();
    let cols =
        |left: &Left<'_, T>| -> usize { left.products.iter().map(|(b, _)| rights[*b].cols).sum() };
    let elements: usize = lefts.iter().map(|left| left.rows * cols(left)).sum();
    let parts = threads_for(elements * k, PARALLEL_MACS);
    if parts == 1 {
        multiply(lefts, rights);
    } else if m >= n.min(parts * 4 * ROW_GRAIN) {
        // Rows by preference: then no thread packs a row of `a` that another packs too.
        split(m, parts, ROW_GRAIN, &|from, rows| {
            multiply(&rows_of(lefts, from, from + rows), rights);
        });
    } else {
        split(n, parts, COLUMN_GRAIN, &|from, cols| {
            let (lefts, rights) = columns_of(lefts, rights, from, from + cols);
            multiply(&lefts, &rights);
        });
    }
}

/// What columns `from..to` of all rights beside one another have of each, and what becomes of the lefts:
/// the first columns come with the sums.
fn columns_of<'a, T: Copy>(
    lefts: &[Left<'a, T>],
    rights: &[Right<'a, T>],
    from: usize,
    to: usize,
) -> (Vec<Left<'a, T>>, Vec<Right<'a, T>>) {
    let mut lefts = lefts.to_vec();
    if from > 0 {
        for left in &mut lefts {
            left.sum = None;
        }
    }
    let mut some = Vec::new();
    let mut end = 0;
    for (number, right) in rights.iter().enumerate() {
        let start = end;
        end += right.cols;
        let (first, end) = (from.clamp(start, end), to.clamp(start, end));
        let cols = end - first;
        let b = if cols > 0 {
            right.b.from(0, first - start)
        } else {
            right.b
        };
        some.push(Right { b, cols });
        for (_, c) in (lefts.iter_mut())
            .flat_map(|left| &mut left.products)
            .filter(|(b, _)| *b == number)
        {
            *c = c.from(0, first - start);
        }
    }
    (lefts, some)
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
            let products = left.products.iter();
            some.push(Left {
                rows: to - from,
                a: left.a.from(from - start, 0),
                products: products
                    .map(|(b, c)| (*b, c.from(from - start, 0)))
                    .collect(),
                sum: left.sum.map(|sum| sum.from(from - start, 0)),
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

// SAFETY: threads get disjoint blocks of `c`, which `gemm` and `outer` borrow mutably until they are done.
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
