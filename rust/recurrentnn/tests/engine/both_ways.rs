//! Nets whose layers go both ways in time: against the graph, and each row as alone.

use recurrentnn::config::Merge;
use recurrentnn::ops::Recorder;
use recurrentnn::program::Trace;

use super::custom::variants;
use super::ragged::rows_agree;
use super::recipe::Dish;
use super::*;

const CELLS: [CellKind; 3] = [CellKind::Rnn, CellKind::Lstm, CellKind::Gru];
const MERGES: [Merge; 4] = [Merge::Concat, Merge::Sum, Merge::Mean, Merge::Apart];

fn both_ways(cell: &CellKind, merge: Merge, sizes: &[usize], other: bool) -> Config {
    let mut config = config(cell.clone(), 7, sizes, other);
    config.bidirectional = Some(merge);
    if merge == Merge::Apart {
        config.output_size = None;
    }
    config
}

fn configs(sizes: &[usize]) -> Vec<Config> {
    let mut all = Vec::new();
    for cell in &CELLS {
        for merge in MERGES {
            for other in [false, true] {
                all.push(both_ways(cell, merge, sizes, other));
            }
        }
    }
    all
}

fn check<T: Element>(config: &Config, time: usize, batch: usize, symbols: bool, bound: f64) {
    let case = Case::<T>::new(config, time, batch, symbols);
    let expected = case.graph();
    for passes in variants() {
        let far = distance(&case.run(Isa::best(), passes, 1), &expected);
        assert!(
            far < bound,
            "{config:?} {passes:?} T={time} B={batch}: {far}"
        );
    }
}

#[test]
fn they_are_what_their_graphs_are() {
    for config in configs(&[9, 6, 3]) {
        check::<f64>(&config, 5, 3, false, 1e-12);
    }
    for config in configs(&[5]) {
        check::<f64>(&config, 4, 2, true, 1e-12);
        check::<f32>(&config, 1, 7, false, 1e-4);
    }
    let mut config = both_ways(&CellKind::Gru, Merge::Concat, &[8, 5], false);
    config.embedding_size = Some(4);
    check::<f64>(&config, 6, 2, true, 1e-12);
}

#[test]
fn a_row_alone_is_the_row_among_others_in_both_directions() {
    for config in configs(&[9, 6]) {
        let dish = Dish::<f32>::of_net(&config, 6, 5, Source::Features);
        for threads in [1, 2] {
            rows_agree(&dish, &[6, 4, 4, 1, 0], Passes::ALL, threads);
        }
        let dish = Dish::<f64>::of_net(&config, 4, 3, Source::OneHot);
        rows_agree(&dish, &[4, 3, 1], Passes::ALL, 1);
        rows_agree(&dish, &[4, 3, 1], Passes::NONE, 1);
    }
    // More columns than are computed at once.
    let config = both_ways(&CellKind::Lstm, Merge::Concat, &[9, 6], false);
    let dish = Dish::<f32>::of_net(&config, 90, 6, Source::Features);
    rows_agree(&dish, &[90, 90, 90, 41, 3, 3], Passes::ALL, 2);
}

#[test]
fn states_that_need_each_other_in_both_directions_are_refused() {
    let mut trace = Trace::new();
    let x = trace.input(3);
    let (forward, reverse) = (trace.state(0, 3), trace.reversed_state(1, 3));
    let sum = trace.add(&[&x, &forward, &reverse]).unwrap();
    let other = trace.tanh(&sum).unwrap();
    let step = trace.finish(&[sum, other, sum]).unwrap();
    let program = Program::<f64>::new(&step, &[], &[3, 3], Source::Features, Passes::ALL);
    assert!(matches!(
        program,
        Err(recurrentnn::error::Error::Argument { .. })
    ));
}
