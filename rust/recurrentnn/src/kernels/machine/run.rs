//! One thread's share of a run: instructions on columns.

use std::ops::Range;

use smallvec::SmallVec;

use super::code::{Call, Code, Gather, Instruction, Multiply, Operand, Segment, Stage, Start};
use super::lanes::Lanes;
use super::memory::{Columns, Place, Shared, Span};
use crate::element::Element;
use crate::kernels::isa::Isa;
use crate::kernels::panel::{self, Packed};

/// Numbers of a window that a segment works on at a time: a dozen operands stay in level-1 cache.
const CHUNK_BYTES: usize = 2048;

/// Which part of an instruction's rows a thread does: the `index`-th of `of`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part {
    pub(super) index: usize,
    pub(super) of: usize,
}

impl Part {
    pub(super) const WHOLE: Self = Self { index: 0, of: 1 };

    /// The part of `len` things, cut at multiples of `grain`.
    pub(super) fn range(self, len: usize, grain: usize) -> Range<usize> {
        let piece = len.div_ceil(self.of).next_multiple_of(grain);
        let start = (self.index * piece).min(len);
        start..(start + piece).min(len)
    }
}

/// What a thread needs to run instructions.
pub(super) struct Worker<'a, T> {
    pub(super) isa: Isa,
    pub(super) code: &'a Code<T>,
    pub(super) packs: &'a [Packed<T>],
    pub(super) symbols: &'a [usize],
    pub(super) memory: Shared<'a, T>,
    /// `code.slots` slots of [`slot_len`] numbers each.
    pub(super) slots: &'a mut [T],
}

/// Numbers in a scratch slot, for windows of `rows` rows and `columns` columns at most.
pub(super) fn slot_len<T>(chunked: bool, largest_window: usize) -> usize {
    let chunk = CHUNK_BYTES / size_of::<T>();
    if chunked { chunk } else { largest_window }
}

impl<T: Element> Worker<'_, T> {
    /// All of a stage's instructions on these columns.
    pub(super) fn all(&mut self, stage: &Stage<T>, columns: Columns) {
        for instruction in &stage.instructions {
            self.one(instruction, columns, Part::WHOLE);
        }
    }

    /// A part of one instruction on these columns.
    pub(super) fn one(&mut self, instruction: &Instruction<T>, columns: Columns, part: Part) {
        match instruction {
            Instruction::Multiply(multiply) => self.multiply(multiply, columns, part),
            Instruction::Lanes(segment) => self.segment(segment, columns, part),
            Instruction::Call(call) if part.index == 0 => self.call(call, columns),
            Instruction::Gather(gather) if part.index == 0 => self.gather(gather, columns),
            Instruction::Call(_) | Instruction::Gather(_) => {}
        }
    }

    fn multiply(&self, multiply: &Multiply, columns: Columns, part: Part) {
        let fixed = Columns {
            step: 0,
            first: 0,
            count: 1,
        };
        let operand: SmallVec<[_; 16]> = multiply
            .operand
            .iter()
            .map(|place| panel::Segment {
                start: self.memory.at(*place, columns).cast_const(),
                rows: self.memory.rows(*place),
                column_step: self.column_step(*place),
            })
            .collect();
        let targets: SmallVec<[_; 16]> = multiply
            .targets
            .iter()
            .map(|(place, start)| panel::Target {
                output: self.memory.at(*place, columns),
                column_step: self.column_step(*place),
                start: match start {
                    Start::Zero => panel::Start::Zero,
                    Start::Keep => panel::Start::Keep,
                    Start::Column(plane) => {
                        let place = Place {
                            plane: *plane,
                            after: 0,
                        };
                        panel::Start::Column(self.memory.at(place, fixed).cast_const())
                    }
                },
            })
            .collect();
        let packed = &self.packs[multiply.pack];
        let panels = part.range(packed.panels(), 1);
        // SAFETY: `at` gives the addresses of `columns.count` whole columns, for the code's check has
        // found no fixed plane among the operands, and no target. It has compared rows and depth with
        // what it says of the packed weights, and the run that with these.
        // Other threads have other columns, or other panels and so other rows of the targets.
        unsafe {
            panel::multiply_panels(self.isa, packed, &operand, &targets, columns.count, panels);
        };
    }

    /// From one column to the next.
    fn column_step(&self, place: Place) -> usize {
        self.memory.rows(place)
    }

    fn segment(&mut self, segment: &Segment<T>, columns: Columns, part: Part) {
        let len = segment.rows * columns.count;
        let range = part.range(len, 64 / size_of::<T>());
        let slot_len = self.slots.len().checked_div(self.code.slots).unwrap_or(0);
        let slots = self.slots.as_mut_ptr();
        // Address and whether it moves from chunk to chunk, for every operand.
        let mut operands: SmallVec<[(*mut T, bool); 32]> = segment
            .operands
            .iter()
            .map(|operand| match operand {
                Operand::Place(place) => {
                    let start = self.memory.at(*place, columns);
                    // Within the columns that `at` has checked.
                    (start.wrapping_add(range.start), true)
                }
                // The code's check has found the number below that of the slots.
                Operand::Slot(slot) => (slots.wrapping_add(slot * slot_len), false),
            })
            .collect();
        let chunk = if self.code.chunked {
            CHUNK_BYTES / size_of::<T>()
        } else {
            range.len().max(1)
        };
        let mut done = 0;
        while done < range.len() {
            let count = chunk.min(range.len() - done);
            for step in &segment.steps {
                let mut inputs = [std::ptr::null(); 4];
                for (to, from) in inputs.iter_mut().zip(step.inputs).take(step.lanes.arity()) {
                    *to = operands[from].0.cast_const();
                }
                // SAFETY: each operand has `count` numbers from here on, in its columns or its slot;
                // two places are the same or disjoint, for planes hold equal windows one after the
                // other. Other threads have other columns, or another range of these.
                unsafe {
                    step.lanes
                        .apply(self.isa, inputs, operands[step.output].0, count);
                };
            }
            for (start, moves) in &mut operands {
                if *moves {
                    *start = start.wrapping_add(count);
                }
            }
            done += count;
        }
    }

    fn call(&self, call: &Call<T>, columns: Columns) {
        let inputs: SmallVec<[&[T]; 8]> = call
            .inputs
            .iter()
            .map(|place| {
                let plane = self.memory.plane(*place);
                let count = match plane.span {
                    Span::Fixed(all) => all,
                    _ => columns.count,
                };
                let start = self.memory.at(*place, columns);
                // SAFETY: whole columns, by `at`; nobody writes them while this instruction runs.
                unsafe { std::slice::from_raw_parts(start, plane.rows * count) }
            })
            .collect();
        let start = self.memory.at(call.output, columns);
        let len = self.memory.rows(call.output) * columns.count;
        // SAFETY: whole columns, by `at`, that are this thread's; the code's check has found the output
        // among no inputs.
        let out = unsafe { std::slice::from_raw_parts_mut(start, len) };
        call.callback.call(self.isa, &inputs, columns.count, out);
    }

    fn gather(&self, gather: &Gather, columns: Columns) {
        let rows = self.memory.rows(gather.target);
        let place = Place {
            plane: gather.table,
            after: 0,
        };
        let layout = self.memory.layout();
        let table_len = self.memory.plane(place).len(layout);
        let table = self.memory.at(place, columns);
        // SAFETY: the whole plane, which no instruction writes.
        let table = unsafe { std::slice::from_raw_parts(table, table_len) };
        let first = layout.step(columns.step) + columns.first;
        let symbols = &self.symbols[first..][..columns.count];
        let target = self.memory.at(gather.target, columns);
        // SAFETY: whole columns, by `at`, that are this thread's, of another plane than the table.
        let target = unsafe { std::slice::from_raw_parts_mut(target, rows * columns.count) };
        for (target, &symbol) in target.chunks_exact_mut(rows).zip(symbols) {
            target.copy_from_slice(&table[symbol * rows..][..rows]);
        }
    }
}

/// Multiply-adds, or as much work, that a stage does for one column.
pub(super) fn work<T>(code: &Code<T>, stage: &Stage<T>) -> usize {
    let of = |instruction: &Instruction<T>| match instruction {
        Instruction::Multiply(multiply) => {
            let (rows, depth) = &code.packs[multiply.pack];
            rows.iter().sum::<usize>() * depth
        }
        Instruction::Lanes(segment) => {
            let transcendental =
                |step: &&super::code::LaneStep<T>| matches!(step.lanes, Lanes::Function(..));
            let dear = segment.steps.iter().filter(transcendental).count();
            segment.rows * (segment.steps.len() * 8 + dear * 16)
        }
        Instruction::Call(call) => code.planes[call.output.plane].rows * 32,
        Instruction::Gather(gather) => code.planes[gather.table].rows * 4,
    };
    stage.instructions.iter().map(of).sum()
}
