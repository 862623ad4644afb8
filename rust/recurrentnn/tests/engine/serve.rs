//! What a dish gives on a graph and as a program.

use std::borrow::Cow;

use recurrentnn::ops::Recorder;
use recurrentnn::program::Run;

use super::recipe::{Dish, Served, one_hot};
use super::*;

impl<T: Element> Dish<T> {
    pub(crate) fn program(&self, passes: Passes) -> Arc<Program<T>> {
        let (rows, source) = (&self.state_rows, self.source);
        Arc::new(Program::new(&self.expression, &self.shapes, rows, source, passes).unwrap())
    }

    /// Op by op.
    pub(crate) fn graph(&self) -> Served<T> {
        let Extent { time, batch } = self.extent;
        let mut graph = Graph::<T>::new(Isa::PORTABLE);
        let leaf = |shape: Shape, values: &[T]| Matrix::from_vec(shape, values.to_vec()).unwrap();
        let params: Vec<_> = self
            .shapes
            .iter()
            .zip(&self.params)
            .map(|(shape, values)| leaf(*shape, values))
            .collect();
        let initial: Vec<_> = self
            .state_rows
            .iter()
            .zip(&self.states)
            .map(|(&rows, values)| {
                let shape = Shape::new(rows, batch);
                let zeros = vec![T::ZERO; shape.len()];
                leaf(shape, values.as_ref().unwrap_or(&zeros))
            })
            .collect();
        let mut states = initial.clone();
        let mut inputs = Vec::new();
        let mut outputs = Vec::new();
        for t in 0..time {
            let x = self.column_block(&mut graph, &params, t);
            let all = self
                .expression
                .replay(&mut graph, &params, &x, &states)
                .unwrap();
            states = all[..states.len()].to_vec();
            outputs.push(all[states.len()..].to_vec());
            inputs.push(x);
        }
        for (t, outputs) in outputs.iter().enumerate() {
            for (matrix, grad) in outputs.iter().zip(&self.result_grads) {
                if let Some(grad) = grad {
                    let len = matrix.shape().len();
                    seed(matrix, &grad[t * len..][..len]);
                }
            }
        }
        for (matrix, grad) in states.iter().zip(&self.state_grads) {
            if let Some(grad) = grad {
                seed(matrix, grad);
            }
        }
        differentiate(&mut graph);
        let grads = |m: &Matrix<T>| m.grad().unwrap().to_vec();
        let result = |k: usize| outputs.iter().flat_map(move |o| o[k].to_vec().unwrap());
        Served {
            results: (0..self.result_grads.len())
                .map(|k| result(k).collect())
                .collect(),
            states: states.iter().map(|m| m.to_vec().unwrap()).collect(),
            params: params.iter().map(grads).collect(),
            input: if self.source == Source::Features {
                inputs.iter().flat_map(grads).collect()
            } else {
                Vec::new()
            },
            initial: initial.iter().map(grads).collect(),
        }
    }

    fn column_block(&self, graph: &mut Graph<T>, params: &[Matrix<T>], t: usize) -> Matrix<T> {
        let (rows, batch) = (self.input_rows, self.extent.batch);
        let symbols = || self.symbols[t * batch..][..batch].to_vec();
        match self.source {
            Source::Features => {
                let features = self.features[t * batch * rows..][..batch * rows].to_vec();
                Matrix::from_vec(Shape::new(rows, batch), features).unwrap()
            }
            Source::OneHot => {
                let hot = one_hot(&symbols(), rows);
                Matrix::constant(Shape::new(rows, batch), hot).unwrap()
            }
            Source::Embedding(number) => graph
                .select_rows(&params[number], symbols().into())
                .unwrap(),
        }
    }

    /// By a program.
    pub(crate) fn run(&self, isa: Isa, passes: Passes, threads: usize) -> Served<T> {
        self.run_of(&self.program(passes), isa, threads)
    }

    pub(crate) fn run_of(&self, program: &Arc<Program<T>>, isa: Isa, threads: usize) -> Served<T> {
        let mut prelude = Graph::<T>::new(isa);
        let leaf =
            |(shape, values): (&Shape, &Vec<T>)| Matrix::from_vec(*shape, values.clone()).unwrap();
        let params: Vec<_> = self.shapes.iter().zip(&self.params).map(leaf).collect();
        let weights = program.prelude().weights(&mut prelude, &params).unwrap();
        let values: Vec<Vec<T>> = weights.iter().map(|m| m.to_vec().unwrap()).collect();
        let values: Vec<&[T]> = values.iter().map(|value| &value[..]).collect();
        let mut run = self.forward(program, isa, threads, &values);
        self.check_results(&run);
        let mut served = self.backward(&mut run, &values);
        // From the weights on to the parameters they are computed from.
        for (matrix, grad) in weights.iter().zip(&served.params) {
            seed(matrix, grad);
        }
        differentiate(&mut prelude);
        served.params = params.iter().map(|m| m.grad().unwrap().to_vec()).collect();
        served
    }

    pub(crate) fn forward(
        &self,
        program: &Arc<Program<T>>,
        isa: Isa,
        threads: usize,
        values: &[&[T]],
    ) -> Run<T> {
        let states: Vec<Option<&[T]>> = self.states.iter().map(Option::as_deref).collect();
        let call = Call {
            isa,
            threads,
            extent: self.extent,
            lengths: self.lengths.as_deref(),
            input: if self.source == Source::Features {
                Input::Features(&self.features)
            } else {
                Input::Symbols(&self.symbols)
            },
            states: &states,
            weights: values,
            version: self.version,
            differentiate: true,
            // Of symbols nobody gets it, but the embedding's must not be counted twice.
            input_grad: true,
        };
        let run = |call: &Call<'_, T>| {
            let mut run = program.begin(call).unwrap();
            run.force_threads(threads);
            run.forward(&mut || false).unwrap();
            run
        };
        let trained = run(&call);
        // Without a backward pass more memory is used anew: the numbers are the same.
        let call = Call {
            differentiate: false,
            input_grad: false,
            ..call
        };
        let plain = run(&call);
        for number in 0..self.result_grads.len() {
            let (a, b) = (
                trained.result(number).unwrap(),
                plain.result(number).unwrap(),
            );
            assert!(a == b, "{}: result {number}", self.name);
        }
        for number in 0..states.len() {
            let (a, b) = (trained.state(number).unwrap(), plain.state(number).unwrap());
            assert!(a == b, "{}: state {number}", self.name);
        }
        trained
    }

    fn check_results(&self, run: &Run<T>) {
        let columns = self.columns();
        for (number, grad) in self.result_grads.iter().enumerate() {
            let len = run.result(number).unwrap().len();
            assert_eq!(len % columns.max(1), 0, "{}", self.name);
            assert!(grad.as_ref().is_none_or(|grad| grad.len() == len));
        }
    }

    pub(crate) fn backward(&self, run: &mut Run<T>, values: &[&[T]]) -> Served<T> {
        let results = |run: &Run<T>| -> Vec<Vec<T>> {
            let result = |k: usize| run.result(k).unwrap().to_vec();
            (0..self.result_grads.len()).map(result).collect()
        };
        let states = |run: &Run<T>| -> Vec<Vec<T>> {
            let state = |k: usize| run.state(k).unwrap().to_vec();
            (0..self.states.len()).map(state).collect()
        };
        let before = (results(run), states(run));
        let result_grads: Vec<_> = self.result_grads.iter().map(Option::as_deref).collect();
        let state_grads: Vec<_> = self.state_grads.iter().map(Option::as_deref).collect();
        let incoming = Incoming {
            results: &result_grads,
            states: &state_grads,
        };
        run.receive(incoming).unwrap();
        run.backward(&mut || false).unwrap();
        // What was handed out stays.
        assert!(before == (results(run), states(run)), "{}", self.name);
        let mut params: Vec<Vec<T>> = values.iter().map(|v| vec![T::ZERO; v.len()]).collect();
        let mut into: Vec<&mut [T]> = params.iter_mut().map(|p| &mut p[..]).collect();
        weight_gradients(&[&*run], values, &mut into).unwrap();
        let input = run.input_grad().unwrap();
        let initial = |k: usize| run.state_grad(k).unwrap().to_vec();
        Served {
            results: before.0,
            states: before.1,
            params,
            input: input
                .filter(|_| self.source == Source::Features)
                .map(Cow::into_owned)
                .unwrap_or_default(),
            initial: (0..self.states.len()).map(initial).collect(),
        }
    }
}

/// Backward, unless no gradient came into what was recorded.
fn differentiate<T: Element>(graph: &mut Graph<T>) {
    if let Err(error) = graph.backward(false) {
        assert!(error.to_string().contains("expected a loss"), "{error}");
    }
}

fn seed<T: Element>(matrix: &Matrix<T>, grad: &[T]) {
    for (to, g) in matrix.grad_mut().unwrap().iter_mut().zip(grad) {
        *to += *g;
    }
}
