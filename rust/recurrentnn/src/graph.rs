//! Define-by-run: operations are carried out at once and written down for the backward pass.
//!
//! The backward loop knows no operation, and no matrix refers to what made it, so a recording of any
//! length is dropped without recursion.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use smallvec::SmallVec;

use crate::element::Element;
use crate::error::{Error, Result};
use crate::host::{Alone, Host, Poll};
use crate::kernels::Isa;
use crate::kernels::buffer::{Buffer, Read};
use crate::matrix::{Matrix, Origin};
use crate::ops::{Op, Operand, Pull, Recorder};
use crate::recording::Recording;
use crate::shape::Shape;

/// Operands of almost every op fit without a heap allocation.
type Few<T> = SmallVec<[T; 4]>;

/// Something that was carried out.
struct Entry<T: Element> {
    what: What<T>,
    inputs: Few<Input<T>>,
    outputs: Outputs<T>,
}

/// Most entries are operations, with one output.
type Outputs<T> = SmallVec<[Matrix<T>; 1]>;

enum What<T: Element> {
    Op(Op),
    Composite(Box<dyn Composite<T>>),
}

/// Many operations that were carried out as one, such as a whole sequence through a net.
pub trait Composite<T: Element>: Send + Sync {
    /// Its name in messages.
    fn name(&self) -> &'static str;

    /// Adds to the gradients of those inputs that want them what the outputs' gradients give; an
    /// output nobody touched has none. What [`Composite::finish`] adds is left to it.
    ///
    /// # Errors
    /// [`Error::Interrupted`] where the host stopped it and nothing was added yet; [`Error::Busy`].
    fn backward(
        &mut self,
        inputs: &[Input<T>],
        outputs: &[Matrix<T>],
        host: &mut dyn Host,
    ) -> Result<()>;

    /// Composites with the same number add their last gradients together, after the rest of the
    /// backward pass; without a number each does so at once.
    fn group(&self) -> Option<usize>;

    /// Adds what all composites of the group still have to add to the inputs they share.
    ///
    /// # Errors
    /// [`Error::Busy`].
    fn finish(
        &self,
        group: &[&dyn Composite<T>],
        inputs: &[Input<T>],
        host: &mut dyn Host,
    ) -> Result<()>;

    /// For the others of its group.
    fn as_any(&self) -> &dyn Any;
}

/// One operand of an entry.
pub struct Input<T: Element> {
    matrix: Matrix<T>,
    /// Whether the backward pass computes its gradient.
    wants_grad: bool,
    /// Whether it is a leaf that waits for this recording's backward pass.
    pending: bool,
    /// The value's version when it was read.
    version: u64,
}

impl<T: Element> Input<T> {
    /// The matrix.
    pub fn matrix(&self) -> &Matrix<T> {
        &self.matrix
    }

    /// Whether the backward pass computes its gradient.
    pub fn wants_grad(&self) -> bool {
        self.wants_grad
    }

    /// The recording waits for nothing more.
    fn settle(&mut self) {
        if std::mem::take(&mut self.pending) {
            self.matrix.remove_pending();
        }
    }
}

impl<T: Element> Drop for Input<T> {
    fn drop(&mut self) {
        self.settle();
    }
}

/// A recording of operations on matrices, differentiated in reverse.
pub struct Graph<T: Element> {
    isa: Isa,
    keeps: bool,
    recording: Recording,
    entries: Vec<Entry<T>>,
    /// A backward pass ran over the entries and its gradients are still in place.
    differentiated: bool,
    /// A backward pass without `retain` ran: the entries are gone.
    consumed: bool,
}

impl<T: Element> Graph<T> {
    /// An empty recording.
    pub fn new(isa: Isa) -> Self {
        Self::with(isa, true)
    }

    /// A graph that computes only: it keeps nothing and allocates no gradient.
    pub fn without_recording(isa: Isa) -> Self {
        Self::with(isa, false)
    }

    fn with(isa: Isa, keeps: bool) -> Self {
        let recording = Recording::open();
        if !keeps {
            // Its results enter recordings by value from the start.
            recording.finish();
        }
        Self {
            isa,
            keeps,
            recording,
            entries: Vec::new(),
            differentiated: false,
            consumed: false,
        }
    }

    /// The instruction set it computes with.
    pub fn isa(&self) -> Isa {
        self.isa
    }

    /// Whether operations are written down.
    pub fn is_recording(&self) -> bool {
        self.keeps
    }

    /// Number of operations written down.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether nothing is written down.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Whether anything was recorded since the last `clear`, consumed or not.
    pub fn is_used(&self) -> bool {
        self.consumed || !self.entries.is_empty()
    }

    /// Forgets the recording; what it made enters later recordings by value.
    pub fn clear(&mut self) {
        self.recording.finish();
        if self.keeps {
            self.recording = Recording::open();
        }
        self.entries.clear();
        self.differentiated = false;
        self.consumed = false;
    }

    /// Runs several operations as one: if any is refused, none stays recorded.
    ///
    /// # Errors
    /// Whatever `operations` returns.
    pub fn all_or_none<R>(&mut self, operations: impl FnOnce(&mut Self) -> Result<R>) -> Result<R> {
        let before = self.entries.len();
        let result = catch_unwind(AssertUnwindSafe(|| operations(self)));
        if !matches!(result, Ok(Ok(_))) {
            self.entries.truncate(before);
        }
        result.unwrap_or_else(|panic| resume_unwind(panic))
    }

    /// Sets the gradients of everything recorded to zero, not those of the leaves.
    ///
    /// # Errors
    /// [`Error::Busy`] while another call uses one of them.
    pub fn zero_grad(&mut self) -> Result<()> {
        for output in self.entries.iter().flat_map(|entry| &entry.outputs) {
            output.zero_grad()?;
        }
        self.differentiated = false;
        Ok(())
    }

    /// Runs the recording backwards from the gradients that were put into it by hand.
    ///
    /// Gradients of leaves accumulate. Without `retain` the recording is consumed.
    ///
    /// # Errors
    /// [`Error::Graph`] if the recording was consumed, or was already differentiated and neither
    /// `zero_grad` nor new seeds came since.
    pub fn backward(&mut self, retain: bool) -> Result<()> {
        self.backward_by(&mut Alone, retain)
    }

    /// As [`Graph::backward`]; long work is run by the host.
    ///
    /// # Errors
    /// The same, and [`Error::Interrupted`] where the host stopped it before any leaf's gradient was
    /// changed: it can be run again.
    pub fn backward_by(&mut self, host: &mut dyn Host, retain: bool) -> Result<()> {
        self.check_differentiable()?;
        if self.differentiated {
            return Err(Error::graph(
                "backward",
                "expected new seeds after the last backward; call zero_grad() on the graph, then seed again",
            ));
        }
        let mut outputs = self.entries.iter().flat_map(|entry| &entry.outputs);
        if outputs.all(|output| output.grad_if_any().is_none()) {
            let message = "expected a loss, or a gradient seeded by hand in what was recorded";
            return Err(Error::graph("backward", message));
        }
        let outputs = || self.entries.iter().flat_map(|entry| &entry.outputs);
        let seeded = outputs().filter(|output| output.grad_if_any().is_some());
        let seeds = seeded.map(|output| Ok((output.clone(), output.grad()?.to_vec())));
        let seeds = seeds.collect::<Result<Vec<_>>>()?;
        if let Err(error) = self.run_backward(host) {
            // What was stopped can be run again, from the same seeds.
            self.zero_grad()?;
            for (output, seed) in seeds {
                output.grad_mut()?.copy_from_slice(&seed);
            }
            return Err(error);
        }
        self.after_backward(retain);
        Ok(())
    }

    /// Runs the recording backwards from a 1x1 loss, whose gradient is set to 1.
    ///
    /// # Errors
    /// [`Error::Graph`] if the loss is not of this recording or the recording was consumed,
    /// [`Error::Shape`] if the loss is not 1x1.
    pub fn backward_from(&mut self, loss: &Matrix<T>, retain: bool) -> Result<()> {
        self.backward_from_by(&mut Alone, loss, retain)
    }

    /// As [`Graph::backward_from`]; long work is run by the host.
    ///
    /// # Errors
    /// The same, and [`Error::Interrupted`] as [`Graph::backward_by`].
    pub fn backward_from_by(
        &mut self,
        host: &mut dyn Host,
        loss: &Matrix<T>,
        retain: bool,
    ) -> Result<()> {
        self.check_differentiable()?;
        if loss.shape() != Shape::SCALAR {
            let message = format!("loss must be 1x1 but is {}", loss.shape());
            return Err(Error::shape("backward", message));
        }
        match loss.origin() {
            Origin::Node(made_by) if made_by.is(&self.recording) => {}
            _ => {
                let message = "loss must be computed by this graph but was not recorded in it";
                return Err(Error::graph("backward", message));
            }
        }
        if self.differentiated {
            self.zero_grad()?;
        }
        loss.grad_mut()?[0] = T::ONE;
        if let Err(error) = self.run_backward(host) {
            // What was stopped can be run again.
            self.zero_grad()?;
            return Err(error);
        }
        self.after_backward(retain);
        Ok(())
    }

    fn check_differentiable(&self) -> Result<()> {
        let message = if !self.keeps {
            "expected a recording but this graph has recording off"
        } else if self.consumed {
            "the recording was consumed by an earlier backward; pass retain=True there to run it again"
        } else if self.is_outdated() {
            "an operand was assigned or stepped after it was recorded; record again"
        } else {
            return Ok(());
        };
        Err(Error::graph("backward", message))
    }

    /// Whether the values that derivatives are computed from are no longer those of the recording.
    fn is_outdated(&self) -> bool {
        self.entries.iter().any(|entry| {
            let mut inputs = entry.inputs.iter();
            // An output is computed once; no other version of it was ever recorded.
            entry.outputs.iter().any(|output| output.version() != 0)
                || inputs.any(|input| input.version != input.matrix.version())
        })
    }

    fn after_backward(&mut self, retain: bool) {
        self.differentiated = true;
        for input in self.entries.iter_mut().flat_map(|entry| &mut entry.inputs) {
            input.settle();
        }
        if !retain {
            self.recording.finish();
            self.entries = Vec::new();
            self.consumed = true;
        }
    }

    fn run_backward(&mut self, host: &mut dyn Host) -> Result<()> {
        let isa = self.isa;
        let mut unfinished: Vec<(usize, Vec<usize>)> = Vec::new();
        let mut stoppable = Stoppable {
            host,
            leaf_touched: false,
        };
        for (number, entry) in self.entries.iter_mut().enumerate().rev() {
            let reached =
                |output: &Matrix<T>| output.wants_grad() && output.grad_if_any().is_some();
            if !entry.outputs.iter().any(reached) {
                continue;
            }
            match &mut entry.what {
                What::Op(op) => op_backward(isa, op, &entry.inputs, &entry.outputs[0])?,
                What::Composite(composite) => {
                    composite.backward(&entry.inputs, &entry.outputs, &mut stoppable)?;
                    match composite.group() {
                        None => {
                            composite.finish(&[&**composite], &entry.inputs, &mut stoppable)?;
                        }
                        Some(group) => match unfinished.iter_mut().find(|(g, _)| *g == group) {
                            Some((_, members)) => members.push(number),
                            None => unfinished.push((group, vec![number])),
                        },
                    }
                }
            }
            let is_leaf = |input: &Input<T>| input.pending && input.wants_grad;
            stoppable.leaf_touched |=
                matches!(entry.what, What::Op(_)) && entry.inputs.iter().any(is_leaf);
        }
        // What is left cannot be stopped half-way without leaving gradients half-changed.
        stoppable.leaf_touched = true;
        for (_, members) in unfinished {
            let composite = |&number: &usize| match &self.entries[number].what {
                What::Composite(composite) => Some(&**composite),
                What::Op(_) => None,
            };
            let group: Vec<&dyn Composite<T>> = members.iter().filter_map(composite).collect();
            let inputs = &self.entries[members[0]].inputs;
            group[0].finish(&group, inputs, &mut stoppable)?;
        }
        Ok(())
    }

    /// Takes in, as one entry, what was computed from the inputs as a whole.
    ///
    /// # Errors
    /// [`Error::Graph`] where an operation of these inputs would be refused.
    pub fn record(
        &mut self,
        composite: Box<dyn Composite<T>>,
        inputs: &[&Matrix<T>],
        outputs: Vec<(Shape, Vec<T>)>,
    ) -> Result<Vec<Matrix<T>>> {
        let name = composite.name();
        self.check_open(name)?;
        let made = |(shape, values): (Shape, Vec<T>), wants| {
            Matrix::node(shape, values.into(), &self.recording, wants)
        };
        if !self.keeps {
            return Ok(outputs
                .into_iter()
                .map(|output| made(output, false))
                .collect());
        }
        let inputs: Few<Input<T>> = inputs
            .iter()
            .map(|m| self.admit(name, m))
            .collect::<Result<_>>()?;
        let wants = inputs.iter().any(|input| input.wants_grad);
        let outputs: Outputs<T> = outputs
            .into_iter()
            .map(|output| made(output, wants))
            .collect();
        self.entries.push(Entry {
            what: What::Composite(composite),
            inputs,
            outputs: outputs.clone(),
        });
        Ok(outputs.into_vec())
    }

    /// Whether this recording would compute a gradient for a matrix.
    pub fn would_want_grad(&self, matrix: &Matrix<T>) -> bool {
        let own = |made_by: &Recording| made_by.is(&self.recording) && matrix.wants_grad();
        self.keeps
            && match matrix.origin() {
                Origin::Leaf => true,
                Origin::Node(made_by) => own(made_by),
                Origin::Constant => false,
            }
    }

    fn check_open(&self, op: &'static str) -> Result<()> {
        if self.consumed {
            let message = "the recording was consumed by backward; call clear() or use a new graph";
            return Err(Error::graph(op, message));
        }
        Ok(())
    }

    /// How a matrix enters this recording.
    fn admit(&self, op: &'static str, matrix: &Matrix<T>) -> Result<Input<T>> {
        let (wants_grad, pending) = match matrix.origin() {
            Origin::Leaf => (true, true),
            Origin::Node(made_by) if made_by.is(&self.recording) => (matrix.wants_grad(), false),
            Origin::Node(made_by) if made_by.is_open() => {
                let message = "an operand belongs to another graph that is still open; \
                               run its backward or clear it first";
                return Err(Error::graph(op, message));
            }
            Origin::Node(_) | Origin::Constant => (false, false),
        };
        if pending {
            matrix.add_pending();
        }
        let version = matrix.version();
        Ok(Input {
            matrix: matrix.clone(),
            wants_grad,
            pending,
            version,
        })
    }

    /// The recording in Graphviz' language: matrices are boxes, operations point to their result.
    pub fn to_dot(&self) -> String {
        use std::fmt::Write as _;
        let mut dot = String::from("digraph {\n  rankdir=LR;\n  node [shape=box];\n");
        let mut seen = std::collections::HashSet::new();
        for entry in &self.entries {
            let output = entry.outputs[0].id();
            for input in &entry.inputs {
                let (id, shape) = (input.matrix.id(), input.matrix.shape());
                if !matches!(input.matrix.origin(), Origin::Node(_)) && seen.insert(id) {
                    let kind = if input.wants_grad { "leaf" } else { "constant" };
                    // Writing into a String cannot fail.
                    let _ = writeln!(dot, "  m{id} [label=\"{kind} {shape}\" style=rounded];");
                }
                let _ = writeln!(dot, "  m{id} -> m{output};");
            }
            let name = match &entry.what {
                What::Op(op) => op.name(),
                What::Composite(composite) => composite.name(),
            };
            let shape = entry.outputs[0].shape();
            let _ = writeln!(dot, "  m{output} [label=\"{name} {shape}\"];");
            for (number, further) in (1..).zip(&entry.outputs[1..]) {
                let (id, shape) = (further.id(), further.shape());
                let _ = writeln!(dot, "  m{output} -> m{id} [label=\"{number}\"];");
                let _ = writeln!(dot, "  m{id} [label=\"{name} {shape}\"];");
            }
        }
        dot.push_str("}\n");
        dot
    }
}

impl<T: Element> Drop for Graph<T> {
    fn drop(&mut self) {
        self.recording.finish();
    }
}

impl<T: Element> Recorder for Graph<T> {
    type Var = Matrix<T>;

    fn apply(&mut self, op: Op, inputs: &[&Matrix<T>]) -> Result<Matrix<T>> {
        let shapes: Few<Shape> = inputs.iter().map(|m| m.shape()).collect();
        let shape = op.shape(&shapes)?;
        self.check_open(op.name())?;
        let admitted = if self.keeps {
            inputs
                .iter()
                .map(|m| self.admit(op.name(), m))
                .collect::<Result<Few<_>>>()?
        } else {
            Few::new()
        };
        let mut out = Matrix::try_zeros(op.name(), shape)?;
        {
            let guards = read_all(inputs.iter().copied())?;
            let operands = operands(inputs.iter().copied(), &guards);
            op.check(&operands)?;
            op.forward(self.isa, &operands, &mut out);
        }
        let value = Buffer::from(out);
        if !self.keeps {
            return Ok(Matrix::node(shape, value, &self.recording, false));
        }
        let wants_grad = admitted.iter().any(|input| input.wants_grad);
        let output = Matrix::node(shape, value, &self.recording, wants_grad);
        self.entries.push(Entry {
            what: What::Op(op),
            inputs: admitted,
            outputs: SmallVec::from_iter([output.clone()]),
        });
        Ok(output)
    }
}

/// Runs long work without stopping it once a leaf's gradient was changed.
struct Stoppable<'a> {
    host: &'a mut dyn Host,
    leaf_touched: bool,
}

impl Host for Stoppable<'_> {
    fn run(&mut self, long: bool, work: &mut (dyn FnMut(Poll<'_>) + Send)) {
        let stoppable = !self.leaf_touched;
        self.host
            .run(long, &mut |poll| work(&mut || poll() && stoppable));
    }
}

fn op_backward<T: Element>(isa: Isa, op: &Op, all: &[Input<T>], output: &Matrix<T>) -> Result<()> {
    let (grad, value) = (output.grad()?, output.value()?);
    let guards = read_all(all.iter().map(|input| &input.matrix))?;
    let inputs = operands(all.iter().map(|input| &input.matrix), &guards);
    let pull = Pull {
        inputs: &inputs,
        output: Operand {
            shape: output.shape(),
            data: &value,
        },
        grad: &grad,
    };
    for (wrt, input) in all.iter().enumerate() {
        if input.wants_grad {
            let mut into = input.matrix.grad_mut()?;
            op.backward(isa, wrt, pull, &mut into);
        }
    }
    Ok(())
}

fn read_all<'a, T: Element>(
    matrices: impl Iterator<Item = &'a Matrix<T>>,
) -> Result<Few<Read<'a, T>>> {
    matrices.map(Matrix::value).collect()
}

fn operands<'a, T: Element>(
    matrices: impl Iterator<Item = &'a Matrix<T>>,
    guards: &'a [Read<'a, T>],
) -> Few<Operand<'a, T>> {
    matrices
        .zip(guards)
        .map(|(m, data)| Operand {
            shape: m.shape(),
            data,
        })
        .collect()
}
