//! The symbols before the next one.

use std::collections::VecDeque;

/// How often each symbol came, among the last few or among all.
#[derive(Clone, Debug)]
pub struct Seen {
    counts: Vec<u64>,
    /// The last ones, oldest first, with how many of them count; None: all.
    recent: Option<(usize, VecDeque<usize>)>,
}

impl Seen {
    /// None seen, of so many symbols; `window` is how many of the last ones count.
    pub fn new(symbols: usize, window: Option<usize>) -> Self {
        Self {
            counts: vec![0; symbols],
            recent: window.map(|window| (window, VecDeque::new())),
        }
    }

    /// Takes in the next symbol, below the number of symbols.
    pub fn push(&mut self, symbol: usize) {
        self.counts[symbol] += 1;
        if let Some((window, recent)) = &mut self.recent {
            recent.push_back(symbol);
            if recent.len() > *window
                && let Some(old) = recent.pop_front()
            {
                self.counts[old] -= 1;
            }
        }
    }

    /// Whether a symbol is among those that count.
    pub fn contains(&self, symbol: usize) -> bool {
        self.counts[symbol] > 0
    }
}
