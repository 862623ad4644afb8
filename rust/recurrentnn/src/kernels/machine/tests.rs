use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, ThreadId};

use super::*;
use crate::kernels::Isa;
use crate::kernels::panel::Packed;

fn at(plane: usize) -> Place {
    Place { plane, after: 0 }
}

fn plane(rows: usize, span: Span) -> Plane {
    Plane { rows, span }
}

fn stage(order: Order, instruction: Instruction<f64>) -> Stage<f64> {
    Stage {
        order,
        instructions: vec![instruction],
    }
}

fn lanes(rows: usize, lanes: Lanes<f64>, operands: Vec<Operand>) -> Instruction<f64> {
    let output = operands.len() - 1;
    Instruction::Lanes(Segment {
        rows,
        operands,
        steps: vec![LaneStep {
            lanes,
            inputs: [0; 4],
            output,
        }],
    })
}

fn copy(from: Place, to: Place) -> Instruction<f64> {
    let operands = vec![Operand::Place(from), Operand::Place(to)];
    lanes(2, Lanes::Copy, operands)
}

/// Whether the check lets code over these planes pass.
fn passes(planes: &[Plane], order: Order, instruction: Instruction<f64>) -> bool {
    let packs = vec![(vec![2], 2)];
    let (planes, stages) = (planes.to_vec(), vec![stage(order, instruction)]);
    catch_unwind(AssertUnwindSafe(|| {
        Code::new(planes, packs, stages, 1, true)
    }))
    .is_ok()
}

#[test]
fn code_that_does_not_fit_is_refused() {
    let planes = [
        plane(2, Span::Steps),
        plane(2, Span::States),
        plane(3, Span::Steps),
        plane(2, Span::Window),
        plane(2, Span::Fixed(1)),
        plane(2, Span::Repeated),
        plane(2, Span::Carry),
        plane(2, Span::Steps),
    ];
    let after = Place { plane: 1, after: 1 };
    let (together, forward) = (Order::Together, Order::Forward);
    let fits = |order, instruction| passes(&planes, order, instruction);

    assert!(fits(together, copy(at(0), at(7))) && fits(forward, copy(at(0), at(3))));
    assert!(fits(forward, copy(at(1), after)) && fits(together, copy(at(5), after)));
    // What is not handed on has no column after the step.
    let same = Place { plane: 0, after: 1 };
    assert!(!fits(forward, copy(same, at(7))) && !fits(forward, copy(at(7), same)));
    // Other rows, fixed columns.
    assert!(!fits(together, copy(at(2), at(0))) && !fits(together, copy(at(4), at(0))));
    // Written by all threads.
    assert!(!fits(together, copy(at(0), at(4))) && !fits(forward, copy(at(0), at(5))));
    // Windows hold one step, and what is handed on is there only a step later.
    assert!(!fits(together, copy(at(3), at(0))) && !fits(together, copy(at(0), at(6))));
    assert!(!fits(together, copy(at(1), after)));
    // No such slot, no such operand.
    let slot = |slot| vec![Operand::Place(at(0)), Operand::Slot(slot)];
    assert!(fits(together, lanes(2, Lanes::Copy, slot(0))));
    assert!(!fits(together, lanes(2, Lanes::Copy, slot(1))));
    let mut missing = copy(at(0), at(7));
    if let Instruction::Lanes(segment) = &mut missing {
        segment.steps[0].output = 2;
    }
    assert!(!fits(together, missing));

    let multiply = |operand, target, start| {
        Instruction::Multiply(Multiply {
            pack: 0,
            operand,
            targets: vec![(target, start)],
        })
    };
    assert!(fits(
        together,
        multiply(vec![at(0)], at(7), Start::Column(4))
    ));
    assert!(!fits(
        together,
        multiply(vec![at(0), at(1)], at(7), Start::Zero)
    ));
    assert!(!fits(together, multiply(vec![at(0)], at(2), Start::Zero)));
    assert!(!fits(together, multiply(vec![at(0)], at(0), Start::Zero)));
    assert!(!fits(together, multiply(vec![at(4)], at(7), Start::Zero)));
    assert!(!fits(
        together,
        multiply(vec![at(0)], at(7), Start::Column(5))
    ));

    let callback = Arc::new(Count::default());
    let call = |input, output| {
        Instruction::Call(Call {
            callback: callback.clone(),
            inputs: vec![input],
            output,
        })
    };
    assert!(fits(forward, call(at(1), after)) && !fits(forward, call(at(0), at(0))));

    let gather = |table, target| Instruction::Gather(Gather { table, target });
    assert!(fits(together, gather(4, at(0))));
    assert!(!fits(together, gather(4, at(2))) && !fits(together, gather(0, at(0))));
}

/// Counts columns, writes ones, and panics where asked.
#[derive(Default)]
struct Count {
    columns: AtomicUsize,
    /// After so many columns.
    panics: Option<usize>,
    /// On another thread than this.
    spared: Option<ThreadId>,
}

impl Callback<f64> for Count {
    fn call(&self, _: Isa, _: &[&[f64]], columns: usize, out: &mut [f64]) {
        let before = self.columns.fetch_add(columns, Ordering::Relaxed);
        let spared = self.spared == Some(thread::current().id());
        let due = self.panics.is_some_and(|panics| before >= panics);
        assert!(!due || spared, "on purpose");
        out.fill(1.0);
    }
}

/// A code of one call, with rows and an extent for which two threads share it in a certain way.
struct Shared {
    order: Order,
    rows: usize,
    extent: Extent,
}

const ALL_COLUMNS: Shared = shared(Order::Together, 8, 40_000, 1);
const SAMPLES: Shared = shared(Order::Forward, 8, 6_000, 4);
const ROWS: Shared = shared(Order::Backward, 1 << 13, 40, 1);
const ALONE: Shared = shared(Order::Forward, 8, 20_000, 1);

const fn shared(order: Order, rows: usize, time: usize, batch: usize) -> Shared {
    Shared {
        order,
        rows,
        extent: Extent { time, batch },
    }
}

impl Shared {
    fn planes(&self) -> Vec<Plane> {
        vec![plane(self.rows, Span::Steps)]
    }

    fn code(&self, callback: &Arc<Count>) -> Code<f64> {
        let call = Instruction::Call(Call {
            callback: callback.clone(),
            inputs: Vec::new(),
            output: at(0),
        });
        let stages = vec![stage(self.order, call)];
        Code::new(self.planes(), Vec::new(), stages, 0, true)
    }

    fn run(
        &self,
        callback: &Arc<Count>,
        memory: &mut Memory<f64>,
        poll: &mut dyn FnMut() -> bool,
    ) -> Result<(), Stopped> {
        let run = Run {
            isa: Isa::best(),
            code: &self.code(callback),
            packs: &[],
            symbols: &[],
            threads: 2,
        };
        run.stages(0..1, memory, poll)
    }

    fn memory(&self) -> Memory<f64> {
        let constants = Constants::new(&self.planes(), self.extent.batch).unwrap();
        Memory::new(
            &self.planes(),
            Layout::dense(self.extent),
            Arc::new(constants),
            None,
        )
        .unwrap()
    }
}

#[test]
fn weights_and_memory_of_other_code_are_refused() {
    let planes = vec![
        plane(2, Span::Steps),
        plane(3, Span::Steps),
        plane(3, Span::Fixed(1)),
    ];
    let multiply = Instruction::Multiply(Multiply {
        pack: 0,
        operand: vec![at(0)],
        targets: vec![(at(1), Start::Column(2))],
    });
    let stages = vec![stage(Order::Together, multiply)];
    let code = Code::new(planes.clone(), vec![(vec![3], 2)], stages, 0, true);
    let runs = |planes: &[Plane], rows: &[usize], depth| {
        let packs: Vec<_> = Packed::new(Isa::best(), rows, depth).into_iter().collect();
        let run = Run {
            isa: Isa::best(),
            code: &code,
            packs: &packs,
            symbols: &[],
            threads: 1,
        };
        let layout = Layout::dense(Extent { time: 4, batch: 1 });
        let constants = Arc::new(Constants::new(planes, 1).unwrap());
        let mut memory = Memory::new(planes, layout, constants, None).unwrap();
        let stages = || run.stages(0..1, &mut memory, &mut || false);
        catch_unwind(AssertUnwindSafe(stages)).is_ok()
    };
    assert!(runs(&planes, &[3], 2));
    assert!(!runs(&planes, &[3], 1) && !runs(&planes, &[2], 2));
    let mut none = planes.clone();
    none[2].span = Span::Fixed(0);
    assert!(!runs(&none, &[3], 2));
    assert!(!runs(&planes[..2], &[3], 2));
}

#[test]
fn a_poll_stops_all_threads() {
    for shared in [ALL_COLUMNS, SAMPLES, ROWS, ALONE] {
        let all = shared.extent.columns();
        for stop_at in 1..=2 {
            let (callback, mut memory) = (Arc::new(Count::default()), shared.memory());
            let mut polls = 0;
            let mut poll = || {
                polls += 1;
                polls == stop_at
            };
            let stopped = shared.run(&callback, &mut memory, &mut poll);
            assert_eq!(stopped, Err(Stopped::Poll));
            let done = callback.columns.swap(0, Ordering::Relaxed);
            assert!(done < all, "{:?}: {done} of {all}", shared.order);
            // The same memory serves the next.
            assert_eq!(shared.run(&callback, &mut memory, &mut || false), Ok(()));
            assert_eq!(callback.columns.load(Ordering::Relaxed), all);
            assert!(memory.plane(0).iter().all(|x| *x == 1.0));
        }
    }
}

#[test]
fn a_panic_of_one_thread_ends_them_all() {
    for shared in [ALL_COLUMNS, SAMPLES, ROWS, ALONE] {
        // Rows are one thread's, and so is what is too small to share.
        let split = matches!(shared.extent.columns(), 24_000 | 40_000);
        for other in [false, true] {
            if other && !split {
                continue;
            }
            let callback = Arc::new(Count {
                panics: Some(shared.extent.columns() / 4),
                spared: other.then(|| thread::current().id()),
                ..Count::default()
            });
            let mut memory = shared.memory();
            let run = || shared.run(&callback, &mut memory, &mut || false);
            assert!(catch_unwind(AssertUnwindSafe(run)).is_err());
            let callback = Arc::new(Count::default());
            assert_eq!(shared.run(&callback, &mut memory, &mut || false), Ok(()));
        }
    }
}
