//! A sequence as one node of a graph: tick by tick or at once, stopped and run again.
#![allow(clippy::unwrap_used)] // a helper of tests, too, should stop where it stands

use std::sync::Arc;

use recurrentnn::cells::{CellKind, Options, State};
use recurrentnn::config::{Config, InitKind};
use recurrentnn::error::Error;
use recurrentnn::graph::Graph;
use recurrentnn::host::{Alone, Host, Poll};
use recurrentnn::kernels::Isa;
use recurrentnn::matrix::Matrix;
use recurrentnn::model::Model;
use recurrentnn::ops::Recorder;
use recurrentnn::sequence::{Rows, record};
use recurrentnn::shape::Shape;
use recurrentnn::unroll::Sequence;

const TIME: usize = 6;
const BATCH: usize = 3;

fn net() -> Model<f64> {
    Model::new(Config {
        cell: CellKind::Lstm,
        input_size: 4,
        hidden_sizes: vec![5, 3],
        output_size: Some(2),
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
    .unwrap()
}

fn features(from: usize, steps: usize) -> Matrix<f64> {
    let number = |i: usize| ((i * 37 % 101) as f64) / 50.0 - 1.0;
    let range = from * BATCH * 4..(from + steps) * BATCH * 4;
    Matrix::from_vec(Shape::new(4, steps * BATCH), range.map(number).collect()).unwrap()
}

fn rows(time: usize) -> Arc<Rows> {
    Arc::new(Rows::dense(BATCH, time))
}

fn grads(model: &Model<f64>) -> Vec<Vec<f64>> {
    let take = |m: &Matrix<f64>| {
        let grad = m.grad().unwrap().to_vec();
        m.zero_grad().unwrap();
        grad
    };
    model.params().matrices().iter().map(take).collect()
}

fn loss(graph: &mut Graph<f64>, output: &Matrix<f64>) -> Matrix<f64> {
    let squares = graph.square(output).unwrap();
    graph.sum(&squares, None).unwrap()
}

/// The whole sequence as one node, and its loss.
fn recorded(model: &Model<f64>, graph: &mut Graph<f64>) -> Matrix<f64> {
    let sequence = Sequence::Features(features(0, TIME));
    let states = model.zero_states(BATCH).unwrap();
    let (output, _) = record(
        model,
        graph,
        &sequence,
        &rows(TIME),
        Some(&states),
        None,
        &mut Alone,
    )
    .unwrap();
    loss(graph, &output)
}

#[test]
fn ticks_have_the_gradients_of_the_sequence() {
    let model = net();
    let mut graph = Graph::new(Isa::best());
    let whole = recorded(&model, &mut graph);
    graph.backward_from(&whole, false).unwrap();
    let expected = grads(&model);
    let mut graph = Graph::new(Isa::best());
    let mut states = model.zero_states(BATCH).unwrap();
    let mut losses = Vec::new();
    for tick in 0..TIME {
        let sequence = Sequence::Features(features(tick, 1));
        let (output, after) = record(
            &model,
            &mut graph,
            &sequence,
            &rows(1),
            Some(&states),
            None,
            &mut Alone,
        )
        .unwrap();
        states = after;
        losses.push(loss(&mut graph, &output));
    }
    let ticked = graph.add(&losses.iter().collect::<Vec<_>>()).unwrap();
    graph.backward_from(&ticked, false).unwrap();
    assert!((ticked.value().unwrap()[0] - whole.value().unwrap()[0]).abs() < 1e-12);
    for (a, b) in grads(&model)
        .iter()
        .flatten()
        .zip(expected.iter().flatten())
    {
        assert!((a - b).abs() < 1e-12 * (1.0 + b.abs()), "{a} for {b}");
    }
}

/// Stops the work it is given, so many times.
struct Stops(usize);

impl Host for Stops {
    fn run(&mut self, _long: bool, work: &mut (dyn FnMut(Poll<'_>) + Send)) {
        let stop = self.0 > 0;
        self.0 = self.0.saturating_sub(1);
        work(&mut || stop);
    }
}

#[test]
fn what_was_stopped_changes_nothing_and_runs_again() {
    let model = net();
    let mut graph = Graph::new(Isa::best());
    let whole = recorded(&model, &mut graph);
    graph.backward_from(&whole, false).unwrap();
    let expected = grads(&model);
    let mut graph = Graph::new(Isa::best());
    let whole = recorded(&model, &mut graph);
    let mut host = Stops(2);
    for _ in 0..2 {
        let stopped = graph.backward_from_by(&mut host, &whole, false);
        assert!(matches!(stopped, Err(Error::Interrupted)));
        assert!(grads(&model).iter().flatten().all(|g| *g == 0.0));
    }
    // Twice, for a retained recording computes anew what its first pass wrote over.
    for _ in 0..2 {
        graph.backward_from_by(&mut host, &whole, true).unwrap();
        assert_eq!(grads(&model), expected);
    }
    // And from a seed put there by hand.
    let mut graph = Graph::new(Isa::best());
    let whole = recorded(&model, &mut graph);
    whole.grad_mut().unwrap()[0] = 1.0;
    let stopped = graph.backward_by(&mut Stops(1), false);
    assert!(matches!(stopped, Err(Error::Interrupted)));
    graph.backward(false).unwrap();
    assert_eq!(grads(&model), expected);
}

#[test]
fn a_stopped_sequence_records_nothing() {
    let model = net();
    let mut graph = Graph::new(Isa::best());
    let states: Vec<State<Matrix<f64>>> = model.zero_states(BATCH).unwrap();
    let sequence = Sequence::Features(features(0, TIME));
    let stopped = record(
        &model,
        &mut graph,
        &sequence,
        &rows(TIME),
        Some(&states),
        None,
        &mut Stops(1),
    );
    assert!(matches!(stopped, Err(Error::Interrupted)));
    assert!(graph.is_empty());
}
