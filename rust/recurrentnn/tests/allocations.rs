//! A run allocates nothing for a step: as much for many as for few, and nothing when it is used again.
//! Nor do samples on their way.
#![allow(clippy::unwrap_used)] // a helper of tests, too, should stop where it stands

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::Arc;

use recurrentnn::cells::{CellKind, Options};
use recurrentnn::config::{Config, InitKind};
use recurrentnn::host::Alone;
use recurrentnn::kernels::Isa;
use recurrentnn::matrix::Matrix;
use recurrentnn::model::Model;
use recurrentnn::program::{Call, Extent, Incoming, Input, Passes, Program, Source};
use recurrentnn::regularise::Phase;
use recurrentnn::sample::{Generator, Request, Sampling};

thread_local! {
    static COUNT: Cell<usize> = const { Cell::new(0) };
    static BYTES: Cell<usize> = const { Cell::new(0) };
}

/// The system's memory, counting what this thread takes.
struct Counting;

// SAFETY: the system's, but for the count.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let _ = COUNT.try_with(|count| count.set(count.get() + 1));
        let _ = BYTES.try_with(|bytes| bytes.set(bytes.get() + layout.size()));
        // SAFETY: passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: passed on.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn count(work: impl FnOnce()) -> usize {
    let before = COUNT.get();
    work();
    COUNT.get() - before
}

struct Net {
    model: Model<f32>,
    program: Arc<Program<f32>>,
    states: usize,
}

impl Net {
    fn new(cell: &CellKind) -> Self {
        let sizes = [20, 12];
        let model = Model::<f32>::new(Config {
            cell: cell.clone(),
            input_size: 6,
            hidden_sizes: sizes.to_vec(),
            output_size: Some(5),
            embedding_size: None,
            options: Options::default(),
            input_to_all: false,
            all_to_output: false,
            init: InitKind::Glorot,
            std: 0.08,
            forget_bias: 1.0,
            seed: 5,
            ..Config::default()
        })
        .unwrap();
        let shapes: Vec<_> = model
            .params()
            .matrices()
            .iter()
            .map(Matrix::shape)
            .collect();
        let vectors = cell.states().len();
        let states: Vec<usize> = sizes
            .iter()
            .flat_map(|&size| std::iter::repeat_n(size, vectors))
            .collect();
        let step = model.trace(Phase::Evaluation).unwrap();
        let program = Program::new(&step, &shapes, &states, Source::Features, Passes::ALL);
        Self {
            model,
            program: Arc::new(program.unwrap()),
            states: states.len(),
        }
    }

    /// Bytes that steps take which find other weights each.
    fn of_other_weights(&self, steps: u64) -> usize {
        let matrices = self.model.params().matrices();
        let values: Vec<_> = matrices.iter().map(|m| m.value().unwrap()).collect();
        let weights: Vec<&[f32]> = values.iter().map(|value| &**value).collect();
        let (features, states) = (vec![0.5; 6], vec![None; self.states]);
        let call = Call {
            isa: Isa::best(),
            threads: 1,
            extent: Extent { time: 1, batch: 1 },
            lengths: None,
            input: Input::Features(&features),
            states: &states,
            weights: &weights,
            version: Some(0),
            differentiate: false,
            input_grad: false,
        };
        let mut run = self.program.begin(&call).unwrap();
        let before = BYTES.get();
        for version in 1..=steps {
            run.load_weights(&weights, Some(version)).unwrap();
            run.load(call.input, call.states).unwrap();
            run.forward(&mut || false).unwrap();
        }
        BYTES.get() - before
    }

    /// Allocations of a second forward and backward pass of a run over so many steps.
    fn second(&self, time: usize, batch: usize) -> usize {
        let matrices = self.model.params().matrices();
        let values: Vec<_> = matrices.iter().map(|m| m.value().unwrap()).collect();
        let weights: Vec<&[f32]> = values.iter().map(|value| &**value).collect();
        let extent = Extent { time, batch };
        let (features, grad) = (vec![0.5; 6 * time * batch], vec![0.1; 5 * time * batch]);
        let states = vec![None; self.states];
        let call = Call {
            isa: Isa::best(),
            threads: 1,
            extent,
            lengths: None,
            input: Input::Features(&features),
            states: &states,
            weights: &weights,
            version: Some(1),
            differentiate: true,
            input_grad: true,
        };
        let incoming = Incoming {
            results: &[Some(&grad)],
            states: &states,
        };
        let mut poll = || false;
        let mut run = self.program.begin(&call).unwrap();
        let mut both = || {
            run.load(call.input, call.states).unwrap();
            run.forward(&mut poll).unwrap();
            run.receive(incoming).unwrap();
            run.backward(&mut poll).unwrap();
        };
        // Scratch is made at the first backward pass.
        both();
        count(both)
    }
}

#[test]
fn a_run_used_again_allocates_nothing() {
    for cell in CellKind::ALL {
        let net = Net::new(cell);
        for (time, batch) in [(1, 1), (1, 4), (30, 1), (7, 3)] {
            let allocations = net.second(time, batch);
            assert_eq!(allocations, 0, "{} T={time} B={batch}", cell.name());
        }
    }
}

#[test]
fn other_weights_go_where_the_old_ones_were() {
    for cell in CellKind::ALL {
        let bytes = Net::new(cell).of_other_weights(10);
        // Copies of the weights would be more than ten times as much.
        assert!(bytes < 10 * 1024, "{}: {bytes}", cell.name());
    }
}

#[test]
fn a_step_of_samples_allocates_nothing() {
    let model = Model::<f32>::new(Config {
        cell: CellKind::ALL[0].clone(),
        input_size: 40,
        hidden_sizes: vec![20, 12],
        output_size: Some(40),
        embedding_size: None,
        options: Options::default(),
        input_to_all: false,
        all_to_output: false,
        bidirectional: None,
        learned_state: false,
        init: InitKind::Glorot,
        std: 0.08,
        forget_bias: 1.0,
        seed: 5,
        ..Config::default()
    })
    .unwrap();
    let sampling = Sampling {
        temperature: 0.8,
        top_k: Some(30),
        top_p: Some(0.9),
        min_p: Some(0.01),
        repetition_penalty: 1.2,
        repetition_window: Some(16),
        banned: vec![3],
        ..Sampling::default()
    };
    let request = Request {
        primes: &[vec![1, 2]],
        histories: &[],
        count: 3,
        sampling: &sampling,
        // It never comes, but its beginnings do.
        stops: &[vec![5, 6, 3]],
        seed: 1,
        sample: 0,
        position: 0,
    };
    let states = model.zero_states(1).unwrap();
    let isa = Isa::best();
    let mut generator = Generator::new(isa, &model, &request, &states, &mut Alone).unwrap();
    let mut steps = |number| {
        for _ in 0..number {
            generator.step(&model, &mut Alone).unwrap();
        }
    };
    // What was chosen and not yet taken away doubles its room here, and not again below.
    steps(1030);
    assert_eq!(count(|| steps(1000)), 0);
}
