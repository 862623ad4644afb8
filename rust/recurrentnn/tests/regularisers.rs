//! Calls in training: a compiled step against the graph with the same masks, differences with fixed
//! masks, and what masks depend on.
#![allow(clippy::unwrap_used)] // a helper of tests, too, should stop where it stands

use std::sync::Arc;

use rayon::prelude::*;
use recurrentnn::cells::{CellKind, Options, State};
use recurrentnn::config::{Config, Merge};
use recurrentnn::gradcheck::{self, gradcheck};
use recurrentnn::graph::Graph;
use recurrentnn::host::Alone;
use recurrentnn::kernels::{Isa, parallel};
use recurrentnn::matrix::Matrix;
use recurrentnn::model::Model;
use recurrentnn::ops::Recorder;
use recurrentnn::random::{Purpose, Stream};
use recurrentnn::regularise::{Masks, Phase, Regularisers};
use recurrentnn::sequence::{Columns, Rows, record};
use recurrentnn::shape::Shape;
use recurrentnn::unroll::{Sequence, unroll};

const TIME: usize = 4;
const BATCH: usize = 3;

fn config(cell: CellKind, regularisers: Regularisers) -> Config {
    Config {
        cell,
        input_size: 4,
        hidden_sizes: vec![5, 3],
        output_size: Some(4),
        embedding_size: Some(3),
        regularisers,
        seed: 5,
        ..Config::default()
    }
}

/// Every regulariser alone, and all that a cell heeds together.
fn configs() -> Vec<Config> {
    let mut all = Vec::new();
    for cell in CellKind::ALL {
        let none = Regularisers::default();
        let together = Regularisers {
            dropout: 0.3,
            recurrent_dropout: 0.4,
            zoneout_hidden: 0.2,
            zoneout_cell: if cell.has_memory() { 0.3 } else { 0.0 },
            weight_drop: 0.3,
            embedding_dropout: 0.4,
            ..none
        };
        let variational = Regularisers {
            variational: true,
            ..together
        };
        all.extend([together, variational].map(|regularisers| config(cell.clone(), regularisers)));
        all.push(Config {
            input_to_all: true,
            all_to_output: true,
            ..config(cell.clone(), variational)
        });
    }
    let none = Regularisers::default();
    let alone = [
        Regularisers {
            dropout: 0.5,
            ..none
        },
        Regularisers {
            recurrent_dropout: 0.5,
            ..none
        },
        Regularisers {
            zoneout_hidden: 0.5,
            ..none
        },
        Regularisers {
            zoneout_cell: 0.5,
            ..none
        },
        Regularisers {
            weight_drop: 0.5,
            ..none
        },
        Regularisers {
            embedding_dropout: 0.5,
            ..none
        },
    ];
    all.extend(alone.map(|regularisers| config(CellKind::Lstm, regularisers)));
    let projected = Options {
        projection_size: Some(2),
        ..Options::default()
    };
    all.push(Config {
        options: projected,
        ..config(
            CellKind::Lstm,
            Regularisers {
                dropout: 0.3,
                recurrent_dropout: 0.4,
                zoneout_hidden: 0.2,
                zoneout_cell: 0.3,
                ..none
            },
        )
    });
    all.push(Config {
        hidden_sizes: vec![3; 3],
        tied_embedding: true,
        residual: true,
        hidden_clip: Some(0.3),
        ..config(
            CellKind::Gru,
            Regularisers {
                dropout: 0.3,
                embedding_dropout: 0.4,
                zoneout_hidden: 0.2,
                ..none
            },
        )
    });
    all.extend(both_ways());
    all
}

/// Everything at once in both directions, projected and normalised where there is an option for it.
fn both_ways() -> Vec<Config> {
    let all = Regularisers {
        dropout: 0.3,
        recurrent_dropout: 0.4,
        zoneout_hidden: 0.2,
        weight_drop: 0.3,
        embedding_dropout: 0.4,
        ..Regularisers::default()
    };
    let rates = Regularisers {
        zoneout_cell: 0.3,
        ..all
    };
    let net = |cell, merge, regularisers| Config {
        hidden_sizes: vec![5, 5, 5],
        bidirectional: Some(merge),
        learned_state: true,
        residual: true,
        ..config(cell, regularisers)
    };
    let mut projected = net(CellKind::Lstm, Merge::Concat, rates);
    projected.options.projection_size = Some(3);
    projected.options.peepholes = true;
    let mut apart = net(CellKind::Lstm, Merge::Apart, rates);
    apart.output_size = None;
    apart.options.coupled_gates = true;
    let mut variational = net(CellKind::Rnn, Merge::Mean, all);
    variational.regularisers.variational = true;
    variational.input_to_all = true;
    variational.all_to_output = true;
    let mut normal = net(CellKind::Gru, Merge::Sum, all);
    normal.options.layer_norm = true;
    normal.hidden_clip = Some(0.9);
    vec![projected, apart, variational, normal]
}

fn leaf(rows: usize, cols: usize, number: u32) -> Matrix<f64> {
    let mut numbers = vec![0.0; rows * cols];
    Stream::new(9, Purpose::Matrix, number).fill_normal(&mut numbers, 0.0, 1.0);
    Matrix::from_vec(Shape::new(rows, cols), numbers).unwrap()
}

fn states(model: &Model<f64>, batch: usize) -> Vec<State<Matrix<f64>>> {
    let rows = (10..).zip(model.config().all_state_rows());
    model.layered(rows.map(|(number, rows)| leaf(rows, batch, number)))
}

fn symbols(batch: usize) -> Sequence<f64> {
    Sequence::Symbols((0..TIME * batch).map(|at| (at * 7 + at / 3) % 4).collect())
}

type Called = (Matrix<f64>, Vec<State<Matrix<f64>>>);

/// A call by the program, or op by op.
fn call(model: &Model<f64>, graph: &mut Graph<f64>, step: Option<u64>, compiled: bool) -> Called {
    let (first, x) = (states(model, BATCH), symbols(BATCH));
    if compiled {
        let rows = Arc::new(Rows::dense(BATCH, TIME));
        return record(model, graph, &x, &rows, Some(&first), step, &mut Alone).unwrap();
    }
    unroll(model, graph, &x, BATCH, first, step, &mut || Ok(())).unwrap()
}

/// Output, states and the gradients of all parameters.
fn outcome(model: &Model<f64>, step: Option<u64>, compiled: bool) -> Vec<Vec<f64>> {
    let mut graph = Graph::new(Isa::best());
    let (output, last) = call(model, &mut graph, step, compiled);
    let all: Vec<_> = std::iter::once(&output)
        .chain(last.iter().flat_map(State::vectors))
        .cloned()
        .collect();
    for (number, matrix) in (50..).zip(&all) {
        let grad = leaf(matrix.rows(), matrix.cols(), number).to_vec().unwrap();
        for (to, g) in matrix.grad_mut().unwrap().iter_mut().zip(grad) {
            *to += g;
        }
    }
    model.params().zero_grad().unwrap();
    graph.backward(false).unwrap();
    let values = all.iter().map(|m| m.to_vec().unwrap());
    let grads = model.params().matrices().iter();
    values
        .chain(grads.map(|m| m.grad().unwrap().to_vec()))
        .collect()
}

fn apart(a: &[Vec<f64>], b: &[Vec<f64>]) -> f64 {
    assert_eq!(a.len(), b.len());
    let pairs = a.iter().flatten().zip(b.iter().flatten());
    pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

#[test]
fn a_compiled_call_is_the_graph_with_the_same_masks() {
    for config in configs() {
        let model = Model::new(config.clone()).unwrap();
        for step in [None, Some(0), Some(7)] {
            let far = apart(&outcome(&model, step, true), &outcome(&model, step, false));
            assert!(far < 1e-12, "{config:?} {step:?}: {far}");
        }
        let (one, other) = (
            outcome(&model, Some(0), true),
            outcome(&model, Some(7), true),
        );
        assert!(
            apart(&one, &other) > 1e-3,
            "{config:?}: the masks are the same"
        );
        let evaluated = outcome(&model, None, true);
        assert!(apart(&one, &evaluated) > 1e-3, "{config:?}: nothing drops");
    }
}

#[test]
fn gradients_of_a_call_with_fixed_masks_are_its_differences() {
    configs().into_par_iter().for_each(|mut config| {
        // A difference takes two calls for each number of the net. But three units are often nearly
        // alike, and a layer norm then bends too much for differences.
        if !config.options.layer_norm {
            config.hidden_sizes.fill(3);
        }
        config.options.projection_size = config.options.projection_size.map(|_| 2);
        let model = Model::new(config.clone()).unwrap();
        let leaves = model.params().matrices().to_vec();
        let everything = |graph: &mut Graph<f64>, _: &[Matrix<f64>]| {
            let (output, last) = call(&model, graph, Some(3), true);
            let all: Vec<_> = last
                .iter()
                .flat_map(State::vectors)
                .chain([&output])
                .collect();
            let flat = all.iter().map(|m| graph.reshape(m, m.shape().len(), 1));
            let flat = flat.collect::<Result<Vec<_>, _>>()?;
            graph.concat(&flat.iter().collect::<Vec<_>>())
        };
        let options = gradcheck::Options {
            tolerance: 1e-7,
            ..Default::default()
        };
        if let Err(error) = gradcheck(Isa::best(), &leaves, everything, options) {
            panic!("{config:?}: {error}");
        }
    });
}

#[test]
fn a_sample_and_a_shorter_call_have_the_masks_of_the_whole() {
    for config in configs() {
        let model = Model::<f64>::new(config.clone()).unwrap();
        let run = |batch: usize, time: usize, states: &[State<Matrix<f64>>]| {
            let Sequence::Symbols(all) = symbols(BATCH) else {
                unreachable!()
            };
            let own = (0..time * batch).map(|at| all[at / batch * BATCH + at % batch]);
            let x = Sequence::Symbols(own.collect());
            let mut graph = Graph::new(Isa::best());
            let rows = Arc::new(Rows::dense(batch, time));
            let states = Some(states);
            let called = record(&model, &mut graph, &x, &rows, states, Some(2), &mut Alone);
            called.unwrap().0.to_vec().unwrap()
        };
        let whole = run(BATCH, TIME, &model.zero_states(BATCH).unwrap());
        let fewer = run(2, TIME, &model.zero_states(2).unwrap());
        assert_eq!(whole[..fewer.len()], fewer, "{config:?}");
        if model.is_bidirectional() {
            // A shorter one begins elsewhere, backward in time.
            continue;
        }
        let shorter = run(1, TIME - 1, &model.zero_states(1).unwrap());
        assert_eq!(whole[..shorter.len()], shorter, "{config:?}");
    }
}

#[test]
fn a_row_that_is_shorter_has_the_masks_that_it_has_in_a_batch_of_its_length() {
    let lengths = [2, TIME, 1];
    for config in configs() {
        let model = Model::<f64>::new(config.clone()).unwrap();
        let Sequence::Symbols(all) = symbols(BATCH) else {
            unreachable!()
        };
        let run = |rows: Rows| {
            let columns = rows.places(Columns::TimeMajor);
            let x = Sequence::Symbols(columns.iter().map(|at| all[*at]).collect());
            let (mut graph, rows) = (Graph::new(Isa::best()), Arc::new(rows));
            let first = states(&model, BATCH);
            let (step, host) = (Some(2), &mut Alone);
            let (output, last) =
                record(&model, &mut graph, &x, &rows, Some(&first), step, host).unwrap();
            (output, last)
        };
        let ragged = run(Rows::ragged(TIME, &lengths).unwrap());
        for (row, length) in lengths.into_iter().enumerate() {
            let dense = run(Rows::dense(BATCH, length));
            let found = columns(&ragged.0, row * TIME..row * TIME + length);
            let expected = columns(&dense.0, row * length..(row + 1) * length);
            assert_eq!(found, expected, "{config:?}");
            let vectors = |states: &[State<_>]| {
                let vectors = states.iter().flat_map(State::vectors);
                vectors
                    .map(|m| columns(m, row..row + 1))
                    .collect::<Vec<_>>()
            };
            assert_eq!(vectors(&ragged.1), vectors(&dense.1), "{config:?}");
        }
    }
}

fn columns(m: &Matrix<f64>, which: std::ops::Range<usize>) -> Vec<f64> {
    let rows = m.rows();
    m.to_vec().unwrap()[which.start * rows..which.end * rows].to_vec()
}

#[test]
fn threads_change_no_bit_of_a_call_that_drops() {
    let rates = Regularisers {
        dropout: 0.3,
        zoneout_cell: 0.2,
        weight_drop: 0.3,
        ..Regularisers::default()
    };
    let model = Model::<f64>::new(Config {
        hidden_sizes: vec![200, 200],
        ..config(CellKind::Lstm, rates)
    })
    .unwrap();
    let run = |threads| {
        parallel::set_threads(threads);
        let (batch, mut graph) = (64, Graph::new(Isa::best()));
        let (x, rows) = (symbols(batch), Arc::new(Rows::dense(batch, TIME)));
        let called = record(&model, &mut graph, &x, &rows, None, Some(1), &mut Alone);
        let (output, _) = called.unwrap();
        output.grad_mut().unwrap().fill(1.0);
        model.params().zero_grad().unwrap();
        graph.backward(false).unwrap();
        let grads = model.params().matrices().iter();
        let grads = grads.map(|m| m.grad().unwrap().to_vec());
        (output.to_vec().unwrap(), grads.collect::<Vec<_>>())
    };
    assert!(run(1) == run(2));
}

/// Masks in the order of their numbers.
fn masks(config: &Config) -> Vec<recurrentnn::regularise::Mask> {
    let masks = config.masks(Phase::Training);
    masks.iter().flat_map(Masks::iter).copied().collect()
}

#[test]
fn every_mask_of_a_step_has_a_number_of_its_own() {
    for config in configs() {
        let mut numbers: Vec<_> = masks(&config).iter().map(|mask| mask.number).collect();
        let count = numbers.len();
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers.len(), count, "{config:?}");
        assert!(config.masks(Phase::Evaluation).is_empty());
    }
}
