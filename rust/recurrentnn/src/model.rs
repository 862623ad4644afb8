//! A model: an optional embedding, stacked cells, an optional linear decoder.

use std::sync::{Arc, OnceLock};

use crate::cells::{State, StepInput};
use crate::config::{Config, Merge};
use crate::element::Element;
use crate::error::{Error, Result};
use crate::init::Init;
use crate::matrix::Matrix;
use crate::ops::Recorder;
use crate::params::{Params, Spec, Vars};
use crate::plan::{Parts, Plan};
use crate::program::{Expression, Passes, Program, Source, Symbol, Trace};
use crate::shape::Shape;

/// The state of all layers, the lowest first.
pub type States<V> = Vec<State<V>>;

/// A recurrent net with its parameters.
pub struct Model<T: Element> {
    config: Config,
    params: Params<T>,
    parts: Parts,
    /// For features and for symbols, made when first needed.
    programs: [OnceLock<Arc<Program<T>>>; 2],
    /// Likewise.
    observers: [OnceLock<Observer<T>>; 2],
}

/// A step compiled to give values from within, and their names.
pub(crate) struct Observer<T: Element> {
    pub(crate) names: Vec<String>,
    pub(crate) program: Arc<Program<T>>,
}

impl<T: Element> Model<T> {
    /// A model with first values as its configuration says.
    ///
    /// # Errors
    /// [`Error::Argument`] for a configuration out of its domain.
    pub fn new(config: Config) -> Result<Self> {
        let plan = Plan::new(config)?;
        let init = plan.config.clone();
        Self::fill(plan, |spec| init.init_of(spec))
    }

    /// A model whose parameters are all zero, to be filled by what was saved.
    ///
    /// # Errors
    /// [`Error::Memory`] if there is not that much.
    pub fn blank(plan: Plan) -> Result<Self> {
        Self::fill(plan, |_| Init::Constant(0.0))
    }

    fn fill(plan: Plan, init: impl Fn(&Spec) -> Init + Sync) -> Result<Self> {
        plan.expect_possible()?;
        let params = Params::new(plan.specs, plan.config.seed, init)?;
        Ok(Self {
            config: plan.config,
            params,
            parts: plan.parts,
            programs: [const { OnceLock::new() }; 2],
            observers: [const { OnceLock::new() }; 2],
        })
    }

    /// What it is made of.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Its parameters.
    pub fn params(&self) -> &Params<T> {
        &self.params
    }

    /// What `batch` samples begin with which are given no state: zeros, or what was learned.
    ///
    /// # Errors
    /// [`Error::Busy`] while somebody writes the parameters.
    pub fn first_states(&self, batch: usize) -> Result<States<Matrix<T>>> {
        let initial = self.initial();
        if initial.is_empty() {
            return self.zero_states(batch);
        }
        let repeated = |m: &Matrix<T>| {
            let shape = Shape::new(m.rows(), batch);
            Matrix::constant(shape, m.value()?.repeat(batch))
        };
        let vectors = initial.iter().map(repeated).collect::<Result<Vec<_>>>()?;
        Ok(self.layered(vectors))
    }

    /// Zeros for `batch` samples.
    ///
    /// # Errors
    /// None that a checked configuration can cause.
    pub fn zero_states(&self, batch: usize) -> Result<States<Matrix<T>>> {
        let zeros = |size: usize| {
            let shape = Shape::new(size, batch);
            Matrix::constant(shape, Matrix::try_zeros("forward", shape)?)
        };
        let more = self.config.cell.states().len() - 1;
        let state = |&size: &usize| {
            Ok(State {
                hidden: zeros(size)?,
                more: (0..more).map(|_| zeros(size)).collect::<Result<_>>()?,
            })
        };
        self.config.state_sizes().iter().map(state).collect()
    }

    /// The state vectors, size x 1, that a row begins with which is given none; empty where these are
    /// zeros.
    pub(crate) fn initial(&self) -> Vec<Matrix<T>> {
        let vars = Vars(self.params.matrices());
        let initial = self.parts.initial.iter();
        initial.map(|&id| vars[id].clone()).collect()
    }

    /// The columns that symbols put into the lowest layer: rows of the embedding, or one-hot.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] for a symbol that is not below `input_size`.
    pub fn embed<R: Recorder<Var = Matrix<T>>>(
        &self,
        r: &mut R,
        symbols: &[usize],
    ) -> Result<Matrix<T>> {
        self.check_symbols(symbols)?;
        let limit = self.config.input_size;
        if let Some(weight) = self.parts.embedding {
            return r.select_rows(&Vars(self.params.matrices())[weight], symbols.into());
        }
        let shape = Shape::new(limit, symbols.len());
        let mut one_hot = Matrix::try_zeros("forward", shape)?;
        for (column, &symbol) in symbols.iter().enumerate() {
            one_hot[column * limit + symbol] = T::ONE;
        }
        Matrix::constant(shape, one_hot)
    }

    /// One step of all layers, without the decoder.
    ///
    /// `x` is features x batch.
    ///
    /// # Errors
    /// [`Error::Shape`] where x or a state does not fit the model.
    pub fn step<R: Recorder<Var = Matrix<T>>>(
        &self,
        r: &mut R,
        x: &Matrix<T>,
        states: &[State<Matrix<T>>],
    ) -> Result<States<Matrix<T>>> {
        self.expect_one_way("forward")?;
        self.check(x, states)?;
        self.step_layers(r, Vars(self.params.matrices()), x, states)
    }

    /// One step as an expression: of the parameters in order, the input's columns and the states,
    /// layer by layer, to the new states, layer by layer, and the output.
    ///
    /// # Errors
    /// [`Error::Graph`] where a cell mixes samples.
    pub fn trace(&self) -> Result<Expression> {
        let mut trace = Trace::new();
        let shapes = self.params.matrices().iter().map(Matrix::shape);
        let params = shapes.enumerate();
        let params: Vec<_> = params.map(|(k, shape)| trace.param(k, shape)).collect();
        let x = trace.input(self.config.features());
        let more = self.config.cell.states().len() - 1;
        let mut states: States<Symbol> = Vec::new();
        for (at, size) in self.config.state_sizes().into_iter().enumerate() {
            // The forward direction first.
            let reversed = self.is_bidirectional() && at % 2 == 1;
            let mut vector = |number| {
                let number = at * (1 + more) + number;
                if reversed {
                    trace.reversed_state(number, size)
                } else {
                    trace.state(number, size)
                }
            };
            states.push(State {
                hidden: vector(0),
                more: (1..=more).map(vector).collect(),
            });
        }
        let next = self.step_layers(&mut trace, Vars(&params), &x, &states)?;
        let top = self.top(&mut trace, &next)?;
        let output = self.decode_with(&mut trace, Vars(&params), &top)?;
        let vectors = next.iter().flat_map(State::vectors).copied();
        let results: Vec<_> = vectors.chain([output]).collect();
        trace.finish(&results)
    }

    fn step_layers<R: Recorder>(
        &self,
        r: &mut R,
        p: Vars<'_, R::Var>,
        x: &R::Var,
        states: &[State<R::Var>],
    ) -> Result<States<R::Var>> {
        let all: Vec<_> = states.iter().map(|state| state.hidden.clone()).collect();
        let stack = if self.config.cell.has_feedback() {
            r.concat(&all.iter().collect::<Vec<_>>())?
        } else {
            x.clone()
        };
        let mut next: States<R::Var> = Vec::with_capacity(states.len());
        for (number, cell) in self.parts.layers.iter().enumerate() {
            let under = next
                .len()
                .saturating_sub(1 + usize::from(self.is_bidirectional()));
            let below = match self.outputs(r, &next[under..])?.pop() {
                None => x.clone(),
                Some(below) if self.config.input_to_all => r.concat(&[&below, x])?,
                Some(below) => below,
            };
            for cell in std::iter::once(cell).chain(self.parts.reversed.get(number)) {
                let input = StepInput {
                    x: &below,
                    state: &states[next.len()],
                    all: &all,
                    stack: &stack,
                };
                next.push(cell.step(r, p, &input)?);
            }
        }
        Ok(next)
    }

    /// Whether every layer goes both ways in time.
    pub fn is_bidirectional(&self) -> bool {
        self.config.bidirectional.is_some()
    }

    /// Fails for a model that cannot go step by step.
    ///
    /// # Errors
    /// [`Error::Argument`] if it is bidirectional.
    pub fn expect_one_way(&self, op: &'static str) -> Result<()> {
        if !self.is_bidirectional() {
            return Ok(());
        }
        let message = "a bidirectional net needs the whole sequence: call it";
        Err(Error::argument(op, message))
    }

    /// One step of one direction of a layer: its state from its input and the state before.
    ///
    /// # Errors
    /// Whatever the recorder refuses.
    pub(crate) fn step_alone<R: Recorder<Var = Matrix<T>>>(
        &self,
        r: &mut R,
        number: usize,
        x: &Matrix<T>,
        state: &State<Matrix<T>>,
    ) -> Result<State<Matrix<T>>> {
        let (layer, cells) = match (number / 2, number % 2) {
            (layer, 0) => (layer, &self.parts.layers),
            (layer, _) => (layer, &self.parts.reversed),
        };
        let (all, stack) = (std::slice::from_ref(&state.hidden), &state.hidden);
        let input = StepInput {
            x,
            state,
            all,
            stack,
        };
        cells[layer].step(r, Vars(self.params.matrices()), &input)
    }

    /// What the layers put out whose states these are: the hidden vectors, or what becomes of those of
    /// both directions.
    pub(crate) fn outputs<R: Recorder>(
        &self,
        r: &mut R,
        states: &[State<R::Var>],
    ) -> Result<Vec<R::Var>> {
        let Some(merge) = self.config.bidirectional else {
            return Ok(states.iter().map(|state| state.hidden.clone()).collect());
        };
        let merged = |pair: &[State<R::Var>]| {
            let both = [&pair[0].hidden, &pair[1].hidden];
            match merge {
                Merge::Concat | Merge::Apart => r.concat(&both),
                Merge::Sum => r.add(&both),
                Merge::Mean => {
                    let sum = r.add(&both)?;
                    r.scale(&sum, 0.5)
                }
            }
        };
        states.chunks_exact(2).map(merged).collect()
    }

    /// What the decoder reads after a step: what the top layer puts out, or what all layers do.
    ///
    /// # Errors
    /// Whatever the recorder refuses.
    pub fn top<R: Recorder>(&self, r: &mut R, states: &[State<R::Var>]) -> Result<R::Var> {
        let mut outputs = self.outputs(r, states)?;
        match outputs.len() {
            1 => {}
            _ if self.config.all_to_output => return r.concat(&outputs.iter().collect::<Vec<_>>()),
            _ => {}
        }
        outputs
            .pop()
            .ok_or_else(|| Error::internal("forward", "a model without layers"))
    }

    /// The decoder: V top + b, or `top` itself where there is none.
    ///
    /// # Errors
    /// Whatever the recorder refuses.
    pub fn decode<R: Recorder<Var = Matrix<T>>>(
        &self,
        r: &mut R,
        top: &Matrix<T>,
    ) -> Result<Matrix<T>> {
        self.decode_with(r, Vars(self.params.matrices()), top)
    }

    fn decode_with<R: Recorder>(
        &self,
        r: &mut R,
        p: Vars<'_, R::Var>,
        top: &R::Var,
    ) -> Result<R::Var> {
        let Some(decoder) = self.parts.decoder else {
            return Ok(top.clone());
        };
        let product = r.matmul(&p[decoder.weight], top)?;
        r.add(&[&product, &p[decoder.bias]])
    }

    /// The compiled step, for symbols or features.
    ///
    /// # Errors
    /// Those of [`Model::trace`].
    pub fn program(&self, symbols: bool) -> Result<&Arc<Program<T>>> {
        let known = &self.programs[usize::from(symbols)];
        if let Some(program) = known.get() {
            return Ok(program);
        }
        let program = self.compiled(&self.trace()?, symbols)?;
        Ok(known.get_or_init(|| Arc::new(program)))
    }

    /// The compiled step that gives, after the states, what `choose` puts into the expression's results
    /// instead of the output, by the names that it returns.
    pub(crate) fn observer(
        &self,
        symbols: bool,
        choose: impl FnOnce(&mut Expression) -> Vec<String>,
    ) -> Result<&Observer<T>> {
        let known = &self.observers[usize::from(symbols)];
        if let Some(observer) = known.get() {
            return Ok(observer);
        }
        let mut step = self.trace()?;
        let names = choose(&mut step);
        let program = Arc::new(self.compiled(&step, symbols)?);
        Ok(known.get_or_init(|| Observer { names, program }))
    }

    fn compiled(&self, step: &Expression, symbols: bool) -> Result<Program<T>> {
        let source = match (symbols, self.parts.embedding) {
            (false, _) => Source::Features,
            (true, None) => Source::OneHot,
            (true, Some(weight)) => Source::Embedding(weight.number()),
        };
        let shapes = self.params.matrices().iter().map(Matrix::shape);
        let vectors = self.config.cell.states().len();
        let sizes = self.config.state_sizes().into_iter();
        let states = sizes.flat_map(|size| std::iter::repeat_n(size, vectors));
        let (shapes, states): (Vec<_>, Vec<_>) = (shapes.collect(), states.collect());
        Program::new(step, &shapes, &states, source, Passes::ALL)
    }

    /// State vectors, layer by layer, as states.
    pub fn layered<V>(&self, vectors: impl IntoIterator<Item = V>) -> States<V> {
        let count = self.config.cell.states().len() - 1;
        let mut vectors = vectors.into_iter();
        let mut states = Vec::with_capacity(self.config.hidden_sizes.len());
        while let Some(hidden) = vectors.next() {
            let more = vectors.by_ref().take(count).collect();
            states.push(State { hidden, more });
        }
        states
    }

    /// Fails unless all symbols are below `input_size`.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] names one that is not.
    pub fn check_symbols(&self, symbols: &[usize]) -> Result<()> {
        let limit = self.config.input_size;
        match symbols.iter().find(|&&symbol| symbol >= limit) {
            None => Ok(()),
            Some(bad) => {
                let message = format!("x must be symbols below {limit} but holds {bad}");
                Err(Error::out_of_range("forward", message))
            }
        }
    }

    /// Fails unless the columns of an input have the model's features.
    ///
    /// # Errors
    /// [`Error::Shape`] names both.
    pub fn check_features(&self, shape: Shape) -> Result<()> {
        let features = self.config.features();
        if shape.rows == features {
            return Ok(());
        }
        let message = format!("x must have {features} rows but is {shape}");
        Err(Error::shape("forward", message))
    }

    fn check(&self, x: &Matrix<T>, states: &[State<Matrix<T>>]) -> Result<()> {
        self.check_features(x.shape())?;
        self.check_states(x.cols(), states)
    }

    /// Fails unless the states are this model's, for `batch` samples.
    ///
    /// # Errors
    /// [`Error::Argument`] or [`Error::Shape`] names the layer.
    pub fn check_states(&self, batch: usize, states: &[State<Matrix<T>>]) -> Result<()> {
        let sizes = &self.config.state_sizes();
        if states.len() != sizes.len() {
            let message = format!(
                "state must have {} layers (and directions) but has {}",
                sizes.len(),
                states.len()
            );
            return Err(Error::argument("forward", message));
        }
        for (layer, (state, &size)) in states.iter().zip(sizes).enumerate() {
            let expected = Shape::new(size, batch);
            let names = self.config.cell.states();
            let found = state.vectors().count();
            if found != names.len() {
                let message =
                    format!("state of layer {layer} must be {names:?} but has {found} vectors");
                return Err(Error::argument("forward", message));
            }
            for part in state.vectors() {
                if part.shape() != expected {
                    let found = part.shape();
                    let message =
                        format!("state of layer {layer} must be {expected} but is {found}");
                    return Err(Error::shape("forward", message));
                }
            }
        }
        Ok(())
    }
}
