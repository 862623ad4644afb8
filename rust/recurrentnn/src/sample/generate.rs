//! Going on from symbols: one sample or many side by side.

use super::{
    Chooser, Sampling, Seen, Stops, advance, columns_of, states_of, symbols_of, vectors_of,
};
use crate::cells::State;
use crate::element::Element;
use crate::error::{Error, Result};
use crate::host::Host;
use crate::kernels::Isa;
use crate::matrix::Matrix;
use crate::model::Model;
use crate::random::{self, Purpose};
use crate::stream::Stream;

/// What to generate.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The symbols to begin with: those of all samples, or of each; at least one symbol.
    pub primes: &'a [Vec<usize>],
    /// Symbols that the states have read already, and a penalty knows of: none, of all or of each.
    pub histories: &'a [Vec<usize>],
    /// Number of samples.
    pub count: usize,
    /// How each symbol is chosen.
    pub sampling: &'a Sampling,
    /// Sequences of symbols that end a sample; they are not among the returned.
    pub stops: &'a [Vec<usize>],
    /// Seed of the draws.
    pub seed: u64,
    /// Number of the first sample: sample i draws from stream i of the seed.
    pub sample: u32,
    /// Number of the first draw: choices that were made before.
    pub position: u64,
}

/// Samples on their way. Each is the same, bit for bit, whatever stands beside it.
pub struct Generator<T: Element> {
    isa: Isa,
    stream: Stream<T>,
    /// The sample in each column of the stream.
    columns: Vec<usize>,
    /// What each column reads next.
    next: Vec<usize>,
    logits: Vec<T>,
    chooser: Chooser,
    stops: Stops,
    samples: Vec<Sample<T>>,
    /// A step went wrong half way.
    failed: bool,
}

struct Sample<T> {
    draws: random::Stream,
    /// Number of its next draw.
    position: u64,
    /// The last symbol chosen, be it a stop; before the first that of the prime.
    last: usize,
    seen: Seen,
    /// Chosen, but perhaps the beginning of a stop.
    waiting: Vec<usize>,
    /// Chosen, and not yet taken away.
    ready: Vec<usize>,
    /// Its state when it ended.
    end: Option<Vec<Vec<T>>>,
}

impl<T: Element> Generator<T> {
    /// Reads the primes. `states` is one, which all samples begin with, or one per sample.
    ///
    /// # Errors
    /// [`Error::Argument`] for no sample, an empty prime, options out of their domain, or a net that does
    /// not put out symbols; [`Error::OutOfRange`] for a symbol that is none; whatever the model refuses.
    pub fn new(
        isa: Isa,
        model: &Model<T>,
        request: &Request<'_>,
        states: &[State<Matrix<T>>],
        host: &mut dyn Host,
    ) -> Result<Self> {
        let symbols = symbols_of(model.config())?;
        let chooser = Chooser::new(request.sampling, symbols)?;
        let stops = Stops::new(request.stops, symbols)?;
        request.check(model)?;
        let batch = states.first().map_or(1, |state| state.hidden.cols());
        if batch != 1 {
            model.check_states(request.count, states)?;
        }
        let alike = batch == 1 && request.primes.len() == 1;
        let primed = if alike { 1 } else { request.count };
        let mut vectors: Vec<Vec<T>> = Vec::new();
        for sample in 0..primed {
            let first = column(model, states, batch, sample.min(batch - 1))?;
            let prime = of_sample(request.primes, sample);
            let read = read(isa, model, prime, &first, host)?;
            vectors.resize_with(read.len(), Vec::new);
            for (all, one) in vectors.iter_mut().zip(read) {
                all.extend(one);
            }
        }
        if alike {
            for vector in &mut vectors {
                *vector = vector.repeat(request.count);
            }
        }
        let states = states_of(model, vectors, request.count)?;
        let last = |sample| of_sample(request.primes, sample).last().copied();
        Ok(Self {
            isa,
            stream: Stream::new(isa, model, true, request.count, &states)?,
            columns: (0..request.count).collect(),
            next: (0..request.count).filter_map(last).collect(),
            logits: vec![T::ZERO; symbols * request.count],
            chooser,
            stops,
            samples: (0..request.count)
                .zip(request.sample..)
                .map(|(sample, number)| Sample {
                    draws: random::Stream::new(request.seed, Purpose::Sample, number),
                    position: request.position,
                    last: last(sample).unwrap_or(0),
                    seen: request.seen(sample, symbols),
                    waiting: Vec::new(),
                    ready: Vec::new(),
                    end: None,
                })
                .collect(),
            failed: false,
        })
    }

    /// Chooses the next symbol of every sample that has not ended.
    ///
    /// # Errors
    /// [`Error::NonFinite`] names a logit that is no number; [`Error::Interrupted`] where the host stops
    /// it; whatever the model refuses. There is no next step after an error.
    pub fn step(&mut self, model: &Model<T>, host: &mut dyn Host) -> Result<()> {
        if self.has_ended() {
            return Ok(());
        }
        if std::mem::replace(&mut self.failed, true) {
            let message = "an earlier error ended it; begin anew from a state";
            return Err(Error::argument("generate", message));
        }
        advance(&mut self.stream, model, &self.next, &mut self.logits, host)?;
        let logits = self
            .logits
            .chunks_exact(self.logits.len() / self.columns.len());
        for ((next, &sample), logits) in self.next.iter_mut().zip(&self.columns).zip(logits) {
            let sample = &self.samples[sample];
            if sample.end.is_none() {
                let u = sample.draws.uniform(sample.position);
                *next = self.chooser.choose(logits, &sample.seen, u)?;
            }
        }
        self.take_in(model)?;
        self.failed = false;
        Ok(())
    }

    /// Gives the chosen symbols to their samples, some of which end.
    fn take_in(&mut self, model: &Model<T>) -> Result<()> {
        let mut ended = Vec::new();
        for (&number, &symbol) in self.columns.iter().zip(&self.next) {
            let sample = &mut self.samples[number];
            if sample.end.is_some() {
                continue;
            }
            sample.position += 1;
            sample.last = symbol;
            sample.seen.push(symbol);
            sample.waiting.push(symbol);
            let waits = if let Some(length) = self.stops.reached(&sample.waiting) {
                ended.push(number);
                sample.waiting.truncate(sample.waiting.len() - length);
                0
            } else {
                self.stops.begun(&sample.waiting)
            };
            let ready = sample.waiting.len() - waits;
            sample.ready.extend(sample.waiting.drain(..ready));
        }
        ended.iter().try_for_each(|&sample| self.end(model, sample))
    }

    /// Ends a sample; nothing happens if it has ended.
    ///
    /// # Errors
    /// None while the generator lives.
    pub fn end(&mut self, model: &Model<T>, sample: usize) -> Result<()> {
        if self.samples[sample].end.is_none() {
            self.samples[sample].end = Some(self.state_of(model, sample)?);
        }
        let live = self.samples.iter().filter(|sample| sample.end.is_none());
        let live = live.count();
        if live > 0 && 2 * live <= self.columns.len() {
            self.leave_out_ended(model)?;
        }
        Ok(())
    }

    /// A narrower stream, of the samples that have not ended.
    fn leave_out_ended(&mut self, model: &Model<T>) -> Result<()> {
        let live = |&column: &usize| self.samples[self.columns[column]].end.is_none();
        let columns: Vec<usize> = (0..self.columns.len()).filter(live).collect();
        let vectors = vectors_of(model, &self.stream)?;
        let chosen = |vector: Vec<T>| columns_of(&vector, self.columns.len(), &columns);
        let vectors = vectors.into_iter().map(chosen).collect();
        let states = states_of(model, vectors, columns.len())?;
        self.stream = Stream::new(self.isa, model, true, columns.len(), &states)?;
        let symbols = self.logits.len() / self.columns.len();
        self.logits.truncate(symbols * columns.len());
        self.next = columns_of(&self.next, self.columns.len(), &columns);
        self.columns = columns_of(&self.columns, self.columns.len(), &columns);
        Ok(())
    }

    /// The vectors of a sample's state, layer by layer.
    fn state_of(&self, model: &Model<T>, sample: usize) -> Result<Vec<Vec<T>>> {
        let here = self.columns.iter().position(|&column| column == sample);
        let end = &self.samples[sample].end;
        match (end, here) {
            (None, Some(column)) => {
                let one = |vector: Vec<T>| columns_of(&vector, self.columns.len(), &[column]);
                Ok(vectors_of(model, &self.stream)?
                    .into_iter()
                    .map(one)
                    .collect())
            }
            (end, _) => Ok(end.clone().unwrap_or_default()),
        }
    }

    /// The vectors of the state, layer by layer, size x samples. Each sample has read all of its symbols
    /// but the last chosen, be it a stop.
    ///
    /// # Errors
    /// None while the generator lives.
    pub fn state(&self, model: &Model<T>) -> Result<Vec<Vec<T>>> {
        let mut all: Vec<Vec<T>> = Vec::new();
        for sample in 0..self.samples.len() {
            let one = self.state_of(model, sample)?;
            all.resize_with(one.len(), Vec::new);
            for (all, one) in all.iter_mut().zip(one) {
                all.extend(one);
            }
        }
        Ok(all)
    }

    /// Takes away the symbols of a sample that were chosen since the last time and are sure not to be
    /// part of a stop.
    pub fn take(&mut self, sample: usize) -> Vec<usize> {
        std::mem::take(&mut self.samples[sample].ready)
    }

    /// Takes away the symbols of a sample that wait, as they may be the beginning of a stop.
    pub fn take_waiting(&mut self, sample: usize) -> Vec<usize> {
        std::mem::take(&mut self.samples[sample].waiting)
    }

    /// Number of samples.
    pub fn count(&self) -> usize {
        self.samples.len()
    }

    /// Whether a sample has ended.
    pub fn ended(&self, sample: usize) -> bool {
        self.samples[sample].end.is_some()
    }

    /// Whether all have.
    pub fn has_ended(&self) -> bool {
        (0..self.count()).all(|sample| self.ended(sample))
    }

    /// Number of a sample's next draw.
    pub fn position(&self, sample: usize) -> u64 {
        self.samples[sample].position
    }

    /// The last symbol of a sample, be it a stop, which its state has not read.
    pub fn last(&self, sample: usize) -> usize {
        self.samples[sample].last
    }
}

impl Request<'_> {
    fn check<T: Element>(&self, model: &Model<T>) -> Result<()> {
        let refuse = |message: String| Err(Error::argument("generate", message));
        let count = self.count;
        if count == 0 {
            return refuse("count must be at least 1 but is 0".into());
        }
        let fits = u32::try_from(count).is_ok_and(|n| self.sample.checked_add(n - 1).is_some());
        if !fits {
            let sample = self.sample;
            return refuse(format!(
                "the numbers of samples must be below 2^32 but are {count} from {sample}"
            ));
        }
        for (name, given, least) in [("prime", self.primes, 1), ("history", self.histories, 0)] {
            let given_count = given.len();
            if given_count != 1 && given_count != count && given_count != least {
                return refuse(format!(
                    "{name} must be one, or one per sample, {count}, but is {given_count}"
                ));
            }
            for symbols in given {
                if symbols.len() < least {
                    return refuse(format!("{name} must hold at least one symbol"));
                }
                super::check_symbols(name, symbols, model.config().input_size)?;
            }
        }
        Ok(())
    }

    fn seen(&self, sample: usize, symbols: usize) -> Seen {
        let mut seen = Seen::new(symbols, self.sampling.repetition_window);
        let history = of_sample(self.histories, sample);
        for &symbol in history.iter().chain(of_sample(self.primes, sample)) {
            seen.push(symbol);
        }
        seen
    }
}

/// What belongs to a sample: its own, that of all, or nothing.
fn of_sample(given: &[Vec<usize>], sample: usize) -> &[usize] {
    let own = given.get(sample).or(given.first());
    own.map_or(&[], Vec::as_slice)
}

/// One sample's states.
fn column<T: Element>(
    model: &Model<T>,
    states: &[State<Matrix<T>>],
    batch: usize,
    column: usize,
) -> Result<Vec<State<Matrix<T>>>> {
    let vectors = states.iter().flat_map(State::vectors);
    let one = |vector: &Matrix<T>| Ok(columns_of(&vector.to_vec()?, batch, &[column]));
    states_of(model, vectors.map(one).collect::<Result<_>>()?, 1)
}

/// The state, as vectors, after all but the last symbol.
pub(super) fn read<T: Element>(
    isa: Isa,
    model: &Model<T>,
    prime: &[usize],
    states: &[State<Matrix<T>>],
    host: &mut dyn Host,
) -> Result<Vec<Vec<T>>> {
    let mut stream = Stream::new(isa, model, true, 1, states)?;
    let mut logits = vec![T::ZERO; model.config().output_rows()];
    for symbol in &prime[..prime.len() - 1] {
        advance(
            &mut stream,
            model,
            std::slice::from_ref(symbol),
            &mut logits,
            host,
        )?;
    }
    vectors_of(model, &stream)
}
