//! Random numbers without state: every draw is addressed by seed, purpose, step and index.
//!
//! The words come from Philox 4x32-10 (Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as
//! easy as 1, 2, 3", SC 2011). What is made of them uses + - * / and the square root alone, in
//! double precision and without fused multiply-add, so that every machine, and the pure-Python
//! reference, has the same bits.

use rayon::prelude::*;

use crate::element::Element;
use crate::kernels::parallel::threads;

/// What a draw is for; draws for different purposes are independent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Initial parameters; the step is the parameter's number.
    Init = 0,
    /// Dropout masks.
    Dropout = 1,
    /// Symbols drawn from a model.
    Sample = 2,
    /// The order of examples.
    Shuffle = 3,
    /// `Matrix::uniform` and `Matrix::normal`.
    Matrix = 4,
    /// Sentences of the built-in grammar.
    Text = 5,
    /// Masks of a model's calls.
    Mask = 6,
}

/// All draws of one seed, purpose and step, by index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stream {
    seed: u64,
    purpose: Purpose,
    step: u32,
}

impl Stream {
    /// The draws of this address.
    pub const fn new(seed: u64, purpose: Purpose, step: u32) -> Self {
        Self {
            seed,
            purpose,
            step,
        }
    }

    /// The four words of a block: Philox with the seed as its key and (block, step, purpose) as its
    /// counter.
    pub fn words(&self, block: u64) -> [u32; 4] {
        let (seed, block) = (halves(self.seed), halves(block));
        let counter = [block[0], block[1], self.step, self.purpose as u32];
        philox(seed, counter)
    }

    /// Draw `index`, uniform in [0, 1), a multiple of 2^-53. Two draws share a block.
    pub fn uniform(&self, index: u64) -> f64 {
        let [a, b, c, d] = self.words(index / 2);
        if index.is_multiple_of(2) {
            unit(a, b)
        } else {
            unit(c, d)
        }
    }

    /// Draw `index`, normal with mean 0 and standard deviation 1: r cos(2 pi v), r^2 = -2 ln(1 - u)
    /// (Box and Muller 1958), of a block of its own.
    pub fn normal(&self, index: u64) -> f64 {
        let [a, b, c, d] = self.words(index);
        let r = (-2.0 * ln(1.0 - unit(a, b))).sqrt();
        r * cos2pi(unit(c, d))
    }

    /// Draw `index`, an integer in 0..n (0 if n is 0).
    pub fn below(&self, index: u64, n: usize) -> usize {
        floor(self.uniform(index) * n as f64)
    }

    /// Reorders `items`, each order equally likely (Fisher and Yates, from the end).
    pub fn shuffle<V>(&self, items: &mut [V]) {
        let draws = 0_u64..;
        for (i, draw) in (1..items.len()).rev().zip(draws) {
            items.swap(i, self.below(draw, i + 1));
        }
    }

    /// `out[i]` = `low + (high - low) * uniform(i)`, rounded to T.
    pub fn fill_uniform<T: Element>(&self, out: &mut [T], low: f64, high: f64) {
        Self::fill(out, |i| low + (high - low) * self.uniform(i));
    }

    /// `out[i]` = `mean + std * normal(i)`, rounded to T.
    pub fn fill_normal<T: Element>(&self, out: &mut [T], mean: f64, std: f64) {
        Self::fill(out, |i| mean + std * self.normal(i));
    }

    /// `out[i]` = 1 / (1 - rate) where uniform(i) >= rate, else 0: the mask of dropout at a rate in
    /// [0, 1).
    pub fn fill_keep<T: Element>(&self, out: &mut [T], rate: f64) {
        let scale = 1.0 / (1.0 - rate);
        Self::fill(out, |i| if self.uniform(i) < rate { 0.0 } else { scale });
    }

    fn fill<T: Element>(out: &mut [T], draw: impl Fn(u64) -> f64 + Sync) {
        // A draw takes some 10 ns; waking a thread is repaid by some thousands.
        const PIECE: usize = 1 << 12;
        let fill = |(piece, out): (usize, &mut [T])| {
            let start = (piece * PIECE) as u64;
            for (x, index) in out.iter_mut().zip(start..) {
                *x = T::from_f64(draw(index));
            }
        };
        if out.len() < 2 * PIECE || threads() == 1 {
            fill((0, out));
        } else {
            out.par_chunks_mut(PIECE).enumerate().for_each(fill);
        }
    }
}

/// Philox 4x32 with 10 rounds.
fn philox(mut key: [u32; 2], mut counter: [u32; 4]) -> [u32; 4] {
    for _ in 0..10 {
        let [low0, high0] = halves(u64::from(counter[0]) * 0xD251_1F53);
        let [low1, high1] = halves(u64::from(counter[2]) * 0xCD9E_8D57);
        counter = [
            high1 ^ counter[1] ^ key[0],
            low1,
            high0 ^ counter[3] ^ key[1],
            low0,
        ];
        key[0] = key[0].wrapping_add(0x9E37_79B9); // the golden ratio
        key[1] = key[1].wrapping_add(0xBB67_AE85); // sqrt(3) - 1
    }
    counter
}

/// The low and the high half.
#[allow(clippy::cast_possible_truncation)] // cutting in two is the purpose
const fn halves(x: u64) -> [u32; 2] {
    [x as u32, (x >> 32) as u32]
}

/// 53 bits of two words as a number in [0, 1).
fn unit(first: u32, second: u32) -> f64 {
    let bits = u64::from(second) << 32 | u64::from(first);
    (bits >> 11) as f64 * (1.0 / (1_u64 << 53) as f64)
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // x is neither huge nor negative
fn floor(x: f64) -> usize {
    x as usize
}

/// Natural logarithm of a positive normal number.
///
/// x = m 2^e with m in [sqrt(1/2), sqrt(2)); ln m = 2 artanh(s), s = (m - 1)/(m + 1), by its series
/// s + s^3/3 + ... + s^23/23, whose remainder is below 2^-65 as |s| < 0.172.
fn ln(x: f64) -> f64 {
    let (mut m, mut e) = frexp(x);
    if m < std::f64::consts::FRAC_1_SQRT_2 {
        m *= 2.0;
        e -= 1.0;
    }
    let s = (m - 1.0) / (m + 1.0);
    let q = s * s;
    let mut p = 1.0 / 23.0;
    for odd in [21.0, 19.0, 17.0, 15.0, 13.0, 11.0, 9.0, 7.0, 5.0, 3.0, 1.0] {
        p = p * q + 1.0 / odd;
    }
    e * std::f64::consts::LN_2 + 2.0 * s * p
}

/// `x = m * 2^e` with m in [0.5, 1), of a positive normal number.
fn frexp(x: f64) -> (f64, f64) {
    const EXPONENT: u64 = 0x7FF << 52;
    const HALF: u64 = 1022 << 52;
    let bits = x.to_bits();
    let exponent = (bits & EXPONENT) >> 52;
    (
        f64::from_bits(bits & !EXPONENT | HALF),
        exponent as f64 - 1022.0,
    )
}

/// cos(2 pi v) for v in [0, 1): the Taylor series of sine or cosine in the quadrant of v.
fn cos2pi(v: f64) -> f64 {
    let quadrant = floor(4.0 * v);
    let t = (4.0 * v - quadrant as f64) * std::f64::consts::FRAC_PI_2;
    let q = t * t;
    let series = |shift: f64| {
        let mut sum = 1.0;
        for n in (1..=12).rev() {
            let even = 2.0 * f64::from(n) + shift;
            sum = 1.0 - sum * q / ((even - 1.0) * even);
        }
        sum
    };
    match quadrant {
        0 => series(0.0),
        1 => -(series(1.0) * t),
        2 => -series(0.0),
        _ => series(1.0) * t,
    }
}

#[cfg(test)]
#[allow(clippy::float_cmp)] // equal bits are what is claimed
mod tests {
    use super::*;

    const STREAM: Stream = Stream::new(7, Purpose::Matrix, 0);

    #[test]
    fn philox_gives_the_known_answers_of_its_authors() {
        // `kat_vectors` of Random123.
        let ones = u32::MAX;
        let cases = [
            (
                [0; 2],
                [0; 4],
                [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8],
            ),
            (
                [ones; 2],
                [ones; 4],
                [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd],
            ),
            (
                [0xa409_3822, 0x299f_31d0],
                [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344],
                [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1],
            ),
        ];
        for (key, counter, words) in cases {
            assert_eq!(philox(key, counter), words);
        }
    }

    #[test]
    fn every_part_of_an_address_leads_to_other_words() {
        let words = STREAM.words(3);
        assert_eq!(Stream::new(7, Purpose::Matrix, 0).words(3), words);
        for other in [
            Stream::new(7 + (1 << 32), Purpose::Matrix, 0).words(3),
            Stream::new(8, Purpose::Matrix, 0).words(3),
            Stream::new(7, Purpose::Text, 0).words(3),
            Stream::new(7, Purpose::Matrix, 1).words(3),
            STREAM.words(4),
            STREAM.words(3 + (1 << 32)),
        ] {
            assert_ne!(other, words);
        }
    }

    #[test]
    fn two_uniform_draws_share_a_block_and_a_normal_has_its_own() {
        let [a, b, c, d] = STREAM.words(3);
        assert_eq!(STREAM.uniform(6), unit(a, b));
        assert_eq!(STREAM.uniform(7), unit(c, d));
        let r = (-2.0 * ln(1.0 - unit(a, b))).sqrt();
        assert_eq!(STREAM.normal(3), r * cos2pi(unit(c, d)));
        assert_eq!(unit(u32::MAX, u32::MAX), 1.0 - 0.5_f64.powi(53));
        assert_eq!(unit(1 << 11, 0), 0.5_f64.powi(53));
    }

    #[test]
    fn logarithm_and_cosine_are_those_of_the_standard_library() {
        for i in 1..10_000 {
            let x = f64::from(i) / 10_000.0;
            assert!(
                (ln(x) - x.ln()).abs() <= 2.0 * f64::EPSILON * x.ln().abs(),
                "ln {x}"
            );
            let cosine = (std::f64::consts::TAU * x).cos();
            assert!((cos2pi(x) - cosine).abs() < 1e-15, "cos {x}");
        }
        assert_eq!(ln(1.0).to_bits(), 0.0_f64.to_bits());
        assert!((ln(2.0_f64.powi(-53)) + 53.0 * 2.0_f64.ln()).abs() < 1e-14);
        assert!((cos2pi(0.25)).abs() < 1e-300);
    }

    /// The largest distance of the empirical distribution of `draws` from `distribution`.
    fn kolmogorov(mut draws: Vec<f64>, distribution: impl Fn(f64) -> f64) -> f64 {
        draws.sort_by(f64::total_cmp);
        let n = draws.len() as f64;
        let gap = |(i, x): (usize, &f64)| (distribution(*x) - i as f64 / n).abs();
        draws.iter().enumerate().map(gap).fold(0.0, f64::max)
    }

    #[test]
    fn uniform_draws_are_uniform() {
        let mut draws = vec![0.0_f64; 20_000];
        STREAM.fill_uniform(&mut draws, 0.0, 1.0);
        assert!(draws.iter().all(|x| (0.0..1.0).contains(x)));
        // 1.63 / sqrt(n) is passed by one seed in a hundred; this one is fixed.
        assert!(kolmogorov(draws, |x| x) < 1.63 / 20_000_f64.sqrt());
    }

    #[test]
    fn normal_draws_are_normal() {
        let mut draws = vec![0.0_f64; 20_000];
        STREAM.fill_normal(&mut draws, 0.0, 1.0);
        let n = draws.len() as f64;
        let moment = |p: i32| draws.iter().map(|x| x.powi(p)).sum::<f64>() / n;
        for (p, expected, spread) in [(1, 0.0, 1.0), (2, 1.0, 2.0), (3, 0.0, 15.0), (4, 3.0, 96.0)]
        {
            let error = moment(p) - expected;
            assert!(
                error.abs() < 3.0 * (spread / n).sqrt(),
                "moment {p}: off by {error}"
            );
        }
        // The distribution function by Simpson's rule from 0.
        let distribution = |x: f64| {
            let density = |x: f64| (-x * x / 2.0).exp() / std::f64::consts::TAU.sqrt();
            let h = x / 64.0;
            let area = |i: i32| {
                let a = f64::from(i) * h;
                (density(a) + 4.0 * density(a + h / 2.0) + density(a + h)) * h / 6.0
            };
            0.5 + (0..64).map(area).sum::<f64>()
        };
        assert!(kolmogorov(draws.clone(), distribution) < 1.63 / n.sqrt());
    }

    #[test]
    fn fills_are_the_addressed_draws_in_either_type_and_any_length() {
        for len in [0, 1, 5, 20_000] {
            let (mut double, mut single) = (vec![0.0_f64; len], vec![0.0_f32; len]);
            STREAM.fill_normal(&mut double, 1.0, 2.0);
            STREAM.fill_normal(&mut single, 1.0, 2.0);
            for (i, (double, single)) in (0..).zip(double.iter().zip(single)) {
                assert_eq!(*double, 1.0 + 2.0 * STREAM.normal(i));
                assert_eq!(single, f32::from_f64(*double));
            }
        }
    }

    #[test]
    fn dropout_keeps_its_share_and_scales_it() {
        let mut mask = vec![0.0_f32; 20_000];
        STREAM.fill_keep(&mut mask, 0.25);
        let kept = mask.iter().filter(|x| **x != 0.0).count();
        assert!(kept.abs_diff(15_000) < 200, "{kept} of 20000 kept");
        assert!(
            mask.iter()
                .all(|x| *x == 0.0 || *x == f32::from_f64(1.0 / 0.75))
        );
        STREAM.fill_keep(&mut mask, 0.0);
        assert!(mask.iter().all(|x| *x == 1.0));
    }

    #[test]
    fn integers_below_n_are_equally_likely() {
        let mut counts = [0_usize; 6];
        (0..12_000).for_each(|i| counts[STREAM.below(i, 6)] += 1);
        assert!(counts.iter().all(|n| n.abs_diff(2000) < 150), "{counts:?}");
    }

    #[test]
    fn every_order_is_equally_likely() {
        let mut counts = std::collections::BTreeMap::new();
        for step in 0..6000 {
            let mut items = [0, 1, 2];
            Stream::new(1, Purpose::Shuffle, step).shuffle(&mut items);
            *counts.entry(items).or_insert(0_usize) += 1;
        }
        assert_eq!(counts.len(), 6);
        assert!(
            counts.values().all(|n| n.abs_diff(1000) < 120),
            "{counts:?}"
        );
    }
}
