//! The passes in their order, and the code that comes out of them.

use std::collections::HashMap;
use std::sync::Arc;

use super::accumulate::accumulate;
use super::callback::{Backward, Forward, Unpacked, Window};
use super::emit::{self, Arithmetic, Items, What, can_gather, emit};
use super::hoist::hoist;
use super::lower::Parts;
use super::passes::Passes;
use super::place::{Location, Placed, place};
use super::prepare::Source;
use super::reverse::reverse;
use super::step::{Factor, Id, Job, Kind, Step, Weight};
use crate::element::Element;
use crate::error::{Error, Result};
use crate::kernels::machine::{
    Call, Code, Gather, Instruction, LaneStep, Lanes, Multiply, Operand, Place, Plane, Segment,
    Span, Stage, Start,
};
use crate::ops::Op;
use crate::shape::Shape;

/// What a program is compiled for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Variant {
    /// Whether there is a backward pass.
    pub(super) differentiate: bool,
    /// Whether it gives the input's gradient.
    pub(super) input_grad: bool,
    /// Whether the input is symbols, of which only products are ever needed.
    pub(super) gather: bool,
}

/// Where a part of a packed weight comes from.
#[derive(Clone, Copy, Debug)]
pub(super) struct PackPart {
    pub(super) target: usize,
    pub(super) at_depth: usize,
    pub(super) weight: Weight,
    pub(super) transposed: bool,
}

/// What a plane holds before a run.
#[derive(Clone, Copy, Debug)]
pub(super) enum Fill {
    /// These columns of a weight.
    Weight(Weight),
    /// A weight of one column, in every column.
    Repeated(usize),
    /// The products of every symbol with these columns of a weight, on a column.
    Table(Weight, Option<usize>),
}

/// A gradient of a weight, in terms of planes.
pub(super) enum PlacedJob {
    Outer {
        weight: Weight,
        grad: Place,
        of: Place,
    },
    /// Of the input's symbols; the column is that of [`Fill::Table`].
    Scatter {
        weight: Weight,
        grad: Place,
    },
    Columns {
        weight: usize,
        grad: Place,
    },
    Products {
        weight: usize,
        grad: Place,
        of: Place,
    },
    Pull {
        weight: usize,
        backward: Backward,
        inputs: Vec<Place>,
    },
}

/// A compiled variant.
pub(super) struct Compiled<T> {
    pub(super) code: Code<T>,
    /// Stages of the forward pass.
    pub(super) forward: usize,
    pub(super) packs: Vec<Vec<PackPart>>,
    pub(super) fills: Vec<(usize, Fill)>,
    pub(super) input: Option<usize>,
    /// Numbers of the masks, and their planes.
    pub(super) masks: Vec<(usize, usize)>,
    /// Plane of the embedding, where its rows are what the input holds.
    pub(super) embedding: Option<usize>,
    /// Multiply-adds, or as much work, of the forward pass for one column.
    pub(super) work: usize,
    pub(super) results: Vec<Place>,
    /// Planes of the states.
    pub(super) states: Vec<usize>,
    /// Whether each goes backward in time.
    pub(super) reversed: Vec<bool>,
    pub(super) result_grads: Vec<Option<usize>>,
    /// Planes of the states' gradients.
    pub(super) state_grads: Vec<usize>,
    pub(super) input_grad: Option<Place>,
    pub(super) jobs: Vec<PlacedJob>,
    pub(super) passes: Passes,
}

/// Whether symbols can look up all that a step does with its input.
pub(super) fn gathers(parts: &Parts, passes: Passes) -> bool {
    passes.hoist && can_gather(&optimised(parts, passes, None))
}

/// The step after the passes that rearrange it; with the gradients, and the input's or not.
fn optimised(parts: &Parts, passes: Passes, differentiate: Option<bool>) -> Step {
    let mut step = parts.step.clone();
    if passes.accumulate {
        accumulate(&mut step);
    }
    if let Some(input_grad) = differentiate {
        reverse(&mut step, input_grad);
        if passes.accumulate {
            accumulate(&mut step);
        }
    }
    if passes.hoist {
        hoist(&mut step);
    }
    step
}

/// Compiles; a variant that gathers is for steps that [`gathers`] finds able to.
///
/// # Errors
/// [`Error::Internal`] where the compiler contradicts itself.
pub(super) fn compile<T: Element>(
    parts: &Parts,
    passes: Passes,
    source: Source,
    variant: Variant,
) -> Result<Compiled<T>> {
    let gather = variant.gather;
    let step = optimised(
        parts,
        passes,
        variant.differentiate.then_some(variant.input_grad),
    );
    let items = emit(&step, passes, gather);
    let placed = place(&step, &items, passes, gather);
    Encoder {
        step: &step,
        weights: &parts.weights,
        passes,
        gather,
        placed,
        fills: Vec::new(),
        planes_of: HashMap::new(),
        packs: Vec::new(),
        pack_shapes: Vec::new(),
    }
    .encode(&items, source)
}

/// What a plane of a weight is for.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Purpose {
    Weight(Weight),
    Repeated(usize),
}

struct Encoder<'a> {
    step: &'a Step,
    weights: &'a [Shape],
    passes: Passes,
    gather: bool,
    placed: Placed,
    fills: Vec<(usize, Fill)>,
    planes_of: HashMap<Purpose, usize>,
    packs: Vec<Vec<PackPart>>,
    pack_shapes: Vec<(Vec<usize>, usize)>,
}

impl Encoder<'_> {
    fn encode<T: Element>(mut self, items: &Items, source: Source) -> Result<Compiled<T>> {
        let mut stages: Vec<Stage<T>> = Vec::new();
        for order in &items.stages {
            stages.push(Stage {
                order: *order,
                instructions: Vec::new(),
            });
        }
        let mut last_segment = None;
        for (item, &segment) in items.list.iter().zip(&self.placed.segments.clone()) {
            let instructions = &mut stages[item.stage].instructions;
            if let What::Lanes {
                arithmetic,
                inputs,
                output,
            } = &item.what
            {
                if last_segment != Some(segment) {
                    instructions.push(Instruction::Lanes(Segment {
                        rows: self.step.rows(*output),
                        operands: Vec::new(),
                        steps: Vec::new(),
                    }));
                }
                last_segment = Some(segment);
                if let Some(Instruction::Lanes(segment)) = instructions.last_mut() {
                    self.lanes(arithmetic, inputs, *output, segment)?;
                }
                continue;
            }
            last_segment = None;
            self.instruction(&item.what, instructions)?;
        }
        self.finish(stages, items.forward, source)
    }

    fn lanes<T: Element>(
        &mut self,
        arithmetic: &Arithmetic,
        inputs: &[Factor],
        output: Id,
        segment: &mut Segment<T>,
    ) -> Result<()> {
        let mut operand = |this: &mut Self, factor| {
            let operand = this.operand(factor)?;
            let known = segment.operands.iter().position(|known| *known == operand);
            Ok(known.unwrap_or_else(|| {
                segment.operands.push(operand);
                segment.operands.len() - 1
            }))
        };
        let mut numbers = [0; 4];
        for (number, factor) in numbers.iter_mut().zip(inputs) {
            *number = operand(self, *factor)?;
        }
        let output = operand(self, Factor::Value(output))?;
        segment.steps.push(LaneStep {
            lanes: arithmetic.lanes()?,
            inputs: numbers,
            output,
        });
        Ok(())
    }

    fn operand(&mut self, factor: Factor) -> Result<Operand> {
        match (factor, self.placed.of(factor)) {
            (_, Some(Location::Place(place))) => Ok(Operand::Place(place)),
            (_, Some(Location::Slot(slot))) => Ok(Operand::Slot(slot)),
            (Factor::Weight(number), None) => {
                let rows = self.weights[number].rows;
                let purpose = Purpose::Repeated(number);
                let plane = self.filled(purpose, rows, Span::Repeated, Fill::Repeated(number));
                Ok(Operand::Place(Place { plane, after: 0 }))
            }
            (Factor::Value(_), None) => Err(lost()),
        }
    }

    /// The plane of a weight, filled before a run.
    fn filled(&mut self, purpose: Purpose, rows: usize, span: Span, fill: Fill) -> usize {
        if let Some(&plane) = self.planes_of.get(&purpose) {
            return plane;
        }
        let plane = self.placed.add(rows, span);
        self.planes_of.insert(purpose, plane);
        self.fills.push((plane, fill));
        plane
    }

    fn whole(&self, number: usize) -> Weight {
        Weight {
            number,
            first: 0,
            columns: self.weights[number].cols,
        }
    }

    fn weight_plane(&mut self, weight: Weight) -> usize {
        let rows = self.weights[weight.number].rows;
        let span = Span::Fixed(weight.columns);
        self.filled(Purpose::Weight(weight), rows, span, Fill::Weight(weight))
    }

    fn place(&self, id: Id) -> Result<Place> {
        self.placed.place(id).ok_or_else(lost)
    }

    /// Where an operand of a call lies, and its shape.
    fn window(&mut self, factor: Factor) -> Result<(Place, Window)> {
        match factor {
            Factor::Value(id) => Ok((self.place(id)?, Window::Rows(self.step.rows(id)))),
            Factor::Weight(number) => {
                let plane = self.weight_plane(self.whole(number));
                let place = Place { plane, after: 0 };
                Ok((place, Window::Fixed(self.weights[number])))
            }
        }
    }

    fn windows(&mut self, factors: &[Factor]) -> Result<(Vec<Place>, Vec<Window>)> {
        let all = factors.iter().map(|f| self.window(*f));
        Ok(all.collect::<Result<Vec<_>>>()?.into_iter().unzip())
    }

    /// The backward rule of a call, with what it reads.
    fn backward(&mut self, call: Id, wrt: usize, grad: Id) -> Result<(Vec<Place>, Backward)> {
        let Kind::Call { op, inputs } = self.step.kind(call) else {
            return Err(lost());
        };
        let read = inputs.iter().copied();
        let read: Vec<_> = read
            .chain([Factor::Value(call), Factor::Value(grad)])
            .collect();
        let op = op.clone();
        let (places, windows) = self.windows(&read)?;
        Ok((places, Backward { op, wrt, windows }))
    }

    fn instruction<T: Element>(
        &mut self,
        what: &What,
        instructions: &mut Vec<Instruction<T>>,
    ) -> Result<()> {
        match what {
            What::Multiply {
                operand,
                transposed,
                targets,
            } => self.multiply(operand, *transposed, targets, instructions)?,
            What::Call { op, inputs, output } => {
                let (places, windows) = self.windows(inputs)?;
                let op = op.clone();
                instructions.push(Instruction::Call(Call {
                    callback: Arc::new(Forward { op, windows }),
                    inputs: places,
                    output: self.place(*output)?,
                }));
            }
            What::Pull {
                wrt,
                call,
                grad,
                output,
                ..
            } => {
                let (inputs, backward) = self.backward(*call, *wrt, *grad)?;
                instructions.push(Instruction::Call(Call {
                    callback: Arc::new(backward),
                    inputs,
                    output: self.place(*output)?,
                }));
            }
            What::Gather {
                weight,
                column,
                output,
            } => {
                let rows = self.step.rows(*output);
                // As many columns as there are symbols, which the run knows.
                let table = self.placed.add(rows, Span::Fixed(0));
                self.fills.push((table, Fill::Table(*weight, *column)));
                let target = self.place(*output)?;
                instructions.push(Instruction::Gather(Gather { table, target }));
            }
            What::Lanes { .. } => {}
        }
        Ok(())
    }

    fn multiply<T: Element>(
        &mut self,
        operand: &[Id],
        transposed: bool,
        targets: &[emit::Target],
        instructions: &mut Vec<Instruction<T>>,
    ) -> Result<()> {
        let operand_places = operand.iter().map(|&id| self.place(id));
        let operand_places = operand_places.collect::<Result<Vec<_>>>()?;
        if !self.passes.pack {
            for target in targets {
                let output = self.place(target.id)?;
                for (at, weight) in target.weights.iter().enumerate() {
                    let fixed = |plane| Place { plane, after: 0 };
                    let mut inputs = vec![fixed(self.weight_plane(*weight)), operand_places[at]];
                    let keep = at > 0 || target.start == emit::Start::Keep;
                    if let (0, emit::Start::Column(column)) = (at, target.start) {
                        inputs.push(fixed(self.weight_plane(self.whole(column))));
                    }
                    instructions.push(Instruction::Call(Call {
                        callback: Arc::new(Unpacked { transposed, keep }),
                        inputs,
                        output,
                    }));
                }
            }
            return Ok(());
        }
        let pack = self.packs.len();
        let mut parts = Vec::new();
        let mut encoded = Vec::new();
        for (number, target) in targets.iter().enumerate() {
            let mut at_depth = 0;
            for (weight, &id) in target.weights.iter().zip(operand) {
                parts.push(PackPart {
                    target: number,
                    at_depth,
                    weight: *weight,
                    transposed,
                });
                at_depth += self.step.rows(id);
            }
            let start = match target.start {
                emit::Start::Zero => Start::Zero,
                emit::Start::Keep => Start::Keep,
                emit::Start::Column(number) => Start::Column(self.weight_plane(self.whole(number))),
            };
            encoded.push((self.place(target.id)?, start));
        }
        let rows = targets.iter().map(|target| self.step.rows(target.id));
        let depth = operand.iter().map(|&id| self.step.rows(id)).sum();
        self.pack_shapes.push((rows.collect(), depth));
        self.packs.push(parts);
        instructions.push(Instruction::Multiply(Multiply {
            pack,
            operand: operand_places,
            targets: encoded,
        }));
        Ok(())
    }

    fn job(&mut self, job: &Job) -> Result<PlacedJob> {
        Ok(match *job {
            Job::Outer { weight, grad, of } => {
                let grad = self.place(grad)?;
                if self.gather && matches!(self.step.kind(of), Kind::Input) {
                    PlacedJob::Scatter { weight, grad }
                } else {
                    let of = self.place(of)?;
                    PlacedJob::Outer { weight, grad, of }
                }
            }
            Job::Columns { weight, grad } => {
                let grad = self.place(grad)?;
                PlacedJob::Columns { weight, grad }
            }
            Job::Products { weight, grad, of } => {
                let (grad, of) = (self.place(grad)?, self.place(of)?);
                PlacedJob::Products { weight, grad, of }
            }
            Job::Pull {
                weight,
                call,
                wrt,
                grad,
            } => {
                let (inputs, backward) = self.backward(call, wrt, grad)?;
                PlacedJob::Pull {
                    weight,
                    backward,
                    inputs,
                }
            }
        })
    }

    fn finish<T: Element>(
        mut self,
        stages: Vec<Stage<T>>,
        forward: usize,
        source: Source,
    ) -> Result<Compiled<T>> {
        let step = self.step;
        let jobs = step
            .jobs
            .iter()
            .map(|job| self.job(job))
            .collect::<Result<_>>()?;
        let input = self.given(|kind| matches!(kind, Kind::Input));
        let masks = (0..step.nodes.len()).filter_map(|id| match step.kind(id) {
            Kind::Mask(number) => Some((*number, self.placed.place(id)?.plane)),
            _ => None,
        });
        let masks = masks.collect();
        let embedding = match (input, source) {
            (Some(_), Source::Embedding(number)) => Some(self.weight_plane(self.whole(number))),
            _ => None,
        };
        let grad = |n| self.given(|kind| matches!(kind, Kind::ResultGrad(number) if *number == n));
        let result_grads = (0..step.results.len()).map(grad).collect();
        let places = |ids: &[Id]| {
            ids.iter()
                .map(|&id| self.place(id))
                .collect::<Result<Vec<_>>>()
        };
        let planes = |ids: &[Id]| Ok(places(ids)?.into_iter().map(|p| p.plane).collect());
        let (results, states, state_grads): (_, Result<Vec<usize>>, Result<Vec<usize>>) = (
            places(&step.results)?,
            planes(&step.next),
            planes(&step.state_grads),
        );
        let (states, state_grads) = (states?, state_grads?);
        let input_grad = step.input_grad.map(|id| self.place(id)).transpose()?;
        let code = Code::new(
            self.placed.planes,
            self.pack_shapes,
            stages,
            self.placed.slots,
            self.passes.fuse,
        );
        Ok(Compiled {
            work: code.work(..forward),
            code,
            forward,
            packs: self.packs,
            fills: self.fills,
            input,
            masks,
            embedding,
            results,
            states,
            reversed: step.reversed.clone(),
            result_grads,
            state_grads,
            input_grad,
            jobs,
            passes: self.passes,
        })
    }

    /// The plane of a value that comes from outside.
    fn given(&self, wanted: impl Fn(&Kind) -> bool) -> Option<usize> {
        let id = (0..self.step.nodes.len()).find(|&id| wanted(self.step.kind(id)))?;
        Some(self.placed.place(id)?.plane)
    }
}

impl Arithmetic {
    fn lanes<T: Element>(&self) -> Result<Lanes<T>> {
        Ok(match self {
            Self::Zero => Lanes::Zero,
            Self::Copy => Lanes::Copy,
            Self::Add => Lanes::Add,
            Self::Sub => Lanes::Sub,
            Self::Mul => Lanes::Mul,
            Self::AddMul => Lanes::AddMul,
            Self::SubMul => Lanes::SubMul,
            Self::MulMul => Lanes::MulMul,
            Self::Neg => Lanes::Neg,
            Self::Scale(x) => Lanes::Scale(T::from_f64(*x)),
            Self::Shift(x) => Lanes::Shift(T::from_f64(*x)),
            Self::From(x) => Lanes::From(T::from_f64(*x)),
            Self::Function(op, of) => {
                let (_, function) = Op::function::<T>(op).ok_or_else(lost)?;
                Lanes::Function(function, *of)
            }
        })
    }
}

fn lost() -> Error {
    Error::internal("compile", "a value has no place or no formula")
}

/// Planes with the tables' columns filled in.
pub(super) fn planes(code_planes: &[Plane], fills: &[(usize, Fill)], symbols: usize) -> Vec<Plane> {
    let mut planes = code_planes.to_vec();
    for (plane, fill) in fills {
        if let Fill::Table(..) = fill {
            planes[*plane].span = Span::Fixed(symbols);
        }
    }
    planes
}
