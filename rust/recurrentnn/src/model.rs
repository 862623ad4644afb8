//! A model: an optional embedding, stacked cells, an optional linear decoder.

use std::sync::{Arc, OnceLock};

use crate::cells::State;
use crate::config::Config;
use crate::element::Element;
use crate::error::{Error, Result};
use crate::init::Init;
use crate::layers::Layers;
use crate::matrix::Matrix;
use crate::ops::Recorder;
use crate::params::{ParamId, Params, Role, Spec, Vars};
use crate::plan::{Parts, Plan};
use crate::program::{Expression, Passes, Program, Source, Symbol, Trace};
use crate::regularise::{Masks, Phase};
use crate::shape::Shape;

pub use crate::layers::{States, Stepped};

/// A recurrent net with its parameters.
pub struct Model<T: Element> {
    config: Config,
    params: Params<T>,
    parts: Parts,
    /// Numbers of the weights that read the state.
    recurrent: Vec<usize>,
    /// For features and for symbols, without and with dropout, made when first needed.
    programs: [OnceLock<Arc<Program<T>>>; 4],
    /// For features and for symbols, likewise.
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
        let roles = plan.specs.iter().map(|spec| spec.role).enumerate();
        let recurrent = roles.filter(|(_, role)| *role == Role::Recurrent);
        let recurrent = recurrent.map(|(number, _)| number).collect();
        let params = Params::new(plan.specs, plan.config.seed, init)?;
        Ok(Self {
            config: plan.config,
            params,
            parts: plan.parts,
            recurrent,
            programs: [const { OnceLock::new() }; 4],
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

    /// Numbers of the parameters that are weights and read the state.
    pub(crate) fn recurrent(&self) -> &[usize] {
        &self.recurrent
    }

    /// Number of the embedding, if there is one.
    pub(crate) fn embedding(&self) -> Option<usize> {
        self.parts.embedding.map(ParamId::number)
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
        let zeros = |rows: usize| {
            let shape = Shape::new(rows, batch);
            Matrix::constant(shape, Matrix::try_zeros("forward", shape)?)
        };
        let vectors = self.config.all_state_rows().into_iter().map(zeros);
        Ok(self.layered(vectors.collect::<Result<Vec<_>>>()?))
    }

    /// The state vectors, one column each, that a row begins with which is given none; empty where these
    /// are zeros.
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
        self.embed_by(r, self.params.matrices(), symbols)
    }

    /// The same with other parameters; an embedding after all of them is what symbols are looked up in.
    pub(crate) fn embed_by<R: Recorder<Var = Matrix<T>>>(
        &self,
        r: &mut R,
        params: &[Matrix<T>],
        symbols: &[usize],
    ) -> Result<Matrix<T>> {
        self.check_symbols(symbols)?;
        let limit = self.config.input_size;
        if let Some(weight) = self.parts.embedding {
            let own = &Vars(params)[weight];
            let table = params.get(self.params.len()).unwrap_or(own);
            return r.select_rows(table, symbols.into());
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
    ) -> Result<Stepped<Matrix<T>>> {
        self.step_by(r, self.params.matrices(), x, states, &[])
    }

    /// The same with other parameters, and masks for every state or for none.
    pub(crate) fn step_by<R: Recorder<Var = Matrix<T>>>(
        &self,
        r: &mut R,
        params: &[Matrix<T>],
        x: &Matrix<T>,
        states: &[State<Matrix<T>>],
        masks: &[Masks<Matrix<T>>],
    ) -> Result<Stepped<Matrix<T>>> {
        self.expect_one_way("forward")?;
        self.check(x, states)?;
        self.layers().step(r, Vars(params), x, states, masks)
    }

    pub(crate) fn layers(&self) -> Layers<'_> {
        Layers {
            config: &self.config,
            parts: &self.parts,
        }
    }

    /// One step as an expression: of the parameters in order, the input's columns and the states,
    /// layer by layer, to the new states, layer by layer, and the output. In training it has the masks
    /// of [`Config::masks`].
    ///
    /// # Errors
    /// [`Error::Graph`] where a cell mixes samples.
    pub fn trace(&self, phase: Phase) -> Result<Expression> {
        let mut trace = Trace::new();
        let shapes = self.params.matrices().iter().map(Matrix::shape);
        let params = shapes.enumerate();
        let params: Vec<_> = params.map(|(k, shape)| trace.param(k, shape)).collect();
        let x = trace.input(self.config.features());
        let (directions, vectors) = (self.config.directions(), self.config.cell.states().len());
        let rows = self.config.all_state_rows().into_iter().enumerate();
        let vectors: Vec<_> = rows
            .map(|(number, rows)| match number / vectors % directions {
                0 => trace.state(number, rows),
                _ => trace.reversed_state(number, rows),
            })
            .collect();
        let states: States<Symbol> = self.layered(vectors);
        let masks = self.config.masks(phase).into_iter();
        let masks = masks.map(|masks| masks.map(|mask| Ok(trace.mask(mask.number, mask.rows))));
        let masks = masks.collect::<Result<Vec<_>>>()?;
        let next = self
            .layers()
            .step(&mut trace, Vars(&params), &x, &states, &masks)?;
        let top = self.top(&mut trace, &next)?;
        let output = self.decode_with(&mut trace, Vars(&params), &top)?;
        let vectors = next.states.iter().flat_map(State::vectors).copied();
        let results: Vec<_> = vectors.chain([output]).collect();
        trace.finish(&results)
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

    /// What the decoder reads after a step: what the top layer hands up, or all layers.
    ///
    /// # Errors
    /// Whatever the recorder refuses.
    pub fn top<R: Recorder>(&self, r: &mut R, step: &Stepped<R::Var>) -> Result<R::Var> {
        match step.up.last() {
            Some(top) if !self.config.all_to_output || step.up.len() == 1 => Ok(top.clone()),
            Some(_) => r.concat(&step.up.iter().collect::<Vec<_>>()),
            None => Err(Error::internal("forward", "a model without layers")),
        }
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

    /// The same with other parameters.
    pub(crate) fn decode_with<R: Recorder>(
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
    pub fn program(&self, symbols: bool, phase: Phase) -> Result<&Arc<Program<T>>> {
        let training = usize::from(phase == Phase::Training);
        let known = &self.programs[2 * training + usize::from(symbols)];
        if let Some(program) = known.get() {
            return Ok(program);
        }
        let program = self.compiled(&self.trace(phase)?, symbols, phase)?;
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
        let mut step = self.trace(Phase::Evaluation)?;
        let names = choose(&mut step);
        let program = Arc::new(self.compiled(&step, symbols, Phase::Evaluation)?);
        Ok(known.get_or_init(|| Observer { names, program }))
    }

    fn compiled(&self, step: &Expression, symbols: bool, phase: Phase) -> Result<Program<T>> {
        let shapes = self.params.matrices().iter().map(Matrix::shape);
        let mut shapes: Vec<_> = shapes.collect();
        let drops = phase == Phase::Training && self.config.regularisers.embedding_dropout > 0.0;
        let source = match (symbols, self.embedding()) {
            (false, _) => Source::Features,
            (true, None) => Source::OneHot,
            // A table of its own: a tied decoder reads the embedding as it is.
            (true, Some(number)) if drops => {
                shapes.push(shapes[number]);
                Source::Embedding(shapes.len() - 1)
            }
            (true, Some(number)) => Source::Embedding(number),
        };
        let states = self.config.all_state_rows();
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
        let (expected, found) = (self.config.states(), states.len());
        if found != expected {
            let message =
                format!("state must have {expected} layers (and directions) but has {found}");
            return Err(Error::argument("forward", message));
        }
        for (layer, state) in states.iter().enumerate() {
            let rows = self.config.state_rows(layer);
            let names = self.config.cell.states();
            let found = state.vectors().count();
            if found != names.len() {
                let message =
                    format!("state of layer {layer} must be {names:?} but has {found} vectors");
                return Err(Error::argument("forward", message));
            }
            for (part, rows) in state.vectors().zip(rows) {
                let expected = Shape::new(rows, batch);
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
