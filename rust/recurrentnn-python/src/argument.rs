//! Python arguments as Rust values, refused with the names of the operation and the argument.

use numpy::{PyArrayDescrMethods, PyUntypedArray, PyUntypedArrayMethods};
use pyo3::exceptions::PyOverflowError;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyString};
use recurrentnn::element::DType;
use recurrentnn::ops::Axis;

use crate::array;
use crate::error::{raise, replace, wrong_type, wrong_value};
use crate::matrix::PyMatrix;

/// An argument that may have a default: its conversion waits until the operation is known.
pub(crate) enum Given<'py, T> {
    Default(T),
    Object(Bound<'py, PyAny>),
}

impl<'a, 'py, T> FromPyObject<'a, 'py> for Given<'py, T> {
    type Error = PyErr;
    fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        Ok(Self::Object(object.to_owned()))
    }
}

impl<'py, T> Given<'py, T> {
    pub(crate) fn get(
        self,
        op: &str,
        name: &str,
        convert: impl FnOnce(&str, &str, &Bound<'py, PyAny>) -> PyResult<T>,
    ) -> PyResult<T> {
        match self {
            Self::Default(value) => Ok(value),
            Self::Object(object) => convert(op, name, &object),
        }
    }
}

/// A real number. A 1x1 matrix is none: as a number it would lose its gradient.
pub(crate) fn number(op: &str, name: &str, object: &Bound<'_, PyAny>) -> PyResult<f64> {
    let refuse = || wrong_type(op, name, "a number", object);
    if object.is_instance_of::<PyString>() || object.is_instance_of::<PyMatrix>() {
        return Err(refuse());
    }
    object.extract().map_err(|error: PyErr| {
        if error.is_instance_of::<PyOverflowError>(object.py()) {
            return wrong_value(op, name, "a number that float64 can hold", "larger");
        }
        replace(object.py(), error, refuse)
    })
}

/// A real number or None.
pub(crate) fn maybe_number(
    op: &str,
    name: &str,
    object: &Bound<'_, PyAny>,
) -> PyResult<Option<f64>> {
    if object.is_none() {
        Ok(None)
    } else {
        number(op, name, object).map(Some)
    }
}

/// True or False.
pub(crate) fn boolean(op: &str, name: &str, object: &Bound<'_, PyAny>) -> PyResult<bool> {
    object
        .extract()
        .map_err(|_| wrong_type(op, name, "True or False", object))
}

fn unsigned<T: for<'a, 'py> FromPyObject<'a, 'py, Error = PyErr>>(
    op: &str,
    name: &str,
    object: &Bound<'_, PyAny>,
    limit: &str,
) -> PyResult<T> {
    if object.is_instance_of::<PyBool>() {
        return Err(wrong_type(op, name, "an integer", object));
    }
    object.extract().map_err(|error: PyErr| {
        if error.is_instance_of::<PyOverflowError>(object.py()) {
            let given = object
                .str()
                .map_or_else(|_| "?".into(), |text| text.to_string());
            return wrong_value(op, name, limit, &given);
        }
        replace(object.py(), error, || {
            wrong_type(op, name, "an integer", object)
        })
    })
}

/// A count: an integer that is not negative.
pub(crate) fn count(op: &str, name: &str, object: &Bound<'_, PyAny>) -> PyResult<usize> {
    let count: usize = unsigned(op, name, object, "an integer from 0")?;
    // Beyond this a product of two counts could overflow, and no memory holds that much.
    if count >> 31 != 0 {
        return Err(wrong_value(op, name, "below 2^31", &count.to_string()));
    }
    Ok(count)
}

/// An index of a row, a column or a symbol.
pub(crate) fn index(op: &str, name: &str, object: &Bound<'_, PyAny>) -> PyResult<usize> {
    unsigned(op, name, object, "an integer from 0").map_err(|error| {
        let class = error.get_type(object.py()).name();
        match class {
            Ok(class) if class == "ArgumentError" => {
                raise("OutOfRangeError", error.value(object.py()).to_string())
            }
            _ => error,
        }
    })
}

/// A seed.
pub(crate) fn seed(op: &str, name: &str, object: &Bound<'_, PyAny>) -> PyResult<u64> {
    unsigned(op, name, object, "an integer from 0 to 2^64 - 1")
}

/// A step of a random stream.
pub(crate) fn step(op: &str, name: &str, object: &Bound<'_, PyAny>) -> PyResult<u32> {
    unsigned(op, name, object, "an integer from 0 to 2^32 - 1")
}

/// 0, 1 or None.
pub(crate) fn maybe_axis(
    op: &str,
    name: &str,
    object: &Bound<'_, PyAny>,
) -> PyResult<Option<Axis>> {
    if object.is_none() {
        return Ok(None);
    }
    if object.is_instance_of::<PyBool>() {
        return Err(wrong_type(
            op,
            name,
            "0 (rows), 1 (columns) or None",
            object,
        ));
    }
    match object.extract::<i64>() {
        Ok(0) => Ok(Some(Axis::Rows)),
        Ok(1) => Ok(Some(Axis::Columns)),
        Ok(other) => {
            let rule = "0 (over rows), 1 (over columns) or None";
            Err(wrong_value(op, name, rule, &other.to_string()))
        }
        Err(_) => Err(wrong_type(
            op,
            name,
            "0 (rows), 1 (columns) or None",
            object,
        )),
    }
}

/// 0 or 1.
pub(crate) fn axis(op: &str, name: &str, object: &Bound<'_, PyAny>) -> PyResult<Axis> {
    maybe_axis(op, name, object)?.ok_or_else(|| wrong_value(op, name, "0 or 1", "None"))
}

/// "float32" or "float64", or what NumPy takes for them; None is "float32".
pub(crate) fn dtype(op: &str, object: &Bound<'_, PyAny>) -> PyResult<DType> {
    if object.is_none() {
        return Ok(DType::Float32);
    }
    let refuse = || {
        let given = object
            .repr()
            .map_or_else(|_| "?".into(), |text| text.to_string());
        let message = format!("{op}: dtype must be 'float32' or 'float64' but is {given}");
        raise("DTypeError", message)
    };
    let descr = numpy::PyArrayDescr::new(object.py(), object).map_err(|_| refuse())?;
    // By kind and size: a big-endian float64 is still a float64.
    match (descr.kind(), descr.itemsize()) {
        (b'f', 4) => Ok(DType::Float32),
        (b'f', 8) => Ok(DType::Float64),
        _ => Err(refuse()),
    }
}

/// Indices, symbols or targets, flattened in C order, and the shape they came in.
pub(crate) fn indices(
    op: &str,
    name: &str,
    object: &Bound<'_, PyAny>,
) -> PyResult<(Vec<usize>, Vec<usize>)> {
    let array = integers(op, name, object)?;
    let shape = array.shape().to_vec();
    let flat = flatten::<i64>(&array, "int64")?;
    let indices = flat
        .iter()
        .map(|&x| not_negative(op, name, x))
        .collect::<PyResult<_>>()?;
    Ok((indices, shape))
}

fn not_negative(op: &str, name: &str, x: i64) -> PyResult<usize> {
    usize::try_from(x).map_err(|_| {
        let message = format!("{op}: {name} must not be negative but holds {x}");
        raise("OutOfRangeError", message)
    })
}

/// Targets, flattened in C order; where the mask leaves one out it may be anything, and becomes 0.
pub(crate) fn targets(
    op: &str,
    name: &str,
    object: &Bound<'_, PyAny>,
    mask: Option<&[bool]>,
) -> PyResult<(Vec<usize>, Vec<usize>)> {
    let array = integers(op, name, object)?;
    let flat = flatten::<i64>(&array, "int64")?;
    let counts = |at: usize| mask.is_none_or(|mask| mask.get(at).copied().unwrap_or(true));
    let target = |(at, &x): (usize, &i64)| {
        if counts(at) {
            not_negative(op, name, x)
        } else {
            Ok(0)
        }
    };
    let targets = flat
        .iter()
        .enumerate()
        .map(target)
        .collect::<PyResult<_>>()?;
    Ok((targets, array.shape().to_vec()))
}

/// An array of integers; an empty one of any kind.
fn integers<'py>(
    op: &str,
    name: &str,
    object: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyUntypedArray>> {
    let array = array::as_array(op, name, object)?;
    if array.len() > 0 && !matches!(array.dtype().kind(), b'i' | b'u') {
        let message = format!(
            "{op}: {name} must be integers but is an array of {}",
            array.dtype()
        );
        return Err(raise("DTypeError", message));
    }
    Ok(array)
}

/// Indices, symbols or targets, flattened in C order.
pub(crate) fn index_list(
    op: &str,
    name: &str,
    object: &Bound<'_, PyAny>,
) -> PyResult<std::sync::Arc<[usize]>> {
    Ok(indices(op, name, object)?.0.into())
}

/// A mask: booleans, or numbers that are 0 where something is left out.
pub(crate) fn mask(
    op: &str,
    name: &str,
    object: &Bound<'_, PyAny>,
) -> PyResult<(Vec<bool>, Vec<usize>)> {
    let array = array::as_array(op, name, object)?;
    if !matches!(array.dtype().kind(), b'b' | b'i' | b'u' | b'f') {
        let message = format!(
            "{op}: {name} must be booleans but is an array of {}",
            array.dtype()
        );
        return Err(raise("DTypeError", message));
    }
    let flat = flatten::<f64>(&array, "float64")?;
    if let Some(bad) = flat.iter().find(|&&x| x != 0.0 && x != 1.0) {
        return Err(wrong_value(op, name, "all 0 or 1", &bad.to_string()));
    }
    Ok((
        flat.iter().map(|&x| x != 0.0).collect(),
        array.shape().to_vec(),
    ))
}

fn flatten<T: numpy::Element + Copy>(
    array: &Bound<'_, PyUntypedArray>,
    dtype: &str,
) -> PyResult<Vec<T>> {
    let flat = array
        .call_method1("astype", (dtype,))?
        .call_method0("ravel")?;
    let flat: numpy::PyReadonlyArray1<'_, T> = flat.extract()?;
    Ok(flat.as_array().iter().copied().collect())
}
