//! A cell of one's own in Rust, stacked and trained: `cargo run --release --example own_cell`.
//! The net hears eight random numbers and says at every step the sum of the last two.
#![allow(clippy::print_stdout)] // a program shows what it does

use recurrentnn::cells::{CellKind, Custom, Options};
use recurrentnn::config::{Config, InitKind};
use recurrentnn::error::Result;
use recurrentnn::graph::Graph;
use recurrentnn::kernels::Isa;
use recurrentnn::matrix::Matrix;
use recurrentnn::model::Model;
use recurrentnn::ops::Recorder;
use recurrentnn::optim::{self, Moments, Optimizer, RmsProp};
use recurrentnn::random::{Purpose, Stream};
use recurrentnn::shape::Shape;
use recurrentnn::unroll::{Sequence, unroll};

const BATCH: usize = 16;
const TIME: usize = 8;

/// The minimal gated unit (Zhou et al. 2016): f = sigmoid(W x + U h + b),
/// n = tanh(V x + Y (f h) + c), h' = h + f (n - h).
fn mgu() -> Result<Custom> {
    Custom::new("MGU", &["hidden"], |cell, layer| {
        let forget = cell.gate("forget", layer.inputs, layer.size);
        let candidate = cell.gate("candidate", layer.inputs, layer.size);
        let (x, h) = (cell.x(), cell.state("hidden")?);
        let f = forget.sigmoid(cell, &x, &h)?;
        let remembered = cell.mul(&f, &h)?;
        let n = candidate.sum(cell, &x, &remembered)?;
        let n = cell.tanh(&n)?;
        let change = cell.sub(&n, &h)?;
        let change = cell.mul(&f, &change)?;
        Ok(vec![cell.add(&[&h, &change])?])
    })
}

/// Numbers, column = t * BATCH + b, and at column = b * TIME + t the sum of the last two.
fn task(step: u32) -> Result<(Matrix<f32>, Matrix<f32>)> {
    let mut heard = vec![0.0; TIME * BATCH];
    Stream::new(0, Purpose::Matrix, step).fill_normal(&mut heard, 0.0, 0.5);
    let at = |t: usize, b: usize| heard[t * BATCH + b];
    let sum = |t: usize, b: usize| at(t, b) + if t > 0 { at(t - 1, b) } else { 0.0 };
    let sums = (0..BATCH).flat_map(|b| (0..TIME).map(move |t| sum(t, b)));
    let sums = Matrix::constant(Shape::new(1, TIME * BATCH), sums.collect())?;
    Ok((Matrix::constant(Shape::new(1, TIME * BATCH), heard)?, sums))
}

fn main() -> Result<()> {
    let model = Model::<f32>::new(Config {
        cell: CellKind::Custom(mgu()?),
        input_size: 1,
        hidden_sizes: vec![24, 24],
        output_size: Some(1),
        embedding_size: None,
        options: Options::default(),
        input_to_all: false,
        all_to_output: false,
        init: InitKind::Glorot,
        std: Config::STD,
        forget_bias: Config::FORGET_BIAS,
        seed: 0,
        ..Config::default()
    })?;
    let optimizer = Optimizer::<RmsProp>::from(optim::Options {
        learning_rate: 3e-3,
        ..optim::Options::default()
    });
    let named = model.params().iter();
    let parameters: Vec<_> = named.map(|(name, matrix)| (Some(name), matrix)).collect();
    let mut moments = Moments::default();
    for step in 0..=400 {
        let mut graph = Graph::new(Isa::best());
        let (heard, sums) = task(step)?;
        let first = model.zero_states(BATCH)?;
        let heard = Sequence::Features(heard);
        let (said, _) = unroll(&model, &mut graph, &heard, BATCH, first, None, &mut || {
            Ok(())
        })?;
        let loss = graph.squared_error(&said, &sums)?;
        graph.backward_from(&loss, false)?;
        optim::step(Isa::best(), &optimizer, &mut moments, &parameters, 1)?;
        if step % 100 == 0 {
            println!("step {step}: mean squared error {:.4}", loss.value()?[0]);
        }
    }
    Ok(())
}
