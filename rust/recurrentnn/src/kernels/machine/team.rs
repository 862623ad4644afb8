//! The threads of one run.
//!
//! They meet between stages, or after every instruction, so all of them must be running at once: that is
//! what `kernels::helpers` are for.

use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use smallvec::SmallVec;

use super::barrier::{Barrier, Watch};
use super::code::{Code, Order, Stage};
use super::layout::{Extent, Layout};
use super::memory::{BLOCK, Columns, Memory, Shared};
use super::run::{Part, Worker, slot_len, work};
use crate::element::Element;
use crate::kernels::helpers;
use crate::kernels::isa::Isa;
use crate::kernels::memory::Lines;
use crate::kernels::panel::Packed;

/// Why a run did not end; what it computed is incomplete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// Its poll said so.
    Poll,
    /// There is no memory for scratch.
    Memory,
}

/// Code with what it runs on.
pub struct Run<'a, T> {
    /// The instruction set.
    pub isa: Isa,
    /// What is run.
    pub code: &'a Code<T>,
    /// Its packed weights.
    pub packs: &'a [Packed<T>],
    /// One a column of the sequence, where the code gathers.
    pub symbols: &'a [usize],
    /// How many threads share the work, the caller's included.
    pub threads: usize,
}

/// Work, in multiply-adds, between two looks at the poll: some tens of microseconds.
const POLL_WORK: usize = 1 << 20;
/// Work a thread must have in one step, in multiply-adds, before rows are split: some ten times what
/// the meetings of a step take.
const LEAST_PART: usize = 1 << 17;
/// What a wave leaves in memory, where that is more than a block of columns: half a level-2 cache.
const WAVE_BYTES: usize = 1 << 19;
/// Samples a thread must have before samples are split rather than rows.
const LEAST_SAMPLES: usize = 2;

impl<T: Element> Run<'_, T> {
    /// Runs some of the stages. `poll` is called now and then on this thread, and stops the run by
    /// returning true.
    ///
    /// # Errors
    /// [`Stopped`] when it did, or could not begin.
    ///
    /// # Panics
    /// If the code is not consistent, or the memory not its own.
    pub fn stages(
        &self,
        stages: Range<usize>,
        memory: &mut Memory<T>,
        poll: &mut dyn FnMut() -> bool,
    ) -> Result<(), Stopped> {
        assert!(self.code.fits(memory.planes()), "the memory of other code");
        assert!(self.code.takes(self.packs), "the weights of other code");
        let batch = memory.layout().batch();
        let threads = self.threads.max(1);
        let largest = self.code.planes.iter().map(|plane| plane.rows).max();
        let window = largest.unwrap_or(0) * batch.max(BLOCK);
        let slots = self.code.slots * slot_len::<T>(self.code.chunked, window);
        if !memory.reserve(threads, slots) {
            return Err(Stopped::Memory);
        }
        let (shared, scratch) = memory.shared();
        let meeting = Meeting {
            barrier: Barrier::new(threads),
            stop_after: AtomicUsize::new(usize::MAX),
        };
        let (first, others) = scratch[..threads].split_at_mut(1);
        let others: SmallVec<[_; 4]> = others.iter_mut().map(Mutex::new).collect();
        let other = |index: usize| {
            let mut slots = others[index - 1]
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            self.share(index, stages.clone(), shared, &mut slots, &meeting, None);
        };
        let own = || {
            self.share(
                0,
                stages.clone(),
                shared,
                &mut first[0],
                &meeting,
                Some(poll),
            );
        };
        helpers::together(threads, &other, own);
        if meeting.stop_after.into_inner() == usize::MAX {
            Ok(())
        } else {
            Err(Stopped::Poll)
        }
    }

    /// One thread's share of all stages.
    fn share(
        &self,
        index: usize,
        stages: Range<usize>,
        memory: Shared<'_, T>,
        slots: &mut Lines<T>,
        meeting: &Meeting,
        poll: Option<&mut dyn FnMut() -> bool>,
    ) {
        let _watch = Watch(&meeting.barrier);
        let worker = Worker {
            isa: self.isa,
            code: self.code,
            packs: self.packs,
            symbols: self.symbols,
            memory,
            slots: slots.as_mut_slice(),
        };
        let mut member = Member {
            worker,
            part: Part {
                index,
                of: self.threads.max(1),
            },
            meeting,
            clock: 0,
            unpolled: POLL_WORK,
            poll,
        };
        for wave in Waves::new(self.code, stages.clone(), member.part, memory.layout()) {
            for number in stages.clone() {
                member.stage(number, wave.clone());
                meeting.barrier.wait();
                member.clock += 1;
                if member.is_stopped() {
                    return;
                }
            }
        }
    }
}

/// Steps that go through all stages before the next ones do, so that a stage finds in cache what the
/// one before has left.
///
/// All stages that go step by step must go the same way. What one stage reads of another is then of the
/// same step or of those before it on that way. Threads that share samples or rows take one wave: they
/// meet between stages, and a stage over all steps gives each of them more to do between two meetings.
struct Waves {
    left: Range<usize>,
    steps: usize,
    backward: bool,
}

impl Waves {
    fn new<T>(code: &Code<T>, stages: Range<usize>, part: Part, layout: &Layout) -> Self {
        let Extent { time, batch } = layout.extent();
        let stages = &code.stages[stages];
        let columns = (WAVE_BYTES / code.column_bytes().max(1)).max(BLOCK);
        let goes = |order| stages.iter().any(|stage| stage.order == order);
        let (forward, backward) = (goes(Order::Forward), goes(Order::Backward));
        let in_waves = part.of == 1 && stages.len() > 1 && forward != backward;
        Self {
            left: 0..time,
            steps: if in_waves {
                (columns / batch.max(1)).max(1)
            } else {
                time.max(1)
            },
            backward,
        }
    }
}

impl Iterator for Waves {
    type Item = Range<usize>;

    fn next(&mut self) -> Option<Range<usize>> {
        let Range { start, end } = self.left;
        if start == end {
            return None;
        }
        let steps = self.steps.min(end - start);
        Some(if self.backward {
            self.left.end = end - steps;
            end - steps..end
        } else {
            self.left.start = start + steps;
            start..start + steps
        })
    }
}

/// Where the threads of a run meet.
struct Meeting {
    barrier: Barrier,
    /// The clock at which all members leave.
    stop_after: AtomicUsize,
}

/// A thread of the team.
struct Member<'a, 'p, T> {
    worker: Worker<'a, T>,
    part: Part,
    meeting: &'a Meeting,
    /// Counts what all members count alike: stages, and steps in which they meet.
    clock: usize,
    /// Work since the last look at the poll.
    unpolled: usize,
    poll: Option<&'p mut dyn FnMut() -> bool>,
}

impl<T: Element> Member<'_, '_, T> {
    /// One stage on some steps.
    fn stage(&mut self, number: usize, steps: Range<usize>) {
        let code = self.worker.code;
        let stage = &code.stages[number];
        let layout = self.worker.memory.layout();
        let Extent { time, batch } = layout.extent();
        let work = work(code, stage).max(1);
        let part = self.part;
        match stage.order {
            Order::Together => {
                let split = code.before[number] && !layout.is_dense();
                self.together(stage, steps, split, work);
            }
            Order::Forward | Order::Backward => {
                if batch >= LEAST_SAMPLES * self.part.of || self.part.of == 1 {
                    self.samples(stage, steps, work);
                } else if work * layout.columns() >= LEAST_PART * self.part.of * time {
                    self.rows(stage, steps, work);
                } else if self.part.index == 0 {
                    self.part = Part::WHOLE;
                    self.samples(stage, steps, work);
                    self.part = part;
                }
            }
        }
    }

    /// The columns of the steps in blocks, each thread its own; they are `split` where what lies before
    /// the steps has gaps.
    fn together(&mut self, stage: &Stage<T>, steps: Range<usize>, split: bool, work: usize) {
        let layout = self.worker.memory.layout();
        let (start, end) = (layout.step(steps.start), layout.step(steps.end));
        let mine = self.part.range(end - start, 1);
        let mine = start + mine.start..start + mine.end;
        // Blocks of one size, none of them small.
        let largest = BLOCK.max(layout.batch());
        let block = mine.len().div_ceil(mine.len().div_ceil(largest).max(1));
        let mut at = mine.start;
        while at < mine.end {
            let (step, end) = if split {
                layout.in_a_row(at, block)
            } else {
                (0, mine.end)
            };
            let first = at - layout.step(step);
            let count = block.min(mine.end.min(end) - at);
            if self.is_due(work * count) && self.polled() {
                return;
            }
            self.worker.all(stage, Columns { step, first, count });
            at += count;
        }
    }

    /// Step by step, each thread its own samples.
    fn samples(&mut self, stage: &Stage<T>, steps: Range<usize>, work: usize) {
        let layout = self.worker.memory.layout();
        let mine = layout.share(self.part.index, self.part.of);
        let first = mine.start;
        for i in 0..steps.len() {
            let step = stage.order.nth(&steps, i);
            let count = mine.end.min(layout.count(step)).saturating_sub(first);
            if count == 0 {
                continue;
            }
            if self.is_due(work * count) && self.polled() {
                return;
            }
            self.worker.all(stage, Columns { step, first, count });
        }
    }

    /// Step by step, all samples, each thread its part of each instruction; all meet after each.
    fn rows(&mut self, stage: &Stage<T>, steps: Range<usize>, work: usize) {
        let layout = self.worker.memory.layout();
        for i in 0..steps.len() {
            let step = stage.order.nth(&steps, i);
            let columns = Columns {
                step,
                first: 0,
                count: layout.count(step),
            };
            if self.is_due(work * columns.count) {
                self.polled();
            }
            for instruction in &stage.instructions {
                self.worker.one(instruction, columns, self.part);
                self.meeting.barrier.wait();
            }
            self.clock += 1;
            if self.is_stopped() {
                return;
            }
        }
    }

    /// Whether to look at the poll before so much work.
    fn is_due(&mut self, work: usize) -> bool {
        let due = self.unpolled >= POLL_WORK;
        self.unpolled = if due { work } else { self.unpolled + work };
        due
    }

    /// Asks the poll, where this thread has it, and tells the others; whether to leave at once.
    fn polled(&mut self) -> bool {
        if let Some(poll) = &mut self.poll
            && poll()
        {
            // Those who meet leave together, when their clock passes this one.
            self.meeting.stop_after.store(self.clock, Ordering::Relaxed);
        }
        self.meeting.stop_after.load(Ordering::Relaxed) != usize::MAX
    }

    fn is_stopped(&self) -> bool {
        self.clock > self.meeting.stop_after.load(Ordering::Relaxed)
    }
}
