//! Walks the table of cells, each with its options: gradients through steps and layers, batches,
//! symbols, and a sequence against its steps.
#![allow(clippy::unwrap_used)] // a helper of tests, too, should stop where it stands

use recurrentnn::cells::{ActivationKind, CellKind, FeedbackGate, Options, Reset, State};
use recurrentnn::config::{Config, InitKind};
use recurrentnn::error::Result;
use recurrentnn::gradcheck::{self, gradcheck};
use recurrentnn::graph::Graph;
use recurrentnn::kernels::Isa;
use recurrentnn::matrix::Matrix;
use recurrentnn::model::{Model, States};
use recurrentnn::ops::Recorder;
use recurrentnn::random::{Purpose, Stream};
use recurrentnn::shape::Shape;
use recurrentnn::unroll::{self, Sequence};

const INPUT: usize = 3;
const SIZES: [usize; 2] = [3, 2];
const OUTPUT: usize = 3;
const BATCH: usize = 2;
const TIME: usize = 3;

mod custom;
mod equations;
mod optional;
mod recorded;

/// A small net of two unequal layers.
fn config(cell: CellKind, options: Options) -> Config {
    Config {
        cell,
        input_size: INPUT,
        hidden_sizes: SIZES.to_vec(),
        output_size: Some(OUTPUT),
        embedding_size: None,
        options,
        input_to_all: false,
        all_to_output: false,
        init: InitKind::Glorot,
        std: 0.08,
        forget_bias: 1.0,
        seed: 5,
        ..Config::default()
    }
}

/// Every option of a cell that is not the default.
fn other_options(cell: &CellKind) -> Options {
    let mut options = Options::default();
    if !cell.has_unit_gates() {
        options.activation = ActivationKind::Relu;
    }
    if *cell == CellKind::Gru {
        options.reset = Reset::Before;
    }
    if cell.has_feedback() {
        options.gate = FeedbackGate::Vector;
        options.all_to_gates = cell.has_unit_gates();
    }
    options
}

/// Every cell as it comes, with every other option, and with what a model adds.
fn configs() -> Vec<Config> {
    let mut all = vec![config(
        CellKind::Custom(custom::counting_lstm()),
        Options::default(),
    )];
    for cell in CellKind::ALL {
        let other = config(cell.clone(), other_options(cell));
        all.push(config(cell.clone(), Options::default()));
        all.push(Config {
            output_size: None,
            ..other.clone()
        });
        all.push(Config {
            embedding_size: Some(2),
            input_to_all: true,
            all_to_output: true,
            ..other
        });
    }
    all.extend(optional::configs());
    all
}

/// A leaf of normal numbers; `number` tells it from others.
fn leaf(rows: usize, cols: usize, number: u32) -> Matrix<f64> {
    let mut numbers = vec![0.0; rows * cols];
    Stream::new(9, Purpose::Matrix, number).fill_normal(&mut numbers, 0.0, 1.0);
    Matrix::from_vec(Shape::new(rows, cols), numbers).unwrap()
}

/// A net whose biases, too, are not zero: else a lost bias would not show.
fn net(config: &Config) -> Model<f64> {
    let model = Model::new(config.clone()).unwrap();
    for (number, (_, matrix)) in (100..).zip(model.params().iter()) {
        let noise = leaf(matrix.rows(), matrix.cols(), number);
        let mut value = matrix.value_mut().unwrap();
        for (w, noise) in value.iter_mut().zip(noise.value().unwrap().iter()) {
            *w += 0.3 * noise;
        }
    }
    model
}

fn states(model: &Model<f64>) -> States<Matrix<f64>> {
    let rows = (10..).zip(model.config().all_state_rows());
    model.layered(rows.map(|(number, rows)| leaf(rows, BATCH, number)))
}

/// All matrices of all layers.
fn parts(states: &States<Matrix<f64>>) -> Vec<Matrix<f64>> {
    states.iter().flat_map(State::vectors).cloned().collect()
}

/// Features of `TIME` steps, column = t * BATCH + b; for a net with an embedding, symbols.
fn sequence(config: &Config) -> Sequence<f64> {
    if config.embedding_size.is_some() {
        return Sequence::Symbols(vec![0, 2, 1, 2, 2, 0]);
    }
    Sequence::Features(leaf(INPUT, BATCH * TIME, 1))
}

/// A sequence that nobody interrupts.
fn unroll(
    model: &Model<f64>,
    graph: &mut Graph<f64>,
    sequence: &Sequence<f64>,
    batch: usize,
    states: States<Matrix<f64>>,
) -> Result<(Matrix<f64>, States<Matrix<f64>>)> {
    unroll::unroll(model, graph, sequence, batch, states, None, &mut || Ok(()))
}

/// Columns `range` of a matrix, as data.
fn columns(m: &Matrix<f64>, range: std::ops::Range<usize>) -> Matrix<f64> {
    let (rows, numbers) = (m.rows(), m.to_vec().unwrap());
    let kept = numbers[range.start * rows..range.end * rows].to_vec();
    Matrix::constant(Shape::new(rows, range.len()), kept).unwrap()
}

/// Equal bit for bit, -0 and 0 told apart.
fn assert_same(a: &Matrix<f64>, b: &Matrix<f64>, what: &Config) {
    let bits = |m: &Matrix<f64>| {
        m.value()
            .unwrap()
            .iter()
            .map(|x| x.to_bits())
            .collect::<Vec<_>>()
    };
    assert_eq!(a.shape(), b.shape(), "{what:?}");
    assert_eq!(bits(a), bits(b), "{what:?}");
}

#[test]
fn gradients_reach_parameters_input_and_first_state() {
    for config in configs() {
        let model = net(&config);
        let (first, sequence) = (states(&model), sequence(&config));
        let mut leaves = model.params().matrices().to_vec();
        leaves.extend(parts(&first));
        if let Sequence::Features(x) = &sequence {
            leaves.push(x.clone());
        }
        let everything = |graph: &mut Graph<f64>, _: &[Matrix<f64>]| {
            let (output, last) = unroll(&model, graph, &sequence, BATCH, first.clone())?;
            let mut all = parts(&last);
            all.push(output);
            // Columns and rows differ: laid end to end.
            let flat = all.iter().map(|m| graph.reshape(m, m.shape().len(), 1));
            let flat = flat.collect::<Result<Vec<_>>>()?;
            graph.concat(&flat.iter().collect::<Vec<_>>())
        };
        let options = gradcheck::Options {
            tolerance: 1e-8,
            ..Default::default()
        };
        if let Err(error) = gradcheck(Isa::best(), &leaves, everything, options) {
            panic!("{config:?}: {error}");
        }
        assert!(
            model
                .params()
                .iter()
                .all(|(_, m)| m.grad_if_any().is_some())
        );
    }
}

#[test]
fn a_sample_in_a_batch_has_the_bits_it_has_alone() {
    for config in configs() {
        let model = net(&config);
        let (first, sequence) = (states(&model), sequence(&config));
        for isa in Isa::available() {
            let mut graph = Graph::without_recording(isa);
            let (output, last) =
                unroll(&model, &mut graph, &sequence, BATCH, first.clone()).unwrap();
            for b in 0..BATCH {
                let steps = (0..TIME).map(|t| t * BATCH + b);
                let alone = match &sequence {
                    Sequence::Symbols(all) => Sequence::Symbols(steps.map(|at| all[at]).collect()),
                    Sequence::Features(x) => {
                        let steps = steps.collect::<Vec<_>>().into();
                        Sequence::Features(graph.select_columns(x, steps).unwrap())
                    }
                };
                let own = |state: &State<Matrix<f64>>| State {
                    hidden: columns(&state.hidden, b..b + 1),
                    more: state.more.iter().map(|m| columns(m, b..b + 1)).collect(),
                };
                let own = first.iter().map(own).collect();
                let (found, state) = unroll(&model, &mut graph, &alone, 1, own).unwrap();
                assert_same(&found, &columns(&output, b * TIME..(b + 1) * TIME), &config);
                for (found, last) in parts(&state).iter().zip(&parts(&last)) {
                    assert_same(found, &columns(last, b..b + 1), &config);
                }
            }
        }
    }
}

#[test]
fn a_sequence_is_its_steps() {
    for config in configs() {
        let model = net(&config);
        let (mut state, sequence) = (states(&model), sequence(&config));
        let mut graph = Graph::without_recording(Isa::best());
        let (output, last) = unroll(&model, &mut graph, &sequence, BATCH, state.clone()).unwrap();
        for t in 0..TIME {
            let now = t * BATCH..(t + 1) * BATCH;
            let x = match &sequence {
                Sequence::Symbols(all) => model.embed(&mut graph, &all[now]).unwrap(),
                Sequence::Features(x) => columns(x, now),
            };
            let next = model.step(&mut graph, &x, &state).unwrap();
            let top = model.top(&mut graph, &next).unwrap();
            state = next.states;
            let stepped = model.decode(&mut graph, &top).unwrap();
            for b in 0..BATCH {
                let at = b * TIME + t;
                assert_same(
                    &columns(&stepped, b..b + 1),
                    &columns(&output, at..at + 1),
                    &config,
                );
            }
        }
        for (stepped, last) in parts(&state).iter().zip(&parts(&last)) {
            assert_same(stepped, last, &config);
        }
    }
}

#[test]
fn symbols_without_embedding_are_one_hot() {
    let symbols = [0, 2, 1, 2, 2, 0];
    let mut one_hot = vec![0.0; INPUT * symbols.len()];
    for (column, symbol) in symbols.iter().enumerate() {
        one_hot[column * INPUT + symbol] = 1.0;
    }
    let one_hot = Matrix::constant(Shape::new(INPUT, symbols.len()), one_hot).unwrap();
    for config in configs()
        .into_iter()
        .filter(|config| config.embedding_size.is_none())
    {
        let (model, mut graph) = (net(&config), Graph::new(Isa::best()));
        let mut run = |sequence| {
            let first = states(&model);
            unroll(&model, &mut graph, &sequence, BATCH, first)
                .unwrap()
                .0
        };
        let by_symbol = run(Sequence::Symbols(symbols.to_vec()));
        assert_same(
            &by_symbol,
            &run(Sequence::Features(one_hot.clone())),
            &config,
        );
    }
}

#[test]
fn what_does_not_fit_is_refused_and_leaves_no_trace() {
    for config in configs() {
        let model = net(&config);
        let mut graph = Graph::new(Isa::best());
        let x = leaf(config.features(), BATCH, 1);
        let good = states(&model);
        let wrong_x = leaf(config.features() + 1, BATCH, 1);
        assert!(
            model.step(&mut graph, &wrong_x, &good).is_err(),
            "{config:?}"
        );
        assert!(
            model.step(&mut graph, &x, &good[..1]).is_err(),
            "{config:?}"
        );
        let mut wide = good.clone();
        wide[1].hidden = leaf(good[1].hidden.rows(), BATCH + 1, 2);
        assert!(model.step(&mut graph, &x, &wide).is_err(), "{config:?}");
        let mut other = good.clone();
        other[0].more.push(leaf(SIZES[0], BATCH, 3));
        assert!(model.step(&mut graph, &x, &other).is_err(), "{config:?}");
        assert!(model.embed(&mut graph, &[0, INPUT]).is_err(), "{config:?}");
        let odd = Sequence::Symbols(vec![0; 3]);
        assert!(
            unroll(&model, &mut graph, &odd, BATCH, good).is_err(),
            "{config:?}"
        );
        assert!(graph.is_empty(), "{config:?}");
    }
}
