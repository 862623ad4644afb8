//! The class `Solver`, the ancestors' rule.

use std::sync::Mutex;

use pyo3::prelude::*;
use pyo3::types::PyDict;
use recurrentnn::optim::{self, Clip, Optimizer, Options};

use super::memory::{self, AnyMoments};
use super::parameters::Parameters;
use super::{busy, one_step};
use crate::argument::{Given, number};
use crate::error::guard;

/// The rule of both ancestors.
///
/// s = decay_rate s + (1 - decay_rate) g^2, g unclipped;
/// w = w - learning_rate clip(g) / sqrt(s + eps) - weight_decay w, biases included
#[pyclass(frozen, name = "Solver", module = "recurrentnn")]
pub(crate) struct PySolver {
    /// How much of the running mean square stays.
    #[pyo3(get)]
    decay_rate: f64,
    /// Keeps the quotient finite.
    #[pyo3(get)]
    eps: f64,
    moments: Mutex<AnyMoments>,
}

impl PySolver {
    fn options(&self) -> Options<optim::Solver> {
        let (decay_rate, eps) = (self.decay_rate, self.eps);
        Options {
            rule: optim::Solver { decay_rate, eps },
            decay_all: true,
            ..Options::default()
        }
    }
}

#[pymethods]
impl PySolver {
    #[new]
    #[pyo3(
        signature = (decay_rate = Given::Default(0.999), eps = Given::Default(1e-8)),
        text_signature = "(decay_rate=0.999, eps=1e-08)"
    )]
    fn py_new(decay_rate: Given<'_, f64>, eps: Given<'_, f64>) -> PyResult<Self> {
        let decay_rate = decay_rate.get("Solver", "decay_rate", number)?;
        let eps = eps.get("Solver", "eps", number)?;
        let solver = Self {
            decay_rate,
            eps,
            moments: Mutex::default(),
        };
        guard(|| solver.options().check())?;
        Ok(solver)
    }

    /// Steps every parameter and sets the gradients used to zero.
    ///
    /// Parameters and errors as `Optimizer.step`; weight_decay is not scaled by learning_rate.
    fn step(
        &self,
        parameters: &Bound<'_, PyAny>,
        learning_rate: &Bound<'_, PyAny>,
        weight_decay: &Bound<'_, PyAny>,
        clip_value: &Bound<'_, PyAny>,
    ) -> PyResult<Py<PyAny>> {
        let op = "Solver";
        let given = Parameters::of(op, parameters)?;
        let clip_value = number(op, "clip_value", clip_value)?;
        let optimizer = Optimizer::from(Options {
            learning_rate: number(op, "learning_rate", learning_rate)?,
            weight_decay: number(op, "weight_decay", weight_decay)?,
            clip: Clip {
                value: Some(clip_value),
                norm: None,
            },
            ..self.options()
        });
        one_step(parameters.py(), &optimizer, &given, 1, &self.moments)
    }

    /// What it remembers of these parameters, as `Optimizer.state`.
    fn state<'py>(&self, parameters: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyDict>> {
        let given = Parameters::of("Solver", parameters)?;
        let mut moments = self.moments.try_lock().map_err(busy)?;
        memory::state::<optim::Solver>(parameters.py(), &given, &mut moments)
    }

    /// Takes up what `state` gave, as `Optimizer.restore`.
    fn restore(&self, parameters: &Bound<'_, PyAny>, state: &Bound<'_, PyAny>) -> PyResult<()> {
        let given = Parameters::of("Solver", parameters)?;
        let mut moments = self.moments.try_lock().map_err(busy)?;
        memory::restore::<optim::Solver>(&given, state, |_| 1, &mut moments)
    }

    fn __repr__(&self) -> String {
        format!("Solver(decay_rate={}, eps={})", self.decay_rate, self.eps)
    }
}
