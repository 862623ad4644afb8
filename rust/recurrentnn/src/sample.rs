//! Choosing the next symbol, and going on from one: pure functions of logits, temperature and a draw.

use crate::element::Element;
use crate::error::{Error, Result};
use crate::model::Model;
use crate::program::Input;
use crate::random::{self, Purpose};
use crate::stream::Stream;

/// How the next symbol is chosen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Choice {
    /// The most probable; the first of equals.
    Greedy,
    /// Drawn from softmax(logits / temperature).
    Temperature(f64),
}

/// The most probable symbol; the first of equals.
///
/// # Errors
/// [`Error::NonFinite`] if a logit is NaN, [`Error::Argument`] if there is none.
pub fn greedy<T: Element>(logits: &[T]) -> Result<usize> {
    check(logits)?;
    let mut best = 0;
    for (k, &logit) in logits.iter().enumerate() {
        if logit > logits[best] {
            best = k;
        }
    }
    Ok(best)
}

/// The symbol that a draw `u` in [0, 1) picks from softmax(logits / temperature): the first whose
/// cumulative probability exceeds u. Rounding never runs past the end.
///
/// # Errors
/// [`Error::NonFinite`] if a logit is NaN or infinite, [`Error::Argument`] unless temperature > 0.
pub fn draw<T: Element>(logits: &[T], temperature: f64, u: f64) -> Result<usize> {
    check(logits)?;
    check_temperature(temperature)?;
    let largest = logits
        .iter()
        .fold(T::NEG_INFINITY, |m, &x| m.maximum(x))
        .to_f64();
    let weight = |logit: &T| ((logit.to_f64() - largest) / temperature).exp();
    let total: f64 = logits.iter().map(weight).sum();
    let mut cumulative = 0.0;
    let mut last_possible = 0;
    for (k, logit) in logits.iter().enumerate() {
        let weight = weight(logit);
        if weight > 0.0 {
            last_possible = k;
        }
        cumulative += weight;
        if cumulative > u * total {
            return Ok(k);
        }
    }
    Ok(last_possible)
}

/// What to generate.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The symbols to begin with.
    pub prime: &'a [usize],
    /// How many to choose at most.
    pub length: usize,
    /// How each is chosen.
    pub choice: Choice,
    /// Seed of the draws.
    pub seed: u64,
    /// Draws of the seed that an earlier request used up.
    pub drawn: usize,
    /// The symbol that ends; it is not among the returned.
    pub stop: Option<usize>,
}

/// Feeds the prime to the stream, then goes on symbol by symbol.
///
/// # Errors
/// [`Error::Argument`] for an empty prime or a net that does not put out symbols; whatever the model
/// refuses.
pub fn generate<T: Element>(
    model: &Model<T>,
    request: &Request<'_>,
    stream: &mut Stream<T>,
) -> Result<Vec<usize>> {
    let Request {
        prime,
        length,
        choice,
        seed,
        drawn,
        stop,
    } = *request;
    if let Choice::Temperature(temperature) = choice {
        check_temperature(temperature)?;
    }
    let Some((&last, before)) = prime.split_last() else {
        return Err(Error::argument(
            "generate",
            "prime must hold at least one symbol",
        ));
    };
    if model.config().output_rows() != model.config().input_size {
        let message = format!(
            "the model must put out one logit per input symbol but has {} outputs for {} symbols",
            model.config().output_rows(),
            model.config().input_size
        );
        return Err(Error::argument("generate", message));
    }
    model.check_symbols(prime)?;
    let draws = random::Stream::new(seed, Purpose::Sample, 0);
    let mut logits = vec![T::ZERO; model.config().output_rows()];
    for &symbol in before {
        stream.step(model, Input::Symbols(&[symbol]), &mut logits)?;
    }
    let (mut symbol, mut chosen) = (last, Vec::new());
    for k in (drawn as u64..).take(length) {
        stream.step(model, Input::Symbols(&[symbol]), &mut logits)?;
        symbol = match choice {
            Choice::Greedy => greedy(&logits)?,
            Choice::Temperature(t) => draw(&logits, t, draws.uniform(k))?,
        };
        if stop == Some(symbol) {
            break;
        }
        chosen.push(symbol);
    }
    Ok(chosen)
}

fn check<T: Element>(logits: &[T]) -> Result<()> {
    if logits.is_empty() {
        return Err(Error::argument("sample", "logits must not be empty"));
    }
    if let Some(at) = logits.iter().position(|x| !x.is_finite()) {
        let message = format!("logit {at} is {}", logits[at]);
        return Err(Error::non_finite("sample", message));
    }
    Ok(())
}

fn check_temperature(temperature: f64) -> Result<()> {
    if temperature > 0.0 && temperature.is_finite() {
        return Ok(());
    }
    let message = format!("temperature must be finite and above 0 but is {temperature}");
    Err(Error::argument("sample", message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draw_at_the_end_stays_inside_and_far_logits_stay_finite() {
        let almost_one = 1.0 - f64::EPSILON / 2.0;
        assert_eq!(draw(&[0.0f64, 0.0, -1e9], 1.0, almost_one).unwrap(), 1);
        assert_eq!(draw(&[-1e9f32, -1e9], 1.0, 0.6).unwrap(), 1);
        assert_eq!(draw(&[1.0f32, 2.0], 0.7, 0.0).unwrap(), 0);
    }

    #[test]
    fn nan_is_an_error_not_a_loop() {
        assert!(draw(&[0.0, f64::NAN], 1.0, 0.5).is_err());
        assert!(greedy(&[f32::NAN]).is_err());
        assert!(draw(&[0.0f32], 0.0, 0.5).is_err());
    }

    #[test]
    fn the_first_of_equals_is_greedy() {
        assert_eq!(greedy(&[1.0f32, 3.0, 3.0]).unwrap(), 1);
    }
}
