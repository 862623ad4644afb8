//! The class `Optimizer`, which does the work of `SGD`, `Adam` and so on, and `Solver`.

use std::sync::Mutex;

use pyo3::exceptions::PyAttributeError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyMapping};
use recurrentnn::kernels::Isa;
use recurrentnn::optim::{self, AnyOptimizer, Group, Options, StepStats, UpdateRule, Value};
use recurrentnn::with_optimizer;

use crate::argument::{self, Given};
use crate::dtype::with_type;
use crate::error::{guard, raise, wrong_type, wrong_value};

mod average;
mod memory;
mod parameters;
mod solver;

pub(crate) use average::PyAverage;
use memory::{AnyMoments, Remembered};
use parameters::Parameters;
pub(crate) use solver::PySolver;

fn one_step<R: UpdateRule>(
    py: Python<'_>,
    optimizer: &optim::Optimizer<R>,
    parameters: &Parameters,
    passes: usize,
    moments: &Mutex<AnyMoments>,
) -> PyResult<Py<PyAny>> {
    let mut moments = moments.try_lock().map_err(busy)?;
    let stats: StepStats = with_type!(parameters.dtype(R::CLASS)?, T => {
        let moments = T::of(&mut moments);
        guard(|| optim::step(Isa::best(), optimizer, moments, &parameters.typed(), passes))?
    });
    let class = py.import("recurrentnn.state")?.getattr("StepStats")?;
    Ok(class
        .call1((stats.grad_norm, stats.clipped_fraction))?
        .unbind())
}

fn busy<T>(_: T) -> PyErr {
    raise("BusyError", "optimizer: in use by another thread".into())
}

/// A rule with its settings, which are attributes. Use the subclasses in `recurrentnn`: SGD, RMSProp,
/// Adagrad, Adam, AdamW, NAdam, Lion.
#[pyclass(frozen, subclass, name = "Optimizer", module = "recurrentnn")]
pub(crate) struct PyOptimizer {
    inner: Mutex<AnyOptimizer>,
    moments: Mutex<AnyMoments>,
}

impl PyOptimizer {
    fn current(&self) -> PyResult<AnyOptimizer> {
        Ok(self.inner.lock().map_err(busy)?.clone())
    }
}

#[pymethods]
impl PyOptimizer {
    #[new]
    #[pyo3(signature = (rule, *, groups = None, **settings))]
    fn py_new(
        rule: &str,
        groups: Option<&Bound<'_, PyAny>>,
        settings: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Self> {
        let mut inner = AnyOptimizer::by_name(rule).ok_or_else(|| {
            let known = format!("one of {}", optim::NAMES.join(", "));
            wrong_value("Optimizer", "rule", &known, &format!("{rule:?}"))
        })?;
        with_optimizer!(&mut inner, |optimizer| {
            configure(optimizer, groups, settings)?;
        });
        Ok(Self {
            inner: Mutex::new(inner),
            moments: Mutex::default(),
        })
    }

    /// Steps every parameter and sets the gradients used to zero.
    ///
    /// Parameters
    /// ----------
    /// parameters
    ///     A model, a mapping of names to Matrix, or an iterable of Matrix.
    /// passes
    ///     Backward passes whose gradients have been added up since the last step: the step goes by
    ///     their mean.
    ///
    /// Returns
    /// -------
    /// StepStats
    ///     Norm of the (mean) gradients before clipping, share of elements clipped by value.
    ///
    /// Raises
    /// ------
    /// NonFiniteError
    ///     If a gradient is infinite or NaN: its parameter is named and nothing is changed.
    /// GraphError
    ///     If a recording that used a parameter still waits for its backward.
    #[pyo3(signature = (parameters, *, passes = Given::Default(1)), text_signature = "($self, parameters, *, passes=1)")]
    fn step(&self, parameters: &Bound<'_, PyAny>, passes: Given<'_, usize>) -> PyResult<Py<PyAny>> {
        with_optimizer!(&self.current()?, |optimizer| {
            let op = class(optimizer);
            let given = Parameters::of(op, parameters)?;
            let passes = passes.get(op, "passes", argument::count)?;
            one_step(parameters.py(), optimizer, &given, passes, &self.moments)
        })
    }

    /// What it remembers of these parameters, to be saved: arrays by the kind of memory and the name
    /// of the parameter, `square.decoder.weight`; steps made; `rate_factor`; the name of the rule. It
    /// does not hold the settings: see `config`.
    fn state<'py>(&self, parameters: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyDict>> {
        with_optimizer!(&self.current()?, |optimizer| {
            let given = Parameters::of(class(optimizer), parameters)?;
            let mut moments = self.moments.try_lock().map_err(busy)?;
            let state = state_of(parameters.py(), optimizer, &given, &mut moments)?;
            state.set_item("rate_factor", optimizer.rate_factor())?;
            Ok(state)
        })
    }

    /// Takes up what `state` gave, for parameters of the same names and shapes: the steps that follow
    /// have the same bits as if there had been no interruption. Every entry is checked before
    /// anything is changed.
    fn restore(&self, parameters: &Bound<'_, PyAny>, state: &Bound<'_, PyAny>) -> PyResult<()> {
        let mut current = self.current()?;
        with_optimizer!(&mut current, |optimizer| {
            let op = class(optimizer);
            let given = Parameters::of(op, parameters)?;
            if let Ok(factor) = state.get_item("rate_factor") {
                let factor = argument::number(op, "state: rate_factor", &factor)?;
                guard(|| optimizer.set_rate_factor(factor))?;
            }
            let mut moments = self.moments.try_lock().map_err(busy)?;
            restore_of(optimizer, &given, state, &mut moments)?;
        });
        *self.inner.lock().map_err(busy)? = current;
        Ok(())
    }

    /// The arguments that make an optimizer with the same settings: plain values, by name.
    fn config<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        with_optimizer!(&self.current()?, |optimizer| {
            let config = PyDict::new(py);
            for (name, value) in optimizer.options().values() {
                config.set_item(name, object(py, value)?)?;
            }
            config.set_item("groups", groups_dict(py, optimizer.groups())?)?;
            Ok(config)
        })
    }

    fn __getattr__<'py>(&self, py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyAny>> {
        with_optimizer!(&self.current()?, |optimizer| {
            if name == "rate_factor" {
                return object(py, Value::Number(optimizer.rate_factor()));
            }
            match optimizer.options().get(name) {
                Ok(value) => object(py, value),
                Err(_) => Err(no_attribute(class(optimizer), name)),
            }
        })
    }

    fn __setattr__(&self, name: &str, value: &Bound<'_, PyAny>) -> PyResult<()> {
        let current = self.current()?;
        let value = with_optimizer!(&current, |optimizer| {
            let op = class(optimizer);
            let known = match name {
                "rate_factor" => Ok(Value::Number(1.0)),
                _ => optimizer.options().get(name),
            };
            let known = known.map_err(|_| no_attribute(op, name))?;
            converted(op, name, known, value)?
        });
        // Python may run while the value is converted: no lock is held then.
        let mut inner = self.inner.lock().map_err(busy)?;
        with_optimizer!(&mut *inner, |optimizer| guard(|| match value {
            Value::Number(factor) if name == "rate_factor" => optimizer.set_rate_factor(factor),
            value => optimizer.set(name, value),
        }))
    }

    fn __dir__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyList>> {
        let py = slf.py();
        let usual = py.get_type::<PyAny>().call_method1("__dir__", (slf,))?;
        let names = usual.cast_into::<PyList>()?;
        names.append("rate_factor")?;
        with_optimizer!(&slf.get().current()?, |optimizer| {
            for (name, _) in optimizer.options().values() {
                names.append(name)?;
            }
        });
        Ok(names)
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        with_optimizer!(&self.current()?, |optimizer| repr(py, optimizer))
    }
}

fn class<R: UpdateRule>(_: &optim::Optimizer<R>) -> &'static str {
    R::CLASS
}

fn no_attribute(class: &str, name: &str) -> PyErr {
    PyAttributeError::new_err(format!("{class} has no attribute {name:?}"))
}

/// Sets what the constructor was given.
fn configure<R: UpdateRule>(
    optimizer: &mut optim::Optimizer<R>,
    groups: Option<&Bound<'_, PyAny>>,
    settings: Option<&Bound<'_, PyDict>>,
) -> PyResult<()> {
    let mut options = Options::<R>::default();
    for (name, value) in settings.into_iter().flatten() {
        let name: String = name.extract()?;
        let known = guard(|| options.get(&name))?;
        let value = converted(R::CLASS, &name, known, &value)?;
        // Checked together at the end: some go only with others.
        guard(|| options.put(&name, value))?;
    }
    guard(|| options.check())?;
    *optimizer = options.into();
    let Some(groups) = groups.filter(|groups| !groups.is_none()) else {
        return Ok(());
    };
    for (pattern, settings) in items(R::CLASS, "groups", groups)? {
        let argument = format!("groups: {pattern:?}");
        let mut group = Group {
            pattern,
            settings: Vec::new(),
        };
        for (name, value) in items(R::CLASS, &argument, &settings)? {
            let known = guard(|| optimizer.options().get(&name))?;
            let value = converted(R::CLASS, &name, known, &value)?;
            group.settings.push((name, value));
        }
        guard(|| optimizer.add_group(group))?;
    }
    Ok(())
}

/// The items of a mapping with strings as keys.
fn items<'py>(
    op: &str,
    argument: &str,
    given: &Bound<'py, PyAny>,
) -> PyResult<Vec<(String, Bound<'py, PyAny>)>> {
    let refuse = || wrong_type(op, argument, "a mapping by strings", given);
    let mapping = given.cast::<PyMapping>().map_err(|_| refuse())?;
    let items = mapping.items()?;
    let items = items.try_iter()?;
    items
        .map(|item| item?.extract().map_err(|_| refuse()))
        .collect()
}

/// A Python object as a value of the same kind as `known`.
fn converted(op: &str, name: &str, known: Value, value: &Bound<'_, PyAny>) -> PyResult<Value> {
    Ok(match known {
        Value::Number(_) => Value::Number(argument::number(op, name, value)?),
        Value::Limit(_) => Value::Limit(argument::maybe_number(op, name, value)?),
        Value::Switch(_) => Value::Switch(argument::boolean(op, name, value)?),
    })
}

fn object(py: Python<'_>, value: Value) -> PyResult<Bound<'_, PyAny>> {
    Ok(match value {
        Value::Number(number) => number.into_pyobject(py)?.into_any(),
        Value::Limit(limit) => limit.into_pyobject(py)?.into_any(),
        Value::Switch(switch) => switch.into_pyobject(py)?.to_owned().into_any(),
    })
}

fn groups_dict<'py>(py: Python<'py>, groups: &[Group]) -> PyResult<Bound<'py, PyDict>> {
    let all = PyDict::new(py);
    for group in groups {
        let settings = PyDict::new(py);
        for (name, value) in &group.settings {
            settings.set_item(name, object(py, *value)?)?;
        }
        all.set_item(&group.pattern, settings)?;
    }
    Ok(all)
}

fn state_of<'py, R: UpdateRule>(
    py: Python<'py>,
    _: &optim::Optimizer<R>,
    parameters: &Parameters,
    moments: &mut AnyMoments,
) -> PyResult<Bound<'py, PyDict>> {
    memory::state::<R>(py, parameters, moments)
}

fn restore_of<R: UpdateRule>(
    optimizer: &optim::Optimizer<R>,
    parameters: &Parameters,
    state: &Bound<'_, PyAny>,
    moments: &mut AnyMoments,
) -> PyResult<()> {
    let options = guard(|| optimizer.resolved())?;
    let needed = |name: &str| options[optimizer.place(Some(name))].rule.remembers();
    memory::restore::<R>(parameters, state, needed, moments)
}

fn repr<R: UpdateRule>(py: Python<'_>, optimizer: &optim::Optimizer<R>) -> PyResult<String> {
    let usual = Options::<R>::default().values();
    let mut arguments = Vec::new();
    for ((name, value), (_, usual)) in optimizer.options().values().into_iter().zip(usual) {
        if value == usual && name != "learning_rate" {
            continue;
        }
        arguments.push(match value {
            Value::Number(number) | Value::Limit(Some(number)) => format!("{name}={number:?}"),
            Value::Limit(None) => format!("{name}=None"),
            Value::Switch(yes) => format!("{name}={}", if yes { "True" } else { "False" }),
        });
    }
    if !optimizer.groups().is_empty() {
        let groups = groups_dict(py, optimizer.groups())?.repr()?;
        arguments.push(format!("groups={groups}"));
    }
    Ok(format!("{}({})", R::CLASS, arguments.join(", ")))
}
