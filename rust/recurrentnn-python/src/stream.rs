//! The class `Stream`: a model fed one step at a time.

use std::sync::{Arc, Mutex, MutexGuard, TryLockError};

use numpy::{
    PyArrayDescrMethods, PyArrayDyn, PyArrayMethods, PyReadonlyArrayDyn, PyReadwriteArrayDyn,
    PyUntypedArrayMethods,
};
use pyo3::prelude::*;
use recurrentnn::error::Error;
use recurrentnn::host::Host;
use recurrentnn::kernels::Isa;
use recurrentnn::matrix::Matrix;
use recurrentnn::model::{Model, States};
use recurrentnn::program::Input;
use recurrentnn::sequence::LONG;
use recurrentnn::stream::Stream;

use crate::argument;
use crate::array;
use crate::call::states_or_initial;
use crate::dtype::{Number, with};
use crate::error::{guard, raise};
use crate::model::AnyModel;
use crate::signals::Interpreter;
use crate::state;

/// A model fed one step at a time, `y = stream(x)`, with its state kept from step to step; made by
/// `Model.stream`.
///
/// x is (features,) or (batch, features), or symbols, an integer or (batch,); y is (outputs,) or
/// (batch, outputs) in the model's dtype. `stream(x, out=y)` writes into an array of that shape and
/// dtype, and allocates nothing. A step gives the same bits as the same step of a whole sequence.
#[pyclass(frozen, name = "Stream", module = "recurrentnn")]
pub(crate) struct PyStream {
    model: Arc<AnyModel>,
    batch: usize,
    inner: Mutex<AnyStream>,
}

/// A stream of either element type.
enum AnyStream {
    Float32(Half<f32>),
    Float64(Half<f64>),
}

/// A stream, made by its first step, which tells symbols from features.
struct Half<T: Number> {
    first: States<Matrix<T>>,
    stream: Option<Stream<T>>,
}

impl PyStream {
    pub(crate) fn make(
        model: Arc<AnyModel>,
        batch: usize,
        given: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        if batch == 0 {
            let message = "stream: batch must be at least 1 but is 0";
            return Err(raise("ArgumentError", message.into()));
        }
        let inner = begin(&model, batch, given)?;
        let inner = Mutex::new(inner);
        Ok(Self {
            model,
            batch,
            inner,
        })
    }

    fn lock(&self) -> PyResult<MutexGuard<'_, AnyStream>> {
        match self.inner.try_lock() {
            Ok(guard) => Ok(guard),
            Err(TryLockError::Poisoned(poisoned)) => Ok(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => {
                let message = "stream: in use by another thread";
                Err(raise("BusyError", message.into()))
            }
        }
    }
}

fn begin(model: &AnyModel, batch: usize, given: Option<&Bound<'_, PyAny>>) -> PyResult<AnyStream> {
    fn half<T: Number>(
        model: &Model<T>,
        batch: usize,
        given: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Half<T>> {
        guard(|| model.expect_one_way("stream"))?;
        let first = states_or_initial(model, given, batch)?;
        guard(|| model.check_states(batch, &first))?;
        let stream = None;
        Ok(Half { first, stream })
    }
    Ok(match model {
        AnyModel::Float32(model) => AnyStream::Float32(half(model, batch, given)?),
        AnyModel::Float64(model) => AnyStream::Float64(half(model, batch, given)?),
    })
}

/// One step's input: numbers, or symbols, and whether it has a dimension for the batch.
enum Given<'py, T: Number> {
    Array(PyReadonlyArrayDyn<'py, T>),
    Numbers(Vec<T>),
    Symbols(Vec<usize>),
}

impl<'py, T: Number> Given<'py, T> {
    /// Reads x, in place where it is an array of the model's dtype in C order.
    fn read(x: &Bound<'py, PyAny>, batch: usize) -> PyResult<(Self, bool)> {
        if let Some(array) = array::in_place::<T>(x)
            && array.is_c_contiguous()
            && let Ok(array) = array.try_readonly()
        {
            let batched = expect(array.shape(), batch, 1)?;
            return Ok((Self::Array(array), batched));
        }
        let array = array::as_array("stream", "x", x)?;
        let shape = array.shape().to_vec();
        if matches!(array.dtype().kind(), b'i' | b'u') && array.ndim() < 2 {
            let batched = expect(&shape, batch, 0)?;
            return Ok((
                Self::Symbols(argument::indices("stream", "x", x)?.0),
                batched,
            ));
        }
        let batched = expect(&shape, batch, 1)?;
        let doubles = array::doubles("stream", "x", &array)?;
        let doubles: PyReadonlyArrayDyn<'_, f64> = doubles.extract()?;
        let numbers = doubles.as_array().iter().map(|&x| T::from_f64(x)).collect();
        Ok((Self::Numbers(numbers), batched))
    }

    fn input(&self) -> PyResult<Input<'_, T>> {
        match self {
            Self::Array(array) => {
                let slice = array.as_slice();
                let message = || raise("ShapeError", "stream: x must be in C order".into());
                slice.map(Input::Features).map_err(|_| message())
            }
            Self::Numbers(numbers) => Ok(Input::Features(numbers)),
            Self::Symbols(symbols) => Ok(Input::Symbols(symbols)),
        }
    }
}

/// Whether a shape, beside its last `own` dimensions, has one for the batch, which it needs unless
/// there is one sample.
fn expect(shape: &[usize], batch: usize, own: usize) -> PyResult<bool> {
    match shape.len().checked_sub(own) {
        Some(0) if batch == 1 => Ok(false),
        Some(1) if shape[0] == batch => Ok(true),
        _ => {
            let features = if own == 1 { ", features" } else { "" };
            let message = format!("stream: x must be ({batch}{features}) but has shape {shape:?}");
            Err(raise("ShapeError", message))
        }
    }
}

impl<T: Number> Half<T> {
    fn step<'py>(
        &mut self,
        py: Python<'py>,
        model: &Model<T>,
        batch: usize,
        x: &Bound<'py, PyAny>,
        out: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (given, batched) = Given::<T>::read(x, batch)?;
        let input = given.input()?;
        let rows = model.config().output_rows();
        let shape = if batched {
            vec![batch, rows]
        } else {
            vec![rows]
        };
        let mut into = out.map(|out| writable::<T>(out, &shape)).transpose()?;
        let symbols = matches!(input, Input::Symbols(_));
        let stream = match &mut self.stream {
            Some(stream) => stream,
            none => {
                let made = || Stream::new(Isa::best(), model, symbols, batch, &self.first);
                none.insert(guard(made)?)
            }
        };
        guard(|| stream.begin(model, input))?;
        drop(given);
        let mut interpreter = Interpreter::new(py);
        let mut result = Ok(());
        let long = stream.work() >= LONG;
        let computed = guard(|| {
            interpreter.run(long, &mut |poll| result = stream.compute(poll));
            std::mem::replace(&mut result, Ok(()))
        });
        interpreter.or(computed)?;
        if let (Some(into), Some(out)) = (&mut into, out) {
            let contiguous = || Error::Busy { op: "stream" };
            guard(|| stream.output(into.as_slice_mut().map_err(|_| contiguous())?))?;
            return Ok(out.clone());
        }
        let made = PyArrayDyn::<T>::zeros(py, shape, false);
        let mut numbers = made.readwrite();
        let contiguous = || Error::Busy { op: "stream" };
        guard(|| stream.output(numbers.as_slice_mut().map_err(|_| contiguous())?))?;
        drop(numbers);
        Ok(made.into_any())
    }

    fn state(&self, py: Python<'_>, model: &Model<T>) -> PyResult<Py<PyAny>> {
        match &self.stream {
            Some(stream) => state::of_stream(py, model, stream),
            None => state::arrays(py, &model.config().cell.states(), &self.first),
        }
    }
}

/// `out` as an array to be written.
fn writable<'py, T: Number>(
    out: &Bound<'py, PyAny>,
    shape: &[usize],
) -> PyResult<PyReadwriteArrayDyn<'py, T>> {
    let refuse = || {
        let name = T::DTYPE.name();
        let message = format!(
            "stream: out must be a writable array of {name}, {shape:?}, in C order, aligned"
        );
        raise("ShapeError", message)
    };
    let array = array::in_place::<T>(out).ok_or_else(refuse)?;
    if array.shape() != shape || !array.is_c_contiguous() {
        return Err(refuse());
    }
    array.try_readwrite().map_err(|_| refuse())
}

#[pymethods]
impl PyStream {
    /// One step; see the class.
    #[pyo3(signature = (x, *, out = None))]
    fn __call__<'py>(
        &self,
        x: &Bound<'py, PyAny>,
        out: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let out = out.filter(|out| !out.is_none());
        let (py, batch) = (x.py(), self.batch);
        match (&mut *self.lock()?, &*self.model) {
            (AnyStream::Float32(half), AnyModel::Float32(model)) => {
                half.step(py, model, batch, x, out)
            }
            (AnyStream::Float64(half), AnyModel::Float64(model)) => {
                half.step(py, model, batch, x, out)
            }
            _ => Err(raise("InternalError", "stream: two dtypes".into())),
        }
    }

    /// Number of samples.
    #[getter]
    fn batch(&self) -> usize {
        self.batch
    }

    /// A copy of the state: a `State` of arrays (batch, size), which `Model.stream`, `reset` and the
    /// model itself take.
    #[getter]
    fn state(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        match (&*self.lock()?, &*self.model) {
            (AnyStream::Float32(half), AnyModel::Float32(model)) => half.state(py, model),
            (AnyStream::Float64(half), AnyModel::Float64(model)) => half.state(py, model),
            _ => Err(raise("InternalError", "stream: two dtypes".into())),
        }
    }

    /// Begins anew from a state, or from zeros.
    #[pyo3(signature = (state = None))]
    fn reset(&self, state: Option<&Bound<'_, PyAny>>) -> PyResult<()> {
        let fresh = begin(&self.model, self.batch, state)?;
        *self.lock()? = fresh;
        Ok(())
    }

    fn __repr__(&self) -> String {
        let cell = with!(&*self.model, AnyModel, |model| model.config().cell.name());
        format!("Stream({cell}, batch={})", self.batch)
    }
}
