//! One choice: a pure function of logits, symbols before and a draw.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use super::options::Sampling;
use super::seen::Seen;
use crate::element::Element;
use crate::error::{Error, Result};

/// Chooses symbols, with memory of its own: a choice allocates nothing.
pub struct Chooser {
    sampling: Sampling,
    open: Vec<bool>,
    /// The logits after penalty and bans; -inf where a symbol cannot be chosen.
    scores: Vec<f64>,
    /// Probabilities up to a factor: exp((score - largest) / temperature).
    weights: Vec<f64>,
    /// The symbols that may still be drawn, ascending.
    kept: Vec<usize>,
    ranked: Vec<Ranked>,
}

/// A symbol that is the greater the larger its score, the first of equals.
#[derive(Clone, Copy, PartialEq)]
struct Ranked {
    score: f64,
    symbol: usize,
}

impl Eq for Ranked {}

impl Ord for Ranked {
    fn cmp(&self, other: &Self) -> Ordering {
        let scores = self.score.total_cmp(&other.score);
        scores.then(other.symbol.cmp(&self.symbol))
    }
}

impl PartialOrd for Ranked {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Chooser {
    /// A chooser among so many symbols.
    ///
    /// # Errors
    /// Those of [`Sampling::check`] and [`Sampling::open`].
    pub fn new(sampling: &Sampling, symbols: usize) -> Result<Self> {
        sampling.check()?;
        Ok(Self {
            sampling: sampling.clone(),
            open: sampling.open(symbols)?,
            scores: vec![0.0; symbols],
            weights: vec![0.0; symbols],
            kept: Vec::with_capacity(symbols),
            ranked: Vec::with_capacity(symbols),
        })
    }

    /// The symbol that a draw `u` in [0, 1) picks, by the steps of [`crate::sample`].
    ///
    /// # Errors
    /// [`Error::NonFinite`] names a logit that is NaN or infinite; [`Error::Shape`] unless there is one
    /// per symbol.
    pub fn choose<T: Element>(&mut self, logits: &[T], seen: &Seen, u: f64) -> Result<usize> {
        self.check(logits)?;
        self.score(logits, seen);
        let best = self.best();
        if self.sampling.greedy {
            return Ok(best);
        }
        self.kept.clear();
        self.kept
            .extend((0..self.open.len()).filter(|&k| self.open[k]));
        if let Some(k) = self.sampling.top_k {
            self.keep_largest(k);
        }
        let largest = self.scores[best];
        for &k in &self.kept {
            self.weights[k] = ((self.scores[k] - largest) / self.sampling.temperature).exp();
        }
        if let Some(p) = self.sampling.top_p
            && p < 1.0
        {
            self.keep_share(p);
        }
        if let Some(p) = self.sampling.min_p {
            // The largest weight is 1.
            self.kept.retain(|&k| self.weights[k] >= p);
        }
        Ok(self.draw(u))
    }

    fn check<T: Element>(&self, logits: &[T]) -> Result<()> {
        if logits.len() != self.open.len() {
            let (expected, given) = (self.open.len(), logits.len());
            let message = format!("logits must be {expected}, one per symbol, but are {given}");
            return Err(Error::shape("sample", message));
        }
        match logits.iter().position(|x| !x.is_finite()) {
            None => Ok(()),
            Some(at) => {
                let message = format!("logit {at} is {}", logits[at]);
                Err(Error::non_finite("sample", message))
            }
        }
    }

    /// Steps 1 and 2.
    fn score<T: Element>(&mut self, logits: &[T], seen: &Seen) {
        let (penalty, penalises) = (self.sampling.repetition_penalty, self.sampling.penalises());
        let scores = self.scores.iter_mut().zip(logits);
        for (k, (score, logit)) in scores.enumerate() {
            let x = logit.to_f64();
            *score = if !self.open[k] {
                f64::NEG_INFINITY
            } else if penalises && seen.contains(k) {
                let penalised = if x > 0.0 { x / penalty } else { x * penalty };
                // What overflows is still a number, with which the rest can reckon.
                penalised.clamp(f64::MIN, f64::MAX)
            } else {
                x
            };
        }
    }

    /// The largest score, the first of equals; some symbol is open.
    fn best(&self) -> usize {
        let mut best = 0;
        for (k, &score) in self.scores.iter().enumerate() {
            if score > self.scores[best] {
                best = k;
            }
        }
        best
    }

    fn rank(&mut self) {
        let ranked = |&symbol: &usize| Ranked {
            score: self.scores[symbol],
            symbol,
        };
        self.ranked.clear();
        self.ranked.extend(self.kept.iter().map(ranked));
    }

    /// Keeps those that rank no lower than `last`.
    fn keep_down_to(&mut self, last: Ranked) {
        let scores = &self.scores;
        self.kept.retain(|&symbol| {
            let score = scores[symbol];
            Ranked { score, symbol } >= last
        });
    }

    /// Step 4, by selection.
    fn keep_largest(&mut self, k: usize) {
        if k >= self.kept.len() {
            return;
        }
        self.rank();
        let descending = |a: &Ranked, b: &Ranked| b.cmp(a);
        let (_, &mut last, _) = self.ranked.select_nth_unstable_by(k - 1, descending);
        self.keep_down_to(last);
    }

    /// Step 5: a heap brings no more of them in order than are kept.
    fn keep_share(&mut self, p: f64) {
        self.rank();
        let whole: f64 = self.kept.iter().map(|&k| self.weights[k]).sum();
        let mut heap = BinaryHeap::from(std::mem::take(&mut self.ranked));
        let (mut sum, mut last) = (0.0, None);
        while last.is_none() || sum < p * whole {
            let Some(next) = heap.pop() else { break };
            sum += self.weights[next.symbol];
            last = Some(next);
        }
        self.ranked = heap.into_vec();
        if let Some(last) = last {
            self.keep_down_to(last);
        }
    }

    /// Step 7. Rounding never runs past the end.
    fn draw(&self, u: f64) -> usize {
        let whole: f64 = self.kept.iter().map(|&k| self.weights[k]).sum();
        let (mut cumulative, mut last_possible) = (0.0, 0);
        for &k in &self.kept {
            let weight = self.weights[k];
            if weight > 0.0 {
                last_possible = k;
            }
            cumulative += weight;
            if cumulative > u * whole {
                return k;
            }
        }
        last_possible
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choose(logits: &[f64], sampling: &Sampling, u: f64) -> Result<usize> {
        let seen = Seen::new(logits.len(), None);
        Chooser::new(sampling, logits.len())?.choose(logits, &seen, u)
    }

    #[test]
    fn a_draw_at_the_end_stays_inside_and_far_logits_stay_finite() {
        let (almost_one, usual) = (1.0 - f64::EPSILON / 2.0, Sampling::default());
        assert_eq!(choose(&[0.0, 0.0, -1e9], &usual, almost_one).unwrap(), 1);
        assert_eq!(choose(&[-1e9, -1e9], &usual, 0.6).unwrap(), 1);
        assert_eq!(choose(&[1.0, 2.0], &Sampling::at(0.7), 0.0).unwrap(), 0);
    }

    #[test]
    fn a_draw_at_either_end_stays_among_what_is_kept() {
        let top = Sampling {
            top_k: Some(2),
            ..Sampling::default()
        };
        for (u, symbol) in [(0.0, 1), (1.0 - f64::EPSILON / 2.0, 3)] {
            assert_eq!(choose(&[0.0, 2.0, 1.0, 2.0, 0.0], &top, u).unwrap(), symbol);
        }
    }

    #[test]
    fn the_fewest_that_reach_the_share_are_kept() {
        // p = 1/2, 1/4, 1/4.
        let logits = [2.0_f64.ln(), 0.0, 0.0];
        let last = |top_p| {
            let top_p = Some(top_p);
            let sampling = Sampling {
                top_p,
                ..Sampling::default()
            };
            choose(&logits, &sampling, 1.0 - f64::EPSILON).unwrap()
        };
        let kept = [0.49, 0.51, 0.74, 0.76].map(last);
        assert_eq!(kept, [0, 1, 1, 2]);
    }

    #[test]
    fn nan_is_an_error_not_a_loop() {
        for sampling in [Sampling::default(), Sampling::greedy()] {
            assert!(choose(&[0.0, f64::NAN], &sampling, 0.5).is_err());
        }
        assert!(choose(&[0.0], &Sampling::at(0.0), 0.5).is_err());
        assert!(choose(&[], &Sampling::default(), 0.5).is_err());
    }

    #[test]
    fn the_first_of_equals_is_greedy() {
        assert_eq!(
            choose(&[1.0, 3.0, 3.0], &Sampling::greedy(), 0.9).unwrap(),
            1
        );
    }
}
