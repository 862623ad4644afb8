//! The threads of one run.
//!
//! They are started for the run and end with it: a run long enough for threads takes a hundred times
//! longer than starting one, and a process that forks between runs has none to lose. They are not
//! rayon's, because threads that meet after every instruction must all be running, and a pool may have
//! fewer free than were asked for.

use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::barrier::{Barrier, Watch};
use super::code::{Code, Order, Stage};
use super::memory::{BLOCK, Columns, Memory};
use super::run::{Part, Worker, slot_len, work};
use crate::element::Element;
use crate::kernels::isa::Isa;
use crate::kernels::panel::Packed;

/// The run was stopped by its poll; what it computed is incomplete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stopped;

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
/// Samples a thread must have before samples are split rather than rows.
const LEAST_SAMPLES: usize = 2;

impl<T: Element> Run<'_, T> {
    /// Runs some of the stages. `poll` is called now and then on this thread, and stops the run by
    /// returning true.
    ///
    /// # Errors
    /// [`Stopped`] when it did.
    ///
    /// # Panics
    /// If the code is not consistent, or the memory not its own.
    pub fn stages(
        &self,
        stages: Range<usize>,
        memory: &mut Memory<T>,
        poll: &mut dyn FnMut() -> bool,
    ) -> Result<(), Stopped> {
        let extent = memory.extent();
        let threads = self.threads.max(1);
        let largest = self.code.planes.iter().map(|plane| plane.rows).max();
        let window = largest.unwrap_or(0) * extent.batch.max(BLOCK);
        let slots = self.code.slots * slot_len::<T>(self.code.chunked, window);
        let Some(mut scratch) = memory.take_scratch(threads, slots) else {
            return Err(Stopped);
        };
        let shared = memory.shared();
        let barrier = Barrier::new(threads);
        let stop_after = AtomicUsize::new(usize::MAX);
        let worker = |slots| Worker {
            isa: self.isa,
            code: self.code,
            packs: self.packs,
            symbols: self.symbols,
            memory: shared,
            slots,
        };
        let share = |index: usize, slots, poll: Option<&mut dyn FnMut() -> bool>| {
            let _watch = Watch(&barrier);
            let mut member = Member {
                worker: worker(slots),
                part: Part { index, of: threads },
                barrier: &barrier,
                clock: 0,
                stop_after: &stop_after,
                poll,
            };
            for stage in &self.code.stages[stages.clone()] {
                member.stage(stage);
                barrier.wait();
                member.clock += 1;
                if member.is_stopped() {
                    return;
                }
            }
        };
        let (first, others) = scratch.split_at_mut(1);
        if others.is_empty() {
            share(0, first[0].as_mut_slice(), Some(poll));
        } else {
            std::thread::scope(|scope| {
                for (index, slots) in (1..).zip(others) {
                    scope.spawn(move || share(index, slots.as_mut_slice(), None));
                }
                share(0, first[0].as_mut_slice(), Some(poll));
            });
        }
        memory.give_scratch(scratch);
        if stop_after.into_inner() == usize::MAX {
            Ok(())
        } else {
            Err(Stopped)
        }
    }
}

/// A thread of the team.
struct Member<'a, 'p, T> {
    worker: Worker<'a, T>,
    part: Part,
    barrier: &'a Barrier,
    /// Counts what all members count alike: stages, and steps in which they meet.
    clock: usize,
    /// The clock at which all members leave.
    stop_after: &'a AtomicUsize,
    poll: Option<&'p mut dyn FnMut() -> bool>,
}

impl<T: Element> Member<'_, '_, T> {
    fn stage(&mut self, stage: &Stage<T>) {
        let extent = self.worker.memory.extent();
        let work = work(self.worker.code, stage).max(1);
        match stage.order {
            Order::Together => self.together(stage, work),
            Order::Forward | Order::Backward => {
                let backward = stage.order == Order::Backward;
                let step = |i: usize| if backward { extent.time - 1 - i } else { i };
                if extent.batch >= LEAST_SAMPLES * self.part.of || self.part.of == 1 {
                    self.samples(stage, step, work);
                } else {
                    self.rows(stage, step, work);
                }
            }
        }
    }

    /// Columns of the sequence in blocks, each thread its own.
    fn together(&mut self, stage: &Stage<T>, work: usize) {
        let columns = self.worker.memory.extent().columns();
        let mine = self.part.range(columns, 1);
        let mut clock = Every::new(POLL_WORK / work / BLOCK);
        for first in mine.clone().step_by(BLOCK) {
            if clock.ticks() && self.polled() {
                return;
            }
            let count = BLOCK.min(mine.end - first);
            let step = 0;
            self.worker.all(stage, Columns { step, first, count });
        }
    }

    /// Step by step, each thread its own samples.
    fn samples(&mut self, stage: &Stage<T>, step: impl Fn(usize) -> usize, work: usize) {
        let extent = self.worker.memory.extent();
        let mine = self.part.range(extent.batch, 1);
        let (first, count) = (mine.start, mine.len());
        if count == 0 {
            return;
        }
        let mut clock = Every::new(POLL_WORK / work / count);
        for i in 0..extent.time {
            if clock.ticks() && self.polled() {
                return;
            }
            let step = step(i);
            self.worker.all(stage, Columns { step, first, count });
        }
    }

    /// Step by step, all samples, each thread its part of each instruction; all meet after each.
    fn rows(&mut self, stage: &Stage<T>, step: impl Fn(usize) -> usize, work: usize) {
        let extent = self.worker.memory.extent();
        let mut clock = Every::new(POLL_WORK / work / extent.batch.max(1));
        for i in 0..extent.time {
            if clock.ticks() {
                self.polled();
            }
            let columns = Columns {
                step: step(i),
                first: 0,
                count: extent.batch,
            };
            for instruction in &stage.instructions {
                self.worker.one(instruction, columns, self.part);
                self.barrier.wait();
            }
            self.clock += 1;
            if self.is_stopped() {
                return;
            }
        }
    }

    /// Asks the poll, where this thread has it, and tells the others; whether to leave at once.
    fn polled(&mut self) -> bool {
        if let Some(poll) = &mut self.poll
            && poll()
        {
            // Those who meet leave together, when their clock passes this one.
            self.stop_after.store(self.clock, Ordering::Relaxed);
        }
        self.stop_after.load(Ordering::Relaxed) != usize::MAX
    }

    fn is_stopped(&self) -> bool {
        self.clock > self.stop_after.load(Ordering::Relaxed)
    }
}

/// Ticks at the first of every so many calls.
struct Every {
    period: usize,
    left: usize,
}

impl Every {
    fn new(period: usize) -> Self {
        Self { period, left: 0 }
    }

    fn ticks(&mut self) -> bool {
        if self.left == 0 {
            self.left = self.period;
            return true;
        }
        self.left -= 1;
        false
    }
}
