//! The numbers of masks: a function of seed, mask, call, sample, step and row, and of nothing else.
//!
//! Mask m of a model at call s draws from a seed of its own, words 0 and 1 of block s of (seed,
//! [`Purpose::Mask`], m). Row r of sample b at step t is dropped where a word of it is below rate 2^32:
//! word (r / 8) % 4 of block 8 (r / 32) + r % 8 + 2^32 b, of (that seed, [`Purpose::Mask`], t).

use rayon::prelude::*;

use crate::element::Element;
use crate::kernels::masks::{Address, keep};
use crate::kernels::{Isa, parallel};
use crate::random::{Purpose, Stream};

/// One mask of one call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Draw {
    seed: [u32; 2],
    threshold: u64,
    kept: f64,
}

impl Draw {
    /// Mask `number` of a model's seed at call `step`: 0 with probability `rate`, else `kept`.
    pub(crate) fn new(seed: u64, number: usize, step: u64, rate: f64, kept: f64) -> Self {
        let number = u32::try_from(number).unwrap_or(u32::MAX);
        let [low, high, ..] = Stream::new(seed, Purpose::Mask, number).words(step);
        Self {
            seed: [low, high],
            threshold: threshold(rate),
            kept,
        }
    }

    /// Fills columns of `rows` numbers; `place` tells each column's sample and step.
    pub(crate) fn fill<T: Element>(
        &self,
        isa: Isa,
        rows: usize,
        place: impl Fn(usize) -> (usize, usize) + Sync,
        out: &mut [T],
    ) {
        // A number takes about a nanosecond; waking a thread is repaid by some ten thousand.
        const PIECE: usize = 1 << 14;
        let columns = (PIECE / rows.max(1)).max(1);
        let fill = |(piece, out): (usize, &mut [T])| {
            let address = |column| self.address(place(piece * columns + column));
            let kept = T::from_f64(self.kept);
            keep(isa, rows, address, self.threshold, kept, out);
        };
        let piece = columns * rows.max(1);
        if out.len() < 2 * piece || parallel::threads() == 1 {
            out.chunks_mut(piece).enumerate().for_each(fill);
        } else {
            out.par_chunks_mut(piece).enumerate().for_each(fill);
        }
    }

    fn address(&self, (sample, step): (usize, usize)) -> Address {
        let word = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        Address {
            key: self.seed,
            counter: [word(sample), word(step), Purpose::Mask as u32],
        }
    }
}

/// The words below are `rate` of all.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // a rate is in [0, 1)
fn threshold(rate: f64) -> u64 {
    (rate * (1_u64 << 32) as f64).ceil() as u64
}
