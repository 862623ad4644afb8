//! The class `ExponentialMovingAverage`.

use std::sync::Mutex;

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyMapping};
use recurrentnn::element::DType;
use recurrentnn::kernels::Isa;
use recurrentnn::optim::Average;

use super::busy;
use super::parameters::Parameters;
use crate::argument::{Given, number};
use crate::array;
use crate::dtype::{Number, with};
use crate::error::{guard, raise, wrong_type, wrong_value};

const OP: &str = "ExponentialMovingAverage";

/// Averages of either element type.
enum AnyAverage {
    Float32(Average<f32>),
    Float64(Average<f64>),
}

struct Inner {
    average: AnyAverage,
    /// Whether the averages stand in the place of the weights.
    swapped: bool,
}

/// The running average of weights: a net that has it is often better than the net that learns.
///
/// average = average + (1 - decay) (w - average), from the weights it is made with.
///
/// `update` it after every step; inside `with average:` the parameters have the averages for values,
/// and their own again after it.
///
/// Parameters
/// ----------
/// parameters
///     A model, a mapping of names to Matrix, or an iterable of Matrix.
/// decay
///     How much of the average stays, in [0, 1).
#[pyclass(frozen, name = "ExponentialMovingAverage", module = "recurrentnn")]
pub(crate) struct PyAverage {
    parameters: Parameters,
    /// How much of the average stays.
    #[pyo3(get)]
    decay: f64,
    inner: Mutex<Inner>,
}

#[pymethods]
impl PyAverage {
    #[new]
    #[pyo3(
        signature = (parameters, decay = Given::Default(0.999)),
        text_signature = "(parameters, decay=0.999)"
    )]
    fn py_new(parameters: &Bound<'_, PyAny>, decay: Given<'_, f64>) -> PyResult<Self> {
        let parameters = Parameters::of(OP, parameters)?.without_doubles();
        let decay = decay.get(OP, "decay", number)?;
        if !(0.0..1.0).contains(&decay) {
            return Err(wrong_value(OP, "decay", "in [0, 1)", &decay.to_string()));
        }
        let average = match parameters.dtype(OP)? {
            DType::Float32 => AnyAverage::Float32(guard(|| Average::new(&parameters.typed()))?),
            DType::Float64 => AnyAverage::Float64(guard(|| Average::new(&parameters.typed()))?),
        };
        Ok(Self {
            parameters,
            decay,
            inner: Mutex::new(Inner {
                average,
                swapped: false,
            }),
        })
    }

    /// Moves the averages towards the weights.
    ///
    /// Raises
    /// ------
    /// GraphError
    ///     Inside `with average:`, where the weights are the averages.
    fn update(&self) -> PyResult<()> {
        let mut inner = self.inner.try_lock().map_err(busy)?;
        expect_outside(&inner, "update")?;
        with!(&mut inner.average, AnyAverage, |average| {
            guard(|| average.update(Isa::best(), self.decay, &self.parameters.typed()))
        })
    }

    /// The averages by the names of their parameters, arrays (rows, cols).
    fn state<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let inner = self.inner.try_lock().map_err(busy)?;
        expect_outside(&inner, "state")?;
        with!(&inner.average, AnyAverage, |average| {
            written(py, &self.parameters, average)
        })
    }

    /// Takes up what `state` gave; names and shapes are checked before anything is changed.
    fn restore(&self, state: &Bound<'_, PyAny>) -> PyResult<()> {
        let mut inner = self.inner.try_lock().map_err(busy)?;
        expect_outside(&inner, "restore")?;
        with!(&mut inner.average, AnyAverage, |average| {
            let values = read(&self.parameters, state, average)?;
            guard(|| average.restore(values))
        })
    }

    fn __enter__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, Self>> {
        let this = slf.get();
        let mut inner = this.inner.try_lock().map_err(busy)?;
        expect_outside(&inner, "with")?;
        this.swap(&mut inner)?;
        Ok(slf.clone())
    }

    #[pyo3(signature = (*_exc))]
    fn __exit__(&self, _exc: &Bound<'_, PyAny>) -> PyResult<()> {
        self.swap(&mut *self.inner.try_lock().map_err(busy)?)
    }

    fn __repr__(&self) -> String {
        let count = self.parameters.len();
        format!(
            "<ExponentialMovingAverage of {count} matrices, decay {}>",
            self.decay
        )
    }
}

impl PyAverage {
    fn swap(&self, inner: &mut Inner) -> PyResult<()> {
        with!(&mut inner.average, AnyAverage, |average| {
            guard(|| average.swap(&self.parameters.typed()))?;
        });
        inner.swapped = !inner.swapped;
        Ok(())
    }
}

fn expect_outside(inner: &Inner, what: &str) -> PyResult<()> {
    if inner.swapped {
        let message =
            format!("{OP}: {what} inside `with average:`, where the weights are the averages");
        return Err(raise("GraphError", message));
    }
    Ok(())
}

fn written<'py, T: Number>(
    py: Python<'py>,
    parameters: &Parameters,
    average: &Average<T>,
) -> PyResult<Bound<'py, PyDict>> {
    let state = PyDict::new(py);
    for ((label, matrix), numbers) in parameters.labelled::<T>().iter().zip(average.values()) {
        state.set_item(
            label,
            array::columns_array(py, matrix.shape(), numbers.clone())?,
        )?;
    }
    Ok(state)
}

fn read<T: Number>(
    parameters: &Parameters,
    given: &Bound<'_, PyAny>,
    _: &Average<T>,
) -> PyResult<Vec<Vec<T>>> {
    let rule = "a mapping, as `state` gives it";
    let mapping = given
        .cast::<PyMapping>()
        .map_err(|_| wrong_type(OP, "state", rule, given))?;
    let labelled = parameters.labelled::<T>();
    let mut values = Vec::with_capacity(labelled.len());
    for (label, matrix) in &labelled {
        if !mapping.contains(label)? {
            return Err(wrong_value(
                OP,
                "state",
                "of every parameter",
                &format!("without {label}"),
            ));
        }
        let name = format!("state: {label}");
        values.push(array::matching(
            OP,
            &name,
            &mapping.get_item(label)?,
            matrix.shape(),
        )?);
    }
    if mapping.len()? != labelled.len() {
        let names: Vec<_> = labelled.iter().map(|(label, _)| label.as_str()).collect();
        let rule = format!("of {} alone", names.join(", "));
        return Err(wrong_value(
            OP,
            "state",
            &rule,
            &format!("of {} matrices", mapping.len()?),
        ));
    }
    Ok(values)
}
