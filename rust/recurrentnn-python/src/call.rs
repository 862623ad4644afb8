//! What a model computes: a tick or a sequence, outside any graph or as a node of one.

use pyo3::prelude::*;
use recurrentnn::error::Error;
use recurrentnn::kernels::Isa;
use recurrentnn::matrix::Matrix;
use recurrentnn::model::{Model, States};
use recurrentnn::ops::Recorder;
use recurrentnn::sequence::{infer, record};
use recurrentnn::unroll::Sequence;

use crate::dtype::Number;
use crate::error::{guard, wrong_type};
use crate::graph::{self, PyGraph, Recorded};
use crate::matrix::PyMatrix;
use crate::sequence::{self, Input, SequenceInput};
use crate::signals::Interpreter;
use crate::state;
use crate::training::Training;

/// The state given, or zeros.
pub(crate) fn states_or_zeros<T: Number>(
    model: &Model<T>,
    given: Option<&Bound<'_, PyAny>>,
    batch: usize,
) -> PyResult<States<Matrix<T>>> {
    match given {
        Some(given) if !given.is_none() => state::states(&model.config().cell.states(), given),
        _ => guard(|| model.zero_states(batch)),
    }
}

/// What the core reads.
pub(crate) fn core_sequence<T: Number>(input: Input<T>) -> Sequence<T> {
    match input {
        Input::Symbols(symbols) => Sequence::Symbols(symbols),
        Input::Features(features) => Sequence::Features(features),
    }
}

/// A sequence as a node of a graph, all or nothing. It drops in training, if the graph records.
fn recorded<T: Recorded>(
    py: Python<'_>,
    model: &Model<T>,
    graph: &PyGraph,
    sequence: &Sequence<T>,
    batch: usize,
    states: &States<Matrix<T>>,
    training: &Training,
) -> PyResult<(Matrix<T>, States<Matrix<T>>)> {
    graph.expect_unused::<T::Other>("forward")?;
    let mut interpreter = Interpreter::new(py);
    let drops = training.is_on() && model.config().regularisers.drops();
    let mut step = None;
    let result = guard(|| {
        let mut graph = graph
            .lock::<T>()
            .map_err(|_| Error::Busy { op: "forward" })?;
        step = (drops && graph.is_recording()).then(|| training.step());
        graph.all_or_none(|graph| {
            record(
                model,
                graph,
                sequence,
                batch,
                states,
                step,
                &mut interpreter,
            )
        })
    });
    let result = interpreter.or(result)?;
    if step.is_some() {
        training.advance();
    }
    Ok(result)
}

/// One tick, recorded in `graph`.
pub(crate) fn tick<T: Recorded>(
    py: Python<'_>,
    model: &Model<T>,
    graph: &PyGraph,
    x: &Bound<'_, PyAny>,
    prev: Option<&Bound<'_, PyAny>>,
    training: &Training,
) -> PyResult<Py<PyAny>> {
    let input = sequence::tick::<T>(x, model.config())?;
    let batch = match &input {
        Input::Symbols(symbols) => symbols.len(),
        Input::Features(features) => features.cols(),
    };
    let states = states_or_zeros(model, prev, batch)?;
    let sequence = core_sequence(input);
    let (output, states) = recorded(py, model, graph, &sequence, batch, &states, training)?;
    state::step(py, &model.config().cell.states(), &states, output)
}

/// A whole sequence, in the thread's recording graph if it has one.
pub(crate) fn sequence<T: Recorded>(
    py: Python<'_>,
    model: &Model<T>,
    x: &Bound<'_, PyAny>,
    given: Option<&Bound<'_, PyAny>>,
    time_major: bool,
    training: &Training,
) -> PyResult<(Py<PyAny>, Py<PyAny>)> {
    let SequenceInput { input, layout } = sequence::sequence::<T>(x, time_major, model.config())?;
    let (batch, time) = (layout.batch, layout.time);
    let states = states_or_zeros(model, given, batch)?;
    let mut sequence = core_sequence(input);
    let names = model.config().cell.states();
    let is_matrix = x.cast::<PyMatrix>().is_ok();
    if let Some(graph) = graph::entered(py) {
        let graph = graph.get();
        if let (true, Some(order), Sequence::Features(features)) =
            (is_matrix, layout.to_time_major(), &sequence)
        {
            graph.expect_unused::<T::Other>("forward")?;
            let mut graph = graph.lock::<T>()?;
            let ordered = guard(|| graph.select_columns(features, order.into()))?;
            sequence = Sequence::Features(ordered);
        }
        let (output, states) = recorded(py, model, graph, &sequence, batch, &states, training)?;
        let states = state::matrices(py, &names, &states)?;
        let output = PyMatrix {
            inner: T::wrap(output),
            sequence: Some((batch, time)),
        };
        return Ok((Py::new(py, output)?.into_any(), states));
    }
    if is_matrix {
        let rule = "an array (a Matrix is a sequence inside a graph)";
        return Err(wrong_type("forward", "x", rule, x));
    }
    let mut interpreter = Interpreter::new(py);
    let result = guard(|| {
        let isa = Isa::best();
        infer(
            isa,
            model,
            &sequence,
            batch,
            &states,
            layout.columns(),
            &mut interpreter,
        )
    });
    let output = interpreter.or(result)?;
    let arrays = state::new_arrays(py, model, output.states)?;
    let rows = model.config().output_rows();
    Ok((layout.shape_output(py, rows, output.values)?, arrays))
}
