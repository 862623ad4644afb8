//! A sequence through a model: states carried from step to step, embedding and decoder applied to
//! all steps at once.

use crate::element::Element;
use crate::error::{Error, Result};
use crate::graph::Graph;
use crate::matrix::Matrix;
use crate::model::{Model, States};
use crate::ops::Recorder;
use crate::shape::Shape;

/// The inputs of `batch` samples over `time` steps, one column a sample and step, in the order
/// column = t * batch + b.
pub enum Sequence<T: Element> {
    /// Symbols.
    Symbols(Vec<usize>),
    /// Features x (time * batch).
    Features(Matrix<T>),
}

impl<T: Element> Sequence<T> {
    fn len(&self) -> usize {
        match self {
            Self::Symbols(symbols) => symbols.len(),
            Self::Features(features) => features.cols(),
        }
    }
}

/// Runs a sequence and returns the output, output rows x (batch * time) with column = b * time + t,
/// and the state after the last step. `poll` is called at every step; its error ends the run.
///
/// # Errors
/// [`Error::Shape`] or [`Error::OutOfRange`] where the sequence or the state does not fit the model.
pub fn unroll<T: Element>(
    model: &Model<T>,
    graph: &mut Graph<T>,
    sequence: &Sequence<T>,
    batch: usize,
    states: States<Matrix<T>>,
    poll: &mut dyn FnMut() -> Result<()>,
) -> Result<(Matrix<T>, States<Matrix<T>>)> {
    let columns = sequence.len();
    if columns.checked_rem(batch).unwrap_or(columns) != 0 {
        let message = format!("expected a multiple of batch {batch} columns but {columns} came");
        return Err(Error::shape("unroll", message));
    }
    let time = columns.checked_div(batch).unwrap_or(0);
    let embedded = match sequence {
        Sequence::Symbols(symbols) => model.embed(graph, symbols)?,
        Sequence::Features(features) => features.clone(),
    };
    model.check_states(batch, &states)?;
    let mut inputs = Vec::with_capacity(time);
    for t in 0..time {
        inputs.push(if time == 1 {
            embedded.clone()
        } else {
            graph.slice_columns(&embedded, t * batch, (t + 1) * batch)?
        });
    }
    let (tops, states) = if model.is_bidirectional() {
        both_ways(model, graph, &inputs, states, poll)?
    } else {
        one_way(model, graph, &inputs, states, poll)?
    };
    let top = if tops.is_empty() {
        let shape = Shape::new(model.config().top_size(), 0);
        Matrix::constant(shape, Vec::new())?
    } else {
        graph.concat_columns(&tops.iter().collect::<Vec<_>>())?
    };
    let top = batch_major(graph, &top, batch, time)?;
    Ok((model.decode(graph, &top)?, states))
}

/// What the decoder reads at each step, and the states after the last.
type Tops<T> = (Vec<Matrix<T>>, States<Matrix<T>>);

fn one_way<T: Element>(
    model: &Model<T>,
    graph: &mut Graph<T>,
    inputs: &[Matrix<T>],
    mut states: States<Matrix<T>>,
    poll: &mut dyn FnMut() -> Result<()>,
) -> Result<Tops<T>> {
    let mut tops = Vec::with_capacity(inputs.len());
    for x in inputs {
        poll()?;
        states = model.step(graph, x, &states)?;
        tops.push(model.top(graph, &states)?);
    }
    Ok((tops, states))
}

/// Layer by layer, each forward and backward in time.
fn both_ways<T: Element>(
    model: &Model<T>,
    graph: &mut Graph<T>,
    inputs: &[Matrix<T>],
    mut states: States<Matrix<T>>,
    poll: &mut dyn FnMut() -> Result<()>,
) -> Result<Tops<T>> {
    let mut below = inputs.to_vec();
    // Of every step, the states of all layers so far.
    let mut all: Vec<States<Matrix<T>>> = vec![Vec::new(); inputs.len()];
    for (number, state) in states.iter_mut().enumerate() {
        let reversed = number % 2 == 1;
        for at in 0..inputs.len() {
            poll()?;
            let t = if reversed { inputs.len() - 1 - at } else { at };
            *state = model.step_alone(graph, number, &below[t], state)?;
            all[t].push(state.clone());
        }
        if !reversed {
            continue;
        }
        for (t, below) in below.iter_mut().enumerate() {
            let outputs = model.outputs(graph, &all[t])?;
            if let Some(output) = outputs.last() {
                *below = if model.config().input_to_all {
                    graph.concat(&[output, &inputs[t]])?
                } else {
                    output.clone()
                };
            }
        }
    }
    let tops = all.iter().map(|states| model.top(graph, states));
    Ok((tops.collect::<Result<_>>()?, states))
}

/// Reorders columns from t * batch + b to b * time + t.
fn batch_major<T: Element>(
    graph: &mut Graph<T>,
    top: &Matrix<T>,
    batch: usize,
    time: usize,
) -> Result<Matrix<T>> {
    if batch <= 1 || time <= 1 {
        return Ok(top.clone());
    }
    let order: Vec<usize> = (0..batch)
        .flat_map(|b| (0..time).map(move |t| t * batch + b))
        .collect();
    graph.select_columns(top, order.into())
}
