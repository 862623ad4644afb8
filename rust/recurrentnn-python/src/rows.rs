//! What a call says about the rows of its batch: lengths, a mask, resets.

use numpy::{PyArrayDescrMethods, PyArrayMethods, PyUntypedArrayMethods};
use pyo3::prelude::*;
use recurrentnn::sequence::{Columns, Rows};

use crate::argument;
use crate::array;
use crate::error::{guard, raise};
use crate::sequence::Layout;

const OP: &str = "forward";

/// The arguments, none of which has to be there.
#[derive(Clone, Copy, Default)]
pub(crate) struct Cuts<'a, 'py> {
    pub(crate) lengths: Option<&'a Bound<'py, PyAny>>,
    pub(crate) mask: Option<&'a Bound<'py, PyAny>>,
    pub(crate) reset: Option<&'a Bound<'py, PyAny>>,
}

impl Cuts<'_, '_> {
    /// The rows of a batch of this layout.
    pub(crate) fn rows(&self, layout: &Layout) -> PyResult<Rows> {
        let (batch, time) = (layout.batch, layout.time);
        if self.lengths.is_some() && self.mask.is_some() {
            return Err(refuse("lengths and mask must not both be given"));
        }
        let lengths = match self.lengths {
            Some(given) => lengths(given, batch)?,
            None => vec![time; batch],
        };
        let mask = self
            .mask
            .map(|given| flags("mask", given, layout))
            .transpose()?;
        let reset = self
            .reset
            .map(|given| flags("reset", given, layout))
            .transpose()?;
        guard(|| Rows::cut(time, &lengths, mask.as_deref(), reset.as_deref()))
    }

    /// The rows of a list of arrays of these lengths.
    pub(crate) fn rows_of_list(&self, lengths: &[usize]) -> PyResult<Rows> {
        if self.lengths.is_some() || self.mask.is_some() {
            return Err(refuse(
                "lengths and mask must not be given where x is a list of arrays, which are as long as they are",
            ));
        }
        let time = lengths.iter().copied().max().unwrap_or(0);
        let reset = self
            .reset
            .map(|given| flags_of_list(given, lengths, time))
            .transpose()?;
        guard(|| Rows::cut(time, lengths, None, reset.as_deref()))
    }
}

fn refuse(message: &str) -> PyErr {
    raise("ArgumentError", format!("{OP}: {message}"))
}

fn lengths(given: &Bound<'_, PyAny>, batch: usize) -> PyResult<Vec<usize>> {
    let (lengths, shape) = argument::indices(OP, "lengths", given)?;
    if shape != [batch] {
        let message = format!("{OP}: lengths must be ({batch},), one a row, but are {shape:?}");
        return Err(raise("ShapeError", message));
    }
    Ok(lengths)
}

/// Booleans in C order, and their shape.
fn booleans(name: &str, given: &Bound<'_, PyAny>) -> PyResult<(Vec<bool>, Vec<usize>)> {
    let array = array::as_array(OP, name, given)?;
    if array.dtype().kind() != b'b' {
        let message = format!(
            "{OP}: {name} must be booleans but is an array of {}",
            array.dtype()
        );
        return Err(raise("DTypeError", message));
    }
    let shape = array.shape().to_vec();
    let flat = array.call_method0("ravel")?;
    let flat = flat.cast::<numpy::PyArray1<bool>>()?.readonly();
    Ok((flat.as_array().iter().copied().collect(), shape))
}

/// Booleans in the layout of x, row by row.
fn flags(name: &str, given: &Bound<'_, PyAny>, layout: &Layout) -> PyResult<Vec<bool>> {
    let (flags, shape) = booleans(name, given)?;
    let expected = layout.shape();
    if shape != expected {
        let message =
            format!("{OP}: {name} must be {expected:?}, as the steps of x, but is {shape:?}");
        return Err(raise("ShapeError", message));
    }
    let (batch, time) = (layout.batch, layout.time);
    Ok(match layout.columns() {
        Columns::TimeMajor => {
            let at = |i: usize| flags[(i % time) * batch + i / time];
            (0..batch * time).map(at).collect()
        }
        _ => flags,
    })
}

/// Booleans of rows of these lengths, as if each had `time` steps.
fn flags_of_list(given: &Bound<'_, PyAny>, lengths: &[usize], time: usize) -> PyResult<Vec<bool>> {
    let rows = given.try_iter()?.collect::<PyResult<Vec<_>>>()?;
    if rows.len() != lengths.len() {
        let (expected, found) = (lengths.len(), rows.len());
        let message = format!("{OP}: reset must hold {expected} arrays, as x, but holds {found}");
        return Err(raise("ShapeError", message));
    }
    let mut all = vec![false; lengths.len() * time];
    for (row, (given, &length)) in rows.iter().zip(lengths).enumerate() {
        let (flags, shape) = booleans("reset", given)?;
        if shape != [length] {
            let message =
                format!("{OP}: reset must be ({length},) for row {row}, as x, but is {shape:?}");
            return Err(raise("ShapeError", message));
        }
        all[row * time..][..length].copy_from_slice(&flags);
    }
    Ok(all)
}
