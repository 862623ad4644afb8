//! Elementwise loops over matrices whose operands may be broadcast, and their gradients: sums down
//! to the shape of a broadcast operand.

mod walk;

use self::walk::Walk;
use super::isa::Isa;
use super::parallel::Cost;
use crate::element::Element;

/// How much of a rows x cols matrix an operand has; the rest repeats it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// rows x cols.
    Full,
    /// rows x 1: the same for every column.
    Column,
    /// 1 x cols: the same for every row.
    Row,
    /// 1 x 1.
    Scalar,
}

impl Extent {
    /// Of an operand of shape `own`, which broadcasts to `whole`; both (rows, cols).
    pub const fn of(own: (usize, usize), whole: (usize, usize)) -> Self {
        match (own.0 == whole.0, own.1 == whole.1) {
            (true, true) => Self::Full,
            (true, false) => Self::Column,
            (false, true) => Self::Row,
            (false, false) => Self::Scalar,
        }
    }

    const fn len(self, (rows, cols): (usize, usize)) -> usize {
        match self {
            Self::Full => rows * cols,
            Self::Column => rows,
            Self::Row => cols,
            Self::Scalar => 1,
        }
    }

    /// The same elements of a matrix of one column, laid out as `Form::of` says.
    const fn in_form(self, form: Form) -> Self {
        match (self, form) {
            (Self::Column, Form::OneRow) | (Self::Row, Form::OneColumn) => Self::Scalar,
            (Self::Row, Form::OneRow) | (Self::Column, Form::OneColumn) => Self::Full,
            _ => self,
        }
    }
}

/// A matrix that is, or may be read as, a single column.
#[derive(Clone, Copy)]
enum Form {
    OneRow,
    OneColumn,
    Matrix,
}

/// The elements of an operand and what they are of the whole.
#[derive(Clone, Copy, Debug)]
pub struct Operand<'a, T> {
    /// Column-major.
    pub values: &'a [T],
    /// Its shape, relative to the result's.
    pub extent: Extent,
}

impl<'a, T> Operand<'a, T> {
    /// Of shape `own`, which broadcasts to `whole`; both (rows, cols).
    pub const fn new(values: &'a [T], own: (usize, usize), whole: (usize, usize)) -> Self {
        Self {
            values,
            extent: Extent::of(own, whole),
        }
    }
}

/// `out[i, j] = f([a[i, j], b[i, j], ...])` for a rows x cols `out` and broadcast operands.
///
/// # Panics
/// If a slice has not the length that its extent asks for.
pub fn map_broadcast<T, F, const N: usize>(
    isa: Isa,
    cost: Cost,
    whole: (usize, usize),
    operands: [Operand<'_, T>; N],
    out: &mut [T],
    f: F,
) where
    T: Element,
    F: Fn([T; N]) -> T + Sync,
{
    let extent = Extent::Full;
    Walk::<_, _, N, false>::new(isa, cost, whole, operands, extent, out.len(), &f).run(out);
}

/// Adds `f([a[i, j], b[i, j], ...])`, summed over what `into` lacks of rows x cols, to `into`.
///
/// With `Extent::Full` that is `into[i, j] += f(...)`; with `Column` each row is summed, with `Row`
/// each column, with `Scalar` all. Sums run within 128 elements in T, beyond in double precision for
/// `Row` and `Scalar`, and over columns in blocks of 64 for `Column`: in one order, whatever the
/// threads.
///
/// # Panics
/// If a slice has not the length that its extent asks for.
pub fn accumulate_broadcast<T, F, const N: usize>(
    isa: Isa,
    cost: Cost,
    whole: (usize, usize),
    operands: [Operand<'_, T>; N],
    extent: Extent,
    into: &mut [T],
    f: F,
) where
    T: Element,
    F: Fn([T; N]) -> T + Sync,
{
    Walk::<_, _, N, true>::new(isa, cost, whole, operands, extent, into.len(), &f).run(into);
}

/// The sum of `f([a[i], b[i], ...])` over slices of equal length, in double precision beyond 128
/// elements; the caller rounds once.
///
/// # Panics
/// If the slices differ in length.
pub fn sum_of<T, F, const N: usize>(isa: Isa, cost: Cost, inputs: [&[T]; N], f: F) -> f64
where
    T: Element,
    F: Fn([T; N]) -> T + Sync,
{
    let whole = (inputs.first().map_or(0, |input| input.len()), 1);
    let operands = inputs.map(|values| Operand {
        values,
        extent: Extent::Full,
    });
    Walk::<_, _, N, true>::new(isa, cost, whole, operands, Extent::Scalar, 1, &f).total()
}

#[cfg(test)]
mod tests;
