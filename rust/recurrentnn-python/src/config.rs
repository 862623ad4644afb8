//! The keyword arguments of a model as the core's configuration, and back.

use std::collections::BTreeMap;

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};
use recurrentnn::cells::{ActivationKind, CellKind, FeedbackGate, Reset};
use recurrentnn::config::{Config, InitKind, Merge};
use recurrentnn::element::DType;

use crate::argument;
use crate::error::{raise, wrong_type, wrong_value};

const OP: &str = "Model";

/// The names of the choices of an option, each with its value.
type Choices<V> = &'static [(&'static str, V)];

const INITS: Choices<InitKind> = &[
    ("glorot", InitKind::Glorot),
    ("normal", InitKind::Normal),
    ("uniform", InitKind::Uniform),
];
const ACTIVATIONS: Choices<ActivationKind> = &[
    ("tanh", ActivationKind::Tanh),
    ("relu", ActivationKind::Relu),
    ("sigmoid", ActivationKind::Sigmoid),
    ("hard_sigmoid", ActivationKind::HardSigmoid),
    ("softplus", ActivationKind::Softplus),
    ("elu", ActivationKind::Elu),
    ("leaky_relu", ActivationKind::LeakyRelu),
    ("gelu", ActivationKind::Gelu),
    ("linear", ActivationKind::Linear),
];
const RESETS: Choices<Reset> = &[("after", Reset::After), ("before", Reset::Before)];
const MERGES: Choices<Merge> = &[
    ("concat", Merge::Concat),
    ("sum", Merge::Sum),
    ("mean", Merge::Mean),
    ("none", Merge::Apart),
];
const GATES: Choices<FeedbackGate> = &[
    ("scalar", FeedbackGate::Scalar),
    ("vector", FeedbackGate::Vector),
];

fn chosen<V: Copy>(name: &str, choices: Choices<V>, given: &Bound<'_, PyAny>) -> PyResult<V> {
    let names: Vec<_> = choices.iter().map(|(name, _)| *name).collect();
    let rule = format!("one of {names:?}");
    let Ok(text) = given.extract::<String>() else {
        return Err(wrong_type(OP, name, &rule, given));
    };
    let found = choices.iter().find(|(name, _)| *name == text);
    found
        .map(|(_, value)| *value)
        .ok_or_else(|| wrong_value(OP, name, &rule, &format!("{text:?}")))
}

fn name_of<V: Copy + PartialEq>(choices: Choices<V>, value: V) -> &'static str {
    choices
        .iter()
        .find(|(_, known)| *known == value)
        .map_or("", |(name, _)| name)
}

fn sizes(given: &Bound<'_, PyAny>) -> PyResult<Vec<usize>> {
    let (op, name) = (OP, "hidden_sizes");
    if given.is_instance_of::<PyString>() {
        return Err(wrong_type(
            op,
            name,
            "an integer or a list of integers",
            given,
        ));
    }
    match given.try_iter() {
        Ok(items) => items
            .map(|item| argument::count(op, name, &item?))
            .collect(),
        Err(_) => Ok(vec![argument::count(op, name, given)?]),
    }
}

/// Nonlinearities of gates by name; None names none.
fn activations(name: &str, given: &Bound<'_, PyAny>) -> PyResult<BTreeMap<String, ActivationKind>> {
    let mut named = BTreeMap::new();
    if given.is_none() {
        return Ok(named);
    }
    let rule = "a dict from gates to nonlinearities";
    let Ok(dict) = given.cast::<PyDict>() else {
        return Err(wrong_type(OP, name, rule, given));
    };
    for (gate, kind) in dict {
        let gate = gate.extract::<String>();
        let gate = gate.map_err(|_| wrong_type(OP, name, rule, given))?;
        let kind = chosen(&format!("{name}[{gate:?}]"), ACTIVATIONS, &kind)?;
        named.insert(gate, kind);
    }
    Ok(named)
}

fn maybe_count(name: &str, given: &Bound<'_, PyAny>) -> PyResult<Option<usize>> {
    if given.is_none() {
        Ok(None)
    } else {
        argument::count(OP, name, given).map(Some)
    }
}

/// The configuration and element type that a call of `Model` asks for.
pub(crate) fn options(
    cell: CellKind,
    input_size: &Bound<'_, PyAny>,
    hidden_sizes: &Bound<'_, PyAny>,
    output_size: Option<&Bound<'_, PyAny>>,
    keywords: Option<&Bound<'_, PyDict>>,
) -> PyResult<(Config, DType)> {
    let mut config = Config {
        input_size: argument::count(OP, "input_size", input_size)?,
        hidden_sizes: sizes(hidden_sizes)?,
        output_size: output_size.map_or(Ok(None), |size| maybe_count("output_size", size))?,
        ..unsized_config(cell)
    };
    let (mut dtype, mut paper) = (DType::Float32, false);
    let (mut bidirectional, mut merge) = (false, Merge::Concat);
    for (name, given) in keywords.into_iter().flatten() {
        let name: String = name.extract()?;
        let (op, name, cells) = (OP, name.as_str(), &mut config.options);
        let rates = &mut config.regularisers;
        match name {
            "embedding_size" => config.embedding_size = maybe_count(name, &given)?,
            "seed" => config.seed = argument::seed(op, name, &given)?,
            "dtype" => dtype = argument::dtype(op, &given)?,
            "init" => config.init = chosen(name, INITS, &given)?,
            "std" => config.std = argument::number(op, name, &given)?,
            "forget_bias" => config.forget_bias = argument::number(op, name, &given)?,
            "activation" => cells.activation = chosen(name, ACTIVATIONS, &given)?,
            "slope_at_zero" => cells.slope_at_zero = argument::number(op, name, &given)?,
            "reset" => cells.reset = chosen(name, RESETS, &given)?,
            "gate" => cells.gate = chosen(name, GATES, &given)?,
            "input_to_all" => config.input_to_all = argument::boolean(op, name, &given)?,
            "all_to_output" => config.all_to_output = argument::boolean(op, name, &given)?,
            "all_to_gates" => cells.all_to_gates = argument::boolean(op, name, &given)?,
            "activations" => cells.activations = activations(name, &given)?,
            "layer_norm" => cells.layer_norm = argument::boolean(op, name, &given)?,
            "peepholes" => cells.peepholes = argument::boolean(op, name, &given)?,
            "coupled_gates" => cells.coupled_gates = argument::boolean(op, name, &given)?,
            "projection_size" => cells.projection_size = maybe_count(name, &given)?,
            "cell_clip" => cells.cell_clip = argument::maybe_number(op, name, &given)?,
            "hidden_clip" => config.hidden_clip = argument::maybe_number(op, name, &given)?,
            "residual" => config.residual = argument::boolean(op, name, &given)?,
            "tied_embedding" => config.tied_embedding = argument::boolean(op, name, &given)?,
            "dropout" => rates.dropout = argument::number(op, name, &given)?,
            "variational" => rates.variational = argument::boolean(op, name, &given)?,
            "recurrent_dropout" => rates.recurrent_dropout = argument::number(op, name, &given)?,
            "zoneout_hidden" => rates.zoneout_hidden = argument::number(op, name, &given)?,
            "zoneout_cell" => rates.zoneout_cell = argument::number(op, name, &given)?,
            "weight_drop" => rates.weight_drop = argument::number(op, name, &given)?,
            "embedding_dropout" => rates.embedding_dropout = argument::number(op, name, &given)?,
            "bidirectional" => bidirectional = argument::boolean(op, name, &given)?,
            "merge" => merge = chosen(name, MERGES, &given)?,
            "learned_state" => config.learned_state = argument::boolean(op, name, &given)?,
            "paper" => paper = argument::boolean(op, name, &given)?,
            _ => {
                let message = format!("Model: got an unexpected keyword argument {name:?}");
                return Err(PyTypeError::new_err(message));
            }
        }
    }
    if !bidirectional && merge != Merge::Concat {
        let message = "Model: merge means nothing unless bidirectional";
        return Err(raise("ArgumentError", message.into()));
    }
    config.bidirectional = bidirectional.then_some(merge);
    if paper {
        if !config.cell.has_feedback() {
            let message = format!(
                "Model: paper means nothing to cell {:?}",
                config.cell.name()
            );
            return Err(raise("ArgumentError", message));
        }
        config.input_to_all = true;
        config.all_to_output = true;
        config.options.all_to_gates = config.cell.has_unit_gates();
    }
    Ok((config, dtype))
}

/// The settings that a model has unless it is told otherwise.
pub(crate) fn usual(py: Python<'_>) -> PyResult<Bound<'_, PyDict>> {
    let usual = to_dict(py, &unsized_config(CellKind::Rnn), DType::Float32)?;
    for size in ["cell", "input_size", "hidden_sizes", "output_size"] {
        usual.del_item(size)?;
    }
    Ok(usual)
}

/// Every setting as usual, no sizes yet.
fn unsized_config(cell: CellKind) -> Config {
    Config {
        cell,
        ..Config::default()
    }
}

/// The arguments that make a model like this one.
pub(crate) fn to_dict<'py>(
    py: Python<'py>,
    config: &Config,
    dtype: DType,
) -> PyResult<Bound<'py, PyDict>> {
    let (dict, cells) = (PyDict::new(py), &config.options);
    dict.set_item("cell", config.cell.name())?;
    dict.set_item("input_size", config.input_size)?;
    dict.set_item("hidden_sizes", config.hidden_sizes.clone())?;
    dict.set_item("output_size", config.output_size)?;
    dict.set_item("embedding_size", config.embedding_size)?;
    dict.set_item("seed", config.seed)?;
    dict.set_item("dtype", dtype.name())?;
    dict.set_item("init", name_of(INITS, config.init))?;
    dict.set_item("std", config.std)?;
    dict.set_item("forget_bias", config.forget_bias)?;
    dict.set_item("activation", name_of(ACTIVATIONS, cells.activation))?;
    dict.set_item("slope_at_zero", cells.slope_at_zero)?;
    dict.set_item("reset", name_of(RESETS, cells.reset))?;
    dict.set_item("gate", name_of(GATES, cells.gate))?;
    dict.set_item("input_to_all", config.input_to_all)?;
    dict.set_item("all_to_output", config.all_to_output)?;
    dict.set_item("all_to_gates", cells.all_to_gates)?;
    let named = PyDict::new(py);
    for (gate, kind) in &cells.activations {
        named.set_item(gate, name_of(ACTIVATIONS, *kind))?;
    }
    dict.set_item("activations", named)?;
    dict.set_item("layer_norm", cells.layer_norm)?;
    dict.set_item("peepholes", cells.peepholes)?;
    dict.set_item("coupled_gates", cells.coupled_gates)?;
    dict.set_item("projection_size", cells.projection_size)?;
    dict.set_item("cell_clip", cells.cell_clip)?;
    dict.set_item("hidden_clip", config.hidden_clip)?;
    dict.set_item("residual", config.residual)?;
    dict.set_item("tied_embedding", config.tied_embedding)?;
    let rates = &config.regularisers;
    dict.set_item("dropout", rates.dropout)?;
    dict.set_item("variational", rates.variational)?;
    dict.set_item("recurrent_dropout", rates.recurrent_dropout)?;
    dict.set_item("zoneout_hidden", rates.zoneout_hidden)?;
    dict.set_item("zoneout_cell", rates.zoneout_cell)?;
    dict.set_item("weight_drop", rates.weight_drop)?;
    dict.set_item("embedding_dropout", rates.embedding_dropout)?;
    dict.set_item("bidirectional", config.bidirectional.is_some())?;
    let merge = config.bidirectional.unwrap_or(Merge::Concat);
    dict.set_item("merge", name_of(MERGES, merge))?;
    dict.set_item("learned_state", config.learned_state)?;
    Ok(dict)
}
