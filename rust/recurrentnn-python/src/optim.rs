//! The classes `RMSProp` and `Solver`, and what they may be handed to step.

use std::sync::Mutex;

use pyo3::prelude::*;
use pyo3::types::PyMapping;
use recurrentnn::kernels::Isa;
use recurrentnn::optim::{self, Clip, Moments, Named, RmsProp, StepStats, UpdateRule};

use crate::argument::{self, Given, maybe_number, number};
use crate::dtype::{AnyMatrix, Number};
use crate::error::{guard, raise, wrong_type};
use crate::matrix::PyMatrix;
use crate::model::PyModel;

/// Matrices with the names that their owner gives them.
struct Parameters(Vec<(Option<String>, Py<PyMatrix>)>);

/// Running means for both element types.
#[derive(Default)]
struct AnyMoments {
    float32: Moments<f32>,
    float64: Moments<f64>,
}

impl Parameters {
    /// Of a model, a mapping from names to matrices, or an iterable of matrices.
    fn of(op: &str, given: &Bound<'_, PyAny>) -> PyResult<Self> {
        let py = given.py();
        if let Ok(model) = given.cast::<PyModel>() {
            let named = model.get().named().iter();
            return Ok(Self(
                named
                    .map(|(n, m)| (Some(n.clone()), m.clone_ref(py)))
                    .collect(),
            ));
        }
        let rule = "a model, a mapping of names to Matrix or an iterable of Matrix";
        let matrix = |name: &str, item: Bound<'_, PyAny>| match item.cast::<PyMatrix>() {
            Ok(matrix) => Ok(matrix.clone().unbind()),
            Err(_) => Err(wrong_type(
                op,
                &format!("parameters: {name}"),
                "a Matrix",
                &item,
            )),
        };
        if let Ok(mapping) = given.cast::<PyMapping>() {
            let items = mapping.items()?;
            let named = items.try_iter()?.map(|item| {
                let (name, item): (Bound<'_, PyAny>, Bound<'_, PyAny>) = item?.extract()?;
                let name = name.str()?.to_string();
                let matrix = matrix(&name, item)?;
                Ok((Some(name), matrix))
            });
            return Ok(Self(named.collect::<PyResult<_>>()?));
        }
        // A single matrix has no iterator; naming it here is kinder than "not iterable".
        let items = given
            .try_iter()
            .map_err(|_| wrong_type(op, "parameters", rule, given))?;
        let unnamed = items.map(|item| Ok((None, matrix("every item", item?)?)));
        Ok(Self(unnamed.collect::<PyResult<_>>()?))
    }

    fn typed<T: Number>(&self) -> Vec<Named<'_, T>> {
        let named = self.0.iter().filter_map(|(name, matrix)| {
            T::unwrap(&matrix.get().inner).map(|matrix| (name.as_deref(), matrix))
        });
        named.collect()
    }

    fn step<R: UpdateRule>(&self, rule: &R, moments: &mut AnyMoments) -> PyResult<StepStats> {
        let isa = Isa::best();
        let doubles = self
            .0
            .iter()
            .any(|(_, m)| matches!(m.get().inner, AnyMatrix::Float64(_)));
        let singles = self
            .0
            .iter()
            .any(|(_, m)| matches!(m.get().inner, AnyMatrix::Float32(_)));
        if doubles && singles {
            let message = "step: parameters must have one dtype but are float32 and float64";
            return Err(raise("DTypeError", message.into()));
        }
        if doubles {
            guard(|| optim::step(isa, rule, &mut moments.float64, &self.typed()))
        } else {
            guard(|| optim::step(isa, rule, &mut moments.float32, &self.typed()))
        }
    }
}

fn stats(py: Python<'_>, stats: StepStats) -> PyResult<Py<PyAny>> {
    let class = py.import("recurrentnn.state")?.getattr("StepStats")?;
    Ok(class
        .call1((stats.grad_norm, stats.clipped_fraction))?
        .unbind())
}

fn busy<T>(_: T) -> PyErr {
    raise("BusyError", "optimizer: in use by another thread".into())
}

/// RMSProp (Tieleman and Hinton 2012), PyTorch's rule where the two coincide.
///
/// g = clip(gradient); s = decay_rate s + (1 - decay_rate) g^2;
/// w = w - learning_rate (g / (sqrt(s) + eps) + weight_decay w)
///
/// Parameters
/// ----------
/// learning_rate, decay_rate, eps
///     As in the rule; eps stands outside the root.
/// weight_decay
///     Decoupled: PyTorch adds it to the gradient instead.
/// clip_value
///     Largest magnitude of a gradient's element, after clip_norm.
/// clip_norm
///     Largest norm of all gradients together.
/// decay_biases
///     Whether weight decay reaches biases: parameters whose last name part begins with "bias".
#[pyclass(frozen, name = "RMSProp", module = "recurrentnn")]
pub(crate) struct PyRmsProp {
    rule: Mutex<RmsProp>,
    moments: Mutex<AnyMoments>,
}

/// Settings as properties that are checked when set.
macro_rules! settings {
    ($($(#[$doc:meta])* $name:ident $setter:ident ($($path:tt)+) $type:ty, $convert:path;)*) => {
        #[pymethods]
        impl PyRmsProp {
            $($(#[$doc])*
            #[getter]
            fn $name(&self) -> PyResult<$type> {
                Ok(self.rule.lock().map_err(busy)?.$($path)+)
            }

            #[setter]
            fn $setter(&self, value: &Bound<'_, PyAny>) -> PyResult<()> {
                let value = $convert("RMSProp", stringify!($name), value)?;
                // Python may run while the setting is checked: no lock is held then.
                let mut changed = *self.rule.lock().map_err(busy)?;
                changed.$($path)+ = value;
                guard(|| changed.check())?;
                *self.rule.lock().map_err(busy)? = changed;
                Ok(())
            })*
        }
    };
}

settings! {
    /// How far a step goes.
    learning_rate set_learning_rate (learning_rate) f64, number;
    /// How much of the running mean square stays.
    decay_rate set_decay_rate (decay_rate) f64, number;
    /// Keeps the quotient finite.
    eps set_eps (eps) f64, number;
    /// Pull towards 0, times the learning rate.
    weight_decay set_weight_decay (weight_decay) f64, number;
    /// Largest magnitude of a gradient's element.
    clip_value set_clip_value (clip.value) Option<f64>, maybe_number;
    /// Largest norm of all gradients together.
    clip_norm set_clip_norm (clip.norm) Option<f64>, maybe_number;
    /// Whether weight decay reaches biases.
    decay_biases set_decay_biases (decay_biases) bool, argument::boolean;
}

#[pymethods]
impl PyRmsProp {
    #[new]
    #[pyo3(
        signature = (
            learning_rate = Given::Default(1e-3), *, decay_rate = Given::Default(0.95),
            eps = Given::Default(1e-8), weight_decay = Given::Default(0.0),
            clip_value = Given::Default(None), clip_norm = Given::Default(None),
            decay_biases = Given::Default(false)
        ),
        text_signature = "(learning_rate=0.001, *, decay_rate=0.95, eps=1e-08, weight_decay=0.0, \
            clip_value=None, clip_norm=None, decay_biases=False)"
    )]
    fn py_new(
        learning_rate: Given<'_, f64>,
        decay_rate: Given<'_, f64>,
        eps: Given<'_, f64>,
        weight_decay: Given<'_, f64>,
        clip_value: Given<'_, Option<f64>>,
        clip_norm: Given<'_, Option<f64>>,
        decay_biases: Given<'_, bool>,
    ) -> PyResult<Self> {
        let op = "RMSProp";
        let rule = RmsProp {
            learning_rate: learning_rate.get(op, "learning_rate", number)?,
            decay_rate: decay_rate.get(op, "decay_rate", number)?,
            eps: eps.get(op, "eps", number)?,
            weight_decay: weight_decay.get(op, "weight_decay", number)?,
            clip: Clip {
                value: clip_value.get(op, "clip_value", maybe_number)?,
                norm: clip_norm.get(op, "clip_norm", maybe_number)?,
            },
            decay_biases: decay_biases.get(op, "decay_biases", argument::boolean)?,
        };
        guard(|| rule.check())?;
        Ok(Self {
            rule: Mutex::new(rule),
            moments: Mutex::default(),
        })
    }

    /// Steps every parameter and sets the gradients used to zero.
    ///
    /// Parameters
    /// ----------
    /// parameters
    ///     A model, a mapping of names to Matrix, or an iterable of Matrix.
    ///
    /// Returns
    /// -------
    /// StepStats
    ///     Norm of the gradients before clipping, share of elements clipped by value.
    ///
    /// Raises
    /// ------
    /// NonFiniteError
    ///     If a gradient is infinite or NaN: its parameter is named and nothing is changed.
    /// GraphError
    ///     If a recording that used a parameter still waits for its backward.
    fn step(&self, parameters: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        let given = Parameters::of("RMSProp", parameters)?;
        let rule = *self.rule.lock().map_err(busy)?;
        let seen = given.step(&rule, &mut *self.moments.try_lock().map_err(busy)?)?;
        stats(parameters.py(), seen)
    }

    fn __repr__(&self) -> PyResult<String> {
        let rule = *self.rule.lock().map_err(busy)?;
        let usual = RmsProp::default();
        let settings = [
            ("decay_rate", Some(rule.decay_rate), Some(usual.decay_rate)),
            ("eps", Some(rule.eps), Some(usual.eps)),
            (
                "weight_decay",
                Some(rule.weight_decay),
                Some(usual.weight_decay),
            ),
            ("clip_value", rule.clip.value, usual.clip.value),
            ("clip_norm", rule.clip.norm, usual.clip.norm),
        ];
        let mut arguments = vec![format!("learning_rate={:?}", rule.learning_rate)];
        for (name, value, usual) in settings {
            if let Some(value) = value.filter(|_| value != usual) {
                arguments.push(format!("{name}={value:?}"));
            }
        }
        if rule.decay_biases {
            arguments.push("decay_biases=True".to_owned());
        }
        Ok(format!("RMSProp({})", arguments.join(", ")))
    }
}

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
    fn rule(&self, learning_rate: f64, weight_decay: f64, clip_value: f64) -> optim::Solver {
        let (decay_rate, eps) = (self.decay_rate, self.eps);
        optim::Solver {
            decay_rate,
            eps,
            learning_rate,
            weight_decay,
            clip_value,
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
        guard(|| solver.rule(0.0, 0.0, 1.0).check())?;
        Ok(solver)
    }

    /// Steps every parameter and sets the gradients used to zero.
    ///
    /// Parameters and errors as `RMSProp.step`; weight_decay is not scaled by learning_rate.
    fn step(
        &self,
        parameters: &Bound<'_, PyAny>,
        learning_rate: &Bound<'_, PyAny>,
        weight_decay: &Bound<'_, PyAny>,
        clip_value: &Bound<'_, PyAny>,
    ) -> PyResult<Py<PyAny>> {
        let op = "Solver";
        let given = Parameters::of(op, parameters)?;
        let learning_rate = number(op, "learning_rate", learning_rate)?;
        let weight_decay = number(op, "weight_decay", weight_decay)?;
        let clip_value = number(op, "clip_value", clip_value)?;
        let rule = self.rule(learning_rate, weight_decay, clip_value);
        let seen = given.step(&rule, &mut *self.moments.try_lock().map_err(busy)?)?;
        stats(parameters.py(), seen)
    }

    fn __repr__(&self) -> String {
        format!("Solver(decay_rate={}, eps={})", self.decay_rate, self.eps)
    }
}
