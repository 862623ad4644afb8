//! `Step` and `State` of `recurrentnn.state`, made and read.

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyTuple};
use recurrentnn::cells::State;
use recurrentnn::matrix::Matrix;
use recurrentnn::model::{Model, States};
use recurrentnn::shape::Shape;
use recurrentnn::stream::Stream;

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

/// The vectors of all layers by name, each through `convert`: hidden and cell as two tuples, and a
/// dictionary of those of any other name.
fn parts<'py, T: Number>(
    py: Python<'py>,
    names: &[&str],
    states: &[State<Matrix<T>>],
    convert: impl Fn(&Matrix<T>) -> PyResult<Bound<'py, PyAny>>,
) -> PyResult<[Bound<'py, PyAny>; 3]> {
    let (mut cell, more) = (PyTuple::empty(py), PyDict::new(py));
    let vectors = |number: usize| {
        let all = states
            .iter()
            .filter_map(|state| state.vectors().nth(number));
        PyTuple::new(py, all.map(&convert).collect::<PyResult<Vec<_>>>()?)
    };
    for (number, &name) in names.iter().enumerate().skip(1) {
        match name {
            "cell" => cell = vectors(number)?,
            _ => more.set_item(name, vectors(number)?)?,
        }
    }
    Ok([vectors(0)?.into_any(), cell.into_any(), more.into_any()])
}

fn matrix<'py, T: Number>(py: Python<'py>, m: &Matrix<T>) -> PyResult<Bound<'py, PyAny>> {
    Ok(Bound::new(py, PyMatrix::new(m.clone()))?.into_any())
}

/// A `Step` of matrices.
pub(crate) fn step<T: Number>(
    py: Python<'_>,
    names: &[&str],
    states: &[State<Matrix<T>>],
    output: Matrix<T>,
) -> PyResult<Py<PyAny>> {
    let [hidden, cell, more] = parts(py, names, states, |m| matrix(py, m))?;
    make(py, "Step", [hidden, cell, matrix(py, &output)?, more])
}

/// A `State` of matrices.
pub(crate) fn matrices<T: Number>(
    py: Python<'_>,
    names: &[&str],
    states: &[State<Matrix<T>>],
) -> PyResult<Py<PyAny>> {
    make(py, "State", parts(py, names, states, |m| matrix(py, m))?)
}

/// A `State` of arrays (batch, size).
pub(crate) fn arrays<T: Number>(
    py: Python<'_>,
    names: &[&str],
    states: &[State<Matrix<T>>],
) -> PyResult<Py<PyAny>> {
    let array = |m: &Matrix<T>| {
        let numbers = m.to_vec().map_err(translate)?;
        array::array(py, [m.cols(), m.rows()], numbers)
    };
    make(py, "State", parts(py, names, states, array)?)
}

/// A `State` of new arrays (batch, size): the vectors of all layers, layer by layer.
pub(crate) fn new_arrays<T: Number>(
    py: Python<'_>,
    model: &Model<T>,
    vectors: Vec<(Shape, Vec<T>)>,
) -> PyResult<Py<PyAny>> {
    let constant = |(shape, values)| Matrix::constant(shape, values);
    let vectors = vectors
        .into_iter()
        .map(constant)
        .collect::<Result<Vec<_>, _>>();
    let states = model.layered(vectors.map_err(translate)?);
    arrays(py, &model.config().cell.states(), &states)
}

/// The state of a stream as arrays (batch, size).
pub(crate) fn of_stream<T: Number>(
    py: Python<'_>,
    model: &Model<T>,
    stream: &Stream<T>,
) -> PyResult<Py<PyAny>> {
    let rows = model.config().all_state_rows().into_iter();
    let vector = |(number, rows)| {
        let shape = Shape::new(rows, stream.extent().batch);
        Ok((shape, stream.state(number).map_err(translate)?))
    };
    new_arrays(
        py,
        model,
        rows.enumerate().map(vector).collect::<PyResult<_>>()?,
    )
}

/// The states that a `Step` or `State` holds, of a cell whose vectors have these names.
pub(crate) fn states<T: Number>(
    names: &[&str],
    given: &Bound<'_, PyAny>,
) -> PyResult<States<Matrix<T>>> {
    let hidden = layers::<T>(given, "hidden")?;
    let mut states: Vec<_> = hidden
        .into_iter()
        .map(|hidden| State {
            hidden,
            more: Vec::new(),
        })
        .collect();
    for name in &names[1..] {
        let vectors = layers::<T>(given, name)?;
        if vectors.len() != states.len() {
            let (layers, found) = (states.len(), vectors.len());
            let message =
                format!("forward: state must have a {name} per layer, {layers}, but has {found}");
            return Err(raise("ArgumentError", message));
        }
        for (state, vector) in states.iter_mut().zip(vectors) {
            state.more.push(vector);
        }
    }
    if !names.contains(&"cell") && !layers::<T>(given, "cell")?.is_empty() {
        let message = "forward: state has a cell but the net's cells have none";
        return Err(raise("ArgumentError", message.into()));
    }
    Ok(states)
}

/// The vectors of that name of all layers.
fn layers<T: Number>(given: &Bound<'_, PyAny>, name: &str) -> PyResult<Vec<Matrix<T>>> {
    let refuse = |_| {
        if given.hasattr("hidden").unwrap_or(false) {
            let message = format!("forward: state must have {name}, one vector per layer");
            return raise("ArgumentError", message);
        }
        wrong_type("forward", "state (prev)", "a State, a Step or None", given)
    };
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
        .collect()
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
