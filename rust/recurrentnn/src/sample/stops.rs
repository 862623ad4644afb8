//! Sequences of symbols that end a generation.

use crate::error::{Error, Result};

/// Sequences of symbols, any of which ends what it follows.
#[derive(Clone, Debug, Default)]
pub struct Stops {
    sequences: Vec<Vec<usize>>,
    longest: usize,
}

impl Stops {
    /// Any of these, of so many symbols.
    ///
    /// # Errors
    /// [`Error::Argument`] for an empty one, [`Error::OutOfRange`] for a symbol that is none.
    pub fn new(sequences: &[Vec<usize>], symbols: usize) -> Result<Self> {
        for sequence in sequences {
            if sequence.is_empty() {
                let message = "stop must hold at least one symbol but is empty";
                return Err(Error::argument("generate", message));
            }
            super::check_symbols("stop", sequence, symbols)?;
        }
        Ok(Self {
            sequences: sequences.to_vec(),
            longest: sequences.iter().map(Vec::len).max().unwrap_or(0),
        })
    }

    /// The length of the longest one that `text` ends with.
    pub fn reached(&self, text: &[usize]) -> Option<usize> {
        let ends = self.sequences.iter().filter(|stop| text.ends_with(stop));
        ends.map(Vec::len).max()
    }

    /// How many of the last symbols of `text` may be the beginning of one: those that must wait.
    pub fn begun(&self, text: &[usize]) -> usize {
        let begins = |&length: &usize| {
            let mut longer = self.sequences.iter().filter(|stop| stop.len() > length);
            longer.any(|stop| text.ends_with(&stop[..length]))
        };
        (1..self.longest).rev().find(begins).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_begin_a_stop_waits_and_no_more() {
        let stops = Stops::new(&[vec![1, 1, 2], vec![3]], 5).unwrap();
        let begun = [
            (vec![], 0),
            (vec![1], 1),
            (vec![4, 1, 1], 2),
            (vec![1, 1, 1], 2),
        ];
        for (text, waits) in begun {
            assert_eq!(stops.begun(&text), waits, "{text:?}");
            assert_eq!(stops.reached(&text), None);
        }
        assert_eq!(stops.reached(&[1, 1, 1, 2]), Some(3));
        assert_eq!(stops.reached(&[3]), Some(1));
        assert!(Stops::new(&[vec![]], 5).is_err());
        assert!(Stops::new(&[vec![5]], 5).is_err());
    }
}
