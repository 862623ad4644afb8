//! Symbols of a text: one per Unicode code point.

use std::collections::{BTreeSet, HashMap};

use crate::error::{Error, Result};

/// The symbol that stands before and after a line, in vocabularies that have one.
pub const BOUNDARY: usize = 0;

/// Which symbol stands for which code point.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vocabulary {
    boundary: bool,
    chars: Vec<char>,
    index: HashMap<char, usize>,
}

impl Vocabulary {
    /// The code points in the order given; with `boundary`, symbol 0 is START and END of a line.
    ///
    /// # Errors
    /// [`Error::Argument`] for none, or one that comes twice.
    pub fn new(chars: Vec<char>, boundary: bool) -> Result<Self> {
        if chars.is_empty() {
            return Err(Error::argument("Vocabulary", "symbols must not be empty"));
        }
        let first = usize::from(boundary);
        let mut index = HashMap::with_capacity(chars.len());
        for (at, &c) in chars.iter().enumerate() {
            if index.insert(c, at + first).is_some() {
                let message = format!("symbols must be distinct but {c:?} comes twice");
                return Err(Error::argument("Vocabulary", message));
            }
        }
        Ok(Self {
            boundary,
            chars,
            index,
        })
    }

    /// Every code point of the text, in the order of the code points. With `boundary` line ends are
    /// no symbols: they separate.
    ///
    /// # Errors
    /// [`Error::Argument`] for a text without symbols.
    pub fn from_text(text: &str, boundary: bool) -> Result<Self> {
        let is_symbol = |c: &char| !(boundary && matches!(c, '\n' | '\r'));
        let set: BTreeSet<char> = text.chars().filter(is_symbol).collect();
        Self::new(set.into_iter().collect(), boundary)
    }

    /// Number of symbols, the boundary counted.
    pub fn len(&self) -> usize {
        self.chars.len() + usize::from(self.boundary)
    }

    /// Never: a vocabulary has a symbol.
    pub fn is_empty(&self) -> bool {
        self.chars.is_empty()
    }

    /// Whether symbol 0 is the boundary of lines.
    pub fn has_boundary(&self) -> bool {
        self.boundary
    }

    /// The code points, without the boundary.
    pub fn chars(&self) -> &[char] {
        &self.chars
    }

    /// The symbol of a code point.
    pub fn symbol(&self, c: char) -> Option<usize> {
        self.index.get(&c).copied()
    }

    /// The symbols of a text.
    ///
    /// # Errors
    /// [`Error::Vocabulary`] names the first code point that has none, and where it stands.
    pub fn encode(&self, text: &str) -> Result<Vec<usize>> {
        let symbol = |(at, c)| {
            self.symbol(c).ok_or_else(|| {
                let message = format!("{c:?} at position {at} is not in the vocabulary");
                Error::vocabulary("encode", message)
            })
        };
        text.chars().enumerate().map(symbol).collect()
    }

    /// The text of symbols; a boundary becomes a line end.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] names the first symbol that stands for nothing.
    pub fn decode(&self, symbols: &[usize]) -> Result<String> {
        let char = |&symbol: &usize| {
            if self.boundary && symbol == BOUNDARY {
                return Ok('\n');
            }
            let at = symbol.wrapping_sub(usize::from(self.boundary));
            self.chars.get(at).copied().ok_or_else(|| {
                let message = format!("symbols must be below {} but one is {symbol}", self.len());
                Error::out_of_range("decode", message)
            })
        };
        symbols.iter().map(char).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_points_survive_the_round_trip() {
        let text = "Zoë 🙂 naïve";
        let vocabulary = Vocabulary::from_text(text, true).unwrap();
        let symbols = vocabulary.encode(text).unwrap();
        assert!(symbols.iter().all(|&s| s != BOUNDARY));
        assert_eq!(vocabulary.decode(&symbols).unwrap(), text);
        assert_eq!(vocabulary.decode(&[BOUNDARY]).unwrap(), "\n");
    }

    #[test]
    fn unknown_code_points_and_symbols_are_named() {
        let vocabulary = Vocabulary::from_text("ab\r\n", true).unwrap();
        assert_eq!(vocabulary.len(), 3);
        let error = vocabulary.encode("ab🙂").unwrap_err().to_string();
        assert_eq!(error, "encode: '🙂' at position 2 is not in the vocabulary");
        assert!(vocabulary.decode(&[3]).is_err());
        assert!(Vocabulary::new(vec!['a', 'a'], false).is_err());
        assert!(Vocabulary::from_text("\n", true).is_err());
    }
}
