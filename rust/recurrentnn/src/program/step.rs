//! The intermediate form: one step, forward and reverse, as nodes that the passes rearrange.

use smallvec::{SmallVec, smallvec};

use crate::ops::Op;

/// Number of a node.
pub(super) type Id = usize;

/// A value with one column a sample.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) kind: Kind,
    pub(super) rows: usize,
}

/// Where a value comes from.
#[derive(Clone, Debug)]
pub(super) enum Kind {
    /// The step's input.
    Input,
    /// State vector of that number, before the step.
    State(usize),
    /// The mask of that number.
    Mask(usize),
    /// A sum, from left to right; products come first.
    Sum(Vec<Term>),
    /// An elementwise product.
    Multiply(Factor, Id),
    /// scale x + shift.
    Affine { of: Id, scale: f64, shift: f64 },
    /// A function of each number.
    Map { op: Op, of: Id },
    /// A function of each column.
    Call { op: Op, inputs: Vec<Factor> },
    /// Gradient of the result of that number.
    ResultGrad(usize),
    /// Gradient of the state vector of that number, after the step.
    StateGrad(usize),
    /// grad times the derivative of a [`Kind::Map`] at what it is written with.
    Slope { op: Op, grad: Id, saved: Id },
    /// What an input of a [`Kind::Call`] gets of its gradient.
    Pull { call: Id, wrt: usize, grad: Id },
}

/// Some columns of a weight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Weight {
    pub(super) number: usize,
    pub(super) first: usize,
    pub(super) columns: usize,
}

/// A term of a sum.
#[derive(Clone, Debug)]
pub(super) enum Term {
    /// A weight, or its transpose, times a value.
    Product {
        weight: Weight,
        transposed: bool,
        of: Id,
    },
    /// A value.
    Value(Id),
    /// A value, subtracted.
    Negative(Id),
    /// A weight of one column.
    Column(usize),
    /// A sum that nobody else reads and that this one continues in place.
    Begun(Id),
}

/// An operand that may be a weight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Factor {
    /// A value.
    Value(Id),
    /// A weight, the same for every column.
    Weight(usize),
}

impl Factor {
    pub(super) fn value(self) -> Option<Id> {
        match self {
            Self::Value(id) => Some(id),
            Self::Weight(_) => None,
        }
    }
}

impl Kind {
    /// The values it is computed from, in the same step.
    pub(super) fn inputs(&self) -> SmallVec<[Id; 4]> {
        match self {
            Self::Input
            | Self::State(_)
            | Self::Mask(_)
            | Self::ResultGrad(_)
            | Self::StateGrad(_) => smallvec![],
            Self::Sum(terms) => terms.iter().filter_map(Term::value).collect(),
            Self::Multiply(a, b) => a.value().into_iter().chain([*b]).collect(),
            Self::Affine { of, .. } | Self::Map { of, .. } => smallvec![*of],
            Self::Call { inputs, .. } => inputs.iter().filter_map(|f| f.value()).collect(),
            Self::Slope { grad, saved, .. } => smallvec![*grad, *saved],
            Self::Pull { call, grad, .. } => smallvec![*call, *grad],
        }
    }
}

impl Term {
    pub(super) fn value(&self) -> Option<Id> {
        match self {
            Self::Product { of, .. } => Some(*of),
            Self::Value(id) | Self::Negative(id) | Self::Begun(id) => Some(*id),
            Self::Column(_) => None,
        }
    }

    pub(super) fn is_product(&self) -> bool {
        matches!(self, Self::Product { .. })
    }
}

/// What a weight gets of the gradient, from all steps and samples at once.
#[derive(Clone, Debug)]
pub(super) enum Job {
    /// grad of'.
    Outer { weight: Weight, grad: Id, of: Id },
    /// The sum of grad's columns.
    Columns { weight: usize, grad: Id },
    /// The sum of the columns of grad times of, elementwise.
    Products { weight: usize, grad: Id, of: Id },
    /// What an op gives its operand `wrt`.
    Pull {
        weight: usize,
        call: Id,
        wrt: usize,
        grad: Id,
    },
}

impl Job {
    /// The values it reads.
    pub(super) fn inputs(&self) -> SmallVec<[Id; 2]> {
        match self {
            Self::Outer { grad, of, .. } | Self::Products { grad, of, .. } => smallvec![*grad, *of],
            Self::Columns { grad, .. } => smallvec![*grad],
            Self::Pull { call, grad, .. } => smallvec![*call, *grad],
        }
    }
}

/// One step with everything about it.
#[derive(Clone, Debug, Default)]
pub(super) struct Step {
    /// All values; passes may add further ones.
    pub(super) nodes: Vec<Node>,
    /// The results.
    pub(super) results: Vec<Id>,
    /// The state vector before the step, for each state.
    pub(super) states: Vec<Id>,
    /// Whether each goes backward in time: before a step it is what the later step made of it.
    pub(super) reversed: Vec<bool>,
    /// What the step makes of each of `states`.
    pub(super) next: Vec<Id>,
    /// Gradients of the states before the step.
    pub(super) state_grads: Vec<Id>,
    /// Gradient of the input, if it has one.
    pub(super) input_grad: Option<Id>,
    /// Gradients of weights.
    pub(super) jobs: Vec<Job>,
    /// Which nodes are gradients.
    pub(super) is_gradient: Vec<bool>,
}

impl Step {
    pub(super) fn push(&mut self, kind: Kind, rows: usize, is_gradient: bool) -> Id {
        self.nodes.push(Node { kind, rows });
        self.is_gradient.push(is_gradient);
        self.nodes.len() - 1
    }

    /// Where in its plane a state is before a step and after it, that is at which end of the step.
    pub(super) fn ends(&self, state: usize) -> (usize, usize) {
        if self.reversed[state] { (1, 0) } else { (0, 1) }
    }

    pub(super) fn kind(&self, id: Id) -> &Kind {
        &self.nodes[id].kind
    }

    pub(super) fn rows(&self, id: Id) -> usize {
        self.nodes[id].rows
    }

    /// What must be computed: results, states, their gradients and what jobs read.
    pub(super) fn roots(&self) -> Vec<Id> {
        let given = self
            .results
            .iter()
            .chain(&self.next)
            .chain(&self.state_grads);
        let mut roots: Vec<Id> = given.copied().chain(self.input_grad).collect();
        for job in &self.jobs {
            for id in job.inputs() {
                // An op's own inputs are read, not only its result.
                roots.push(id);
                if let (Job::Pull { .. }, Kind::Call { .. }) = (job, self.kind(id)) {
                    roots.extend(self.kind(id).inputs());
                }
            }
        }
        roots
    }

    /// What a value is computed from, the inputs of the call that a pull reads included.
    pub(super) fn reads(&self, id: Id) -> SmallVec<[Id; 4]> {
        let mut reads = self.kind(id).inputs();
        if let Kind::Pull { call, .. } = self.kind(id) {
            reads.extend(self.kind(*call).inputs());
        }
        reads
    }

    /// Which values anything depends on.
    pub(super) fn live(&self) -> Vec<bool> {
        let mut live = vec![false; self.nodes.len()];
        let mut open = self.roots();
        while let Some(id) = open.pop() {
            if !std::mem::replace(&mut live[id], true) {
                open.extend(self.reads(id));
            }
        }
        live
    }

    /// How often each value is read, by values that are alive and from outside.
    pub(super) fn uses(&self) -> Vec<usize> {
        let mut uses = vec![0; self.nodes.len()];
        for id in self.roots() {
            uses[id] += 1;
        }
        for (id, live) in self.live().into_iter().enumerate() {
            if live {
                for read in self.reads(id) {
                    uses[read] += 1;
                }
            }
        }
        uses
    }
}
