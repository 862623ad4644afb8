//! Steps of a test's own, written with `Trace`, and what they give on a graph and as a program.

use std::ops::Range;

use recurrentnn::error::Result;
use recurrentnn::ops::Recorder;
use recurrentnn::program::{Expression, Run, Symbol, Trace};

use super::*;

/// What a step is written with.
pub(crate) struct Parts<'a> {
    pub(crate) w: &'a [Symbol],
    pub(crate) x: &'a Symbol,
    pub(crate) s: &'a [Symbol],
}

/// Writes a step down: the states after it, then its results.
pub(crate) type Write = fn(&mut Trace, Parts<'_>) -> Result<Vec<Symbol>>;

/// A step, with the shapes of all that it reads.
#[derive(Clone)]
pub(crate) struct Recipe {
    pub(crate) name: &'static str,
    pub(crate) params: Vec<(usize, usize)>,
    pub(crate) states: Vec<usize>,
    pub(crate) input: usize,
    pub(crate) write: Write,
}

/// A recipe with numbers.
#[derive(Clone)]
pub(crate) struct Dish<T> {
    pub(crate) name: String,
    pub(crate) expression: Expression,
    pub(crate) shapes: Vec<Shape>,
    pub(crate) state_rows: Vec<usize>,
    pub(crate) input_rows: usize,
    pub(crate) extent: Extent,
    pub(crate) source: Source,
    pub(crate) params: Vec<Vec<T>>,
    pub(crate) features: Vec<T>,
    pub(crate) symbols: Vec<usize>,
    pub(crate) states: Vec<Option<Vec<T>>>,
    pub(crate) result_grads: Vec<Option<Vec<T>>>,
    pub(crate) state_grads: Vec<Option<Vec<T>>>,
    /// Which values of the parameters these are, if anybody counts.
    pub(crate) version: Option<u64>,
}

/// What comes out.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Served<T> {
    pub(crate) results: Vec<Vec<T>>,
    pub(crate) states: Vec<Vec<T>>,
    pub(crate) params: Vec<Vec<T>>,
    pub(crate) input: Vec<T>,
    pub(crate) initial: Vec<Vec<T>>,
}

impl<T: Element> Served<T> {
    /// The largest |x - y| / (1 + |y|), and where.
    pub(crate) fn apart(&self, other: &Self) -> (f64, String) {
        let (mut most, mut worst) = (0.0, String::new());
        let mut look = |what: &str, a: &[Vec<T>], b: &[Vec<T>]| {
            assert_eq!(a.len(), b.len(), "{what}");
            for (number, (a, b)) in a.iter().zip(b).enumerate() {
                let far = apart(a, b);
                if far > most {
                    (most, worst) = (far, format!("{what} {number}"));
                }
            }
        };
        look("result", &self.results, &other.results);
        look("state", &self.states, &other.states);
        look("parameter", &self.params, &other.params);
        look("initial", &self.initial, &other.initial);
        look(
            "input",
            std::slice::from_ref(&self.input),
            std::slice::from_ref(&other.input),
        );
        (most, worst)
    }

    /// One sample of it.
    pub(crate) fn sample(&self, extent: Extent, sample: usize) -> Self {
        let Extent { time, batch } = extent;
        let cut = |all: &[Vec<T>], time| -> Vec<Vec<T>> {
            let one = |values: &Vec<T>| sample_of(values, time, batch, sample);
            all.iter().map(one).collect()
        };
        Self {
            results: cut(&self.results, time),
            states: cut(&self.states, 1),
            params: Vec::new(),
            input: sample_of(&self.input, time, batch, sample),
            initial: cut(&self.initial, 1),
        }
    }

    /// Everything but the gradients of parameters, which are sums over all.
    pub(crate) fn without_params(mut self) -> Self {
        self.params.clear();
        self
    }
}

impl Recipe {
    pub(crate) fn dish<T: Element>(&self, time: usize, batch: usize, source: Source) -> Dish<T> {
        let mut trace = Trace::new();
        let shapes: Vec<Shape> = self.params.iter().map(|&(r, c)| Shape::new(r, c)).collect();
        let w: Vec<_> = shapes
            .iter()
            .enumerate()
            .map(|(k, shape)| trace.param(k, *shape))
            .collect();
        let x = trace.input(self.input);
        let s: Vec<_> = self
            .states
            .iter()
            .enumerate()
            .map(|(k, rows)| trace.state(k, *rows))
            .collect();
        let parts = Parts {
            w: &w,
            x: &x,
            s: &s,
        };
        let results = (self.write)(&mut trace, parts).unwrap();
        let columns = time * batch;
        let some = |first: u32, rows: &[usize], columns: usize| -> Vec<Option<Vec<T>>> {
            let vector = |(number, rows): (u32, &usize)| Some(numbers(rows * columns, number));
            (first..).zip(rows).map(vector).collect()
        };
        let result_rows: Vec<usize> = results[self.states.len()..]
            .iter()
            .map(|symbol| symbol.rows())
            .collect();
        let symbols = match source {
            Source::Features => 0,
            Source::OneHot => self.input,
            Source::Embedding(number) => shapes[number].rows,
        };
        // Small enough that states of long sequences forget: else rounding errors would grow.
        let small = |x: T| T::from_f64(0.3) * x;
        let param = |(number, shape): (u32, &Shape)| {
            let values: Vec<T> = numbers(shape.len(), number);
            values.into_iter().map(small).collect()
        };
        Dish {
            name: self.name.to_owned(),
            expression: trace.finish(&results).unwrap(),
            params: (100..).zip(&shapes).map(param).collect(),
            shapes,
            state_rows: self.states.clone(),
            input_rows: self.input,
            extent: Extent { time, batch },
            source,
            features: numbers(self.input * columns, 1),
            symbols: (0..if symbols == 0 { 0 } else { columns })
                .map(|i| (i * 7 + i / 3) % symbols)
                .collect(),
            states: some(20, &self.states, batch),
            result_grads: some(200, &result_rows, columns),
            state_grads: some(40, &self.states, batch),
            version: None,
        }
    }
}

impl<T: Element> Dish<T> {
    /// A net's step.
    pub(crate) fn of_net(config: &Config, time: usize, batch: usize, source: Source) -> Self {
        let case = Case::<T>::new(config, time, batch, source != Source::Features);
        let params = case.model.params();
        let values = |m: &Matrix<T>| m.to_vec().unwrap();
        Self {
            name: config.cell.name().to_owned(),
            expression: case.model.trace().unwrap(),
            shapes: case.shapes(),
            state_rows: state_rows(&case.model),
            input_rows: config.features(),
            extent: case.extent,
            source,
            params: params.matrices().iter().map(values).collect(),
            features: case.features,
            symbols: case.symbols.unwrap_or_default(),
            states: case.states.into_iter().map(Some).collect(),
            result_grads: vec![Some(case.output_grad)],
            state_grads: case.state_grads.into_iter().map(Some).collect(),
            version: None,
        }
    }

    /// Some steps of it, from these states on.
    pub(crate) fn steps(&self, steps: Range<usize>, states: &[Vec<T>]) -> Self {
        let Extent { time, batch } = self.extent;
        let columns = steps.start * batch..steps.end * batch;
        let cut = |values: &[T]| {
            let rows = values.len() / (time * batch);
            values[columns.start * rows..columns.end * rows].to_vec()
        };
        let symbols = self.symbols.get(columns.clone()).unwrap_or(&[]);
        Self {
            extent: Extent {
                time: steps.len(),
                batch,
            },
            features: cut(&self.features),
            symbols: symbols.to_vec(),
            states: states.iter().cloned().map(Some).collect(),
            result_grads: map_some(&self.result_grads, cut),
            ..self.clone()
        }
    }

    /// One sample of it.
    pub(crate) fn sample(&self, sample: usize) -> Self {
        let Extent { time, batch } = self.extent;
        let cut = |values: &[T], time: usize| sample_of(values, time, batch, sample);
        let symbols = self.symbols.iter().skip(sample).step_by(batch);
        Self {
            extent: Extent { time, batch: 1 },
            features: cut(&self.features, time),
            symbols: symbols.copied().collect(),
            states: map_some(&self.states, |values| cut(values, 1)),
            result_grads: map_some(&self.result_grads, |values| cut(values, time)),
            state_grads: map_some(&self.state_grads, |values| cut(values, 1)),
            ..self.clone()
        }
    }

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
        let columns = self.extent.columns();
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
                .map(<[T]>::to_vec)
                .unwrap_or_default(),
            initial: (0..self.states.len()).map(initial).collect(),
        }
    }
}

/// The columns of one sample.
fn sample_of<T: Element>(values: &[T], time: usize, batch: usize, sample: usize) -> Vec<T> {
    let rows = values.len() / (time * batch);
    let column = |t: usize| &values[(t * batch + sample) * rows..][..rows];
    (0..time).flat_map(|t| column(t).to_vec()).collect()
}

fn map_some<T>(all: &[Option<Vec<T>>], f: impl Fn(&[T]) -> Vec<T>) -> Vec<Option<Vec<T>>> {
    let some = |values: &Option<Vec<T>>| values.as_ref().map(|values| f(values));
    all.iter().map(some).collect()
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

pub(crate) fn one_hot<T: Element>(symbols: &[usize], rows: usize) -> Vec<T> {
    let mut hot = vec![T::ZERO; symbols.len() * rows];
    for (column, symbol) in symbols.iter().enumerate() {
        hot[column * rows + symbol] = T::ONE;
    }
    hot
}
