//! What an optimizer remembers, as a dictionary and back.
//!
//! The keys are `KIND.NAME` for a parameter NAME: the names of the rule's memory for arrays (rows,
//! cols), `steps` for the steps made and, if the rule has it, `product`; `optimizer` is the rule's name.

use std::collections::HashMap;

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyMapping};
use recurrentnn::matrix::Matrix;
use recurrentnn::optim::{Moment, Moments, Past, UpdateRule};

use crate::argument;
use crate::array;
use crate::dtype::{Number, with_type};
use crate::error::{guard, raise, wrong_type, wrong_value};

use super::parameters::Parameters;

/// Moments for both element types.
#[derive(Default)]
pub(super) struct AnyMoments {
    float32: Moments<f32>,
    float64: Moments<f64>,
}

/// An element type with its place in [`AnyMoments`].
pub(super) trait Remembered: Number {
    fn of(any: &mut AnyMoments) -> &mut Moments<Self>;
}

impl Remembered for f32 {
    fn of(any: &mut AnyMoments) -> &mut Moments<Self> {
        &mut any.float32
    }
}

impl Remembered for f64 {
    fn of(any: &mut AnyMoments) -> &mut Moments<Self> {
        &mut any.float64
    }
}

/// What is remembered of these parameters.
pub(super) fn state<'py, R: UpdateRule>(
    py: Python<'py>,
    parameters: &Parameters,
    moments: &mut AnyMoments,
) -> PyResult<Bound<'py, PyDict>> {
    let state = PyDict::new(py);
    state.set_item("optimizer", R::NAME)?;
    with_type!(parameters.dtype(R::CLASS)?, T => {
        for (label, matrix) in parameters.labelled::<T>() {
            if let Some(moment) = T::of(moments).get(matrix) {
                write::<R, T>(&state, &label, matrix, moment)?;
            }
        }
    });
    Ok(state)
}

fn write<R: UpdateRule, T: Number>(
    state: &Bound<'_, PyDict>,
    label: &str,
    matrix: &Matrix<T>,
    moment: &Moment<T>,
) -> PyResult<()> {
    for (kind, numbers) in R::MEMORY.iter().zip(&moment.of_weights) {
        let array = array::columns_array(state.py(), matrix.shape(), numbers.clone())?;
        state.set_item(format!("{kind}.{label}"), array)?;
    }
    state.set_item(format!("steps.{label}"), moment.past.steps)?;
    if R::PRODUCT {
        state.set_item(format!("product.{label}"), moment.past.product)?;
    }
    Ok(())
}

/// The entries of a state, but those that stand for no parameter.
type Entries<'py> = HashMap<String, Bound<'py, PyAny>>;

/// Remembers what a state says of these parameters; they go by the number of arrays `needed`.
pub(super) fn restore<R: UpdateRule>(
    parameters: &Parameters,
    given: &Bound<'_, PyAny>,
    needed: impl Fn(&str) -> usize,
    moments: &mut AnyMoments,
) -> PyResult<()> {
    let mut entries = entries::<R>(given)?;
    with_type!(parameters.dtype(R::CLASS)?, T => {
        let labelled = parameters.labelled::<T>();
        let mut read = Vec::with_capacity(labelled.len());
        for (label, matrix) in &labelled {
            read.push((*matrix, moment::<R, T>(&mut entries, label, matrix, needed(label))?));
        }
        if let Some(key) = entries.keys().min() {
            let known: Vec<_> = labelled.iter().map(|(label, _)| label.as_str()).collect();
            let rule = format!("of {} and of {}", R::CLASS, known.join(", "));
            return Err(wrong_value(R::CLASS, "state", &rule, &format!("{key:?}")));
        }
        guard(|| T::of(moments).set::<R>(read))
    })
}

fn entries<'py, R: UpdateRule>(given: &Bound<'py, PyAny>) -> PyResult<Entries<'py>> {
    let refuse = || wrong_type(R::CLASS, "state", "a mapping, as `state` gives it", given);
    let mapping = given.cast::<PyMapping>().map_err(|_| refuse())?;
    let mut entries = Entries::new();
    for item in mapping.items()?.try_iter()? {
        let (key, value): (String, Bound<'py, PyAny>) = item?.extract().map_err(|_| refuse())?;
        entries.insert(key, value);
    }
    let name = entries.remove("optimizer");
    let name = name.map(|name| name.str()).transpose()?;
    let name = name.map_or_else(|| "nothing".to_owned(), |name| name.to_string());
    if name != R::NAME {
        return Err(wrong_value(R::CLASS, "state: optimizer", R::NAME, &name));
    }
    entries.remove("rate_factor");
    Ok(entries)
}

/// Takes what is said of one parameter out of the entries; nothing at all means no step yet.
fn moment<R: UpdateRule, T: Number>(
    entries: &mut Entries<'_>,
    label: &str,
    matrix: &Matrix<T>,
    needed: usize,
) -> PyResult<Option<Moment<T>>> {
    let op = R::CLASS;
    let mut take = |kind: &str| {
        let key = format!("{kind}.{label}");
        entries
            .remove(&key)
            .map(|value| (format!("state: {key}"), value))
    };
    let found: Vec<_> = R::MEMORY.iter().map(|kind| take(kind)).collect();
    let (steps, product) = (take("steps"), R::PRODUCT.then(|| take("product")).flatten());
    if steps.is_none() && product.is_none() && found.iter().all(Option::is_none) {
        return Ok(None);
    }
    let lacks = |kind: &str| {
        let message = format!("{op}: state has no {kind}.{label}, but more of {label}");
        raise("ArgumentError", message)
    };
    let (name, steps) = steps.ok_or_else(|| lacks("steps"))?;
    let steps = argument::seed(op, &name, &steps)?;
    if steps == 0 {
        return Err(wrong_value(op, &name, "above 0", "0"));
    }
    let product = match product {
        Some((name, product)) => argument::number(op, &name, &product)?,
        None if R::PRODUCT => return Err(lacks("product")),
        None => 1.0,
    };
    let present = found
        .iter()
        .rposition(Option::is_some)
        .map_or(0, |at| at + 1);
    let mut of_weights = Vec::with_capacity(found.len());
    for (kind, found) in R::MEMORY.iter().zip(found).take(needed.max(present)) {
        let (name, array) = found.ok_or_else(|| lacks(kind))?;
        of_weights.push(array::matching(op, &name, &array, matrix.shape())?);
    }
    let past = Past { steps, product };
    Ok(Some(Moment { of_weights, past }))
}
