//! Steps of a test's own, written with `Trace`, and their numbers.

use std::ops::Range;

use recurrentnn::error::Result;
use recurrentnn::program::{Expression, Symbol, Trace};

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
    /// Of the samples, the longest first; `None`: as long as the extent.
    pub(crate) lengths: Option<Vec<usize>>,
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
            lengths: None,
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
            expression: case.model.trace(Phase::Evaluation).unwrap(),
            shapes: case.shapes(),
            state_rows: state_rows(&case.model),
            input_rows: config.features(),
            extent: case.extent,
            lengths: None,
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

pub(crate) fn one_hot<T: Element>(symbols: &[usize], rows: usize) -> Vec<T> {
    let mut hot = vec![T::ZERO; symbols.len() * rows];
    for (column, symbol) in symbols.iter().enumerate() {
        hot[column * rows + symbol] = T::ONE;
    }
    hot
}
