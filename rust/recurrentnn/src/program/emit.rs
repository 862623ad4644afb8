//! From nodes to a list of items, in the order in which a machine will run them.
//!
//! Within a stage, values fall into phases: a product of something computed in this step starts a new
//! one. Each phase multiplies first, products that read the same value as one, and then does the rest.

use std::collections::HashMap;

use smallvec::SmallVec;

use super::lanes::{self, Absorbed};
use super::order;
use super::passes::Passes;
use super::step::{Factor, Id, Kind, Step, Term, Weight};
use crate::kernels::machine::{Order, Use};
use crate::ops::Op;

/// What a target of a product holds before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Start {
    Zero,
    Keep,
    Column(usize),
}

/// Arithmetic on each number, as [`Lanes`](crate::kernels::machine::Lanes) but for any element type.
#[derive(Clone, Debug)]
pub(super) enum Arithmetic {
    Zero,
    Copy,
    Add,
    Sub,
    Mul,
    AddMul,
    SubMul,
    MulMul,
    Neg,
    Scale(f64),
    Shift(f64),
    From(f64),
    Function(Op, Use),
}

/// One product of a group.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub(super) id: Id,
    pub(super) start: Start,
    /// One for each operand of the group.
    pub(super) weights: Vec<Weight>,
}

/// What is done, to which values.
#[derive(Clone, Debug)]
pub(super) enum What {
    Multiply {
        operand: Vec<Id>,
        transposed: bool,
        targets: Vec<Target>,
    },
    Lanes {
        arithmetic: Arithmetic,
        inputs: SmallVec<[Factor; 4]>,
        output: Id,
    },
    Call {
        op: Op,
        inputs: Vec<Factor>,
        output: Id,
    },
    Pull {
        wrt: usize,
        inputs: Vec<Factor>,
        call: Id,
        grad: Id,
        output: Id,
    },
    /// The columns that the sequence's symbols pick from a table: a weight times the embedding, on a
    /// column.
    Gather {
        weight: Weight,
        column: Option<usize>,
        output: Id,
    },
}

/// Something done in a stage.
#[derive(Clone, Debug)]
pub(super) struct Item {
    /// Number of its stage.
    pub(super) stage: usize,
    pub(super) what: What,
}

/// All items, and the order of time of each stage.
pub(super) struct Items {
    pub(super) list: Vec<Item>,
    pub(super) stages: Vec<Order>,
    /// The stages that are the forward pass.
    pub(super) forward: usize,
}

impl What {
    /// The values it writes.
    pub(super) fn writes(&self) -> SmallVec<[Id; 4]> {
        match self {
            Self::Multiply { targets, .. } => targets.iter().map(|target| target.id).collect(),
            Self::Lanes { output, .. }
            | Self::Call { output, .. }
            | Self::Pull { output, .. }
            | Self::Gather { output, .. } => SmallVec::from_slice(&[*output]),
        }
    }

    /// The values it reads.
    pub(super) fn reads(&self) -> SmallVec<[Id; 4]> {
        match self {
            Self::Multiply { operand, .. } => operand.iter().copied().collect(),
            Self::Lanes { inputs, .. } => inputs.iter().filter_map(|f| f.value()).collect(),
            Self::Call { inputs, .. } => inputs.iter().filter_map(|f| f.value()).collect(),
            Self::Pull {
                inputs, call, grad, ..
            } => {
                let inputs = inputs.iter().filter_map(|f| f.value());
                inputs.chain([*call, *grad]).collect()
            }
            Self::Gather { .. } => SmallVec::new(),
        }
    }
}

/// Emits a step. With `gather`, sums of nothing but products of the input become look-ups.
pub(super) fn emit(step: &Step, passes: Passes, gather: bool) -> Items {
    let emitter = Emitter::new(step, passes, gather);
    let mut all = Items {
        list: Vec::new(),
        stages: Vec::new(),
        forward: 0,
    };
    for is_gradient in [false, true] {
        let in_pass = |&id: &Id| emitter.live[id] && step.is_gradient[id] == is_gradient;
        let last = (0..step.nodes.len())
            .filter(in_pass)
            .map(|id| emitter.stage[id])
            .max();
        for stage in 0..last.map_or(0, |last| last + 1) {
            let of_stage = |id: &Id| in_pass(id) && emitter.stage[*id] == stage;
            let nodes: Vec<Id> = emitter.order.iter().copied().filter(of_stage).collect();
            let before = all.list.len();
            emitter.stage(all.stages.len(), &nodes, &mut all.list);
            if all.list.len() > before {
                all.stages.push(order::order(stage, is_gradient));
            }
        }
        if !is_gradient {
            all.forward = all.stages.len();
        }
    }
    all
}

/// The product with the input that a sum begins with, if that is all that the sum does with the input.
fn gathered(step: &Step, terms: &[Term]) -> Option<(Weight, Option<usize>)> {
    let is_input = |term: &&Term| {
        let of = term.value();
        of.is_some_and(|of| matches!(step.kind(of), Kind::Input))
    };
    let column = match terms.first() {
        Some(Term::Column(column)) => Some(*column),
        _ => None,
    };
    let first = terms.iter().find(|term| term.is_product()).filter(is_input);
    match first {
        Some(Term::Product { weight, .. }) if terms.iter().filter(is_input).count() == 1 => {
            Some((*weight, column))
        }
        _ => None,
    }
}

/// Whether all that is done with the input is to multiply it, so that symbols can look up the products.
pub(super) fn can_gather(step: &Step) -> bool {
    let live = step.live();
    let reads_input = |id: Id| {
        let mut reads = step.reads(id).into_iter();
        live[id] && reads.any(|of| matches!(step.kind(of), Kind::Input))
    };
    let looks_up = |id: Id| match step.kind(id) {
        Kind::Sum(terms) => gathered(step, terms).is_some(),
        _ => false,
    };
    (0..step.nodes.len()).all(|id| !reads_input(id) || looks_up(id))
}

struct Emitter<'a> {
    step: &'a Step,
    passes: Passes,
    gather: bool,
    live: Vec<bool>,
    stage: Vec<usize>,
    order: Vec<Id>,
    phase: Vec<usize>,
    absorbed: Absorbed,
}

impl<'a> Emitter<'a> {
    fn new(step: &'a Step, passes: Passes, gather: bool) -> Self {
        let stage = order::stages(step, passes.hoist);
        let order = order::topological(step);
        let mut emitter = Self {
            step,
            passes,
            gather,
            live: step.live(),
            phase: vec![0; step.nodes.len()],
            absorbed: Absorbed::default(),
            stage,
            order,
        };
        for id in emitter.order.clone() {
            emitter.phase[id] = emitter.phase_of(id);
        }
        if passes.fuse {
            let together = |a: Id, b: Id| {
                emitter.stage[a] == emitter.stage[b]
                    && emitter.phase[a] == emitter.phase[b]
                    && step.is_gradient[a] == step.is_gradient[b]
            };
            emitter.absorbed = lanes::absorb(step, &emitter.live, &together);
        }
        emitter
    }

    /// Whether a value is computed in the same stage, rather than there when the stage begins.
    fn computed_with(&self, id: Id, of: Id) -> bool {
        let step = self.step;
        self.stage[of] == self.stage[id]
            && step.is_gradient[of] == step.is_gradient[id]
            && !matches!(
                step.kind(of),
                Kind::Input
                    | Kind::State(_)
                    | Kind::Mask(_)
                    | Kind::ResultGrad(_)
                    | Kind::StateGrad(_)
            )
    }

    /// The phase at which a product can be taken.
    fn product_phase(&self, id: Id, of: Id) -> usize {
        if self.computed_with(id, of) {
            self.phase[of] + 1
        } else {
            0
        }
    }

    fn phase_of(&self, id: Id) -> usize {
        let value = |of: Id| {
            if self.computed_with(id, of) {
                self.phase[of]
            } else {
                0
            }
        };
        match self.step.kind(id) {
            Kind::Sum(terms) => {
                let phase = |term: &Term| match term {
                    Term::Product { of, .. } => self.product_phase(id, *of),
                    term => term.value().map_or(0, value),
                };
                terms.iter().map(phase).max().unwrap_or(0)
            }
            _ => self
                .step
                .reads(id)
                .into_iter()
                .map(value)
                .max()
                .unwrap_or(0),
        }
    }

    fn stage(&self, stage: usize, nodes: &[Id], items: &mut Vec<Item>) {
        let phases = nodes
            .iter()
            .map(|&id| self.phase[id] + 1)
            .max()
            .unwrap_or(0);
        let mut begun = vec![false; self.step.nodes.len()];
        for phase in 0..phases {
            self.products(stage, phase, nodes, &mut begun, items);
            for &id in nodes {
                if self.phase[id] == phase && !self.absorbed.is(id) {
                    self.value(stage, id, items);
                }
            }
        }
    }

    /// The products of a phase, those of the same operands together.
    fn products(
        &self,
        stage: usize,
        phase: usize,
        nodes: &[Id],
        begun: &mut [bool],
        items: &mut Vec<Item>,
    ) {
        type Key = (Vec<Id>, bool);
        let mut groups: Vec<(Key, Vec<Target>)> = Vec::new();
        let mut at: HashMap<Key, usize> = HashMap::new();
        for &id in nodes {
            let Kind::Sum(terms) = self.step.kind(id) else {
                continue;
            };
            let gathered = self.gathered(id);
            if let Some((weight, column)) = gathered
                && !std::mem::replace(&mut begun[id], true)
            {
                let output = id;
                let what = What::Gather {
                    weight,
                    column,
                    output,
                };
                items.push(Item { stage, what });
            }
            let products = terms.iter().filter_map(|term| match *term {
                Term::Product {
                    weight,
                    transposed,
                    of,
                } if self.product_phase(id, of) == phase
                    && (gathered.is_none() || !matches!(self.step.kind(of), Kind::Input)) =>
                {
                    Some((weight, transposed, of))
                }
                _ => None,
            });
            let products: Vec<_> = products.collect();
            let chunk = if self.passes.stack { products.len() } else { 1 };
            for products in products.chunks(chunk.max(1)) {
                // A cell multiplies by a weight, its reverse by the transpose: never both in a sum.
                let key = (products.iter().map(|p| p.2).collect(), products[0].1);
                let target = Target {
                    id,
                    start: self.start(id, std::mem::replace(&mut begun[id], true)),
                    weights: products.iter().map(|p| p.0).collect(),
                };
                match at.get(&key) {
                    Some(&group) if self.passes.stack => groups[group].1.push(target),
                    _ => {
                        at.insert(key.clone(), groups.len());
                        groups.push((key, vec![target]));
                    }
                }
            }
        }
        items.extend(
            groups
                .into_iter()
                .map(|((operand, transposed), targets)| Item {
                    stage,
                    what: What::Multiply {
                        operand,
                        transposed,
                        targets,
                    },
                }),
        );
    }

    /// What the first, or a later, product of a sum is added to.
    fn start(&self, id: Id, begun: bool) -> Start {
        let Kind::Sum(terms) = self.step.kind(id) else {
            return Start::Zero;
        };
        match terms.first() {
            _ if begun => Start::Keep,
            Some(Term::Begun(_)) => Start::Keep,
            Some(Term::Column(weight)) => Start::Column(*weight),
            _ => Start::Zero,
        }
    }

    /// The weight that a sum multiplies by the input, and the column it begins with, where the
    /// product is looked up in a table.
    fn gathered(&self, id: Id) -> Option<(Weight, Option<usize>)> {
        match self.step.kind(id) {
            Kind::Sum(terms) if self.gather => gathered(self.step, terms),
            _ => None,
        }
    }

    /// Everything of a value but its products.
    fn value(&self, stage: usize, id: Id, items: &mut Vec<Item>) {
        let mut push = |what| items.push(Item { stage, what });
        let output = id;
        match self.step.kind(id) {
            Kind::Input
            | Kind::State(_)
            | Kind::Mask(_)
            | Kind::ResultGrad(_)
            | Kind::StateGrad(_) => {}
            Kind::Call { op, inputs } => push(What::Call {
                op: op.clone(),
                inputs: inputs.clone(),
                output,
            }),
            Kind::Pull { call, wrt, grad } => {
                if let Kind::Call { inputs, .. } = self.step.kind(*call) {
                    push(What::Pull {
                        wrt: *wrt,
                        inputs: inputs.clone(),
                        call: *call,
                        grad: *grad,
                        output,
                    });
                }
            }
            _ => {
                for (arithmetic, inputs) in lanes::lanes(self.step, &self.absorbed, id) {
                    push(What::Lanes {
                        arithmetic,
                        inputs,
                        output,
                    });
                }
            }
        }
    }
}
