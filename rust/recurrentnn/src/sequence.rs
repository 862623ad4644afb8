//! A sequence, or one step, through a model by its program: as arrays, or as one node of a graph.

use std::any::Any;
use std::sync::Arc;

use crate::cells::State;
use crate::dropping::Dropping;
use crate::element::Element;
use crate::error::{Error, Result};
use crate::graph::{Composite, Graph, Input as Leaf};
use crate::host::Host;
use crate::kernels::buffer::{Read, Write};
use crate::kernels::{Isa, parallel};
use crate::matrix::Matrix;
use crate::model::{Model, States};
use crate::program::{Call, Extent, Incoming, Input, Program, Run, weight_gradients};
use crate::regularise::Phase;
use crate::shape::Shape;
use crate::unroll::Sequence;

/// Work from which letting others in, and looking for a stop, is worth while: 50 microseconds of one
/// core, in multiply-adds.
pub const LONG: usize = 1 << 21;

/// A sequence's output and the states after it.
pub struct Output<T> {
    /// Output rows x (batch * time), column b * time + t; in time-major order t * batch + b where that
    /// was asked for.
    pub values: Vec<T>,
    /// Every state vector, layer by layer, size x batch.
    pub states: Vec<(Shape, Vec<T>)>,
}

/// Which of a sequence's steps comes first in an output's columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Columns {
    /// Column b * time + t.
    BatchMajor,
    /// Column t * batch + b.
    TimeMajor,
}

/// The weights of a call, and what they are.
pub(crate) struct Weights<T: Element> {
    matrices: Vec<Matrix<T>>,
    version: Option<u64>,
}

impl<T: Element> Weights<T> {
    /// The weights of a program of the model, computed without recording.
    pub(crate) fn of(isa: Isa, model: &Model<T>, program: &Program<T>) -> Result<Self> {
        Self::recorded(model, &mut Graph::without_recording(isa), program, None)
    }

    fn recorded(
        model: &Model<T>,
        graph: &mut Graph<T>,
        program: &Program<T>,
        dropping: Option<Dropping>,
    ) -> Result<Self> {
        if let Some(dropping) = dropping.filter(|_| drops_weights(model)) {
            let params = dropping.params(model, graph)?;
            return Ok(Self {
                matrices: program.prelude().weights(graph, &params)?,
                // Others at every call.
                version: None,
            });
        }
        let params = model.params().matrices();
        Ok(Self {
            matrices: program.prelude().weights(graph, params)?,
            version: Self::version_of(model),
        })
    }

    /// Another number for other values of the parameters; `None` while a view may change them.
    pub(crate) fn version_of(model: &Model<T>) -> Option<u64> {
        let mix = |hash: u64, m: &Matrix<T>| {
            let number = hash ^ m.value_number()?;
            Some(number.wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(23))
        };
        model.params().matrices().iter().try_fold(0, mix)
    }

    pub(crate) fn version(&self) -> Option<u64> {
        self.version
    }

    /// Borrows them.
    pub(crate) fn slices(&self) -> Result<Slices<'_, T>> {
        let guards = self.matrices.iter().map(Matrix::value);
        Ok(Slices(guards.collect::<Result<_>>()?))
    }
}

/// Whether a call in training reads other weights than the parameters.
fn drops_weights<T: Element>(model: &Model<T>) -> bool {
    let rates = model.config().regularisers;
    rates.weight_drop > 0.0 || rates.embedding_dropout > 0.0
}

/// Weights, borrowed.
pub(crate) struct Slices<'a, T: Element>(Vec<Read<'a, T>>);

impl<T: Element> Slices<'_, T> {
    pub(crate) fn values(&self) -> Vec<&[T]> {
        self.0.iter().map(|guard| &**guard).collect()
    }
}

/// What there is to compute, checked against the model.
pub(crate) struct Job<'a, T: Element> {
    model: &'a Model<T>,
    sequence: &'a Sequence<T>,
    extent: Extent,
    states: Vec<Matrix<T>>,
}

impl<'a, T: Element> Job<'a, T> {
    pub(crate) fn new(
        model: &'a Model<T>,
        sequence: &'a Sequence<T>,
        batch: usize,
        states: &[State<Matrix<T>>],
    ) -> Result<Self> {
        let columns = match sequence {
            Sequence::Symbols(symbols) => {
                model.check_symbols(symbols)?;
                symbols.len()
            }
            Sequence::Features(features) => {
                model.check_features(features.shape())?;
                features.cols()
            }
        };
        if columns.checked_rem(batch).unwrap_or(columns) != 0 {
            let message =
                format!("expected a multiple of batch {batch} columns but {columns} came");
            return Err(Error::shape("forward", message));
        }
        model.check_states(batch, states)?;
        let time = columns.checked_div(batch).unwrap_or(0);
        Ok(Self {
            model,
            sequence,
            extent: Extent { time, batch },
            states: states.iter().flat_map(State::vectors).cloned().collect(),
        })
    }

    fn program(&self, phase: Phase) -> Result<&'a Arc<Program<T>>> {
        self.model
            .program(matches!(self.sequence, Sequence::Symbols(_)), phase)
    }

    /// Runs a program of the model's step, without recording.
    pub(crate) fn run(
        &self,
        isa: Isa,
        program: &Arc<Program<T>>,
        host: &mut dyn Host,
    ) -> Result<Run<T>> {
        let weights = Weights::of(isa, self.model, program)?;
        let mut run = self.begin(isa, program, &weights, false, false)?;
        forward(&mut run, host)?;
        Ok(run)
    }

    /// Copies in what the run reads.
    fn begin(
        &self,
        isa: Isa,
        program: &Arc<Program<T>>,
        weights: &Weights<T>,
        differentiate: bool,
        input_grad: bool,
    ) -> Result<Run<T>> {
        let values = weights.slices()?;
        let states = self
            .states
            .iter()
            .map(Matrix::value)
            .collect::<Result<Vec<_>>>()?;
        let states: Vec<Option<&[T]>> = states.iter().map(|state| Some(&**state)).collect();
        let features = match self.sequence {
            Sequence::Features(features) => Some(features.value()?),
            Sequence::Symbols(_) => None,
        };
        let input = match (self.sequence, &features) {
            (Sequence::Symbols(symbols), _) => Input::Symbols(symbols),
            (_, features) => Input::Features(features.as_deref().unwrap_or(&[])),
        };
        program.begin(&Call {
            isa,
            threads: parallel::threads(),
            extent: self.extent,
            input,
            states: &states,
            weights: &values.values(),
            version: weights.version,
            differentiate,
            input_grad,
        })
    }
}

fn forward<T: Element>(run: &mut Run<T>, host: &mut dyn Host) -> Result<()> {
    let mut result = Ok(());
    host.run(run.work() >= LONG, &mut |poll| result = run.forward(poll));
    result
}

/// A copy of a run's result of that number, `rows` numbers a column.
pub(crate) fn result<T: Element>(
    run: &Run<T>,
    number: usize,
    rows: usize,
    columns: Columns,
) -> Result<Vec<T>> {
    let Extent { time, batch } = run.extent()?;
    let values = run.result(number)?;
    Ok(match columns {
        Columns::TimeMajor => values.to_vec(),
        Columns::BatchMajor => transposed(values, rows, time, batch),
    })
}

fn output<T: Element>(run: &Run<T>, rows: usize, columns: Columns) -> Result<Output<T>> {
    let batch = run.extent()?.batch;
    let state = |(number, rows): (usize, &usize)| {
        Ok((Shape::new(*rows, batch), run.state(number)?.to_vec()))
    };
    let sizes = run.program().states();
    Ok(Output {
        values: result(run, 0, rows, columns)?,
        states: sizes.iter().enumerate().map(state).collect::<Result<_>>()?,
    })
}

/// Columns of `rows` numbers from order `i * inner + j` to `j * outer + i`.
fn transposed<T: Element>(values: &[T], rows: usize, outer: usize, inner: usize) -> Vec<T> {
    if outer <= 1 || inner <= 1 || rows == 0 {
        return values.to_vec();
    }
    let mut out = Vec::with_capacity(values.len());
    for j in 0..inner {
        for i in 0..outer {
            out.extend_from_slice(&values[(i * inner + j) * rows..][..rows]);
        }
    }
    out
}

/// Runs a sequence without recording anything.
///
/// # Errors
/// [`Error::Shape`], [`Error::OutOfRange`] or [`Error::Argument`] where the sequence or the states do
/// not fit the model; [`Error::Interrupted`].
pub fn infer<T: Element>(
    isa: Isa,
    model: &Model<T>,
    sequence: &Sequence<T>,
    batch: usize,
    states: &[State<Matrix<T>>],
    columns: Columns,
    host: &mut dyn Host,
) -> Result<Output<T>> {
    let job = Job::new(model, sequence, batch, states)?;
    let run = job.run(isa, job.program(Phase::Evaluation)?, host)?;
    output(&run, model.config().output_rows(), columns)
}

/// Runs a sequence as one node of a graph: the output, output rows x (batch * time) with column
/// b * time + t, and the states after the last step. In training, `dropout_step` is the number of the
/// call, by which masks are drawn; else it is `None`.
///
/// # Errors
/// As [`infer`], and [`Error::Graph`] where the graph takes no more.
pub fn record<T: Element>(
    model: &Model<T>,
    graph: &mut Graph<T>,
    sequence: &Sequence<T>,
    batch: usize,
    states: &States<Matrix<T>>,
    dropout_step: Option<u64>,
    host: &mut dyn Host,
) -> Result<(Matrix<T>, States<Matrix<T>>)> {
    let job = Job::new(model, sequence, batch, states)?;
    let dropping = Dropping::of(model, dropout_step);
    let program = job.program(Dropping::phase(dropping))?;
    let weights = Weights::recorded(model, graph, program, dropping)?;
    let features = match sequence {
        Sequence::Features(features) => Some(features),
        Sequence::Symbols(_) => None,
    };
    let input_grad = features.is_some_and(|features| graph.would_want_grad(features));
    let differentiate = graph.is_recording();
    let mut run = job.begin(graph.isa(), program, &weights, differentiate, input_grad)?;
    if let Some(dropping) = dropping {
        dropping.fill(graph.isa(), model, &mut run)?;
    }
    forward(&mut run, host)?;
    let rows = model.config().output_rows();
    let output = output(&run, rows, Columns::BatchMajor)?;
    let shape = Shape::new(rows, job.extent.columns());
    let mut outputs = vec![(shape, output.values)];
    outputs.extend(output.states);
    let inputs: Vec<&Matrix<T>> = weights
        .matrices
        .iter()
        .chain(&job.states)
        .chain(features)
        .collect();
    let node = Node {
        run,
        weights: weights.matrices.len(),
        states: job.states.len(),
        grouped: program.prelude().is_empty() && (dropping.is_none() || !drops_weights(model)),
    };
    let mut outputs = graph.record(Box::new(node), &inputs, outputs)?.into_iter();
    let Some(output) = outputs.next() else {
        return Err(Error::internal("forward", "a node without output"));
    };
    Ok((output, model.layered(outputs)))
}

/// A sequence in a graph. Its inputs are the weights, the states, and perhaps the features.
struct Node<T: Element> {
    run: Run<T>,
    weights: usize,
    states: usize,
    /// Whether the weights are the parameters, the same for all sequences and ticks of a graph.
    grouped: bool,
}

impl<T: Element> Composite<T> for Node<T> {
    fn name(&self) -> &'static str {
        "sequence"
    }

    fn backward(
        &mut self,
        inputs: &[Leaf<T>],
        outputs: &[Matrix<T>],
        host: &mut dyn Host,
    ) -> Result<()> {
        let Extent { time, batch } = self.run.extent()?;
        self.receive(outputs)?;
        let (run, mut result) = (&mut self.run, Ok(()));
        host.run(run.work() >= LONG, &mut |poll| result = run.backward(poll));
        result?;
        let (states, features) = inputs[self.weights..].split_at(self.states);
        for (number, input) in states
            .iter()
            .enumerate()
            .filter(|(_, input)| input.wants_grad())
        {
            add(
                &mut input.matrix().grad_mut()?,
                self.run.state_grad(number)?,
            );
        }
        if let ([input], Some(grad)) = (features, self.run.input_grad()?)
            && input.wants_grad()
        {
            debug_assert_eq!(grad.len(), input.matrix().rows() * time * batch);
            add(&mut input.matrix().grad_mut()?, grad);
        }
        Ok(())
    }

    fn group(&self) -> Option<usize> {
        self.grouped.then(|| self.run.identity())
    }

    fn finish(
        &self,
        group: &[&dyn Composite<T>],
        inputs: &[Leaf<T>],
        host: &mut dyn Host,
    ) -> Result<()> {
        let nodes = group
            .iter()
            .map(|node| node.as_any().downcast_ref::<Self>());
        let runs = nodes
            .map(|node| node.map(|node| &node.run))
            .collect::<Option<Vec<_>>>();
        let Some(runs) = runs else {
            return Err(Error::internal("backward", "a group of different nodes"));
        };
        let inputs = &inputs[..self.weights];
        // A gradient that nobody wants is computed all the same, and dropped.
        let values = inputs.iter().map(|i| i.matrix().value());
        let values = Slices(values.collect::<Result<_>>()?);
        let values = values.values();
        let viewed = inputs.iter().any(|input| input.matrix().is_viewed());
        let mut unwanted: Vec<Vec<T>> = Vec::new();
        let mut wanted: Vec<Option<Write<'_, T>>> = Vec::new();
        for input in inputs {
            let wants = input.wants_grad();
            wanted.push(wants.then(|| input.matrix().grad_mut()).transpose()?);
            let len = if wants {
                0
            } else {
                input.matrix().shape().len()
            };
            unwanted.push(vec![T::ZERO; len]);
        }
        let mut into: Vec<&mut [T]> = wanted
            .iter_mut()
            .zip(&mut unwanted)
            .map(|(wanted, unwanted)| wanted.as_deref_mut().unwrap_or(unwanted))
            .collect();
        let mut result = Ok(());
        let long = !viewed && runs.iter().map(|run| run.work()).sum::<usize>() >= LONG;
        host.run(long, &mut |_| {
            result = weight_gradients(&runs, &values, &mut into);
        });
        result
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

impl<T: Element> Node<T> {
    /// Hands the outputs' gradients to the run.
    fn receive(&mut self, outputs: &[Matrix<T>]) -> Result<()> {
        let Extent { time, batch } = self.run.extent()?;
        let grads = outputs
            .iter()
            .map(|m| m.grad_if_any().map(|_| m.grad()).transpose());
        let grads = grads.collect::<Result<Vec<_>>>()?;
        let Some((output, states)) = grads.split_first() else {
            return Ok(());
        };
        let rows = outputs[0].rows();
        let output = output
            .as_ref()
            .map(|grad| transposed(grad, rows, batch, time));
        let states: Vec<Option<&[T]>> = states.iter().map(Option::as_deref).collect();
        self.run.receive(Incoming {
            results: &[output.as_deref()],
            states: &states,
        })
    }
}

fn add<T: Element>(into: &mut [T], grad: &[T]) {
    for (into, g) in into.iter_mut().zip(grad) {
        *into += *g;
    }
}
