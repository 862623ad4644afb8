//! What Python draws itself: the order of examples.

use numpy::{IntoPyArray, PyArray1};
use pyo3::prelude::*;
use recurrentnn::random::{Purpose, Stream};

use crate::argument::{self, Given};

/// The integers from 0 to length - 1 in random order, each order equally likely.
///
/// Parameters
/// ----------
/// length
///     How many.
/// seed, step
///     The address of the order: the same ones give the same order everywhere (Philox 4x32-10, then
///     Fisher and Yates from the end; `recurrentnn.reference.random.shuffle` is the same).
#[pyfunction]
#[pyo3(
    signature = (length, *, seed = Given::Default(0), step = Given::Default(0)),
    text_signature = "(length, *, seed=0, step=0)"
)]
pub(crate) fn permutation<'py>(
    length: &Bound<'py, PyAny>,
    seed: Given<'py, u64>,
    step: Given<'py, u32>,
) -> PyResult<Bound<'py, PyArray1<i64>>> {
    let op = "permutation";
    let count = argument::count(op, "length", length)?;
    let seed = seed.get(op, "seed", argument::seed)?;
    let step = step.get(op, "step", argument::step)?;
    // A count is below 2^31.
    let mut order: Vec<i64> = (0..).take(count).collect();
    Stream::new(seed, Purpose::Shuffle, step).shuffle(&mut order);
    Ok(order.into_pyarray(length.py()))
}
