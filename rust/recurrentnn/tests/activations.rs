//! What a model computes on its way: the same on every instruction set, in any batch, beside the output.
#![allow(clippy::unwrap_used)] // a helper of tests, too, should stop where it stands

use recurrentnn::activations::{Activation, activations};
use recurrentnn::cells::{CellKind, Options};
use recurrentnn::config::{Config, InitKind};
use recurrentnn::error::Error;
use recurrentnn::host::{Alone, Host, Poll};
use recurrentnn::kernels::Isa;
use recurrentnn::model::Model;
use recurrentnn::sequence::{Columns, Rows, infer};
use recurrentnn::unroll::Sequence;

const BATCH: usize = 2;

fn model(cell: &CellKind, embedding_size: Option<usize>) -> Model<f64> {
    Model::new(Config {
        cell: cell.clone(),
        input_size: 6,
        hidden_sizes: vec![9, 4],
        output_size: Some(3),
        embedding_size,
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

fn observed(model: &Model<f64>, isa: Isa) -> Vec<Activation<f64>> {
    let states = model.zero_states(BATCH).unwrap();
    let (sequence, columns) = (symbols(), Columns::TimeMajor);
    activations(
        isa,
        model,
        &sequence,
        &rows(),
        Some(&states),
        columns,
        &mut Alone,
    )
    .unwrap()
}

fn rows() -> Rows {
    Rows::dense(BATCH, 8 / BATCH)
}

fn symbols() -> Sequence<f64> {
    Sequence::Symbols(vec![1, 5, 0, 2, 2, 4, 3, 1])
}

#[test]
fn they_end_in_the_output_and_the_states_of_a_call() {
    for (cell, embedding) in CellKind::ALL
        .iter()
        .zip([None, Some(5)].into_iter().cycle())
    {
        let model = model(cell, embedding);
        let isa = Isa::best();
        let found = observed(&model, isa);
        let states = model.zero_states(BATCH).unwrap();
        let (sequence, columns) = (symbols(), Columns::TimeMajor);
        let call = infer(
            isa,
            &model,
            &sequence,
            &rows(),
            Some(&states),
            columns,
            &mut Alone,
        )
        .unwrap();
        let output = found.last().unwrap();
        assert_eq!((&*output.name, output.rows), ("output", 3));
        assert_eq!(output.values, call.values, "{cell:?}");
        let vectors = cell.states();
        for (number, (shape, last)) in call.states.iter().enumerate() {
            let (layer, vector) = (number / vectors.len(), number % vectors.len());
            let name = format!("layers.{layer}.{}", vectors[vector]);
            let state = found.iter().find(|found| found.name == name).unwrap();
            let after = state.values.len() - shape.len();
            assert_eq!(&state.values[after..], last, "{cell:?} {name}");
        }
    }
}

#[test]
fn instruction_sets_agree() {
    for cell in CellKind::ALL {
        let model = model(cell, None);
        let best = observed(&model, Isa::best());
        for (one, other) in best.iter().zip(observed(&model, Isa::PORTABLE)) {
            assert_eq!(one.name, other.name);
            for (a, b) in one.values.iter().zip(other.values) {
                assert!((a - b).abs() <= 1e-12, "{cell:?} {}: {a} {b}", one.name);
            }
        }
    }
}

/// Wants every work stopped at once.
struct Stop;

impl Host for Stop {
    fn run(&mut self, _long: bool, work: &mut (dyn FnMut(Poll<'_>) + Send)) {
        work(&mut || true);
    }
}

#[test]
fn the_host_may_stop_it() {
    let model = model(&CellKind::Lstm, None);
    let states = model.zero_states(BATCH).unwrap();
    let (sequence, columns) = (symbols(), Columns::BatchMajor);
    let isa = Isa::best();
    let result = activations(
        isa,
        &model,
        &sequence,
        &rows(),
        Some(&states),
        columns,
        &mut Stop,
    );
    assert!(matches!(result, Err(Error::Interrupted)));
}
