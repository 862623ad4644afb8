//! The class `Generator`, beam search, and `Sampling` of `recurrentnn.sampling`, read.

use std::sync::{Arc, Mutex, MutexGuard, TryLockError};

use pyo3::prelude::*;
use pyo3::types::PyString;
use recurrentnn::host::Host;
use recurrentnn::kernels::Isa;
use recurrentnn::model::Model;
use recurrentnn::sample::{self, Beam, Generator, Hypothesis, Request, Sampling};
use recurrentnn::shape::Shape;

use crate::argument::{self, Given};
use crate::call::states_or_initial;
use crate::dtype::{Number, with};
use crate::error::{guard, raise, wrong_type, wrong_value};
use crate::model::{AnyModel, PyModel};
use crate::signals::Interpreter;
use crate::state;

/// Samples that go on from symbols, side by side: `new = generator.advance(length)`.
///
/// Sample i of many is, bit for bit, what it is alone. After an error or an interrupt there is no next
/// symbol: begin anew from a state.
///
/// Parameters
/// ----------
/// model
///     A net with one logit per symbol.
/// prime
///     The symbols to begin with, at least one; or a list of such, one per sample.
/// count
///     Number of samples.
/// sampling
///     How each symbol is chosen; None: drawn as it comes.
/// stop
///     The symbol that ends a sample, or a list of symbols and of sequences of symbols any of which
///     does; it is not among the returned.
/// seed, sample, position
///     Draw number `position` of stream number `sample` of the seed picks the first symbol of the first
///     sample; the next sample has the next stream.
/// history
///     Symbols before the prime, which the state has read and a repetition penalty knows of; or a list of
///     such, one per sample.
/// state
///     The state before the prime, of one sample or of as many as `count`.
#[pyclass(frozen, name = "Generator", module = "recurrentnn")]
pub(crate) struct PyGenerator {
    model: Arc<AnyModel>,
    inner: Mutex<AnyGenerator>,
}

/// A generator of either element type.
enum AnyGenerator {
    Float32(Generator<f32>),
    Float64(Generator<f64>),
}

/// `$body` with the generator and its model, of either element type.
macro_rules! both {
    ($self:ident, |$generator:ident, $model:ident| $body:expr) => {
        match (&mut *$self.lock()?, &*$self.model) {
            (AnyGenerator::Float32($generator), AnyModel::Float32($model)) => $body,
            (AnyGenerator::Float64($generator), AnyModel::Float64($model)) => $body,
            _ => Err(raise("InternalError", "generate: two dtypes".into())),
        }
    };
}

/// What a generator is made of, beside its model.
pub(crate) struct Plan {
    primes: Vec<Vec<usize>>,
    histories: Vec<Vec<usize>>,
    count: usize,
    sampling: Sampling,
    stops: Vec<Vec<usize>>,
    seed: u64,
    sample: u32,
    position: u64,
}

impl Plan {
    /// One sample from the beginning.
    pub(crate) fn alone(
        prime: Vec<usize>,
        sampling: Sampling,
        stops: Vec<Vec<usize>>,
        seed: u64,
    ) -> Self {
        Self {
            primes: vec![prime],
            histories: Vec::new(),
            count: 1,
            sampling,
            stops,
            seed,
            sample: 0,
            position: 0,
        }
    }

    fn begin<T: Number>(
        &self,
        py: Python<'_>,
        model: &Model<T>,
        given: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Generator<T>> {
        let states = states_or_initial(model, given, 1)?;
        let request = Request {
            primes: &self.primes,
            histories: &self.histories,
            count: self.count,
            sampling: &self.sampling,
            stops: &self.stops,
            seed: self.seed,
            sample: self.sample,
            position: self.position,
        };
        let mut interpreter = Interpreter::new(py);
        let begun =
            guard(|| Generator::new(Isa::best(), model, &request, &states, &mut interpreter));
        interpreter.or(begun)
    }
}

/// So many steps, unless all samples end before.
fn advance<T: Number>(
    py: Python<'_>,
    generator: &mut Generator<T>,
    model: &Model<T>,
    length: usize,
) -> PyResult<Vec<Vec<usize>>> {
    let mut interpreter = Interpreter::new(py);
    let host: &mut dyn Host = &mut interpreter;
    let advanced = guard(|| {
        for _ in 0..length {
            if generator.has_ended() {
                break;
            }
            generator.step(model, host)?;
        }
        Ok(())
    });
    interpreter.or(advanced)?;
    Ok((0..generator.count())
        .map(|sample| generator.take(sample))
        .collect())
}

fn state_of<T: Number>(
    py: Python<'_>,
    generator: &Generator<T>,
    model: &Model<T>,
) -> PyResult<Py<PyAny>> {
    let count = generator.count();
    let vectors = guard(|| generator.state(model))?.into_iter();
    let shaped = vectors.map(|vector| (Shape::new(vector.len() / count, count), vector));
    state::new_arrays(py, model, shaped.collect())
}

impl PyGenerator {
    pub(crate) fn make(
        py: Python<'_>,
        model: Arc<AnyModel>,
        plan: &Plan,
        given: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let inner = match &*model {
            AnyModel::Float32(model) => AnyGenerator::Float32(plan.begin(py, model, given)?),
            AnyModel::Float64(model) => AnyGenerator::Float64(plan.begin(py, model, given)?),
        };
        let inner = Mutex::new(inner);
        Ok(Self { model, inner })
    }

    fn lock(&self) -> PyResult<MutexGuard<'_, AnyGenerator>> {
        match self.inner.try_lock() {
            Ok(guard) => Ok(guard),
            Err(TryLockError::Poisoned(poisoned)) => Ok(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => {
                let message = "generate: in use by another thread";
                Err(raise("BusyError", message.into()))
            }
        }
    }
}

#[pymethods]
impl PyGenerator {
    #[new]
    #[pyo3(
        signature = (
            model, prime, *, count = Given::Default(1), sampling = None, stop = None,
            seed = Given::Default(0), sample = Given::Default(0), position = Given::Default(0),
            history = None, state = None
        ),
        text_signature = "(model, prime, *, count=1, sampling=None, stop=None, seed=0, sample=0, \
            position=0, history=None, state=None)"
    )]
    fn py_new(
        model: &Bound<'_, PyAny>,
        prime: &Bound<'_, PyAny>,
        count: Given<'_, usize>,
        sampling: Option<&Bound<'_, PyAny>>,
        stop: Option<&Bound<'_, PyAny>>,
        seed: Given<'_, u64>,
        sample: Given<'_, u32>,
        position: Given<'_, u64>,
        history: Option<&Bound<'_, PyAny>>,
        state: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let op = "generate";
        let history = history.filter(|history| !history.is_none());
        let histories = history.map(|history| sequences(op, "history", history));
        let plan = Plan {
            primes: sequences(op, "prime", prime)?,
            histories: histories.transpose()?.unwrap_or_default(),
            count: count.get(op, "count", argument::count)?,
            sampling: self::sampling(sampling)?,
            stops: stops(op, stop)?,
            seed: seed.get(op, "seed", argument::seed)?,
            sample: sample.get(op, "sample", argument::step)?,
            position: position.get(op, "position", argument::seed)?,
        };
        Self::make(prime.py(), model_of(op, model)?, &plan, state)
    }

    /// Chooses up to `length` more symbols of every sample.
    ///
    /// Returns
    /// -------
    /// list of list of int
    ///     For each sample the symbols that are new and cannot be part of a stop.
    pub(crate) fn advance(
        &self,
        py: Python<'_>,
        length: &Bound<'_, PyAny>,
    ) -> PyResult<Vec<Vec<usize>>> {
        let length = argument::count("generate", "length", length)?;
        both!(self, |generator, model| advance(
            py, generator, model, length
        ))
    }

    /// For each sample the symbols that were held back, as they may be the beginning of a stop: to be
    /// called once nothing follows.
    pub(crate) fn rest(&self) -> PyResult<Vec<Vec<usize>>> {
        both!(self, |generator, _model| Ok((0..generator.count())
            .map(|sample| generator.take_waiting(sample))
            .collect()))
    }

    /// Ends a sample.
    fn end(&self, sample: &Bound<'_, PyAny>) -> PyResult<()> {
        let sample = argument::index("generate", "sample", sample)?;
        both!(self, |generator, model| {
            let count = generator.count();
            if sample >= count {
                let message = format!("generate: sample must be below {count} but is {sample}");
                return Err(raise("OutOfRangeError", message));
            }
            guard(|| generator.end(model, sample))
        })
    }

    /// Whether each sample has ended.
    #[getter]
    fn ended(&self) -> PyResult<Vec<bool>> {
        both!(self, |generator, _model| Ok((0..generator.count())
            .map(|sample| generator.ended(sample))
            .collect()))
    }

    /// For each sample the number of its next draw: choices so far, those before this generator too.
    #[getter]
    fn positions(&self) -> PyResult<Vec<u64>> {
        both!(self, |generator, _model| Ok((0..generator.count())
            .map(|sample| generator.position(sample))
            .collect()))
    }

    /// For each sample its last symbol, be it a stop, which the state has not read.
    #[getter]
    fn last(&self) -> PyResult<Vec<usize>> {
        both!(self, |generator, _model| Ok((0..generator.count())
            .map(|sample| generator.last(sample))
            .collect()))
    }

    /// A copy of the state, `State` of arrays (samples, size): each sample has read all of its symbols
    /// but the last that was chosen, be it a stop.
    #[getter]
    pub(crate) fn state(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        both!(self, |generator, model| state_of(py, generator, model))
    }
}

/// What a search has found: symbols, ln P, score, and whether a stop ended it.
type Found = (Vec<usize>, f64, f64, bool);

/// The most probable continuations of symbols, by beam search; the best first.
///
/// Parameters
/// ----------
/// model
///     A net with one logit per symbol.
/// prime
///     The symbols to begin with, at least one.
/// length
///     The most symbols of a continuation y.
/// width
///     How many are kept, and returned at most.
/// length_penalty
///     They are ranked by ln P(y) / \|y\|^length_penalty, where \|y\| counts the stop: 0 favours short ones,
///     1 compares means.
/// stop
///     The symbol that ends a continuation, or a list of such. It counts in P(y).
/// allowed, banned
///     The symbols that may be chosen (None: all), and those that may not; P stays the net's own.
/// state
///     The state before the prime.
///
/// Returns
/// -------
/// list of tuple
///     (symbols, ln P, score, whether a stop ended it), the stop not among the symbols.
#[pyfunction]
#[pyo3(
    signature = (
        model, prime, length, *, width = Given::Default(4), length_penalty = Given::Default(1.0),
        stop = None, allowed = None, banned = None, state = None
    ),
    text_signature = "(model, prime, length, *, width=4, length_penalty=1.0, stop=None, \
        allowed=None, banned=None, state=None)"
)]
pub(crate) fn beam_search(
    model: &Bound<'_, PyAny>,
    prime: &Bound<'_, PyAny>,
    length: &Bound<'_, PyAny>,
    width: Given<'_, usize>,
    length_penalty: Given<'_, f64>,
    stop: Option<&Bound<'_, PyAny>>,
    allowed: Option<&Bound<'_, PyAny>>,
    banned: Option<&Bound<'_, PyAny>>,
    state: Option<&Bound<'_, PyAny>>,
) -> PyResult<Vec<Found>> {
    let op = "beam_search";
    let py = model.py();
    let model = model_of(op, model)?;
    let symbols = |name, given: Option<&Bound<'_, PyAny>>| {
        let given = given.filter(|given| !given.is_none());
        let symbols = given.map(|given| argument::indices(op, name, given));
        Ok::<_, PyErr>(symbols.transpose()?.map(|(symbols, _)| symbols))
    };
    let stops = stops(op, stop)?;
    if let Some(long) = stops.iter().find(|stop| stop.len() != 1) {
        let given = format!("a sequence of {}", long.len());
        return Err(wrong_value(op, "stop", "single symbols", &given));
    }
    let sampling = Sampling {
        allowed: symbols("allowed", allowed)?,
        banned: symbols("banned", banned)?.unwrap_or_default(),
        ..Sampling::default()
    };
    let request = Beam {
        prime: &argument::indices(op, "prime", prime)?.0,
        length: argument::count(op, "length", length)?,
        width: width.get(op, "width", argument::count)?,
        length_penalty: length_penalty.get(op, "length_penalty", argument::number)?,
        stops: &stops.concat(),
        sampling: &sampling,
    };
    let found = with!(&*model, AnyModel, |model| {
        let states = states_or_initial(model, state, 1)?;
        let mut interpreter = Interpreter::new(py);
        let found = guard(|| sample::beam(Isa::best(), model, &request, &states, &mut interpreter));
        interpreter.or(found)
    })?;
    let tuple = |h: Hypothesis| (h.symbols, h.log_probability, h.score, h.ended);
    Ok(found.into_iter().map(tuple).collect())
}

fn model_of(op: &str, given: &Bound<'_, PyAny>) -> PyResult<Arc<AnyModel>> {
    match given.cast::<PyModel>() {
        Ok(model) => Ok(Arc::clone(&model.get().inner)),
        Err(_) => Err(wrong_type(op, "model", "a Model", given)),
    }
}

/// Fails unless every option of a `Sampling` is in its domain.
#[pyfunction]
pub(crate) fn check_sampling(sampling: &Bound<'_, PyAny>) -> PyResult<()> {
    let read = read(sampling)?;
    guard(|| read.check())
}

/// The options given, or the usual ones.
pub(crate) fn sampling(given: Option<&Bound<'_, PyAny>>) -> PyResult<Sampling> {
    let Some(given) = given.filter(|given| !given.is_none()) else {
        return Ok(Sampling::default());
    };
    let class = given
        .py()
        .import("recurrentnn.sampling")?
        .getattr("Sampling")?;
    if !given.is_instance(&class)? {
        return Err(wrong_type("generate", "sampling", "a Sampling", given));
    }
    read(given)
}

fn read(given: &Bound<'_, PyAny>) -> PyResult<Sampling> {
    let op = "Sampling";
    let some = |name: &str| -> PyResult<Option<Bound<'_, PyAny>>> {
        Ok(Some(given.getattr(name)?).filter(|value| !value.is_none()))
    };
    let number = |name: &str| argument::number(op, name, &given.getattr(name)?);
    let maybe = |name: &str| -> PyResult<Option<f64>> {
        some(name)?
            .map(|x| argument::number(op, name, &x))
            .transpose()
    };
    let count = |name: &str| -> PyResult<Option<usize>> {
        some(name)?
            .map(|x| argument::count(op, name, &x))
            .transpose()
    };
    // Characters are for a vocabulary to read.
    let symbols = |name: &str| -> PyResult<Option<Vec<usize>>> {
        let given = some(name)?.filter(|symbols| !symbols.is_instance_of::<PyString>());
        let indices = |symbols| argument::indices(op, name, &symbols);
        Ok(given.map(indices).transpose()?.map(|(symbols, _)| symbols))
    };
    Ok(Sampling {
        greedy: argument::boolean(op, "greedy", &given.getattr("greedy")?)?,
        temperature: number("temperature")?,
        top_k: count("top_k")?,
        top_p: maybe("top_p")?,
        min_p: maybe("min_p")?,
        repetition_penalty: number("repetition_penalty")?,
        repetition_window: count("repetition_window")?,
        allowed: symbols("allowed")?,
        banned: symbols("banned")?.unwrap_or_default(),
    })
}

/// Sequences of symbols: one, or a list of them.
fn sequences(op: &str, name: &str, given: &Bound<'_, PyAny>) -> PyResult<Vec<Vec<usize>>> {
    let nested = given.try_iter().ok().and_then(|mut items| items.next());
    let nested = nested.is_some_and(|item| {
        item.is_ok_and(|item| item.try_iter().is_ok() && !item.is_instance_of::<PyString>())
    });
    if !nested {
        return Ok(vec![argument::indices(op, name, given)?.0]);
    }
    let one = |item: PyResult<Bound<'_, PyAny>>| Ok(argument::indices(op, name, &item?)?.0);
    given.try_iter()?.map(one).collect()
}

/// What ends a generation: a symbol, or a list of symbols and of sequences of symbols.
pub(crate) fn stops(op: &str, given: Option<&Bound<'_, PyAny>>) -> PyResult<Vec<Vec<usize>>> {
    let Some(given) = given.filter(|given| !given.is_none()) else {
        return Ok(Vec::new());
    };
    if given.is_instance_of::<PyString>() {
        let rule = "a symbol, or a list of symbols and sequences of symbols";
        return Err(wrong_type(op, "stop", rule, given));
    }
    let Ok(items) = given.try_iter() else {
        return Ok(vec![vec![argument::index(op, "stop", given)?]]);
    };
    items
        .map(|item| {
            let item = item?;
            match item.try_iter() {
                Ok(_) => Ok(argument::indices(op, "stop", &item)?.0),
                Err(_) => Ok(vec![argument::index(op, "stop", &item)?]),
            }
        })
        .collect()
}
