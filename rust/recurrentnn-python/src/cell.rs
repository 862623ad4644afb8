//! Cells that a user wrote in Python: their layers, recorded by the core's sketch.

use std::sync::{Arc, Mutex, PoisonError};

use pyo3::prelude::*;
use pyo3::types::{PyString, PyTuple};
use recurrentnn::cells::{Custom, Layer, Recorded, Sketch};
use recurrentnn::error::Error;
use recurrentnn::init::Init;
use recurrentnn::params::Role;

use crate::argument;
use crate::error::{guard, raise, translate, wrong_type, wrong_value};
use crate::symbol::{PySymbol, Shared};

/// Where Python's half of a cell stands.
const MODULE: &str = "recurrentnn.cell";
/// The names of roles.
const ROLES: [(&str, Role); 4] = [
    ("input", Role::Input),
    ("recurrent", Role::Recurrent),
    ("embedding", Role::Embedding),
    ("bias", Role::Bias),
];
/// The names of first values.
const INITS: [(&str, Init); 4] = [
    ("zeros", Init::Constant(0.0)),
    ("ones", Init::Constant(1.0)),
    ("glorot", Init::GlorotUniform),
    ("orthogonal", Init::Orthogonal),
];

/// A cell of the user's own: what was given, and what the core makes of it.
pub(crate) struct OwnCell {
    /// The class or object that the user gave.
    pub(crate) given: Py<PyAny>,
    pub(crate) custom: Custom,
    /// What Python raised while a layer was recorded.
    raised: Arc<Mutex<Option<PyErr>>>,
}

impl OwnCell {
    /// A subclass of `Cell`, or an object of one.
    pub(crate) fn new(given: &Bound<'_, PyAny>) -> PyResult<Self> {
        let py = given.py();
        let checked = py.import(MODULE)?.call_method1("definition", (given,))?;
        let (cell, name, states, options): (Py<PyAny>, String, Vec<String>, String) =
            checked.extract()?;
        let raised = Arc::new(Mutex::new(None));
        let (slot, names) = (Arc::clone(&raised), states.clone());
        let record = move |layer: &Layer<'_>| {
            Python::attach(|py| record(cell.bind(py), &names, layer)).map_err(|error| {
                *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                Error::Interrupted
            })
        };
        let states: Vec<_> = states.iter().map(String::as_str).collect();
        Ok(Self {
            given: given.clone().unbind(),
            custom: Custom::recorded(&name, &states, record)
                .map_err(translate)?
                .with_options(options),
            raised,
        })
    }

    /// Puts what Python raised in the place of an error that only says that it did.
    pub(crate) fn or<T>(&self, result: PyResult<T>) -> PyResult<T> {
        let raised = self.raised.lock().map(|mut slot| slot.take());
        result.map_err(|error| raised.ok().flatten().unwrap_or(error))
    }
}

/// One layer: registration and step, in Python.
fn record(cell: &Bound<'_, PyAny>, states: &[String], layer: &Layer<'_>) -> PyResult<Recorded> {
    let py = cell.py();
    let sketch: Shared = Arc::new(Mutex::new(Some(Sketch::new(layer, states))));
    let ours = PySketch {
        inner: Arc::clone(&sketch),
    };
    let arguments = (cell, ours, layer.inputs, layer.size);
    let next = py.import(MODULE)?.call_method1("record", arguments);
    // Whatever came, no symbol records any more.
    let sketch = sketch.lock().unwrap_or_else(PoisonError::into_inner).take();
    let next: Vec<PyRef<'_, PySymbol>> = next?.extract()?;
    let next: Vec<_> = next.iter().map(|symbol| symbol.inner).collect();
    let lost = || Error::graph("step", "the layer was recorded before");
    guard(|| sketch.ok_or_else(lost)?.finish(&next))
}

/// One layer while it is recorded.
#[pyclass(frozen, name = "Sketch", module = "recurrentnn._recurrentnn")]
pub(crate) struct PySketch {
    inner: Shared,
}

impl PySketch {
    fn with(
        &self,
        op: &'static str,
        give: impl FnOnce(&mut Sketch) -> recurrentnn::error::Result<recurrentnn::program::Symbol>,
    ) -> PyResult<PySymbol> {
        let mut sketch = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let over = || Error::graph(op, "the layer was recorded before");
        let symbol = guard(|| give(sketch.as_mut().ok_or_else(over)?))?;
        Ok(PySymbol::new(&self.inner, symbol))
    }
}

#[pymethods]
impl PySketch {
    /// The layer's input.
    fn x(&self) -> PyResult<PySymbol> {
        self.with("step", |sketch| Ok(sketch.x()))
    }

    /// A state vector.
    fn state(&self, name: &str) -> PyResult<PySymbol> {
        self.with("step", |sketch| sketch.state(name))
    }

    /// Registers a parameter.
    fn add(
        &self,
        name: &str,
        rows: &Bound<'_, PyAny>,
        cols: &Bound<'_, PyAny>,
        role: &Bound<'_, PyAny>,
        init: &Bound<'_, PyAny>,
    ) -> PyResult<PySymbol> {
        let shape = (
            argument::count("add", "rows", rows)?,
            argument::count("add", "cols", cols)?,
        );
        let role = chosen("role", &ROLES, role)?;
        let init = first_values(init)?;
        self.with("add", |sketch| {
            Ok(match init {
                None => sketch.param(name, shape.0, shape.1, role),
                Some(init) => sketch.param_from(name, shape, role, init),
            })
        })
    }
}

fn chosen<V: Copy>(name: &str, table: &[(&str, V)], given: &Bound<'_, PyAny>) -> PyResult<V> {
    let names: Vec<_> = table.iter().map(|(name, _)| *name).collect();
    let rule = format!("one of {names:?}");
    let Ok(text) = given.extract::<String>() else {
        return Err(wrong_type("add", name, &rule, given));
    };
    let found = table.iter().find(|(name, _)| *name == text);
    found
        .map(|(_, value)| *value)
        .ok_or_else(|| wrong_value("add", name, &rule, &format!("{text:?}")))
}

/// None, a name, a number for every element, or the two ends of a uniform distribution.
fn first_values(init: &Bound<'_, PyAny>) -> PyResult<Option<Init>> {
    let finite = |given: &Bound<'_, PyAny>| {
        let x = argument::number("add", "init", given)?;
        if x.is_finite() {
            return Ok(x);
        }
        Err(wrong_value("add", "init", "finite", &x.to_string()))
    };
    if init.is_none() {
        return Ok(None);
    }
    if init.is_instance_of::<PyString>() {
        return chosen("init", &INITS, init).map(Some);
    }
    if let Ok(ends) = init.cast::<PyTuple>() {
        let [low, high] = match ends.len() {
            2 => [finite(&ends.get_item(0)?)?, finite(&ends.get_item(1)?)?],
            count => {
                let message = format!("add: init must be (low, high) but has {count} numbers");
                return Err(raise("ArgumentError", message));
            }
        };
        if low > high {
            let message = format!("add: init must be (low, high) but is ({low}, {high})");
            return Err(raise("ArgumentError", message));
        }
        return Ok(Some(Init::Uniform { low, high }));
    }
    finite(init).map(|x| Some(Init::Constant(x)))
}
