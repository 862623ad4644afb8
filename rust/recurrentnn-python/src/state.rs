//! `Step` and `State` of `recurrentnn.state`, made and read.

use pyo3::prelude::*;
use pyo3::types::{PyString, PyTuple};
use recurrentnn::cells::State;
use recurrentnn::matrix::Matrix;
use recurrentnn::model::States;
use recurrentnn::shape::Shape;

use crate::array;
use crate::dtype::Number;
use crate::error::{raise, translate, wrong_type};
use crate::matrix::PyMatrix;

/// An object of a class of `recurrentnn.state`.
fn make<const N: usize>(
    py: Python<'_>,
    name: &str,
    parts: [Bound<'_, PyAny>; N],
) -> PyResult<Py<PyAny>> {
    let class = py.import("recurrentnn.state")?.getattr(name)?;
    Ok(class.call1(PyTuple::new(py, parts)?)?.unbind())
}

/// Hidden vectors and memory cells of all layers, each through `convert`, as two tuples.
fn parts<'py, T: Number>(
    py: Python<'py>,
    states: &[State<Matrix<T>>],
    convert: impl Fn(&Matrix<T>) -> PyResult<Bound<'py, PyAny>>,
) -> PyResult<[Bound<'py, PyAny>; 2]> {
    let hidden = states
        .iter()
        .map(|s| convert(&s.hidden))
        .collect::<PyResult<Vec<_>>>()?;
    let cell = states.iter().filter_map(|s| s.cell.as_ref()).map(convert);
    let cell = cell.collect::<PyResult<Vec<_>>>()?;
    Ok([
        PyTuple::new(py, hidden)?.into_any(),
        PyTuple::new(py, cell)?.into_any(),
    ])
}

fn matrix<'py, T: Number>(py: Python<'py>, m: &Matrix<T>) -> PyResult<Bound<'py, PyAny>> {
    Ok(Bound::new(py, PyMatrix::new(m.clone()))?.into_any())
}

/// A `Step` of matrices.
pub(crate) fn step<T: Number>(
    py: Python<'_>,
    states: &[State<Matrix<T>>],
    output: Matrix<T>,
) -> PyResult<Py<PyAny>> {
    let [hidden, cell] = parts(py, states, |m| matrix(py, m))?;
    make(py, "Step", [hidden, cell, matrix(py, &output)?])
}

/// A `State` of matrices.
pub(crate) fn matrices<T: Number>(
    py: Python<'_>,
    states: &[State<Matrix<T>>],
) -> PyResult<Py<PyAny>> {
    make(py, "State", parts(py, states, |m| matrix(py, m))?)
}

/// A `State` of arrays (batch, size).
pub(crate) fn arrays<T: Number>(
    py: Python<'_>,
    states: &[State<Matrix<T>>],
) -> PyResult<Py<PyAny>> {
    let array = |m: &Matrix<T>| {
        let numbers = m.to_vec().map_err(translate)?;
        array::array(py, [m.cols(), m.rows()], numbers)
    };
    make(py, "State", parts(py, states, array)?)
}

/// The states that a `Step` or `State` holds.
pub(crate) fn states<T: Number>(given: &Bound<'_, PyAny>) -> PyResult<States<Matrix<T>>> {
    let part = |name: &str| {
        let refuse = |_| wrong_type("forward", "state (prev)", "a State, a Step or None", given);
        let vectors = given.getattr(name).map_err(refuse)?;
        if vectors.is_instance_of::<PyString>() || vectors.hasattr("shape")? {
            return Err(wrong_type(
                "forward",
                name,
                "one vector per layer",
                &vectors,
            ));
        }
        let refuse = |_| wrong_type("forward", name, "one vector per layer", &vectors);
        let items = vectors.try_iter().map_err(refuse)?;
        items
            .map(|vector| vector_matrix::<T>(name, &vector?))
            .collect::<PyResult<Vec<_>>>()
    };
    let (hidden, cell) = (part("hidden")?, part("cell")?);
    if !cell.is_empty() && cell.len() != hidden.len() {
        let (layers, cells) = (hidden.len(), cell.len());
        let message =
            format!("forward: state must have a cell per layer, {layers}, but has {cells}");
        return Err(raise("ArgumentError", message));
    }
    let mut cell = cell.into_iter();
    Ok(hidden
        .into_iter()
        .map(|hidden| State {
            hidden,
            cell: cell.next(),
        })
        .collect())
}

/// A matrix (size, batch) as it is, an array (batch, size) as a constant.
fn vector_matrix<T: Number>(name: &str, vector: &Bound<'_, PyAny>) -> PyResult<Matrix<T>> {
    if let Ok(matrix) = vector.cast::<PyMatrix>() {
        return matrix.get().inner.typed::<T>("forward", name).cloned();
    }
    let shape = array::as_array("forward", name, vector)?;
    let dims = numpy::PyUntypedArrayMethods::ndim(&shape);
    if dims != 2 {
        let message =
            format!("forward: {name} must be arrays (batch, size) but one has {dims} dimensions");
        return Err(raise("ShapeError", message));
    }
    let (shape, numbers) = array::numbers::<T>("forward", name, &vector.getattr("T")?)?;
    Matrix::constant(Shape::new(shape.rows, shape.cols), numbers).map_err(translate)
}
