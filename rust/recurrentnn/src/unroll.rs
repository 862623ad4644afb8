//! A sequence through a model: states carried from step to step, embedding and decoder applied to
//! all steps at once.

use crate::dropping::Dropping;
use crate::element::Element;
use crate::error::{Error, Result};
use crate::graph::Graph;
use crate::matrix::Matrix;
use crate::model::{Model, States, Stepped};
use crate::ops::Recorder;
use crate::params::Vars;
use crate::regularise::Masks;
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
    let mut inputs = Vec::with_capacity(time);
    for t in 0..time {
        inputs.push(if time == 1 {
            embedded.clone()
        } else {
            graph.slice_columns(&embedded, t * batch, (t + 1) * batch)?
        });
    }
    let masks = |isa, t| match dropping {
        Some(dropping) => dropping.matrices(isa, model, batch, t),
        None => Ok(Vec::new()),
    };
    let masks = (0..time).map(|t| masks(graph.isa(), t));
    let masks = masks.collect::<Result<Vec<_>>>()?;
    let call = Call {
        model,
        params: &params,
        inputs: &inputs,
        masks: &masks,
    };
    let (tops, states) = if model.is_bidirectional() {
        call.both_ways(graph, states, poll)?
    } else {
        call.one_way(graph, states, poll)?
    };
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

/// A model with what it reads: parameters, and of every step the input and the masks.
struct Call<'a, T: Element> {
    model: &'a Model<T>,
    params: &'a [Matrix<T>],
    inputs: &'a [Matrix<T>],
    masks: &'a [Vec<Masks<Matrix<T>>>],
}

/// What the decoder reads at each step, and the states after the last.
type Tops<T> = (Vec<Matrix<T>>, States<Matrix<T>>);

impl<T: Element> Call<'_, T> {
    fn one_way(
        &self,
        graph: &mut Graph<T>,
        mut states: States<Matrix<T>>,
        poll: &mut dyn FnMut() -> Result<()>,
    ) -> Result<Tops<T>> {
        let mut tops = Vec::with_capacity(self.inputs.len());
        for (x, masks) in self.inputs.iter().zip(self.masks) {
            poll()?;
            let next = self.model.step_by(graph, self.params, x, &states, masks)?;
            tops.push(self.model.top(graph, &next)?);
            states = next.states;
        }
        Ok((tops, states))
    }

    /// Layer by layer, each forward and backward in time.
    fn both_ways(
        &self,
        graph: &mut Graph<T>,
        mut states: States<Matrix<T>>,
        poll: &mut dyn FnMut() -> Result<()>,
    ) -> Result<Tops<T>> {
        let (layers, time) = (self.model.layers(), self.inputs.len());
        // Of every step, all layers so far.
        let mut all = vec![Stepped::default(); time];
        for (layer, states) in states.chunks_exact_mut(2).enumerate() {
            let masks = |t: usize, number| self.masks[t].get(number);
            let mut below = Vec::with_capacity(time);
            for (t, (x, step)) in self.inputs.iter().zip(&all).enumerate() {
                below.push(layers.below(graph, x, step.up.last(), masks(t, 2 * layer))?);
            }
            for (direction, state) in states.iter_mut().enumerate() {
                let number = 2 * layer + direction;
                for at in 0..time {
                    poll()?;
                    let t = if direction == 0 { at } else { time - 1 - at };
                    let masks = masks(t, number).unwrap_or(&Masks::NONE);
                    let params = Vars(self.params);
                    *state = layers.step_alone(graph, params, number, &below[t], state, masks)?;
                    all[t].states.push(state.clone());
                }
            }
            for step in &mut all {
                let up = layers.up(graph, &step.states[2 * layer..], step.up.last())?;
                step.up.push(up);
            }
        }
        let tops = all.iter().map(|step| self.model.top(graph, step));
        Ok((tops.collect::<Result<_>>()?, states))
    }
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
