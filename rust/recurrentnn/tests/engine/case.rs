//! A net with a sequence, on the graph and as a program.

use super::*;

/// A sequence for a net: its input, states before it, and the gradients that come back.
pub(crate) struct Case<T: Element> {
    pub(crate) model: Model<T>,
    pub(crate) extent: Extent,
    /// Time-major.
    pub(crate) features: Vec<T>,
    pub(crate) symbols: Option<Vec<usize>>,
    pub(crate) states: Vec<Vec<T>>,
    /// Of the output, and of the states after the last step.
    pub(crate) output_grad: Vec<T>,
    pub(crate) state_grads: Vec<Vec<T>>,
}

/// What comes out of a run.
#[derive(Debug, PartialEq)]
pub(crate) struct Outcome<T> {
    pub(crate) output: Vec<T>,
    pub(crate) states: Vec<Vec<T>>,
    pub(crate) params: Vec<Vec<T>>,
    pub(crate) input: Vec<T>,
    pub(crate) initial: Vec<Vec<T>>,
}

impl<T: Element> Case<T> {
    pub(crate) fn new(config: &Config, time: usize, batch: usize, symbols: bool) -> Self {
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

    pub(crate) fn shapes(&self) -> Vec<Shape> {
        self.model
            .params()
            .matrices()
            .iter()
            .map(Matrix::shape)
            .collect()
    }

    pub(crate) fn source(&self) -> Source {
        match (&self.symbols, self.model.config().embedding_size) {
            (None, _) => Source::Features,
            (Some(_), None) => Source::OneHot,
            // The first of all parameters.
            (Some(_), Some(_)) => Source::Embedding(0),
        }
    }

    pub(crate) fn program(&self, passes: Passes) -> Arc<Program<T>> {
        let expression = self.model.trace(Phase::Evaluation).unwrap();
        let states = state_rows(&self.model);
        Arc::new(Program::new(&expression, &self.shapes(), &states, self.source(), passes).unwrap())
    }

    pub(crate) fn input(&self) -> Input<'_, T> {
        match &self.symbols {
            Some(symbols) => Input::Symbols(symbols),
            None => Input::Features(&self.features),
        }
    }

    /// Op by op.
    pub(crate) fn graph(&self) -> Outcome<T> {
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
        let (output, after) = unroll(
            &self.model,
            &mut graph,
            &sequence,
            batch,
            states,
            None,
            &mut poll,
        )
        .unwrap();
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
    pub(crate) fn run(&self, isa: Isa, passes: Passes, threads: usize) -> Outcome<T> {
        self.run_of(&self.program(passes), isa, threads)
    }

    pub(crate) fn run_of(&self, program: &Arc<Program<T>>, isa: Isa, threads: usize) -> Outcome<T> {
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
            lengths: None,
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
            input: input.map(std::borrow::Cow::into_owned).unwrap_or_default(),
            initial: (0..states.len())
                .map(|k| run.state_grad(k).unwrap().to_vec())
                .collect(),
        }
    }
}

pub(crate) fn state_rows<T: Element>(model: &Model<T>) -> Vec<usize> {
    model.config().all_state_rows()
}

/// Vectors as states, layer by layer.
pub(crate) fn layered<T: Element>(model: &Model<T>, vectors: &[Matrix<T>]) -> States<Matrix<T>> {
    let count = model.config().cell.states().len();
    let state = |vectors: &[Matrix<T>]| State {
        hidden: vectors[0].clone(),
        more: vectors[1..].to_vec(),
    };
    vectors.chunks(count).map(state).collect()
}

/// From column t * batch + b to b * time + t.
pub(crate) fn batch_major<T: Element>(
    values: &[T],
    rows: usize,
    time: usize,
    batch: usize,
) -> Vec<T> {
    let column = |c: usize| &values[((c % time) * batch + c / time) * rows..][..rows];
    (0..time * batch).flat_map(|c| column(c).to_vec()).collect()
}

/// And back.
pub(crate) fn time_major<T: Element>(
    values: &[T],
    rows: usize,
    time: usize,
    batch: usize,
) -> Vec<T> {
    batch_major(values, rows, batch, time)
}
