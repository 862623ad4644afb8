//! The walk that all broadcasting loops share: blocks of a column, split over threads so that no two
//! threads add to the same sum.

use rayon::prelude::*;

use super::{Extent, Form, Operand};
use crate::element::Element;
use crate::element::simd::Simd;
use crate::kernels::isa::{Isa, Task};
use crate::kernels::map::Map;
use crate::kernels::parallel::Cost;
use crate::kernels::reduce::lane_sum;

/// Rows evaluated at a time; with its operands a block stays in the level-1 cache.
const BLOCK: usize = 128;
/// Columns summed one by one before their sum is added to the sum of all.
const COLUMN_BLOCK: usize = 64;
/// Rows whose sums are kept while columns pass: as many as the level-1 cache allows, for memory is
/// fastest read in order. Nor do threads share fewer: they would fetch short pieces of every column,
/// which takes longer than one thread alone.
const STRIP: usize = 1024;

/// Part of the whole: rows and columns, `start..end`.
#[derive(Clone, Copy)]
struct Region {
    rows: (usize, usize),
    cols: (usize, usize),
}

impl Region {
    fn len(self) -> usize {
        (self.rows.1 - self.rows.0) * (self.cols.1 - self.cols.0)
    }
}

/// A walk over rows x cols in blocks of a column; ADD says whether results are added to `into`.
pub(super) struct Walk<'a, T, F, const N: usize, const ADD: bool> {
    isa: Isa,
    cost: Cost,
    whole: (usize, usize),
    operands: [Operand<'a, T>; N],
    into: Extent,
    f: &'a F,
}

impl<'a, T, F, const N: usize, const ADD: bool> Walk<'a, T, F, N, ADD>
where
    T: Element,
    F: Fn([T; N]) -> T + Sync,
{
    pub(super) fn new(
        isa: Isa,
        cost: Cost,
        whole: (usize, usize),
        operands: [Operand<'a, T>; N],
        into: Extent,
        into_len: usize,
        f: &'a F,
    ) -> Self {
        assert_eq!(into_len, into.len(whole));
        assert!(
            operands
                .iter()
                .all(|x| x.values.len() == x.extent.len(whole))
        );
        // Long columns are what the loops are good at: a matrix that can be read as one, is.
        let flat = |extent: Extent| matches!(extent, Extent::Full | Extent::Scalar);
        let form = match whole {
            (1, _) => Form::OneRow,
            (_, 1) => Form::OneColumn,
            _ if flat(into) && operands.iter().all(|x| flat(x.extent)) => Form::OneColumn,
            _ => Form::Matrix,
        };
        let whole = match form {
            Form::Matrix => whole,
            _ => (whole.0 * whole.1, 1),
        };
        let operands = operands.map(|x| Operand {
            extent: x.extent.in_form(form),
            ..x
        });
        Self {
            isa,
            cost,
            whole,
            operands,
            into: into.in_form(form),
            f,
        }
    }

    /// Writes or adds every result to `into`.
    pub(super) fn run(&self, into: &mut [T]) {
        if self.into == Extent::Scalar {
            into[0] += T::from_f64(self.total());
        } else {
            let all = Region {
                rows: (0, self.whole.0),
                cols: (0, self.whole.1),
            };
            self.split(all, into);
        }
    }

    /// Works on `region`, whose part of the result `into` is, in pieces that share no sum.
    fn split(&self, region: Region, into: &mut [T]) {
        let (rows, cols) = (region.rows.1 - region.rows.0, region.cols.1 - region.cols.0);
        let by_columns = cols > 1 && self.into != Extent::Column;
        let by_rows = match self.into {
            Extent::Column => rows >= 2 * STRIP,
            _ => rows > 1 && cols == 1 && self.into == Extent::Full,
        };
        if !self.cost.splits(region.len()) || !(by_columns || by_rows) {
            return self.isa.run(Part {
                walk: self,
                region,
                into,
            });
        }
        let (mut left, mut right) = (region, region);
        let at = if by_columns {
            left.cols.1 -= cols / 2;
            right.cols.0 = left.cols.1;
            (cols - cols / 2) * (into.len() / cols)
        } else {
            left.rows.1 -= rows / 2;
            right.rows.0 = left.rows.1;
            rows - rows / 2
        };
        let (left_into, right_into) = into.split_at_mut(at);
        rayon::join(
            || self.split(left, left_into),
            || self.split(right, right_into),
        );
    }

    /// The sum over everything: of pieces of a size that depends on the shape alone.
    pub(super) fn total(&self) -> f64 {
        let (rows, cols) = self.whole;
        let piece = self.cost.piece();
        let piece_rows = rows.min(piece).max(1);
        let piece_cols = (piece / piece_rows).max(1);
        let down = rows.div_ceil(piece_rows);
        let sum = |q: usize| {
            let (i0, j0) = (q % down * piece_rows, q / down * piece_cols);
            let rows = (i0, rows.min(i0 + piece_rows));
            let cols = (j0, cols.min(j0 + piece_cols));
            self.isa.run(Total {
                walk: self,
                region: Region { rows, cols },
            })
        };
        let pieces = down * cols.div_ceil(piece_cols);
        if self.cost.splits(rows * cols) {
            let sums: Vec<f64> = (0..pieces).into_par_iter().map(sum).collect();
            sums.iter().sum()
        } else {
            (0..pieces).map(sum).sum()
        }
    }
}

/// What an operand looks like within a block: part of its values, or one value many times.
struct Columns<T, const N: usize>([[T; BLOCK]; N]);

impl<T: Element, const N: usize> Columns<T, N> {
    #[inline(always)]
    fn new(operands: &[Operand<'_, T>; N]) -> Self {
        Self(operands.map(|x| match x.extent {
            Extent::Scalar => [x.values[0]; BLOCK],
            _ => [T::ZERO; BLOCK],
        }))
    }

    /// Repeats what is constant in column `j`.
    #[inline(always)]
    fn enter(&mut self, operands: &[Operand<'_, T>; N], j: usize, rows: usize) {
        for (block, x) in self.0.iter_mut().zip(operands) {
            if x.extent == Extent::Row {
                block[..rows.min(BLOCK)].fill(x.values[j]);
            }
        }
    }

    /// Rows `i..i + len` of column `j`, of each operand.
    #[inline(always)]
    fn block<'a>(
        &'a self,
        operands: &[Operand<'a, T>; N],
        rows: usize,
        (i, j): (usize, usize),
        len: usize,
    ) -> [&'a [T]; N] {
        let mut inputs = self.0.each_ref().map(|block| &block[..len]);
        for (input, x) in inputs.iter_mut().zip(operands) {
            match x.extent {
                Extent::Full => *input = &x.values[j * rows + i..][..len],
                Extent::Column => *input = &x.values[i..][..len],
                Extent::Row | Extent::Scalar => {}
            }
        }
        inputs
    }
}

/// One region of [`map_broadcast`] or [`accumulate_broadcast`], except sums of everything.
struct Part<'a, 'b, T, F, const N: usize, const ADD: bool> {
    walk: &'b Walk<'a, T, F, N, ADD>,
    region: Region,
    into: &'b mut [T],
}

impl<T, F, const N: usize, const ADD: bool> Task for Part<'_, '_, T, F, N, ADD>
where
    T: Element,
    F: Fn([T; N]) -> T + Sync,
{
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self) {
        let Self { walk, region, into } = self;
        let Walk {
            whole, operands, f, ..
        } = walk;
        let ((i0, i1), (j0, j1)) = (region.rows, region.cols);
        let full = |x: &Operand<'_, T>| x.extent == Extent::Full;
        if walk.into == Extent::Full && operands.iter().all(full) {
            // Which is read as one column.
            let inputs = operands.map(|x| &x.values[i0..i1]);
            return Map::<_, _, N, ADD> {
                inputs,
                out: into,
                f: *f,
            }
            .run::<S>();
        }
        let mut columns = Columns::new(operands);
        match walk.into {
            Extent::Full => {
                for j in j0..j1 {
                    columns.enter(operands, j, whole.0);
                    for i in (i0..i1).step_by(BLOCK) {
                        let len = BLOCK.min(i1 - i);
                        let inputs = columns.block(operands, whole.0, (i, j), len);
                        let out = &mut into[(j - j0) * (i1 - i0) + i - i0..][..len];
                        Map::<_, _, N, ADD> { inputs, out, f: *f }.run::<S>();
                    }
                }
            }
            Extent::Column => {
                let mut sums = [T::ZERO; STRIP];
                for i_strip in (i0..i1).step_by(STRIP) {
                    let end = i1.min(i_strip + STRIP);
                    for j_block in (j0..j1).step_by(COLUMN_BLOCK) {
                        let sums = &mut sums[..end - i_strip];
                        sums.fill(T::ZERO);
                        for j in j_block..j1.min(j_block + COLUMN_BLOCK) {
                            columns.enter(operands, j, whole.0);
                            for i in (i_strip..end).step_by(BLOCK) {
                                let len = BLOCK.min(end - i);
                                let inputs = columns.block(operands, whole.0, (i, j), len);
                                let out = &mut sums[i - i_strip..][..len];
                                Map::<_, _, N, true> { inputs, out, f: *f }.run::<S>();
                            }
                        }
                        for (y, x) in into[i_strip - i0..].iter_mut().zip(sums) {
                            *y += *x;
                        }
                    }
                }
            }
            Extent::Row | Extent::Scalar => {
                for j in j0..j1 {
                    let rows = region.rows;
                    let total = Total {
                        walk,
                        region: Region {
                            rows,
                            cols: (j, j + 1),
                        },
                    };
                    into[j - j0] += T::from_f64(total.run::<S>());
                }
            }
        }
    }
}

/// The sum over one region.
struct Total<'a, 'b, T, F, const N: usize, const ADD: bool> {
    walk: &'b Walk<'a, T, F, N, ADD>,
    region: Region,
}

impl<T, F, const N: usize, const ADD: bool> Task for Total<'_, '_, T, F, N, ADD>
where
    T: Element,
    F: Fn([T; N]) -> T + Sync,
{
    type Output = f64;

    #[inline(always)]
    fn run<S: Simd>(self) -> f64 {
        let Walk {
            whole, operands, f, ..
        } = self.walk;
        let ((i0, i1), (j0, j1)) = (self.region.rows, self.region.cols);
        let mut columns = Columns::new(operands);
        let mut values = [T::ZERO; BLOCK];
        let mut total = 0.0;
        for j in j0..j1 {
            columns.enter(operands, j, whole.0);
            for i in (i0..i1).step_by(BLOCK) {
                let out = &mut values[..BLOCK.min(i1 - i)];
                let inputs = columns.block(operands, whole.0, (i, j), out.len());
                Map::<_, _, N, false> { inputs, out, f: *f }.run::<S>();
                total += lane_sum(out).to_f64();
            }
        }
        total
    }
}
