//! Samples of different lengths: each has the bits that it has alone.

use super::bits::{dishes, same};
use super::custom::variants;
use super::recipe::{Dish, Served};
use super::*;

/// The first columns of each step.
fn packed<T: Clone>(values: &[T], extent: Extent, lengths: &[usize]) -> Vec<T> {
    let Extent { time, batch } = extent;
    let rows = values.len() / extent.columns().max(1);
    let count = |t: usize| lengths.iter().filter(|&&length| length > t).count();
    let step = |t: usize| values[t * batch * rows..][..count(t) * rows].to_vec();
    (0..time).flat_map(step).collect()
}

/// The columns of one sample.
fn unpacked<T: Clone>(values: &[T], lengths: &[usize], sample: usize) -> Vec<T> {
    let rows = values.len() / lengths.iter().sum::<usize>().max(1);
    let (mut first, mut found) = (0, Vec::new());
    for t in 0..lengths[sample] {
        found.extend_from_slice(&values[(first + sample) * rows..][..rows]);
        first += lengths.iter().filter(|&&length| length > t).count();
    }
    found
}

impl<T: Element> Dish<T> {
    pub(crate) fn columns(&self) -> usize {
        match &self.lengths {
            Some(lengths) => lengths.iter().sum(),
            None => self.extent.columns(),
        }
    }

    /// Its samples, cut to these lengths.
    pub(crate) fn ragged(&self, lengths: &[usize]) -> Self {
        let cut = |values: &[T]| packed(values, self.extent, lengths);
        let grads = self.result_grads.iter();
        Self {
            lengths: Some(lengths.to_vec()),
            features: cut(&self.features),
            symbols: packed(&self.symbols, self.extent, lengths),
            result_grads: grads.map(|grad| grad.as_deref().map(cut)).collect(),
            ..self.clone()
        }
    }

    /// One sample, so long.
    fn alone(&self, sample: usize, length: usize) -> Self {
        let alone = self.sample(sample);
        let states: Vec<Vec<T>> = alone.states.iter().flatten().cloned().collect();
        alone.steps(0..length, &states)
    }
}

impl<T: Element> Served<T> {
    fn sample_of(&self, lengths: &[usize], sample: usize) -> Self {
        let steps = |values: &Vec<T>| unpacked(values, lengths, sample);
        let one = |values: &Vec<T>| {
            let rows = values.len() / lengths.len();
            values[sample * rows..][..rows].to_vec()
        };
        Self {
            results: self.results.iter().map(steps).collect(),
            states: self.states.iter().map(one).collect(),
            params: Vec::new(),
            input: steps(&self.input),
            initial: self.initial.iter().map(one).collect(),
        }
    }
}

pub(super) fn rows_agree<T: Element>(
    dish: &Dish<T>,
    lengths: &[usize],
    passes: Passes,
    threads: usize,
) {
    let program = dish.program(passes);
    let isa = Isa::best();
    let all = dish.ragged(lengths).run_of(&program, isa, threads);
    for (sample, &length) in lengths.iter().enumerate() {
        let one = dish.alone(sample, length).run_of(&program, isa, 1);
        let what = format!("{} {lengths:?} {sample} {threads} {passes:?}", dish.name);
        same(
            &all.sample_of(lengths, sample),
            &one.without_params(),
            &what,
        );
    }
}

#[test]
fn a_row_alone_is_the_row_among_others() {
    for dish in dishes::<f32>(6, 7) {
        rows_agree(&dish, &[6, 6, 5, 3, 3, 1, 0], Passes::ALL, 1);
        rows_agree(&dish, &[5, 1, 1, 1, 1, 0, 0], Passes::ALL, 2);
    }
    for dish in dishes::<f64>(9, 3) {
        rows_agree(&dish, &[9, 2, 2], Passes::ALL, 2);
        rows_agree(&dish, &[0, 0, 0], Passes::ALL, 1);
    }
}

#[test]
fn rows_agree_whatever_passes_are_left_out() {
    for dish in dishes::<f64>(4, 5) {
        for passes in variants() {
            rows_agree(&dish, &[4, 3, 3, 1, 0], passes, 1);
        }
    }
}

#[test]
fn rows_of_symbols_agree() {
    for cell in CellKind::ALL {
        let mut config = config(cell.clone(), 7, &[9, 17], false);
        let dish = Dish::<f32>::of_net(&config, 6, 4, Source::OneHot);
        rows_agree(&dish, &[6, 4, 1, 0], Passes::ALL, 1);
        config.embedding_size = Some(5);
        let dish = Dish::<f32>::of_net(&config, 6, 4, Source::Embedding(0));
        rows_agree(&dish, &[6, 4, 4, 2], Passes::ALL, 2);
    }
}

/// More columns than are computed at once, and rows split among threads.
#[test]
fn long_rows_and_large_nets_agree() {
    let config_of = |cell: CellKind, size: usize| config(cell, 7, &[size], true);
    let lengths = [90, 90, 90, 41, 40, 3, 3, 3, 0];
    for cell in [CellKind::Gru, CellKind::Lstm] {
        let dish = Dish::<f32>::of_net(&config_of(cell, 9), 90, 9, Source::Features);
        for threads in [1, 2, 3] {
            rows_agree(&dish, &lengths, Passes::ALL, threads);
        }
    }
    let dish = Dish::<f32>::of_net(&config_of(CellKind::Lstm, 420), 4, 3, Source::Features);
    rows_agree(&dish, &[4, 2, 1], Passes::ALL, 2);
}

/// The gradients of parameters are sums over all rows.
#[test]
fn the_gradients_of_parameters_are_those_of_the_rows() {
    for dish in dishes::<f64>(6, 5) {
        let lengths = [6, 4, 4, 1, 0];
        for passes in variants().into_iter().chain([Passes::ALL]) {
            let program = dish.program(passes);
            let all = dish.ragged(&lengths).run_of(&program, Isa::best(), 1);
            let mut sums: Vec<Vec<f64>> = dish.params.iter().map(|p| vec![0.0; p.len()]).collect();
            for (sample, &length) in lengths.iter().enumerate() {
                let one = dish.alone(sample, length).run_of(&program, Isa::best(), 1);
                for (sum, one) in sums.iter_mut().zip(&one.params) {
                    sum.iter_mut().zip(one).for_each(|(sum, g)| *sum += g);
                }
            }
            for (found, expected) in all.params.iter().zip(&sums) {
                assert!(apart(found, expected) < 1e-12, "{} {passes:?}", dish.name);
            }
        }
    }
}

#[test]
fn memory_serves_rows_of_any_length_after_any_other() {
    let config = config(CellKind::Lstm, 7, &[9, 17], false);
    let dish = Dish::<f64>::of_net(&config, 8, 4, Source::Features);
    let program = dish.program(Passes::ALL);
    for lengths in [
        [8, 8, 8, 8],
        [8, 3, 1, 0],
        [2, 2, 1, 1],
        [8, 3, 1, 0],
        [8, 8, 8, 7],
    ] {
        let again = dish.ragged(&lengths).run_of(&program, Isa::best(), 1);
        let fresh = dish.ragged(&lengths).run(Isa::best(), Passes::ALL, 1);
        assert!(again == fresh, "{lengths:?}");
    }
}
