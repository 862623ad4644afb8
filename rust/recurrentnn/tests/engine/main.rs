//! Programs against the graph: outputs, states and every gradient, for all cells, sizes around the
//! edges of tiles, both element types, every instruction set, every pass on and off; and where the
//! bits must agree, the bits.
#![allow(clippy::unwrap_used)] // a helper of tests, too, should stop where it stands

use std::sync::Arc;

use recurrentnn::cells::{CellKind, FeedbackGate, Options, Reset, State};
use recurrentnn::config::{Config, InitKind};
use recurrentnn::element::Element;
use recurrentnn::graph::Graph;
use recurrentnn::kernels::Isa;
use recurrentnn::matrix::Matrix;
use recurrentnn::model::{Model, States};
use recurrentnn::program::{
    Call, Extent, Incoming, Input, Passes, Program, Source, weight_gradients,
};
use recurrentnn::random::{Purpose, Stream};
use recurrentnn::regularise::Phase;
use recurrentnn::shape::Shape;
use recurrentnn::unroll::{Sequence, unroll};

mod again;
mod bits;
mod both_ways;
mod case;
mod custom;
mod own;
mod ragged;
mod recipe;
mod recipes;
mod serve;
mod stacks;
mod values;

use case::{Case, Outcome, state_rows};

/// A net of this cell, with every option that is not the default where `other`.
fn config(cell: CellKind, inputs: usize, sizes: &[usize], other: bool) -> Config {
    let mut options = Options::default();
    if other {
        if cell == CellKind::Gru {
            options.reset = Reset::Before;
        }
        if cell.has_feedback() {
            options.gate = FeedbackGate::Vector;
            options.all_to_gates = cell.has_unit_gates();
        }
    }
    Config {
        cell,
        input_size: inputs,
        hidden_sizes: sizes.to_vec(),
        output_size: Some(5),
        embedding_size: None,
        options,
        input_to_all: other,
        all_to_output: other,
        init: InitKind::Glorot,
        std: 0.08,
        forget_bias: 1.0,
        seed: 5,
        ..Config::default()
    }
}

fn numbers<T: Element>(len: usize, number: u32) -> Vec<T> {
    let mut numbers = vec![0.0; len];
    Stream::new(9, Purpose::Matrix, number).fill_normal(&mut numbers, 0.0, 1.0);
    numbers.into_iter().map(T::from_f64).collect()
}

/// A net whose biases, too, are not zero: else a lost bias would not show.
fn net<T: Element>(config: &Config) -> Model<T> {
    let model = Model::new(config.clone()).unwrap();
    for (number, (_, matrix)) in (100..).zip(model.params().iter()) {
        let noise = numbers::<T>(matrix.shape().len(), number);
        let mut value = matrix.value_mut().unwrap();
        for (w, noise) in value.iter_mut().zip(noise) {
            *w += T::from_f64(0.2) * noise;
        }
    }
    model
}

/// The largest |x - y| / (1 + |y|) of all that came out.
fn distance<T: Element>(a: &Outcome<T>, b: &Outcome<T>) -> f64 {
    let pairs = |a: &[Vec<T>], b: &[Vec<T>]| {
        assert_eq!(a.len(), b.len());
        a.iter()
            .zip(b)
            .map(|(a, b)| apart(a, b))
            .fold(0.0, f64::max)
    };
    [
        apart(&a.output, &b.output),
        pairs(&a.states, &b.states),
        pairs(&a.params, &b.params),
        apart(&a.input, &b.input),
        pairs(&a.initial, &b.initial),
    ]
    .into_iter()
    .fold(0.0, f64::max)
}

fn apart<T: Element>(a: &[T], b: &[T]) -> f64 {
    assert_eq!(a.len(), b.len());
    let apart = |(a, b): (&T, &T)| (a.to_f64() - b.to_f64()).abs() / (1.0 + b.to_f64().abs());
    // A NaN is as far away as can be.
    let apart = a
        .iter()
        .zip(b)
        .map(apart)
        .map(|d| if d.is_nan() { f64::INFINITY } else { d });
    apart.fold(0.0, f64::max)
}
