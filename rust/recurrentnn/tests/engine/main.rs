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
use recurrentnn::shape::Shape;
use recurrentnn::unroll::{Sequence, unroll};

mod again;
mod bits;
mod custom;
mod own;
mod recipe;
mod recipes;
mod stacks;
mod values;

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

/// A sequence for a net: its input, states before it, and the gradients that come back.
struct Case<T: Element> {
    model: Model<T>,
    extent: Extent,
    /// Time-major.
    features: Vec<T>,
    symbols: Option<Vec<usize>>,
    states: Vec<Vec<T>>,
    /// Of the output, and of the states after the last step.
    output_grad: Vec<T>,
    state_grads: Vec<Vec<T>>,
}

/// What comes out of a run.
#[derive(Debug, PartialEq)]
struct Outcome<T> {
    output: Vec<T>,
    states: Vec<Vec<T>>,
    params: Vec<Vec<T>>,
    input: Vec<T>,
    initial: Vec<Vec<T>>,
}

impl<T: Element> Case<T> {
    fn new(config: &Config, time: usize, batch: usize, symbols: bool) -> Self {
        let model = net::<T>(config);
        let columns = time * batch;
        let pick = |i: usize| (i * 7 + i / 3) % config.input_size;
        let sizes = state_rows(&model);
        let vectors = |first: u32| -> Vec<Vec<T>> {
            let vector = |(number, rows): (u32, &usize)| numbers(rows * batch, number);
            (first..).zip(&sizes).map(vector).collect()
        };
        Self {
            extent: Extent { time, batch },
            features: numbers(config.features() * columns, 1),
            symbols: symbols.then(|| (0..columns).map(pick).collect()),
            states: vectors(20),
            output_grad: numbers(config.output_rows() * columns, 2),
            state_grads: vectors(40),
            model,
        }
    }

    fn shapes(&self) -> Vec<Shape> {
        self.model
            .params()
            .matrices()
            .iter()
            .map(Matrix::shape)
            .collect()
    }

    fn source(&self) -> Source {
        match (&self.symbols, self.model.config().embedding_size) {
            (None, _) => Source::Features,
            (Some(_), None) => Source::OneHot,
            // The first of all parameters.
            (Some(_), Some(_)) => Source::Embedding(0),
        }
    }

    fn program(&self, passes: Passes) -> Arc<Program<T>> {
        let expression = self.model.trace().unwrap();
        let states = state_rows(&self.model);
        Arc::new(Program::new(&expression, &self.shapes(), &states, self.source(), passes).unwrap())
    }

    fn input(&self) -> Input<'_, T> {
        match &self.symbols {
            Some(symbols) => Input::Symbols(symbols),
            None => Input::Features(&self.features),
        }
    }

    /// Op by op.
    fn graph(&self) -> Outcome<T> {
        let Extent { time, batch } = self.extent;
        let mut graph = Graph::<T>::new(Isa::PORTABLE);
        let columns = Shape::new(self.model.config().features(), time * batch);
        let features = Matrix::from_vec(columns, self.features.clone()).unwrap();
        let sequence = match &self.symbols {
            Some(symbols) => Sequence::Symbols(symbols.clone()),
            None => Sequence::Features(features.clone()),
        };
        let leaf = |values: &Vec<T>| {
            Matrix::from_vec(Shape::new(values.len() / batch, batch), values.clone()).unwrap()
        };
        let leaves: Vec<Matrix<T>> = self.states.iter().map(leaf).collect();
        let states = layered(&self.model, &leaves);
        let mut poll = || Ok(());
        let (output, after) =
            unroll(&self.model, &mut graph, &sequence, batch, states, &mut poll).unwrap();
        let rows = output.rows();
        output.grad_mut().unwrap().copy_from_slice(&batch_major(
            &self.output_grad,
            rows,
            time,
            batch,
        ));
        let after: Vec<Matrix<T>> = after.iter().flat_map(State::vectors).cloned().collect();
        for (after, grad) in after.iter().zip(&self.state_grads) {
            // The output may be the same matrix as a state.
            for (to, g) in after.grad_mut().unwrap().iter_mut().zip(grad) {
                *to += *g;
            }
        }
        self.model.params().zero_grad().unwrap();
        graph.backward(false).unwrap();
        let grads = |m: &Matrix<T>| m.grad().unwrap().to_vec();
        let outcome = Outcome {
            output: time_major(&output.to_vec().unwrap(), rows, time, batch),
            states: after.iter().map(|m| m.to_vec().unwrap()).collect(),
            params: self.model.params().matrices().iter().map(grads).collect(),
            input: if self.symbols.is_some() {
                Vec::new()
            } else {
                grads(&features)
            },
            initial: leaves.iter().map(grads).collect(),
        };
        self.model.params().zero_grad().unwrap();
        outcome
    }

    /// By a program.
    fn run(&self, isa: Isa, passes: Passes, threads: usize) -> Outcome<T> {
        self.run_of(&self.program(passes), isa, threads)
    }

    fn run_of(&self, program: &Arc<Program<T>>, isa: Isa, threads: usize) -> Outcome<T> {
        let mut prelude = Graph::<T>::new(isa);
        let weights = program
            .prelude()
            .weights(&mut prelude, self.model.params().matrices());
        let weights = weights.unwrap();
        let values: Vec<_> = weights.iter().map(|m| m.value().unwrap()).collect();
        let values: Vec<&[T]> = values.iter().map(|value| &**value).collect();
        let states: Vec<Option<&[T]>> = self.states.iter().map(|s| Some(&s[..])).collect();
        let call = Call {
            isa,
            threads,
            extent: self.extent,
            input: self.input(),
            states: &states,
            weights: &values,
            version: None,
            differentiate: true,
            input_grad: self.symbols.is_none(),
        };
        let mut poll = || false;
        let mut run = program.begin(&call).unwrap();
        run.forward(&mut poll).unwrap();
        let output = run.result(0).unwrap().to_vec();
        let after = (0..states.len())
            .map(|k| run.state(k).unwrap().to_vec())
            .collect();
        let grads: Vec<Option<&[T]>> = self.state_grads.iter().map(|s| Some(&s[..])).collect();
        let incoming = Incoming {
            results: &[Some(&self.output_grad)],
            states: &grads,
        };
        run.receive(incoming).unwrap();
        run.backward(&mut poll).unwrap();
        let mut params: Vec<Vec<T>> = values
            .iter()
            .map(|value| vec![T::ZERO; value.len()])
            .collect();
        let mut into: Vec<&mut [T]> = params.iter_mut().map(|p| &mut p[..]).collect();
        weight_gradients(&[&run], &values, &mut into).unwrap();
        let input = run.input_grad().unwrap().filter(|_| self.symbols.is_none());
        // What was computed from parameters alone hands its gradients on to them.
        for (weight, grad) in weights.iter().zip(&params) {
            for (sum, &g) in weight.grad_mut().unwrap().iter_mut().zip(grad) {
                *sum += g;
            }
        }
        if !prelude.is_empty() {
            prelude.backward(false).unwrap();
        }
        let taken = |m: &Matrix<T>| {
            let grad = m.grad().unwrap().to_vec();
            m.zero_grad().unwrap();
            grad
        };
        let params = self.model.params().matrices().iter().map(taken).collect();
        Outcome {
            output,
            states: after,
            params,
            input: input.map(<[T]>::to_vec).unwrap_or_default(),
            initial: (0..states.len())
                .map(|k| run.state_grad(k).unwrap().to_vec())
                .collect(),
        }
    }
}

fn state_rows<T: Element>(model: &Model<T>) -> Vec<usize> {
    let vectors = model.config().cell.states().len();
    let sizes = model.config().hidden_sizes.iter();
    sizes
        .flat_map(|&size| std::iter::repeat_n(size, vectors))
        .collect()
}

/// Vectors as states, layer by layer.
fn layered<T: Element>(model: &Model<T>, vectors: &[Matrix<T>]) -> States<Matrix<T>> {
    let count = model.config().cell.states().len();
    let state = |vectors: &[Matrix<T>]| State {
        hidden: vectors[0].clone(),
        more: vectors[1..].to_vec(),
    };
    vectors.chunks(count).map(state).collect()
}

/// From column t * batch + b to b * time + t.
fn batch_major<T: Element>(values: &[T], rows: usize, time: usize, batch: usize) -> Vec<T> {
    let column = |c: usize| &values[((c % time) * batch + c / time) * rows..][..rows];
    (0..time * batch).flat_map(|c| column(c).to_vec()).collect()
}

/// And back.
fn time_major<T: Element>(values: &[T], rows: usize, time: usize, batch: usize) -> Vec<T> {
    batch_major(values, rows, batch, time)
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
