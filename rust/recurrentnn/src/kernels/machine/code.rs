//! Code: stages of instructions over numbered planes.

use std::collections::HashSet;
use std::ops::Range;
use std::sync::Arc;

use super::lanes::Lanes;
use super::memory::{Place, Plane, Span};
use super::run;
use crate::element::Element;
use crate::kernels::isa::Isa;
use crate::kernels::panel::Packed;

/// What a machine runs.
pub struct Code<T> {
    /// The memory it works on.
    pub(super) planes: Vec<Plane>,
    /// The packed weights it reads: rows of each target, and the depth.
    pub(super) packs: Vec<(Vec<usize>, usize)>,
    pub(super) stages: Vec<Stage<T>>,
    /// Scratch slots that its longest segment needs.
    pub(super) slots: usize,
    /// Whether segments go chunk by chunk through their steps, or step by step over whole windows.
    pub(super) chunked: bool,
    /// The stages that touch what lies before the steps.
    pub(super) before: Vec<bool>,
}

/// How a stage goes through the sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// All columns as one, for nothing is passed from step to step.
    Together,
    /// Step by step.
    Forward,
    /// Step by step, from the last.
    Backward,
}

impl Order {
    /// The step that comes i-th among these.
    pub(super) fn nth(self, steps: &Range<usize>, i: usize) -> usize {
        match self {
            Self::Together | Self::Forward => steps.start + i,
            Self::Backward => steps.end - 1 - i,
        }
    }
}

/// Instructions that run for each step, or for each block of columns.
pub struct Stage<T> {
    /// How.
    pub order: Order,
    /// One after the other.
    pub instructions: Vec<Instruction<T>>,
}

/// One instruction.
pub enum Instruction<T> {
    /// Products with packed weights.
    Multiply(Multiply),
    /// Arithmetic on each number by itself.
    Lanes(Segment<T>),
    /// What works on each column by itself.
    Call(Call<T>),
    /// Columns of a table, chosen by the sequence's symbols.
    Gather(Gather),
}

/// `targets[i] = start + W_i operand`.
pub struct Multiply {
    /// Which packed weights.
    pub pack: usize,
    /// The operand: these, below one another.
    pub operand: Vec<Place>,
    /// Where the results go.
    pub targets: Vec<(Place, Start)>,
}

/// What a target holds before the product is added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// 0.
    Zero,
    /// What is there.
    Keep,
    /// The numbers of this plane, one column, in every column.
    Column(usize),
}

/// Steps over windows of one size.
pub struct Segment<T> {
    /// Rows of every operand.
    pub rows: usize,
    /// What the steps read and write.
    pub operands: Vec<Operand>,
    /// One after the other, on each chunk.
    pub steps: Vec<LaneStep<T>>,
}

/// An operand of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operand {
    /// In memory.
    Place(Place),
    /// Within the segment only.
    Slot(usize),
}

/// One step of a segment; numbers are positions in its operands.
pub struct LaneStep<T> {
    /// What is done.
    pub lanes: Lanes<T>,
    /// Of which as many count as `lanes` reads.
    pub inputs: [usize; 4],
    /// Where to.
    pub output: usize,
}

/// Something that works on each column by itself.
pub struct Call<T> {
    /// What is done.
    pub callback: Arc<dyn Callback<T>>,
    /// What it reads.
    pub inputs: Vec<Place>,
    /// Where to: none of the inputs.
    pub output: Place,
}

/// What an [`Instruction::Call`] does.
pub trait Callback<T>: Send + Sync {
    /// Writes `columns` columns of the output from as many of each input (but from all of one with
    /// [`Span::Fixed`]).
    fn call(&self, isa: Isa, inputs: &[&[T]], columns: usize, out: &mut [T]);
}

/// `target[:, c] = table[:, symbols[c]]`.
pub struct Gather {
    /// A plane with [`Span::Fixed`] columns; where the code says 0, a memory may have any number.
    pub table: usize,
    /// Where to.
    pub target: Place,
}

impl<T> Code<T> {
    /// Code, once the operands of every instruction have been found to fit one another. (The
    /// addresses are checked when they are taken.)
    ///
    /// # Panics
    /// If they do not: a bug of who makes the code.
    pub fn new(
        planes: Vec<Plane>,
        packs: Vec<(Vec<usize>, usize)>,
        stages: Vec<Stage<T>>,
        slots: usize,
        chunked: bool,
    ) -> Self {
        let before = |stage: &Stage<T>| stage.touches_before(&planes);
        let code = Self {
            before: stages.iter().map(before).collect(),
            planes,
            packs,
            stages,
            slots,
            chunked,
        };
        code.check();
        code
    }

    /// The memory it works on.
    pub fn planes(&self) -> &[Plane] {
        &self.planes
    }

    /// The packed weights it reads: rows of each target, and the depth.
    pub fn packs(&self) -> &[(Vec<usize>, usize)] {
        &self.packs
    }

    /// Bytes that all planes have for one sample at one step.
    pub(super) fn column_bytes(&self) -> usize {
        let over_time = |plane: &&Plane| matches!(plane.span, Span::Steps | Span::States);
        let rows = self.planes.iter().filter(over_time).map(|plane| plane.rows);
        rows.sum::<usize>() * size_of::<T>()
    }

    /// Its stages.
    pub fn stages(&self) -> &[Stage<T>] {
        &self.stages
    }

    /// Multiply-adds, or as much work, that some of its stages do for one column.
    pub fn work(&self, stages: std::ops::RangeTo<usize>) -> usize {
        self.stages[stages]
            .iter()
            .map(|stage| run::work(self, stage))
            .sum()
    }

    /// Whether these are the packed weights that this code reads.
    pub(super) fn takes(&self, packs: &[Packed<T>]) -> bool
    where
        T: Element,
    {
        let same = |(own, pack): (&(Vec<usize>, usize), &Packed<T>)| {
            own.0 == pack.rows() && own.1 == pack.depth()
        };
        packs.len() == self.packs.len() && self.packs.iter().zip(packs).all(same)
    }

    /// Whether a memory has the planes of this code.
    pub(super) fn fits(&self, planes: impl ExactSizeIterator<Item = Plane>) -> bool {
        // How many columns a table has, the run knows.
        let fits = |(own, plane): (&Plane, Plane)| match (own.span, plane.span) {
            (Span::Fixed(0), Span::Fixed(_)) => own.rows == plane.rows,
            _ => *own == plane,
        };
        planes.len() == self.planes.len() && self.planes.iter().zip(planes).all(fits)
    }

    fn check(&self) {
        let rows = |place: Place| self.planes[place.plane].rows;
        let is_fixed = |place: &Place| matches!(self.planes[place.plane].span, Span::Fixed(_));
        for stage in &self.stages {
            self.check_places(stage);
            for instruction in &stage.instructions {
                match instruction {
                    Instruction::Multiply(multiply) => {
                        let (target_rows, depth) = &self.packs[multiply.pack];
                        let operand: usize = multiply.operand.iter().map(|p| rows(*p)).sum();
                        assert_eq!(operand, *depth);
                        assert!(!multiply.operand.iter().any(is_fixed));
                        assert_eq!(multiply.targets.len(), target_rows.len());
                        // Threads that share the rows write different targets at once.
                        let places: HashSet<_> = multiply.targets.iter().map(|t| t.0).collect();
                        assert_eq!(places.len(), target_rows.len());
                        for ((target, start), expected) in multiply.targets.iter().zip(target_rows)
                        {
                            assert_eq!(rows(*target), *expected);
                            assert!(multiply.operand.iter().all(|p| p != target));
                            if let Start::Column(bias) = start {
                                assert_eq!(self.planes[*bias].rows, *expected);
                                assert_eq!(self.planes[*bias].span, Span::Fixed(1));
                            }
                        }
                    }
                    Instruction::Lanes(segment) => {
                        for operand in &segment.operands {
                            match operand {
                                Operand::Place(place) => {
                                    assert_eq!(rows(*place), segment.rows);
                                    assert!(!is_fixed(place));
                                }
                                Operand::Slot(slot) => assert!(*slot < self.slots),
                            }
                        }
                        for step in &segment.steps {
                            let last = step.inputs[..step.lanes.arity()].iter().max();
                            let last = last.copied().unwrap_or(0).max(step.output);
                            assert!(last < segment.operands.len());
                        }
                    }
                    Instruction::Call(call) => {
                        assert!(call.inputs.iter().all(|p| *p != call.output));
                    }
                    Instruction::Gather(gather) => {
                        assert_eq!(self.planes[gather.table].rows, rows(gather.target));
                        assert!(matches!(self.planes[gather.table].span, Span::Fixed(_)));
                    }
                }
            }
        }
    }

    /// Whether a stage finds every column that it asks for, and finds it ready.
    fn check_places(&self, stage: &Stage<T>) {
        let span = |place: &Place| self.planes[place.plane].span;
        let together = stage.order == Order::Together;
        let all = |places: fn(&Instruction<T>) -> Vec<Place>| -> Vec<Place> {
            stage.instructions.iter().flat_map(places).collect()
        };
        let (reads, writes) = (all(Instruction::reads), all(Instruction::writes));
        for written in &writes {
            // A constant is only read: runs share it.
            assert!(!matches!(span(written), Span::Repeated | Span::Fixed(_)));
            // All columns together have no column before them that is done.
            let early = |read: &Place| read.plane == written.plane && read.after != written.after;
            assert!(!together || !reads.iter().chain(&writes).any(early));
        }
        for place in reads.iter().chain(&writes) {
            // Else two places would be one.
            let handed_on = matches!(span(place), Span::States | Span::Carry);
            assert!(place.after <= usize::from(handed_on));
            assert!(!together || !matches!(span(place), Span::Carry | Span::Window));
        }
    }
}

impl<T> Stage<T> {
    /// Whether it touches what lies before the steps.
    fn touches_before(&self, planes: &[Plane]) -> bool {
        let before = |place: &Place| planes[place.plane].span == Span::States && place.after == 0;
        let touched = |i: &Instruction<T>| i.reads().iter().chain(&i.writes()).any(before);
        self.instructions.iter().any(touched)
    }
}

impl<T> Instruction<T> {
    fn reads(&self) -> Vec<Place> {
        match self {
            Self::Multiply(multiply) => multiply.operand.clone(),
            Self::Lanes(segment) => segment.places(|step| &step.inputs[..step.lanes.arity()]),
            Self::Call(call) => call.inputs.clone(),
            Self::Gather(_) => Vec::new(),
        }
    }

    fn writes(&self) -> Vec<Place> {
        match self {
            Self::Multiply(multiply) => multiply.targets.iter().map(|(place, _)| *place).collect(),
            Self::Lanes(segment) => segment.places(|step| std::slice::from_ref(&step.output)),
            Self::Call(call) => vec![call.output],
            Self::Gather(gather) => vec![gather.target],
        }
    }
}

impl<T> Segment<T> {
    /// The operands in memory among those that every step names.
    fn places(&self, named: impl Fn(&LaneStep<T>) -> &[usize]) -> Vec<Place> {
        let named = self.steps.iter().flat_map(named);
        let place = |&number: &usize| match self.operands.get(number) {
            Some(Operand::Place(place)) => Some(*place),
            _ => None,
        };
        named.filter_map(place).collect()
    }
}
