//! The numbers of a program are those of the graph.

use super::*;

/// What rounding may do: DESIGN's bounds across summation orders, a little wider where gradients sum
/// hundreds of terms of size 1.
fn bound<T: Element>() -> f64 {
    if size_of::<T>() == 4 { 5e-5 } else { 1e-12 }
}

fn check<T: Element>(config: &Config, time: usize, batch: usize, symbols: bool, passes: Passes) {
    let case = Case::<T>::new(config, time, batch, symbols);
    let expected = case.graph();
    for isa in Isa::available() {
        let outcome = case.run(isa, passes, 1);
        let far = distance(&outcome, &expected);
        assert!(
            far < bound::<T>(),
            "{} {:?} {:?} T={time} B={batch} {} {passes:?}: {far}",
            config.cell.name(),
            config.hidden_sizes,
            config.options,
            isa.name()
        );
    }
}

#[test]
fn every_cell_is_what_its_graph_is() {
    for cell in CellKind::ALL {
        for other in [false, true] {
            check::<f64>(
                &config(cell.clone(), 3, &[5, 4], other),
                4,
                3,
                false,
                Passes::ALL,
            );
            check::<f32>(
                &config(cell.clone(), 3, &[5, 4], other),
                4,
                3,
                false,
                Passes::ALL,
            );
        }
    }
}

#[test]
fn every_pass_can_be_left_out() {
    let one = |leave: fn(&mut Passes)| {
        let mut passes = Passes::ALL;
        leave(&mut passes);
        passes
    };
    let all = [
        Passes::NONE,
        one(|p| p.stack = false),
        one(|p| p.hoist = false),
        one(|p| p.accumulate = false),
        one(|p| p.fuse = false),
        one(|p| p.defer = false),
        one(|p| p.plan = false),
        one(|p| p.pack = false),
    ];
    for passes in all {
        for cell in CellKind::ALL {
            for symbols in [false, true] {
                let config = config(cell.clone(), 6, &[5, 4], symbols);
                check::<f64>(&config, 4, 3, symbols, passes);
            }
        }
    }
}

#[test]
fn symbols_look_up_or_are_embedded() {
    for embedding_size in [None, Some(4)] {
        for cell in [CellKind::Rnn, CellKind::Lstm, CellKind::GfGru] {
            for other in [false, true] {
                let mut config = config(cell.clone(), 7, &[5, 4], other);
                config.embedding_size = embedding_size;
                // Fewer and more columns than symbols.
                for (time, batch) in [(2, 2), (5, 3)] {
                    check::<f64>(&config, time, batch, true, Passes::ALL);
                }
            }
        }
    }
}
