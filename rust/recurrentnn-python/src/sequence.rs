//! What users hand to a model, one tick or a whole sequence, in the core's order of columns.

use numpy::{PyArrayDescrMethods, PyArrayDyn, PyReadonlyArray3, PyUntypedArrayMethods};
use pyo3::prelude::*;
use recurrentnn::config::Config;
use recurrentnn::matrix::Matrix;
use recurrentnn::sequence::Columns;
use recurrentnn::shape::Shape;

use crate::argument;
use crate::array;
use crate::dtype::Number;
use crate::error::{raise, translate};
use crate::graph::operand_matrix;
use crate::matrix::PyMatrix;

/// Symbols, or features in columns.
pub(crate) enum Input<T: Number> {
    Symbols(Vec<usize>),
    Features(Matrix<T>),
}

/// A sequence whose columns are in the order t * batch + b.
pub(crate) struct SequenceInput<T: Number> {
    pub(crate) input: Input<T>,
    pub(crate) layout: Layout,
}

/// How a user's array was laid out.
pub(crate) struct Layout {
    pub(crate) batch: usize,
    pub(crate) time: usize,
    batched: bool,
    time_major: bool,
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
/// (time,); with `time_major`, time comes first.
pub(crate) fn sequence<T: Number>(
    x: &Bound<'_, PyAny>,
    time_major: bool,
    config: &Config,
) -> PyResult<SequenceInput<T>> {
    let op = "forward";
    if let Ok(matrix) = x.cast::<PyMatrix>() {
        return of_matrix(matrix.get(), config);
    }
    let given = array::as_array(op, "x", x)?;
    let dims = given.ndim();
    if is_integer(&given) && (dims == 1 || dims == 2) {
        let (symbols, shape) = argument::indices(op, "x", x)?;
        let (batch, time) = extents(&shape, time_major, dims == 2);
        let symbols = if time_major || batch == 1 {
            symbols
        } else {
            let at = |column: usize| symbols[(column % batch) * time + column / batch];
            (0..batch * time).map(at).collect()
        };
        let layout = Layout {
            batch,
            time,
            batched: dims == 2,
            time_major,
        };
        return Ok(SequenceInput {
            input: Input::Symbols(symbols),
            layout,
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
    let shape = given.shape().to_vec();
    let (batch, time) = extents(&shape, time_major, dims == 3);
    let (features, given_features) = (config.features(), shape[dims - 1]);
    if given_features != features {
        let message = format!("{op}: x must have {features} features but has {given_features}");
        return Err(raise("ShapeError", message));
    }
    // Numbers of the model's own type are read where they are.
    let own = given.is_instance_of::<PyArrayDyn<T>>();
    let array = if own {
        given.into_any()
    } else {
        array::doubles(op, "x", &given)?
    };
    let array = match (dims, time_major) {
        (2, _) => array.call_method1("reshape", ((time, 1, features),))?,
        (_, true) => array,
        (_, false) => array.call_method1("transpose", ((1, 0, 2),))?,
    };
    let numbers = if own {
        let array: PyReadonlyArray3<'_, T> = array.extract()?;
        array.as_array().iter().copied().collect()
    } else {
        let array: PyReadonlyArray3<'_, f64> = array.extract()?;
        array.as_array().iter().map(|&x| T::from_f64(x)).collect()
    };
    let matrix =
        Matrix::constant(Shape::new(features, batch * time), numbers).map_err(translate)?;
    let layout = Layout {
        batch,
        time,
        batched: dims == 3,
        time_major,
    };
    Ok(SequenceInput {
        input: Input::Features(matrix),
        layout,
    })
}

/// A sequence that a graph computed: what another model put out, or the columns of one sample.
fn of_matrix<T: Number>(matrix: &PyMatrix, config: &Config) -> PyResult<SequenceInput<T>> {
    expect_features("forward", config)?;
    let features = matrix.inner.typed::<T>("forward", "x")?.clone();
    let (batch, time) = matrix.sequence.unwrap_or((1, features.cols()));
    let (batched, time_major) = (matrix.sequence.is_some(), false);
    let layout = Layout {
        batch,
        time,
        batched,
        time_major,
    };
    Ok(SequenceInput {
        input: Input::Features(features),
        layout,
    })
}

/// (batch, time) of a shape.
fn extents(shape: &[usize], time_major: bool, batched: bool) -> (usize, usize) {
    match (batched, time_major) {
        (false, _) => (1, shape[0]),
        (true, true) => (shape[1], shape[0]),
        (true, false) => (shape[0], shape[1]),
    }
}

impl Layout {
    /// From columns b * time + t to t * batch + b, where that is another order.
    pub(crate) fn to_time_major(&self) -> Option<Vec<usize>> {
        let (batch, time) = (self.batch, self.time);
        let column = move |c: usize| (c % batch) * time + c / batch;
        (batch > 1 && time > 1).then(|| (0..batch * time).map(column).collect())
    }

    /// The order of an output's columns in an array of this layout.
    pub(crate) fn columns(&self) -> Columns {
        if self.time_major {
            Columns::TimeMajor
        } else {
            Columns::BatchMajor
        }
    }

    /// An output's columns, in the order of the input's array, as an array of its layout.
    pub(crate) fn shape_output<T: Number>(
        &self,
        py: Python<'_>,
        rows: usize,
        numbers: Vec<T>,
    ) -> PyResult<Py<PyAny>> {
        let (batch, time) = (self.batch, self.time);
        let array = match (self.batched, self.time_major) {
            (false, _) => array::array(py, [time, rows], numbers)?,
            (true, false) => array::array(py, [batch, time, rows], numbers)?,
            (true, true) => array::array(py, [time, batch, rows], numbers)?,
        };
        Ok(array.unbind())
    }
}
