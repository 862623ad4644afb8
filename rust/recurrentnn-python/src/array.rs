//! NumPy arrays in by copy, and views of the core's memory out.

use numpy::ndarray::{ArrayView2, ArrayViewD, ArrayViewMut2, ShapeBuilder};
use numpy::{
    PyArray, PyArray2, PyArrayDescrMethods, PyArrayDyn, PyArrayMethods, PyReadonlyArray2,
    PyUntypedArray, PyUntypedArrayMethods,
};
use pyo3::prelude::*;
use recurrentnn::kernels::buffer::Buffer;
use recurrentnn::shape::Shape;

use crate::dtype::Number;
use crate::error::{raise, replace, wrong_value};

/// Keeps a buffer alive for as long as NumPy looks at it.
#[pyclass(frozen, module = "recurrentnn._recurrentnn", name = "_Memory")]
struct Memory {
    _buffer: Box<dyn std::any::Any + Send + Sync>,
}

/// A writable (rows, cols) view of a buffer, in Fortran order.
pub(crate) fn view<'py, T: Number>(
    py: Python<'py>,
    shape: Shape,
    buffer: &Buffer<T>,
) -> PyResult<Bound<'py, PyAny>> {
    assert_eq!(buffer.len(), shape.len(), "a view of all of the buffer");
    // Away from the interpreter, a call may be reading or writing it.
    if buffer.is_borrowed() {
        return Err(raise("BusyError", "value: in use by another thread".into()));
    }
    let owner = Memory {
        _buffer: Box::new(buffer.clone()),
    };
    let owner = Bound::new(py, owner)?.into_any();
    let dims = (shape.rows, shape.cols).f();
    // SAFETY: the buffer has rows x cols elements and never moves. Rust takes references to it only
    // while its thread holds the interpreter, when no Python code can use the view, or while there is
    // no view: `weight_gradients` asks before, and above none is made meanwhile. NumPy's loops may
    // run without the interpreter: a caller must not let one write a view while another thread calls
    // us, as between two calls of NumPy itself; `Matrix.value` says so.
    let array = unsafe { ArrayViewMut2::from_shape_ptr(dims, buffer.as_ptr()) };
    // SAFETY: `owner` becomes the array's base and keeps the memory alive.
    Ok(unsafe { PyArray2::borrow_from_array(&array, owner) }.into_any())
}

/// What NumPy makes of the object, unless NumPy cannot.
pub(crate) fn as_array<'py>(
    op: &str,
    name: &str,
    object: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyUntypedArray>> {
    if let Ok(array) = object.cast::<PyUntypedArray>() {
        return Ok(array.clone());
    }
    let made = object
        .py()
        .import("numpy")?
        .call_method1("asarray", (object,));
    let refuse = |error: PyErr| {
        let text = error.value(object.py()).to_string();
        let message = format!("{op}: {name} must be an array of numbers: {text}");
        replace(object.py(), error, || raise("ShapeError", message))
    };
    Ok(made.map_err(refuse)?.cast_into::<PyUntypedArray>()?)
}

/// The numbers of a one- or two-dimensional array column by column; one dimension is one column, a
/// number is 1x1.
pub(crate) fn numbers<T: Number>(
    op: &str,
    name: &str,
    object: &Bound<'_, PyAny>,
) -> PyResult<(Shape, Vec<T>)> {
    let array = as_array(op, name, object)?;
    if in_place::<T>(&array).is_some()
        && let Ok(array) = array.extract::<PyReadonlyArray2<'_, T>>()
    {
        return Ok(columns(&array.as_array()));
    }
    let shape = array.shape().to_vec();
    let [rows, cols] = match shape[..] {
        [] => [1, 1],
        [rows] => [rows, 1],
        [rows, cols] => [rows, cols],
        _ => {
            let message = format!(
                "{op}: {name} must have 1 or 2 dimensions but has {}",
                shape.len()
            );
            return Err(raise("ShapeError", message));
        }
    };
    let array = doubles(op, name, &array)?.call_method1("reshape", ((rows, cols),))?;
    let array: PyReadonlyArray2<'_, f64> = array.extract()?;
    let (shape, numbers) = columns(&array.as_array());
    Ok((shape, numbers.into_iter().map(T::from_f64).collect()))
}

/// [`numbers`] of a shape, all of them finite.
pub(crate) fn matching<T: Number>(
    op: &str,
    name: &str,
    object: &Bound<'_, PyAny>,
    shape: Shape,
) -> PyResult<Vec<T>> {
    let (given, numbers) = numbers::<T>(op, name, object)?;
    if given != shape {
        let message = format!("{op}: {name} must be {shape} but is {given}");
        return Err(raise("ShapeError", message));
    }
    match numbers.iter().find(|x| !x.is_finite()) {
        Some(bad) => Err(wrong_value(op, name, "finite", &bad.to_string())),
        None => Ok(numbers),
    }
}

/// As [`numbers`], but an array (batch, time, features) is features x (batch * time), with column
/// b * time + t.
pub(crate) fn sequence_numbers<T: Number>(
    op: &str,
    name: &str,
    object: &Bound<'_, PyAny>,
    (batch, time): (usize, usize),
) -> PyResult<(Shape, Vec<T>)> {
    let array = as_array(op, name, object)?;
    let [rows, cols, features] = array.shape()[..] else {
        return numbers(op, name, object);
    };
    if (rows, cols) != (batch, time) {
        let message = format!(
            "{op}: {name} must be ({batch}, {time}, features), as the sequence, but is \
             ({rows}, {cols}, {features})"
        );
        return Err(raise("ShapeError", message));
    }
    let array = doubles(op, name, &array)?.call_method1("reshape", ((batch * time, features),))?;
    let array: PyReadonlyArray2<'_, f64> = array.extract()?;
    let numbers = array.as_array().iter().map(|&x| T::from_f64(x)).collect();
    Ok((Shape::new(features, batch * time), numbers))
}

/// The object if it is an array of `T`s each of which lies where a `T` may lie: a field of a packed
/// structure does not.
pub(crate) fn in_place<'a, 'py, T: Number>(
    object: &'a Bound<'py, PyAny>,
) -> Option<&'a Bound<'py, PyArrayDyn<T>>> {
    let array = object.cast::<PyArrayDyn<T>>().ok()?;
    let size = isize::try_from(size_of::<T>()).ok()?;
    let whole = array.strides().iter().all(|stride| stride % size == 0);
    (whole && array.data().is_aligned()).then_some(array)
}

/// The numbers in C order, however they lie: axes but the last are mostly what was turned.
pub(crate) fn in_order<T: Copy>(array: &ArrayViewD<'_, T>) -> Vec<T> {
    let mut numbers = Vec::with_capacity(array.len());
    for row in array.rows() {
        match row.to_slice() {
            Some(row) => numbers.extend_from_slice(row),
            None => numbers.extend(row.iter().copied()),
        }
    }
    numbers
}

fn columns<T: Copy>(array: &ArrayView2<'_, T>) -> (Shape, Vec<T>) {
    let shape = Shape::new(array.nrows(), array.ncols());
    (shape, array.t().iter().copied().collect())
}

/// A float64 copy of the array, whatever its layout; what is no real number is refused. Rounding to
/// float32 is ours: NumPy warns where a number becomes infinite.
pub(crate) fn doubles<'py>(
    op: &str,
    name: &str,
    array: &Bound<'py, PyUntypedArray>,
) -> PyResult<Bound<'py, PyAny>> {
    expect_real(op, name, array)?;
    array.call_method1("astype", (numpy::dtype::<f64>(array.py()),))
}

/// Fails unless an array holds real numbers.
pub(crate) fn expect_real(op: &str, name: &str, array: &Bound<'_, PyUntypedArray>) -> PyResult<()> {
    // An empty list is an array of float64 in NumPy, so kind says enough.
    if !matches!(array.dtype().kind(), b'b' | b'i' | b'u' | b'f') {
        let message = format!(
            "{op}: {name} must be real numbers but is an array of {}",
            array.dtype()
        );
        return Err(raise("DTypeError", message));
    }
    Ok(())
}

/// A new C-ordered array of these numbers.
pub(crate) fn array<T: Number, const N: usize>(
    py: Python<'_>,
    dims: [usize; N],
    numbers: Vec<T>,
) -> PyResult<Bound<'_, PyAny>>
where
    [usize; N]: numpy::ndarray::IntoDimension,
{
    Ok(PyArray::from_vec(py, numbers).reshape(dims)?.into_any())
}

/// A new C-ordered array (rows, cols) of numbers given column by column.
pub(crate) fn columns_array<T: Number>(
    py: Python<'_>,
    shape: Shape,
    numbers: Vec<T>,
) -> PyResult<Bound<'_, PyAny>> {
    let transposed = array(py, [shape.cols, shape.rows], numbers)?;
    transposed.getattr("T")?.call_method1("copy", ("C",))
}
