//! A character model learns a text and writes on from a prompt, on the Rust core alone:
//! `cargo run --release --example char_lm [TEXT]`. Without TEXT it learns this project's README.
#![allow(clippy::print_stdout)] // a program shows what it does

use std::error::Error;
use std::sync::Arc;

use recurrentnn::cells::{CellKind, Options};
use recurrentnn::config::{Config, InitKind};
use recurrentnn::graph::Graph;
use recurrentnn::host::Alone;
use recurrentnn::kernels::Isa;
use recurrentnn::matrix::Matrix;
use recurrentnn::model::Model;
use recurrentnn::ops::Recorder;
use recurrentnn::optim::{self, Clip, Moments, Optimizer, RmsProp};
use recurrentnn::random::{Purpose, Stream};
use recurrentnn::sample::{Generator, Request, Sampling};
use recurrentnn::sequence::{Rows, record};
use recurrentnn::text::Vocabulary;
use recurrentnn::unroll::Sequence;

const BATCH: usize = 16;
const TIME: usize = 40;
const STEPS: u32 = 300;

/// Symbols in, logits out.
fn lstm(symbols: usize) -> Config {
    Config {
        cell: CellKind::Lstm,
        input_size: symbols,
        hidden_sizes: vec![96],
        output_size: Some(symbols),
        embedding_size: Some(32),
        options: Options::default(),
        input_to_all: false,
        all_to_output: false,
        init: InitKind::Glorot,
        std: 0.08,
        forget_bias: 1.0,
        seed: 0,
        ..Config::default()
    }
}

/// Pieces of the text, each with the symbols that follow. A sequence takes step after step, its
/// output has sample after sample.
fn batch(symbols: &[usize], step: u32) -> (Vec<usize>, Vec<usize>) {
    let stream = Stream::new(0, Purpose::Shuffle, step);
    let starts = (0..BATCH as u64).map(|b| stream.below(b, symbols.len() - TIME));
    let starts: Vec<usize> = starts.collect();
    let inputs = (0..TIME).flat_map(|t| starts.iter().map(move |start| symbols[start + t]));
    let targets = starts
        .iter()
        .flat_map(|start| &symbols[start + 1..=start + TIME]);
    (inputs.collect(), targets.copied().collect())
}

fn main() -> Result<(), Box<dyn Error>> {
    let text = match std::env::args().nth(1) {
        Some(path) => std::fs::read_to_string(path)?,
        None => include_str!("../README.md").to_owned(),
    };
    let vocabulary = Vocabulary::from_text(&text, false)?;
    let symbols = vocabulary.encode(&text)?;
    if symbols.len() <= TIME {
        return Err(format!("a text must have more than {TIME} characters").into());
    }

    let isa = Isa::best();
    let model = Model::<f32>::new(lstm(vocabulary.len()))?;
    let optimizer = Optimizer::<RmsProp>::from(optim::Options {
        learning_rate: 5e-3,
        clip: Clip {
            value: Some(0.1),
            norm: None,
        },
        ..optim::Options::default()
    });
    let named = model
        .params()
        .iter()
        .map(|(name, matrix)| (Some(name), matrix));
    let parameters: Vec<(Option<&str>, &Matrix<f32>)> = named.collect();
    let mut moments = Moments::default();

    let rows = Arc::new(Rows::dense(BATCH, TIME));
    for step in 0..=STEPS {
        let (inputs, targets) = batch(&symbols, step);
        let mut graph = Graph::new(isa);
        let sequence = Sequence::Symbols(inputs);
        let (logits, _) = record(&model, &mut graph, &sequence, &rows, None, None, &mut Alone)?;
        let loss = graph.softmax_cross_entropy(&logits, targets.into(), None)?;
        graph.backward_from(&loss, false)?;
        optim::step(isa, &optimizer, &mut moments, &parameters, 1)?;
        if step % 50 == 0 {
            let bits = loss.value()?[0] / std::f32::consts::LN_2;
            println!("step {step:3}: {bits:.2} bits per character");
        }
    }

    let prompt = &symbols[..TIME / 2];
    let request = Request {
        primes: &[prompt.to_vec()],
        histories: &[],
        count: 1,
        sampling: &Sampling::at(0.5),
        stops: &[],
        seed: 0,
        sample: 0,
        position: 0,
    };
    let states = model.zero_states(1)?;
    let mut generator = Generator::new(isa, &model, &request, &states, &mut Alone)?;
    for _ in 0..200 {
        generator.step(&model, &mut Alone)?;
    }
    let written = generator.take(0);
    let (prompt, written) = (vocabulary.decode(prompt)?, vocabulary.decode(&written)?);
    println!("\n{prompt}|{written}");
    Ok(())
}
