//! What users hand to a model, one tick or a whole sequence, in the core's order of columns.

use std::sync::Arc;

use numpy::{PyArrayDescrMethods, PyReadonlyArrayDyn, PyUntypedArray, PyUntypedArrayMethods};
use pyo3::prelude::*;
use pyo3::types::{PyList, PyTuple};
use recurrentnn::config::Config;
use recurrentnn::matrix::Matrix;
use recurrentnn::sequence::{Columns, Rows};
use recurrentnn::shape::Shape;

use crate::argument;
use crate::array;
use crate::dtype::Number;
use crate::error::{raise, translate};
use crate::graph::operand_matrix;
use crate::matrix::PyMatrix;
use crate::rows::Cuts;

/// Symbols, or features in columns.
pub(crate) enum Input<T: Number> {
    Symbols(Vec<usize>),
    Features(Matrix<T>),
}

/// A sequence in the columns of a run.
pub(crate) struct SequenceInput<T: Number> {
    pub(crate) input: Input<T>,
    pub(crate) layout: Layout,
    pub(crate) rows: Arc<Rows>,
}

/// How a user's array was laid out.
pub(crate) struct Layout {
    pub(crate) batch: usize,
    pub(crate) time: usize,
    form: Form,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// (time, ...)
    Single,
    /// (batch, time, ...)
    BatchMajor,
    /// (time, batch, ...)
    TimeMajor,
    /// One array (time, ...) a row.
    List,
}

fn is_integer(array: &Bound<'_, numpy::PyUntypedArray>) -> bool {
    matches!(array.dtype().kind(), b'i' | b'u')
}

/// One tick: a matrix or array (features, batch), or integers, one per column.
pub(crate) fn tick<T: Number>(x: &Bound<'_, PyAny>, config: &Config) -> PyResult<Input<T>> {
    let op = "forward";
    if x.cast::<PyMatrix>().is_err() {
        let array = array::as_array(op, "x", x)?;
        if is_integer(&array) && array.ndim() < 2 {
            return Ok(Input::Symbols(argument::indices(op, "x", x)?.0));
        }
    }
    expect_features(op, config)?;
    Ok(Input::Features(operand_matrix::<T>(op, "x", x, None)?))
}

/// A model with an embedding reads symbols and nothing else.
fn expect_features(op: &str, config: &Config) -> PyResult<()> {
    if config.embedding_size.is_none() {
        return Ok(());
    }
    let message = format!(
        "{op}: x must be integer symbols, for the model has an embedding (an array of integers with 1 or 2 dimensions)"
    );
    Err(raise("DTypeError", message))
}

/// A sequence: features (batch, time, features) or (time, features), or integers (batch, time) or
/// (time,); with `time_major`, time comes first. Or a list of arrays, one a row.
pub(crate) fn sequence<T: Number>(
    x: &Bound<'_, PyAny>,
    time_major: bool,
    cuts: Cuts<'_, '_>,
    config: &Config,
) -> PyResult<SequenceInput<T>> {
    let op = "forward";
    if let Ok(matrix) = x.cast::<PyMatrix>() {
        return of_matrix(matrix.get(), cuts, config);
    }
    if let Some(arrays) = arrays_of_rows(x) {
        return of_list(&arrays, time_major, cuts, config);
    }
    let given = array::as_array(op, "x", x)?;
    let dims = given.ndim();
    let shape = given.shape().to_vec();
    if is_integer(&given) && (dims == 1 || dims == 2) {
        let layout = Layout::of(&shape, time_major, dims == 2);
        let rows = Arc::new(cuts.rows(&layout)?);
        // What lies where no step is taken may be anything.
        let places = rows.places(layout.columns());
        let mut taken = vec![rows.is_dense(); layout.batch * layout.time];
        for &place in &places {
            taken[place] = true;
        }
        let (symbols, _) = argument::targets(op, "x", x, Some(&taken))?;
        let symbols = places.iter().map(|&place| symbols[place]).collect();
        return Ok(SequenceInput {
            input: Input::Symbols(symbols),
            layout,
            rows,
        });
    }
    array::expect_real(op, "x", &given)?;
    if dims != 2 && dims != 3 {
        let message = format!(
            "{op}: x must be features (batch, time, features) or (time, features), or integer \
             symbols (batch, time) or (time,), but has {dims} dimensions"
        );
        return Err(raise("ShapeError", message));
    }
    expect_features(op, config)?;
    let layout = Layout::of(&shape, time_major, dims == 3);
    expect_width(op, shape[dims - 1], config)?;
    let rows = Arc::new(cuts.rows(&layout)?);
    let numbers = if rows.is_dense() {
        numbers(&given, |array| match layout.form {
            Form::BatchMajor => array.call_method1("transpose", ((1, 0, 2),)),
            _ => Ok(array),
        })?
    } else {
        let (all, height) = (numbers(&given, Ok)?, config.features());
        let column = |place: usize| &all[place * height..][..height];
        let places = rows.places(layout.columns()).into_iter();
        places.flat_map(column).copied().collect()
    };
    let input = features(config.features(), rows.count(), numbers)?;
    Ok(SequenceInput {
        input,
        layout,
        rows,
    })
}

/// Columns of features.
fn features<T: Number>(height: usize, columns: usize, numbers: Vec<T>) -> PyResult<Input<T>> {
    let matrix = Matrix::constant(Shape::new(height, columns), numbers);
    Ok(Input::Features(matrix.map_err(translate)?))
}

fn expect_width(op: &str, given: usize, config: &Config) -> PyResult<()> {
    let features = config.features();
    if given == features {
        return Ok(());
    }
    let message = format!("{op}: x must have {features} features but has {given}");
    Err(raise("ShapeError", message))
}

/// The numbers of an array in C order, after `arranged`; those of the model's own type are read where
/// they are.
fn numbers<'py, T: Number>(
    given: &Bound<'py, PyUntypedArray>,
    arranged: impl FnOnce(Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>>,
) -> PyResult<Vec<T>> {
    if array::in_place::<T>(given).is_some() {
        let array = arranged(given.clone().into_any())?;
        let array: PyReadonlyArrayDyn<'_, T> = array.extract()?;
        return Ok(array::in_order(&array.as_array()));
    }
    let array = arranged(array::doubles("forward", "x", given)?)?;
    let array: PyReadonlyArrayDyn<'_, f64> = array.extract()?;
    Ok(array.as_array().iter().map(|&x| T::from_f64(x)).collect())
}

/// The arrays of a list of rows: arrays (time, features), or of symbols (time,).
fn arrays_of_rows<'py>(x: &Bound<'py, PyAny>) -> Option<Vec<Bound<'py, PyUntypedArray>>> {
    if !x.is_instance_of::<PyList>() && !x.is_instance_of::<PyTuple>() {
        return None;
    }
    let array = |item: PyResult<Bound<'py, PyAny>>| item.ok()?.cast_into::<PyUntypedArray>().ok();
    let arrays: Vec<_> = x.try_iter().ok()?.map(array).collect::<Option<_>>()?;
    // Of arrays with one dimension only symbols are rows: numbers are the features of a step.
    let is_row = |row: &Bound<'py, PyUntypedArray>| {
        row.ndim() == 2 && !is_integer(row)
            || row.ndim() == 1 && (is_integer(row) || row.len() == 0)
    };
    (!arrays.is_empty() && arrays.iter().any(is_row)).then_some(arrays)
}

/// One array a row.
fn of_list<T: Number>(
    arrays: &[Bound<'_, PyUntypedArray>],
    time_major: bool,
    cuts: Cuts<'_, '_>,
    config: &Config,
) -> PyResult<SequenceInput<T>> {
    let op = "forward";
    if time_major {
        let message = "time_major means nothing where x is a list of arrays, one a row";
        return Err(raise("ArgumentError", format!("{op}: {message}")));
    }
    let lengths: Vec<usize> = arrays
        .iter()
        .map(|array| array.shape().first().copied().unwrap_or(0))
        .collect();
    let rows = Arc::new(cuts.rows_of_list(&lengths)?);
    let places = rows.places(Columns::Unpadded);
    let layout = Layout {
        batch: rows.batch(),
        time: rows.time(),
        form: Form::List,
    };
    let symbols = arrays
        .iter()
        .all(|row| row.ndim() == 1 && (is_integer(row) || row.len() == 0));
    let input = if symbols {
        let mut all = Vec::new();
        for row in arrays {
            all.extend(argument::indices(op, "x", row)?.0);
        }
        Input::Symbols(places.iter().map(|&place| all[place]).collect())
    } else {
        expect_features(op, config)?;
        let mut all = Vec::new();
        for row in arrays {
            array::expect_real(op, "x", row)?;
            let [_, width] = row.shape()[..] else {
                let message = format!(
                    "{op}: x must be a list of arrays (time, features), or of integer symbols \
                     (time,), but one has {} dimensions",
                    row.ndim()
                );
                return Err(raise("ShapeError", message));
            };
            expect_width(op, width, config)?;
            all.extend(numbers::<T>(row, Ok)?);
        }
        let height = config.features();
        let column = |&place: &usize| &all[place * height..][..height];
        features(
            height,
            rows.count(),
            places.iter().flat_map(column).copied().collect(),
        )?
    };
    Ok(SequenceInput {
        input,
        layout,
        rows,
    })
}

/// A sequence that a graph computed: what another model put out, or the columns of one sample.
fn of_matrix<T: Number>(
    matrix: &PyMatrix,
    cuts: Cuts<'_, '_>,
    config: &Config,
) -> PyResult<SequenceInput<T>> {
    expect_features("forward", config)?;
    let features = matrix.inner.typed::<T>("forward", "x")?.clone();
    let (batch, time) = matrix.sequence.unwrap_or((1, features.cols()));
    let form = match matrix.sequence {
        Some(_) => Form::BatchMajor,
        None => Form::Single,
    };
    let layout = Layout { batch, time, form };
    Ok(SequenceInput {
        input: Input::Features(features),
        rows: Arc::new(cuts.rows(&layout)?),
        layout,
    })
}

impl Layout {
    fn of(shape: &[usize], time_major: bool, batched: bool) -> Self {
        let (form, batch, time) = match (batched, time_major) {
            (false, _) => (Form::Single, 1, shape[0]),
            (true, true) => (Form::TimeMajor, shape[1], shape[0]),
            (true, false) => (Form::BatchMajor, shape[0], shape[1]),
        };
        Self { batch, time, form }
    }

    /// The shape of an array with one number a step.
    pub(crate) fn shape(&self) -> Vec<usize> {
        match self.form {
            Form::Single => vec![self.time],
            Form::BatchMajor | Form::List => vec![self.batch, self.time],
            Form::TimeMajor => vec![self.time, self.batch],
        }
    }

    /// The order of an output's columns in an array of this layout.
    pub(crate) fn columns(&self) -> Columns {
        match self.form {
            Form::Single | Form::BatchMajor => Columns::BatchMajor,
            Form::TimeMajor => Columns::TimeMajor,
            Form::List => Columns::Unpadded,
        }
    }

    /// An output's columns, in the order of the input's array, as an array of its layout.
    pub(crate) fn shape_output<T: Number>(
        &self,
        py: Python<'_>,
        rows: &Rows,
        height: usize,
        numbers: Vec<T>,
    ) -> PyResult<Py<PyAny>> {
        let (batch, time) = (self.batch, self.time);
        let array = match self.form {
            Form::Single => array::array(py, [time, height], numbers)?,
            Form::BatchMajor => array::array(py, [batch, time, height], numbers)?,
            Form::TimeMajor => array::array(py, [time, batch, height], numbers)?,
            Form::List => {
                let mut rest = &numbers[..];
                let row = |&length: &usize| {
                    let (row, after) = rest.split_at(length * height);
                    rest = after;
                    array::array(py, [length, height], row.to_vec())
                };
                let arrays = rows.row_lengths().iter().map(row);
                PyList::new(py, arrays.collect::<PyResult<Vec<_>>>()?)?.into_any()
            }
        };
        Ok(array.unbind())
    }
}
