//! A sequence, or one step, through a model by its program: as arrays, or as one node of a graph.

use std::any::Any;
use std::borrow::Cow;
use std::sync::Arc;

use crate::cells::State;
use crate::dropping::Dropping;
use crate::element::Element;
use crate::element::free_list::room;
use crate::error::{Error, Result};
use crate::graph::{Composite, Graph, Input as Leaf};
use crate::host::Host;
use crate::kernels::buffer::{Read, Write};
use crate::kernels::{Isa, parallel};
use crate::matrix::Matrix;
use crate::model::{Model, States};
use crate::program::{Call, Extent, Input, Program, Run, weight_gradients};
use crate::regularise::Phase;
use crate::rows;
pub use crate::rows::{Columns, Rows};
use crate::shape::Shape;
use crate::unroll::Sequence;

/// Work from which letting others in, and looking for a stop, is worth while: 50 microseconds of one
/// core, in multiply-adds.
pub const LONG: usize = 1 << 21;

/// A sequence's output and the states after it.
pub struct Output<T> {
    /// Output rows x columns, in the order that was asked for; 0 where no step was taken.
    pub values: Vec<T>,
    /// Every state vector, layer by layer, size x batch.
    pub states: Vec<(Shape, Vec<T>)>,
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

/// What the pieces of the rows begin with: the state vectors given, if there are any, and the initial
/// ones, if the model has some and a piece needs them.
struct Start<T: Element> {
    given: Vec<Matrix<T>>,
    initial: Vec<Matrix<T>>,
}

impl<T: Element> Start<T> {
    fn new(model: &Model<T>, rows: &Rows, states: Option<&[State<Matrix<T>>]>) -> Self {
        let given = states.into_iter().flatten().flat_map(State::vectors);
        let anew = states.is_none() || rows.starts().any(|row| row.is_none());
        Self {
            given: given.cloned().collect(),
            initial: if anew { model.initial() } else { Vec::new() },
        }
    }

    fn matrices(&self) -> impl Iterator<Item = &Matrix<T>> {
        self.given.iter().chain(&self.initial)
    }

    fn count(&self) -> [usize; 2] {
        [self.given.len(), self.initial.len()]
    }

    /// Every state vector, one column a piece; `None` is zeros.
    fn values(&self, rows: &Rows) -> Result<Vec<Option<Vec<T>>>> {
        let value = |number: usize| {
            let given = self.given.get(number).map(Matrix::value).transpose()?;
            let initial = self.initial.get(number).map(Matrix::value).transpose()?;
            let all = rows.starts();
            let Some(height) = self.matrices().nth(number).map(Matrix::rows) else {
                return Ok(None);
            };
            let mut values = vec![T::ZERO; height * all.len()];
            for (to, row) in values.chunks_exact_mut(height).zip(all) {
                match (row, &given, &initial) {
                    (Some(row), Some(given), _) => {
                        to.copy_from_slice(&given[row * height..][..height]);
                    }
                    (_, _, Some(initial)) => to.copy_from_slice(initial),
                    _ => {}
                }
            }
            Ok(Some(values))
        };
        let count = self.given.len().max(self.initial.len());
        (0..count).map(value).collect()
    }
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
    rows: &'a Rows,
    start: Start<T>,
}

impl<'a, T: Element> Job<'a, T> {
    pub(crate) fn new(
        model: &'a Model<T>,
        sequence: &'a Sequence<T>,
        rows: &'a Rows,
        states: Option<&[State<Matrix<T>>]>,
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
        if columns != rows.count() {
            let expected = rows.count();
            let message = format!("expected {expected} columns but {columns} came");
            return Err(Error::shape("forward", message));
        }
        if let Some(states) = states {
            model.check_states(rows.batch(), states)?;
        }
        Ok(Self {
            model,
            sequence,
            rows,
            start: Start::new(model, rows, states),
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
        let states = self.start.values(self.rows)?;
        let states: Vec<Option<&[T]>> = states.iter().map(Option::as_deref).collect();
        let lengths = self.rows.lengths();
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
            extent: Extent {
                time: self.rows.time(),
                batch: self.rows.batch(),
            },
            lengths: (!self.rows.is_dense()).then_some(&lengths[..]),
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

/// A copy of a run's result of that number, `rows` numbers a column; 0 for steps that were not taken.
pub(crate) fn result<T: Element>(
    run: &Run<T>,
    number: usize,
    height: usize,
    rows: &Rows,
    columns: Columns,
) -> Result<Vec<T>> {
    let values = run.result(number)?;
    if rows.is_dense() {
        return Ok(match columns {
            Columns::TimeMajor => values.into_owned(),
            _ => transposed(values, height, rows.time(), rows.batch()).into_owned(),
        });
    }
    let places = rows.places(columns);
    Ok(rows::scattered(&values, height, places, rows.len(columns)))
}

fn output<T: Element>(
    run: &Run<T>,
    height: usize,
    rows: &Rows,
    columns: Columns,
) -> Result<Output<T>> {
    let state = |(number, size): (usize, &usize)| {
        let values = rows.last_of(run.state(number)?, *size);
        Ok((Shape::new(*size, rows.batch()), values.into_owned()))
    };
    let sizes = run.program().states();
    Ok(Output {
        values: result(run, 0, height, rows, columns)?,
        states: sizes.iter().enumerate().map(state).collect::<Result<_>>()?,
    })
}

/// Columns of `height` numbers from order `i * inner + j` to `j * outer + i`.
fn transposed<T: Element>(
    values: Cow<'_, [T]>,
    height: usize,
    outer: usize,
    inner: usize,
) -> Cow<'_, [T]> {
    if outer <= 1 || inner <= 1 || height == 0 {
        return values;
    }
    let mut out = room(values.len()).unwrap_or_default();
    for j in 0..inner {
        for i in 0..outer {
            out.extend_from_slice(&values[(i * inner + j) * height..][..height]);
        }
    }
    Cow::Owned(out)
}

/// Runs a sequence without recording anything. Without states it begins with the initial ones.
///
/// # Errors
/// [`Error::Shape`], [`Error::OutOfRange`] or [`Error::Argument`] where the sequence or the states do
/// not fit the model; [`Error::Interrupted`].
pub fn infer<T: Element>(
    isa: Isa,
    model: &Model<T>,
    sequence: &Sequence<T>,
    rows: &Rows,
    states: Option<&[State<Matrix<T>>]>,
    columns: Columns,
    host: &mut dyn Host,
) -> Result<Output<T>> {
    let job = Job::new(model, sequence, rows, states)?;
    let run = job.run(isa, job.program(Phase::Evaluation)?, host)?;
    output(&run, model.config().output_rows(), rows, columns)
}

/// Runs a sequence as one node of a graph: the output, output rows x (batch * time) with column
/// b * time + t and 0 for steps that are not taken, and the states after the last step of each row.
/// Without states it begins with the initial ones. In training, `dropout_step` is the number of the
/// call, by which masks are drawn; else it is `None`.
///
/// # Errors
/// As [`infer`], and [`Error::Graph`] where the graph takes no more.
pub fn record<T: Element>(
    model: &Model<T>,
    graph: &mut Graph<T>,
    sequence: &Sequence<T>,
    rows: &Arc<Rows>,
    states: Option<&[State<Matrix<T>>]>,
    dropout_step: Option<u64>,
    host: &mut dyn Host,
) -> Result<(Matrix<T>, States<Matrix<T>>)> {
    let job = Job::new(model, sequence, rows, states)?;
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
        dropping.fill(graph.isa(), model, rows, &mut run)?;
    }
    forward(&mut run, host)?;
    let height = model.config().output_rows();
    let output = output(&run, height, rows, Columns::BatchMajor)?;
    let shape = Shape::new(height, rows.len(Columns::BatchMajor));
    let mut outputs = vec![(shape, output.values)];
    outputs.extend(output.states);
    let inputs: Vec<&Matrix<T>> = weights
        .matrices
        .iter()
        .chain(job.start.matrices())
        .chain(features)
        .collect();
    let node = Node {
        run,
        weights: weights.matrices.len(),
        start: job.start.count(),
        rows: Arc::clone(rows),
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
    /// State vectors that are given, and initial ones.
    start: [usize; 2],
    rows: Arc<Rows>,
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
        self.receive(outputs)?;
        let (run, mut result) = (&mut self.run, Ok(()));
        host.run(run.work() >= LONG, &mut |poll| result = run.backward(poll));
        result?;
        let (start, features) = inputs[self.weights..].split_at(self.start.iter().sum());
        let (given, initial) = start.split_at(self.start[0]);
        for (number, input) in given.iter().enumerate() {
            let columns = self.rows.starts();
            self.give_back(number, input, columns)?;
        }
        for (number, input) in initial.iter().enumerate() {
            let begins_anew = |row: Option<usize>| row.is_none().then_some(0);
            let all = given.is_empty();
            let columns = self
                .rows
                .starts()
                .map(|row| if all { Some(0) } else { begins_anew(row) });
            self.give_back(number, input, columns)?;
        }
        if let ([input], Some(grad)) = (features, self.run.input_grad()?)
            && input.wants_grad()
        {
            add(&mut input.matrix().grad_mut()?, &grad);
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
        let grads = outputs
            .iter()
            .map(|m| m.grad_if_any().map(|_| m.grad()).transpose());
        let grads = grads.collect::<Result<Vec<_>>>()?;
        let Some((output, states)) = grads.split_first() else {
            return Ok(());
        };
        let rows = &self.rows;
        let height = outputs[0].rows();
        if let Some(to) = self.run.result_grad(0)? {
            match output.as_deref() {
                Some(grad) => rows.gather(grad, height, to),
                None => to.fill(T::ZERO),
            }
        }
        // Of the pieces of a row the last one's state has come out.
        let mut spread = Vec::with_capacity(states.len());
        for (matrix, grad) in outputs[1..].iter().zip(states) {
            spread.push(
                grad.as_deref()
                    .map(|grad| rows.of_last(grad, matrix.rows())),
            );
        }
        let states: Vec<Option<&[T]>> = spread.iter().map(Option::as_deref).collect();
        self.run.receive_states(&states)
    }

    /// Adds the gradients of a state before the first steps to the columns of a matrix that the pieces
    /// began with.
    fn give_back(
        &self,
        number: usize,
        into: &Leaf<T>,
        columns: impl Iterator<Item = Option<usize>>,
    ) -> Result<()> {
        if !into.wants_grad() {
            return Ok(());
        }
        let (grad, height) = (self.run.state_grad(number)?, into.matrix().rows());
        let mut sum = into.matrix().grad_mut()?;
        for (piece, column) in columns.enumerate() {
            if let Some(column) = column {
                let from = &grad[piece * height..][..height];
                add(&mut sum[column * height..][..height], from);
            }
        }
        Ok(())
    }
}

fn add<T: Element>(into: &mut [T], grad: &[T]) {
    for (into, g) in into.iter_mut().zip(grad) {
        *into += *g;
    }
}
