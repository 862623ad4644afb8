//! Where the bits must agree, they do.

use super::custom::variants;
use super::recipe::{Dish, Served, one_hot};
use super::recipes::{all, looked_up};
use super::*;

/// Every cell and every recipe, of sizes that fill no tile.
pub(super) fn dishes<T: Element>(time: usize, batch: usize) -> Vec<Dish<T>> {
    let mut dishes: Vec<_> = all()
        .map(|recipe| recipe.dish(time, batch, Source::Features))
        .collect();
    for cell in CellKind::ALL {
        for other in [false, true] {
            let config = config(cell.clone(), 7, &[9, 17], other);
            dishes.push(Dish::of_net(&config, time, batch, Source::Features));
        }
    }
    dishes
}

pub(super) fn same<T: Element>(a: &Served<T>, b: &Served<T>, what: &str) {
    let (far, where_) = a.apart(b);
    assert!(a == b, "{what}: {where_} is {far} away");
}

fn threads_agree<T: Element>(dish: &Dish<T>, counts: &[usize]) {
    let (program, isa) = (dish.program(Passes::ALL), Isa::best());
    let one = dish.run_of(&program, isa, 1);
    for &threads in counts {
        let many = dish.run_of(&program, isa, threads);
        let (name, extent) = (&dish.name, dish.extent);
        same(&many, &one, &format!("{name} {extent:?} {threads} threads"));
    }
}

#[test]
fn any_number_of_threads_gives_the_same() {
    for dish in dishes::<f32>(3, 4) {
        threads_agree(&dish, &[2, 3]);
    }
    for dish in dishes::<f64>(2, 9) {
        threads_agree(&dish, &[4]);
    }
    // More columns than are computed at once.
    let config = config(CellKind::Gru, 7, &[9], true);
    for (time, batch) in [(130, 1), (41, 9)] {
        threads_agree(
            &Dish::<f32>::of_net(&config, time, batch, Source::OneHot),
            &[2, 3, 4],
        );
    }
}

/// Large nets and few samples: threads split rows (`LEAST_PART` in kernels/machine/team.rs).
#[test]
fn split_rows_give_the_same() {
    for (cell, size, other) in [
        (CellKind::Rnn, 420, false),
        (CellKind::Lstm, 210, false),
        (CellKind::Gru, 210, true),
        (CellKind::GfLstm, 210, true),
    ] {
        let config = config(cell, 7, &[size], other);
        threads_agree(&Dish::<f32>::of_net(&config, 3, 3, Source::Features), &[2]);
        threads_agree(&Dish::<f32>::of_net(&config, 2, 5, Source::OneHot), &[3, 4]);
        threads_agree(&Dish::<f64>::of_net(&config, 2, 3, Source::Features), &[2]);
    }
}

fn chunks_agree<T: Element>(dish: &Dish<T>) {
    for isa in Isa::available() {
        let program = dish.program(Passes::ALL);
        let whole = dish.run_of(&program, isa, 1);
        let Extent { time, .. } = dish.extent;
        for step in [1, 2] {
            let mut states: Vec<Vec<T>> = dish.states.iter().flatten().cloned().collect();
            let mut results = vec![Vec::new(); dish.result_grads.len()];
            for from in (0..time).step_by(step) {
                let part = dish.steps(from..(from + step).min(time), &states);
                let served = part.run_of(&program, isa, 1);
                states = served.states;
                for (all, part) in results.iter_mut().zip(served.results) {
                    all.extend(part);
                }
            }
            let what = format!("{} {:?} {}", dish.name, dish.extent, isa.name());
            assert!(states == whole.states, "{what}: states");
            assert!(results == whole.results, "{what}: results");
        }
    }
}

#[test]
fn a_sequence_in_pieces_is_the_sequence() {
    for dish in dishes::<f32>(5, 3) {
        chunks_agree(&dish);
    }
    for dish in dishes::<f64>(3, 1) {
        chunks_agree(&dish);
    }
    // Fewer columns than symbols: no table is made for a step, but one for the whole.
    for cell in CellKind::ALL {
        let mut config = config(cell.clone(), 7, &[9, 17], false);
        config.embedding_size = Some(6);
        chunks_agree(&Dish::<f32>::of_net(&config, 5, 3, Source::Embedding(0)));
        config.embedding_size = None;
        chunks_agree(&Dish::<f32>::of_net(&config, 5, 3, Source::OneHot));
    }
}

fn samples_agree<T: Element>(dish: &Dish<T>) {
    for isa in Isa::available() {
        let program = dish.program(Passes::ALL);
        let all = dish.run_of(&program, isa, 1);
        for sample in 0..dish.extent.batch {
            let one = dish.sample(sample).run_of(&program, isa, 1);
            let what = format!("{} {:?} {sample}", dish.name, dish.extent);
            let (one, all) = (one.without_params(), all.sample(dish.extent, sample));
            same(&one, &all, &what);
        }
    }
}

#[test]
fn a_sample_alone_is_the_sample_in_the_batch() {
    for dish in dishes::<f32>(3, 7) {
        samples_agree(&dish);
    }
    for dish in dishes::<f64>(2, 13) {
        samples_agree(&dish);
    }
}

#[test]
fn passes_that_reorder_no_sum_keep_the_bits() {
    let plain = |leave: fn(&mut Passes)| {
        let mut passes = Passes::ALL;
        leave(&mut passes);
        passes
    };
    let kept = [
        plain(|p| p.fuse = false),
        plain(|p| p.plan = false),
        plain(|p| p.pack = false),
        plain(|p| p.partition = false),
    ];
    for dish in dishes::<f32>(4, 5) {
        for isa in Isa::available() {
            let all = dish.run(isa, Passes::ALL, 2);
            for passes in kept {
                let what = format!("{} {} {passes:?}", dish.name, isa.name());
                same(&dish.run(isa, passes, 2), &all, &what);
            }
        }
    }
}

#[test]
fn other_passes_keep_the_numbers() {
    for dish in dishes::<f32>(4, 5) {
        let all = dish.run(Isa::best(), Passes::ALL, 1);
        for passes in variants() {
            let (far, what) = dish.run(Isa::best(), passes, 1).apart(&all);
            assert!(far < 2e-5, "{} {passes:?}: {what} is {far} away", dish.name);
        }
    }
}

#[test]
fn symbols_are_looked_up_as_multiplied() {
    let mut symbolic: Vec<Dish<f32>> = looked_up()
        .iter()
        .map(|recipe| recipe.dish(4, 5, Source::OneHot))
        .collect();
    for cell in CellKind::ALL {
        let config = config(cell.clone(), 7, &[9, 17], false);
        symbolic.push(Dish::of_net(&config, 4, 5, Source::OneHot));
    }
    for dish in symbolic {
        let rows = dish.features.len() / dish.symbols.len();
        let dense = Dish {
            source: Source::Features,
            features: one_hot(&dish.symbols, rows),
            symbols: Vec::new(),
            ..dish.clone()
        };
        for isa in Isa::available() {
            let found = dish.run(isa, Passes::ALL, 1).without_params();
            let mut expected = dense.run(isa, Passes::ALL, 1).without_params();
            expected.input.clear();
            same(&found, &expected, &format!("{} {}", dish.name, isa.name()));
        }
    }
}
