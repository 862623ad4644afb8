//! Nets of random depth and sizes, at the edges of tiles and registers, against the graph.

use super::recipe::Dish;
use super::*;

const SIZES: [usize; 14] = [1, 2, 4, 5, 6, 7, 8, 9, 15, 16, 17, 31, 33, 64];

/// Picks from a stream, one after the other.
struct Picks(Stream, u64);

impl Picks {
    fn below(&mut self, n: usize) -> usize {
        self.1 += 1;
        self.0.below(self.1, n)
    }

    fn size(&mut self) -> usize {
        SIZES[self.below(SIZES.len())]
    }
}

fn check<T: Element>(number: u32, bound: f64) {
    let mut picks = Picks(Stream::new(77, Purpose::Matrix, number), 0);
    let cell = &CellKind::ALL[picks.below(CellKind::ALL.len())];
    let sizes: Vec<usize> = (0..=picks.below(4)).map(|_| picks.size()).collect();
    let mut config = config(cell.clone(), picks.size(), &sizes, picks.below(2) == 1);
    if picks.below(3) == 0 {
        config.output_size = None;
    }
    let source = match picks.below(3) {
        0 => Source::Features,
        1 => Source::OneHot,
        _ => Source::Embedding(0),
    };
    if matches!(source, Source::Embedding(_)) {
        config.embedding_size = Some(picks.size());
    }
    let (time, batch) = (1 + picks.below(7), 1 + picks.below(13));
    let dish = Dish::<T>::of_net(&config, time, batch, source);
    let expected = dish.graph();
    for isa in Isa::available() {
        let (far, what) = dish.run(isa, Passes::ALL, 1).apart(&expected);
        let (name, isa) = (cell.name(), isa.name());
        assert!(
            far < bound,
            "{name} {config:?} T={time} B={batch} {isa}: {what} is {far} away"
        );
    }
}

#[test]
fn stacks_of_any_size_are_what_their_graphs_are() {
    for number in 0..24 {
        check::<f64>(number, 1e-12);
        // What rounding does to gradients through four layers of feedback; f64 shows that it is rounding.
        check::<f32>(number + 1000, 1e-3);
    }
}
