//! The class `Matrix`: constructors, views of value and gradient, and the protocols of Python.

use numpy::PyUntypedArrayMethods;
use pyo3::exceptions::{PyMemoryError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::PyTuple;
use recurrentnn::element::{DType, Element};
use recurrentnn::kernels::buffer::zeros;
use recurrentnn::matrix::Matrix;
use recurrentnn::random::{Purpose, Stream};
use recurrentnn::shape::Shape;

use crate::argument::{self, Given};
use crate::array;
use crate::dtype::{AnyMatrix, Number, with, with_type};
use crate::error::{guard, raise, translate, wrong_value};

/// A value and its gradient, (rows, cols), column-major: a column is one sample.
///
/// As a method, every op takes the matrix as its first operand and records in the thread's graph
/// (`with Graph():`); outside any graph it only evaluates.
///
/// Parameters
/// ----------
/// data
///     An array or nested list of 1 or 2 dimensions, copied; 1-D data is one column.
/// dtype
///     "float32" (default) or "float64".
#[pyclass(frozen, name = "Matrix", module = "recurrentnn")]
pub(crate) struct PyMatrix {
    pub(crate) inner: AnyMatrix,
    /// (batch, time) of a sequence output, whose column is b * time + t.
    pub(crate) sequence: Option<(usize, usize)>,
}

impl PyMatrix {
    pub(crate) fn new<T: Number>(matrix: Matrix<T>) -> Self {
        Self {
            inner: T::wrap(matrix),
            sequence: None,
        }
    }

    fn filled(
        op: &str,
        (rows, cols, dtype): (&Bound<'_, PyAny>, &Bound<'_, PyAny>, Given<'_, DType>),
        fill: impl FnOnce(&mut dyn Fill),
    ) -> PyResult<Self> {
        let shape = shape(op, rows, cols)?;
        let dtype = dtype.get(op, "dtype", |op, _, object| argument::dtype(op, object))?;
        with_type!(dtype, T => {
            let data = zeros::<T>(shape.len());
            let Some(mut data) = data else {
                let message = format!("{op}: not enough memory for {shape} numbers");
                return Err(PyMemoryError::new_err(message));
            };
            fill(&mut data.as_mut_slice());
            Ok(Self::new(Matrix::from_vec(shape, data).map_err(translate)?))
        })
    }
}

/// What of a matrix is assigned.
#[derive(Clone, Copy)]
enum Part {
    Value,
    Grad,
}

/// A slice of either element type that draws can fill.
trait Fill {
    fn constant(&mut self, x: f64);
    fn uniform(&mut self, stream: Stream, low: f64, high: f64);
    fn normal(&mut self, stream: Stream, mean: f64, std: f64);
}

impl<T: Number> Fill for &mut [T] {
    fn constant(&mut self, x: f64) {
        self.fill(T::from_f64(x));
    }
    fn uniform(&mut self, stream: Stream, low: f64, high: f64) {
        stream.fill_uniform(self, low, high);
    }
    fn normal(&mut self, stream: Stream, mean: f64, std: f64) {
        stream.fill_normal(self, mean, std);
    }
}

/// Most elements that a constructor makes: 16 GiB of float64.
const MAX_ELEMENTS: usize = 1 << 31;

fn shape(op: &str, rows: &Bound<'_, PyAny>, cols: &Bound<'_, PyAny>) -> PyResult<Shape> {
    let shape = Shape::new(
        argument::count(op, "rows", rows)?,
        argument::count(op, "cols", cols)?,
    );
    if shape.len() > MAX_ELEMENTS {
        return Err(wrong_value(
            op,
            "rows x cols",
            "at most 2^31 elements",
            &shape.to_string(),
        ));
    }
    Ok(shape)
}

fn finite(op: &str, name: &str, object: &Bound<'_, PyAny>) -> PyResult<f64> {
    let x = argument::number(op, name, object)?;
    if x.is_finite() {
        Ok(x)
    } else {
        Err(wrong_value(op, name, "finite", &x.to_string()))
    }
}

const F32: DType = DType::Float32;

#[pymethods]
impl PyMatrix {
    #[new]
    #[pyo3(signature = (data, dtype = Given::Default(F32)), text_signature = "(data, dtype=None)")]
    fn py_new(data: &Bound<'_, PyAny>, dtype: Given<'_, DType>) -> PyResult<Self> {
        let dtype = dtype.get("Matrix", "dtype", |op, _, object| {
            argument::dtype(op, object)
        })?;
        with_type!(dtype, T => {
            let (shape, data) = array::numbers::<T>("Matrix", "data", data)?;
            Ok(Self::new(Matrix::from_vec(shape, data).map_err(translate)?))
        })
    }

    /// All zeros.
    #[staticmethod]
    #[pyo3(
        signature = (rows, cols, dtype = Given::Default(F32)),
        text_signature = "(rows, cols, dtype='float32')"
    )]
    fn zeros(
        rows: &Bound<'_, PyAny>,
        cols: &Bound<'_, PyAny>,
        dtype: Given<'_, DType>,
    ) -> PyResult<Self> {
        Self::filled("zeros", (rows, cols, dtype), |_| {})
    }

    /// All ones.
    #[staticmethod]
    #[pyo3(
        signature = (rows, cols, dtype = Given::Default(F32)),
        text_signature = "(rows, cols, dtype='float32')"
    )]
    fn ones(
        rows: &Bound<'_, PyAny>,
        cols: &Bound<'_, PyAny>,
        dtype: Given<'_, DType>,
    ) -> PyResult<Self> {
        Self::filled("ones", (rows, cols, dtype), |data| data.constant(1.0))
    }

    /// Uniform in [low, high), from the stream of `seed` (Philox 4x32-10).
    #[staticmethod]
    #[pyo3(
        signature = (
            rows, cols, low = Given::Default(0.0), high = Given::Default(1.0), *,
            seed = Given::Default(0), dtype = Given::Default(F32)
        ),
        text_signature = "(rows, cols, low=0.0, high=1.0, *, seed=0, dtype='float32')"
    )]
    fn uniform(
        rows: &Bound<'_, PyAny>,
        cols: &Bound<'_, PyAny>,
        low: Given<'_, f64>,
        high: Given<'_, f64>,
        seed: Given<'_, u64>,
        dtype: Given<'_, DType>,
    ) -> PyResult<Self> {
        let op = "uniform";
        let (low, high) = (low.get(op, "low", finite)?, high.get(op, "high", finite)?);
        if low > high {
            return Err(wrong_value(
                op,
                "low",
                &format!("at most high, {high},"),
                &low.to_string(),
            ));
        }
        let stream = Stream::new(seed.get(op, "seed", argument::seed)?, Purpose::Matrix, 0);
        Self::filled(op, (rows, cols, dtype), |data| {
            data.uniform(stream, low, high);
        })
    }

    /// Normal with this mean and standard deviation, from the stream of `seed` (Philox 4x32-10).
    #[staticmethod]
    #[pyo3(
        signature = (
            rows, cols, mean = Given::Default(0.0), std = Given::Default(1.0), *,
            seed = Given::Default(0), dtype = Given::Default(F32)
        ),
        text_signature = "(rows, cols, mean=0.0, std=1.0, *, seed=0, dtype='float32')"
    )]
    fn normal(
        rows: &Bound<'_, PyAny>,
        cols: &Bound<'_, PyAny>,
        mean: Given<'_, f64>,
        std: Given<'_, f64>,
        seed: Given<'_, u64>,
        dtype: Given<'_, DType>,
    ) -> PyResult<Self> {
        let op = "normal";
        let (mean, std) = (mean.get(op, "mean", finite)?, std.get(op, "std", finite)?);
        if std < 0.0 {
            return Err(wrong_value(op, "std", "not negative", &std.to_string()));
        }
        let stream = Stream::new(seed.get(op, "seed", argument::seed)?, Purpose::Matrix, 0);
        Self::filled(op, (rows, cols, dtype), |data| {
            data.normal(stream, mean, std);
        })
    }

    /// Number of rows: the features of a sample.
    #[getter]
    fn rows(&self) -> usize {
        self.inner.shape().rows
    }

    /// Number of columns: the samples.
    #[getter]
    fn cols(&self) -> usize {
        self.inner.shape().cols
    }

    /// (rows, cols).
    #[getter]
    pub(crate) fn shape(&self) -> (usize, usize) {
        self.inner.shape().dims()
    }

    /// float32 or float64.
    #[getter]
    fn dtype<'py>(&self, py: Python<'py>) -> Bound<'py, numpy::PyArrayDescr> {
        with_type!(self.inner.dtype(), T => numpy::dtype::<T>(py))
    }

    /// The numbers: a writable (rows, cols) view in Fortran order. Assignment copies in.
    ///
    /// Call `backward` before you write into what was recorded: derivatives are computed from the
    /// numbers as they are then. An assignment in between is noticed, a write through a view is not.
    /// Do not write through a view in one thread while another calls the library.
    #[getter]
    pub(crate) fn value<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        with!(&self.inner, AnyMatrix, |m| array::view(
            py,
            m.shape(),
            m.value_buffer()
        ))
    }

    #[setter]
    fn set_value(&self, data: &Bound<'_, PyAny>) -> PyResult<()> {
        self.assign(Part::Value, "value", data)
    }

    /// The gradient: a writable (rows, cols) view in Fortran order. Assignment copies in.
    #[getter]
    fn grad<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        with!(&self.inner, AnyMatrix, |m| array::view(
            py,
            m.shape(),
            m.grad_buffer()
        ))
    }

    #[setter]
    fn set_grad(&self, data: &Bound<'_, PyAny>) -> PyResult<()> {
        self.assign(Part::Grad, "grad", data)
    }

    /// The ancestors' name of `value`.
    #[getter]
    fn w<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.value(py)
    }

    #[setter]
    fn set_w(&self, data: &Bound<'_, PyAny>) -> PyResult<()> {
        self.assign(Part::Value, "w", data)
    }

    /// The ancestors' name of `grad`.
    #[getter]
    fn dw<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.grad(py)
    }

    #[setter]
    fn set_dw(&self, data: &Bound<'_, PyAny>) -> PyResult<()> {
        self.assign(Part::Grad, "dw", data)
    }

    /// Of a sequence output, features x (batch*time): a (batch, time, features) view of its value.
    #[getter]
    fn sequence<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let Some((batch, time)) = self.sequence else {
            let message = "sequence: the matrix must be the output of a sequence but is not";
            return Err(raise("ArgumentError", message.into()));
        };
        let features = self.inner.shape().rows;
        // The transpose of a Fortran-ordered view is C-ordered, so this reshape copies nothing.
        self.value(py)?
            .getattr("T")?
            .call_method1("reshape", ((batch, time, features),))
    }

    /// Sets the gradient to zero.
    fn zero_grad(&self) -> PyResult<()> {
        with!(&self.inner, AnyMatrix, |m| guard(|| m.zero_grad()))
    }

    /// A matrix of its own with the same numbers, no gradient, and no graph.
    pub(crate) fn copy(&self) -> PyResult<Self> {
        with!(&self.inner, AnyMatrix, |m| {
            let copy = guard(|| Matrix::from_vec(m.shape(), m.to_vec()?))?;
            Ok(Self::new(copy))
        })
    }

    /// The number that a 1x1 matrix holds.
    fn item(&self) -> PyResult<f64> {
        let shape = self.inner.shape();
        if shape != Shape::SCALAR {
            return Err(raise(
                "ShapeError",
                format!("item: the matrix must be 1x1 but is {shape}"),
            ));
        }
        with!(&self.inner, AnyMatrix, |m| guard(|| Ok(
            m.value()?[0].to_f64()
        )))
    }

    fn __float__(&self) -> PyResult<f64> {
        self.item()
    }

    fn __bool__(&self) -> PyResult<bool> {
        let message = "a Matrix has no truth value; compare its .value or .item()";
        Err(PyTypeError::new_err(message))
    }

    #[pyo3(signature = (dtype = None, copy = None))]
    fn __array__<'py>(
        &self,
        py: Python<'py>,
        dtype: Option<&Bound<'py, PyAny>>,
        copy: Option<bool>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let view = self.value(py)?;
        let target = match dtype {
            Some(dtype) if !dtype.is_none() => numpy::PyArrayDescr::new(py, dtype)?,
            _ => self.dtype(py),
        };
        let same = target.eq(self.dtype(py))?;
        match copy {
            Some(false) if !same => {
                let message = "__array__: copy=False but another dtype needs a copy";
                Err(raise("ArgumentError", message.into()))
            }
            Some(true) => view.call_method1("astype", (target,)),
            _ if same => Ok(view),
            _ => view.call_method1("astype", (target,)),
        }
    }

    /// `array + matrix` is ours, not NumPy's.
    #[classattr]
    fn __array_ufunc__() -> Option<bool> {
        None
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let (rows, cols) = self.shape();
        let dtype = self.inner.dtype().name();
        if rows * cols > 24 || rows * cols == 0 {
            return Ok(format!("Matrix({rows}x{cols}, {dtype})"));
        }
        let numbers = self.value(py)?.call_method0("tolist")?.repr()?;
        Ok(format!("Matrix({numbers}, dtype='{dtype}')"))
    }

    fn __copy__(&self) -> PyResult<Self> {
        self.copy()
    }

    fn __deepcopy__(&self, _memo: &Bound<'_, PyAny>) -> PyResult<Self> {
        self.copy()
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyTuple>> {
        let (py, this) = (slf.py(), slf.get());
        let numbers = this.value(py)?.call_method0("copy")?;
        let arguments = (numbers, this.inner.dtype().name()).into_pyobject(py)?;
        (slf.get_type(), arguments).into_pyobject(py)
    }
}

impl PyMatrix {
    /// Copies data of exactly this shape into the value or the gradient.
    fn assign(&self, part: Part, what: &str, data: &Bound<'_, PyAny>) -> PyResult<()> {
        let expected = self.inner.shape();
        let dims = array::as_array(what, "data", data)?.ndim();
        with!(&self.inner, AnyMatrix, |m| {
            let (given, numbers) = array::numbers(what, "data", data)?;
            let column = dims == 1 && expected.cols == 1;
            if given != expected || !(dims == 2 || column) {
                let message = format!("{what}: data must be {expected} but is {given}");
                let message = if dims == 2 {
                    message
                } else {
                    format!("{message}, {dims}-D")
                };
                return Err(raise("ShapeError", message));
            }
            guard(|| {
                let mut target = match part {
                    Part::Value => m.value_mut()?,
                    Part::Grad => m.grad_mut()?,
                };
                target.copy_from_slice(&numbers);
                Ok(())
            })
        })
    }
}
