//! Beam search: the most probable continuations instead of drawn ones.

use std::cmp::Ordering;

use super::{Sampling, advance, columns_of, states_of, symbols_of};
use crate::cells::State;
use crate::element::Element;
use crate::error::{Error, Result};
use crate::host::Host;
use crate::kernels::Isa;
use crate::matrix::Matrix;
use crate::model::Model;
use crate::stream::Stream;

/// What to search.
#[derive(Clone, Copy, Debug)]
pub struct Beam<'a> {
    /// The symbols to begin with, at least one.
    pub prime: &'a [usize],
    /// The most symbols of a continuation.
    pub length: usize,
    /// How many are kept, and returned at most.
    pub width: usize,
    /// The exponent a in score = ln P(y) / |y|^a, where |y| counts the stop: 0 favours short ones, 1
    /// compares means.
    pub length_penalty: f64,
    /// Symbols that end a continuation; they count in P and |y| but are not among the returned.
    pub stops: &'a [usize],
    /// Of it only `allowed` and `banned` count: the rest is not continued with. P is the model's own.
    pub sampling: &'a Sampling,
}

/// A continuation.
#[derive(Clone, Debug, PartialEq)]
pub struct Hypothesis {
    /// Its symbols, without the stop.
    pub symbols: Vec<usize>,
    /// ln P(y), in nats, the stop included.
    pub log_probability: f64,
    /// What it is ranked by.
    pub score: f64,
    /// Whether a stop ended it, not the length.
    pub ended: bool,
}

/// The best continuations found, the best first; of equals, the one found first.
///
/// In each step all continuations by one symbol are ranked by ln P (then by rank before, then by
/// symbol). The best `width` that no stop ends go on. Of those among the best `width` the ended ones are
/// kept by their score, as are those that reach the length. It ends early when `width` are kept and none
/// that goes on can still be better than the worst of them: ln P only falls, and |y|^a only grows.
///
/// # Errors
/// [`Error::Argument`] names an option out of its domain, [`Error::OutOfRange`] a symbol that is none,
/// [`Error::NonFinite`] a logit that is no number; whatever the model refuses.
pub fn beam<T: Element>(
    isa: Isa,
    model: &Model<T>,
    request: &Beam<'_>,
    states: &[State<Matrix<T>>],
    host: &mut dyn Host,
) -> Result<Vec<Hypothesis>> {
    let symbols = symbols_of(model.config())?;
    let open = request.check(symbols)?;
    let (width, length) = (request.width, request.length);
    let mut stream = wide(isa, model, request, states, host)?;
    let mut logits = vec![T::ZERO; symbols * width];
    let mut going = vec![(Vec::<usize>::new(), 0.0)];
    let mut next = vec![request.prime.last().copied().unwrap_or(0); width];
    let mut kept = Vec::new();
    for position in 1..=length {
        advance(&mut stream, model, &next, &mut logits, host)?;
        let candidates = candidates(
            &going,
            &open,
            &logits,
            width + going.len() * request.stops.len(),
        )?;
        let (mut went_on, mut from) = (Vec::new(), Vec::new());
        for (rank, candidate) in candidates.into_iter().enumerate() {
            let Candidate {
                total,
                beam,
                symbol,
            } = candidate;
            if request.stops.contains(&symbol) {
                if rank < width {
                    kept.push(request.hypothesis(&going[beam].0, total, position, true));
                }
            } else if went_on.len() < width {
                let mut text = going[beam].0.clone();
                text.push(symbol);
                next[went_on.len()] = symbol;
                went_on.push((text, total));
                from.push(beam);
            }
        }
        going = went_on;
        kept.sort_by(|a: &Hypothesis, b| b.score.total_cmp(&a.score));
        kept.truncate(width);
        let Some((_, best)) = going.first() else {
            break;
        };
        let reachable = best / (length as f64).powf(request.length_penalty);
        if kept.len() == width && kept.last().is_some_and(|worst| worst.score >= reachable) {
            going.clear();
            break;
        }
        from.resize(width, 0);
        stream.reorder(&from)?;
    }
    let unfinished = going
        .iter()
        .map(|(text, total)| request.hypothesis(text, *total, length, false));
    kept.extend(unfinished);
    kept.sort_by(|a, b| b.score.total_cmp(&a.score));
    kept.truncate(width);
    Ok(kept)
}

impl Beam<'_> {
    /// Which symbols may be chosen.
    fn check(&self, symbols: usize) -> Result<Vec<bool>> {
        let refuse = |message: String| Err(Error::argument("beam", message));
        if self.prime.is_empty() {
            return refuse("prime must hold at least one symbol".into());
        }
        if self.width == 0 {
            return refuse("width must be at least 1 but is 0".into());
        }
        let penalty = self.length_penalty;
        if !(penalty >= 0.0 && penalty.is_finite()) {
            return refuse(format!(
                "length_penalty must be finite and from 0 but is {penalty}"
            ));
        }
        super::check_symbols("prime", self.prime, symbols)?;
        super::check_symbols("stop", self.stops, symbols)?;
        self.sampling.open(symbols)
    }

    fn hypothesis(&self, text: &[usize], total: f64, length: usize, ended: bool) -> Hypothesis {
        // Nothing has probability 1, however it is counted.
        let length = length.max(1) as f64;
        Hypothesis {
            symbols: text.to_vec(),
            log_probability: total,
            score: total / length.powf(self.length_penalty),
            ended,
        }
    }
}

/// A continuation of one that goes on.
#[derive(Clone, Copy)]
struct Candidate {
    total: f64,
    beam: usize,
    symbol: usize,
}

impl Candidate {
    /// The more probable first, then in the order of beams and symbols.
    fn order(&self, other: &Self) -> Ordering {
        let totals = other.total.total_cmp(&self.total);
        totals.then((self.beam, self.symbol).cmp(&(other.beam, other.symbol)))
    }
}

/// The best `count` continuations by one symbol, in order.
fn candidates<T: Element>(
    going: &[(Vec<usize>, f64)],
    open: &[bool],
    logits: &[T],
    count: usize,
) -> Result<Vec<Candidate>> {
    let mut all = Vec::with_capacity(going.len() * open.len());
    for ((beam, (_, before)), logits) in going
        .iter()
        .enumerate()
        .zip(logits.chunks_exact(open.len()))
    {
        let norm = log_sum_exp(logits)?;
        for (symbol, logit) in logits
            .iter()
            .enumerate()
            .filter(|(symbol, _)| open[*symbol])
        {
            let total = before + (logit.to_f64() - norm);
            all.push(Candidate {
                total,
                beam,
                symbol,
            });
        }
    }
    if count < all.len() {
        all.select_nth_unstable_by(count, Candidate::order);
        all.truncate(count);
    }
    all.sort_unstable_by(Candidate::order);
    Ok(all)
}

/// ln of the sum of exp(x).
fn log_sum_exp<T: Element>(logits: &[T]) -> Result<f64> {
    if let Some(at) = logits.iter().position(|x| !x.is_finite()) {
        let message = format!("logit {at} is {}", logits[at]);
        return Err(Error::non_finite("beam", message));
    }
    let largest = logits
        .iter()
        .map(|x| x.to_f64())
        .fold(f64::NEG_INFINITY, f64::max);
    let sum: f64 = logits.iter().map(|x| (x.to_f64() - largest).exp()).sum();
    Ok(largest + sum.ln())
}

/// A stream that has read all but the prime's last symbol, as many times as the beam is wide.
fn wide<T: Element>(
    isa: Isa,
    model: &Model<T>,
    request: &Beam<'_>,
    states: &[State<Matrix<T>>],
    host: &mut dyn Host,
) -> Result<Stream<T>> {
    let read = super::generate::read(isa, model, request.prime, states, host)?;
    let columns = vec![0; request.width];
    let repeated = read.into_iter().map(|one| columns_of(&one, 1, &columns));
    let states = states_of(model, repeated.collect(), request.width)?;
    Stream::new(isa, model, true, request.width, &states)
}
