//! A sequence through a model: states carried from step to step, embedding and decoder applied to
//! all steps at once.

use crate::dropping::Dropping;
use crate::element::Element;
use crate::error::{Error, Result};
use crate::graph::Graph;
use crate::matrix::Matrix;
use crate::model::{Model, States};
use crate::ops::Recorder;
use crate::params::Vars;
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
/// and the state after the last step. `poll` is called at every step; its error ends the run. In
/// training, `dropout_step` is the number of the call, by which masks are drawn.
///
/// # Errors
/// [`Error::Shape`] or [`Error::OutOfRange`] where the sequence or the state does not fit the model.
pub fn unroll<T: Element>(
    model: &Model<T>,
    graph: &mut Graph<T>,
    sequence: &Sequence<T>,
    batch: usize,
    states: States<Matrix<T>>,
    dropout_step: Option<u64>,
    poll: &mut dyn FnMut() -> Result<()>,
) -> Result<(Matrix<T>, States<Matrix<T>>)> {
    let columns = sequence.len();
    if columns.checked_rem(batch).unwrap_or(columns) != 0 {
        let message = format!("expected a multiple of batch {batch} columns but {columns} came");
        return Err(Error::shape("unroll", message));
    }
    let time = columns.checked_div(batch).unwrap_or(0);
    let dropping = Dropping::of(model, dropout_step);
    let params = match dropping {
        Some(dropping) => dropping.params(model, graph)?,
        None => model.params().matrices().to_vec(),
    };
    let embedded = match sequence {
        Sequence::Symbols(symbols) => model.embed_by(graph, &params, symbols)?,
        Sequence::Features(features) => features.clone(),
    };
    model.check_states(batch, &states)?;
    let mut states = states;
    let mut tops = Vec::with_capacity(time);
    for t in 0..time {
        poll()?;
        let x = if time == 1 {
            embedded.clone()
        } else {
            graph.slice_columns(&embedded, t * batch, (t + 1) * batch)?
        };
        let masks = match dropping {
            Some(dropping) => dropping.matrices(graph.isa(), model, batch, t)?,
            None => Vec::new(),
        };
        let next = model.step_by(graph, &params, &x, &states, &masks)?;
        tops.push(model.top(graph, &next)?);
        states = next.states;
    }
    let top = if tops.is_empty() {
        let shape = Shape::new(model.config().top_size(), 0);
        Matrix::constant(shape, Vec::new())?
    } else {
        graph.concat_columns(&tops.iter().collect::<Vec<_>>())?
    };
    let top = batch_major(graph, &top, batch, time)?;
    let output = model.decode_with(graph, Vars(&params), &top)?;
    Ok((output, states))
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
