//! The core's errors as Python exceptions, and ours for arguments of the wrong type.

use pyo3::exceptions::{PyMemoryError, PyOSError, PyRuntimeError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyType;
use recurrentnn::error::{Error, catch};

/// The exception class of that name in `recurrentnn.errors`.
fn class<'py>(py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyType>> {
    Ok(py
        .import("recurrentnn.errors")?
        .getattr(name)?
        .cast_into::<PyType>()?)
}

/// An exception of `recurrentnn.errors`.
pub(crate) fn raise(name: &str, message: String) -> PyErr {
    Python::attach(|py| match class(py, name) {
        Ok(class) => PyErr::from_type(class, message),
        Err(error) => error,
    })
}

/// An argument of the wrong Python type: `op: argument must be ... but is ...`.
pub(crate) fn wrong_type(op: &str, argument: &str, rule: &str, given: &Bound<'_, PyAny>) -> PyErr {
    let kind = given
        .get_type()
        .name()
        .map_or_else(|_| "?".into(), |name| name.to_string());
    let message = format!("{op}: {argument} must be {rule} but is {kind}");
    raise("ArgumentTypeError", message)
}

/// Puts our error in the place of a `TypeError` or `ValueError` that a conversion raised; anything
/// else, an interrupt above all, is not ours to replace.
pub(crate) fn replace(py: Python<'_>, error: PyErr, ours: impl FnOnce() -> PyErr) -> PyErr {
    let plain = error.is_instance_of::<PyTypeError>(py) || error.is_instance_of::<PyValueError>(py);
    if plain { ours() } else { error }
}

/// A value outside its domain: `op: argument must be ... but is ...`.
pub(crate) fn wrong_value(op: &str, argument: &str, rule: &str, given: &str) -> PyErr {
    raise(
        "ArgumentError",
        format!("{op}: {argument} must be {rule} but is {given}"),
    )
}

/// One exception per kind of error.
pub(crate) fn translate(error: Error) -> PyErr {
    let class = match &error {
        Error::Shape { .. } => "ShapeError",
        Error::DType { .. } => "DTypeError",
        Error::Argument { .. } => "ArgumentError",
        Error::OutOfRange { .. } => "OutOfRangeError",
        Error::Graph { .. } => "GraphError",
        Error::Busy { .. } => "BusyError",
        Error::NonFinite { .. } => "NonFiniteError",
        Error::Memory { .. } => return PyMemoryError::new_err(error.to_string()),
        Error::Internal { .. } => "InternalError",
        Error::Vocabulary { .. } => "VocabularyError",
        Error::Format { .. } => "FormatError",
        Error::Io { path, source } => {
            let (path, text) = (path.display().to_string(), source.to_string());
            // Python writes the number itself.
            let text = text
                .split(" (os error")
                .next()
                .unwrap_or_default()
                .to_owned();
            // With a number, OSError picks FileNotFoundError, PermissionError and so on itself.
            return match source.raw_os_error() {
                Some(number) => PyOSError::new_err((number, text, path)),
                None => PyOSError::new_err(error.to_string()),
            };
        }
        _ => return PyRuntimeError::new_err(error.to_string()),
    };
    raise(class, error.to_string())
}

/// Runs a call into the core; a panic there is a bug of ours and becomes an `InternalError`.
pub(crate) fn guard<R>(call: impl FnOnce() -> recurrentnn::error::Result<R>) -> PyResult<R> {
    catch(call).map_err(translate)
}
