//! What a model computes: a tick or a sequence, outside any graph or as a node of one.

use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::PyTuple;
use recurrentnn::config::Merge;
use recurrentnn::error::Error;
use recurrentnn::kernels::Isa;
use recurrentnn::matrix::Matrix;
use recurrentnn::model::{Model, States};
use recurrentnn::ops::Recorder;
use recurrentnn::sequence::{Columns, Rows, infer, record};
use recurrentnn::unroll::Sequence;

use crate::dtype::Number;
use crate::error::{guard, wrong_type};
use crate::graph::{self, PyGraph, Recorded};
use crate::matrix::PyMatrix;
use crate::rows::Cuts;
use crate::sequence::{self, Input, SequenceInput};
use crate::signals::Interpreter;
use crate::state;
use crate::training::Training;

/// The state given; none begins with the initial one.
pub(crate) fn states_given<T: Number>(
    model: &Model<T>,
    given: Option<&Bound<'_, PyAny>>,
) -> PyResult<Option<States<Matrix<T>>>> {
    let given = given.filter(|given| !given.is_none());
    let names = model.config().cell.states();
    given.map(|given| state::states(&names, given)).transpose()
}

/// The state given, or the initial one.
pub(crate) fn states_or_initial<T: Number>(
    model: &Model<T>,
    given: Option<&Bound<'_, PyAny>>,
    batch: usize,
) -> PyResult<States<Matrix<T>>> {
    match states_given(model, given)? {
        Some(states) => Ok(states),
        None => guard(|| model.first_states(batch)),
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
    rows: &Arc<Rows>,
    states: Option<&States<Matrix<T>>>,
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
                rows,
                states.map(Vec::as_slice),
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
    guard(|| model.expect_one_way("forward"))?;
    let input = sequence::tick::<T>(x, model.config())?;
    let batch = match &input {
        Input::Symbols(symbols) => symbols.len(),
        Input::Features(features) => features.cols(),
    };
    let states = states_given(model, prev)?;
    let (sequence, rows) = (core_sequence(input), Arc::new(Rows::dense(batch, 1)));
    let states = states.as_ref();
    let (output, states) = recorded(py, model, graph, &sequence, &rows, states, training)?;
    state::step(py, &model.config().cell.states(), &states, output)
}

/// A whole sequence, its rows cut as is said, in the thread's recording graph if it has one.
pub(crate) fn sequence<T: Recorded>(
    py: Python<'_>,
    model: &Model<T>,
    x: &Bound<'_, PyAny>,
    given: Option<&Bound<'_, PyAny>>,
    time_major: bool,
    cuts: Cuts<'_, '_>,
    training: &Training,
) -> PyResult<(Py<PyAny>, Py<PyAny>)> {
    let SequenceInput {
        input,
        layout,
        rows,
    } = sequence::sequence::<T>(x, time_major, cuts, model.config())?;
    let states = states_given(model, given)?;
    let mut sequence = core_sequence(input);
    let names = model.config().cell.states();
    let is_matrix = x.cast::<PyMatrix>().is_ok();
    if let Some(graph) = graph::entered(py) {
        let graph = graph.get();
        let ordered = rows.is_dense() && (rows.batch() <= 1 || rows.time() <= 1);
        if let (true, false, Sequence::Features(features)) = (is_matrix, ordered, &sequence) {
            graph.expect_unused::<T::Other>("forward")?;
            let mut graph = graph.lock::<T>()?;
            let places = rows.places(Columns::BatchMajor);
            let ordered = guard(|| graph.select_columns(features, places.into()))?;
            sequence = Sequence::Features(ordered);
        }
        let states = states.as_ref();
        let (output, states) = recorded(py, model, graph, &sequence, &rows, states, training)?;
        let states = state::matrices(py, &names, &states)?;
        let wrapped = |output| -> PyResult<Py<PyAny>> {
            let output = PyMatrix {
                inner: T::wrap(output),
                sequence: Some((layout.batch, layout.time)),
            };
            Ok(Py::new(py, output)?.into_any())
        };
        if !is_apart(model) {
            return Ok((wrapped(output)?, states));
        }
        let mut graph = graph.lock::<T>()?;
        let (half, height) = (output.rows() / 2, output.rows());
        let forward = guard(|| graph.slice_rows(&output, 0, half))?;
        let reverse = guard(|| graph.slice_rows(&output, half, height))?;
        let both = PyTuple::new(py, [wrapped(forward)?, wrapped(reverse)?])?;
        return Ok((both.into_any().unbind(), states));
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
            &rows,
            states.as_deref(),
            layout.columns(),
            &mut interpreter,
        )
    });
    let output = interpreter.or(result)?;
    let arrays = state::new_arrays(py, model, output.states)?;
    let height = model.config().output_rows();
    let shaped = |values, height| layout.shape_output(py, &rows, height, values);
    if !is_apart(model) {
        return Ok((shaped(output.values, height)?, arrays));
    }
    let half = |first: usize| {
        let columns = output.values.chunks_exact(height);
        let half = columns.flat_map(|column| &column[first..first + height / 2]);
        shaped(half.copied().collect(), height / 2)
    };
    let both = PyTuple::new(py, [half(0)?, half(height / 2)?])?;
    Ok((both.into_any().unbind(), arrays))
}

/// Whether the output of each direction comes by itself.
fn is_apart<T: Number>(model: &Model<T>) -> bool {
    model.config().bidirectional == Some(Merge::Apart)
}
