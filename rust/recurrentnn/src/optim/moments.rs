//! What an optimizer remembers of each matrix.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};

use super::UpdateRule;
use crate::element::Element;
use crate::error::{Error, Result};
use crate::matrix::{Matrix, WeakMatrix};

/// What an optimizer remembers, by matrix.
pub struct Moments<T: Element> {
    all: HashMap<u64, (WeakMatrix<T>, Moment<T>), ById>,
    /// Number of moments after matrices that are gone were last forgotten.
    swept: usize,
}

/// What an optimizer remembers of one matrix.
#[derive(Clone, Debug, PartialEq)]
pub struct Moment<T> {
    /// Numbers of every weight, in the order of the rule's
    /// [`MEMORY`](super::UpdateRule::MEMORY); perhaps not all of them.
    pub of_weights: Vec<Vec<T>>,
    /// Numbers of the matrix.
    pub past: Past,
}

/// What is remembered of a matrix as a whole.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Past {
    /// Steps made.
    pub steps: u64,
    /// The product over all steps of the share of the mean that was kept, for a rule that varies it.
    pub product: f64,
}

impl Default for Past {
    fn default() -> Self {
        Self {
            steps: 0,
            product: 1.0,
        }
    }
}

impl<T: Element> Default for Moments<T> {
    fn default() -> Self {
        Self {
            all: HashMap::default(),
            swept: 0,
        }
    }
}

impl<T: Element> Moments<T> {
    /// What is remembered of a matrix, if it was ever stepped.
    pub fn get(&self, matrix: &Matrix<T>) -> Option<&Moment<T>> {
        self.all.get(&matrix.id()).map(|(_, moment)| moment)
    }

    /// Replaces what is remembered of some matrices, after all is checked.
    ///
    /// # Errors
    /// [`Error::Shape`] unless every number of weights has as many as the matrix; [`Error::Argument`] if
    /// there are more of them than the rule has, or a matrix that has made no step remembers something.
    pub fn set<R: UpdateRule>(
        &mut self,
        moments: Vec<(&Matrix<T>, Option<Moment<T>>)>,
    ) -> Result<()> {
        for (matrix, moment) in &moments {
            let Some(moment) = moment else { continue };
            let len = matrix.shape().len();
            if moment.of_weights.len() > R::MEMORY.len() || moment.past.steps == 0 {
                let message = "that is no memory of this rule";
                return Err(Error::argument(R::CLASS, message));
            }
            if let Some(wrong) = moment.of_weights.iter().find(|m| m.len() != len) {
                let message = format!("a memory of {} numbers for {}", wrong.len(), matrix.shape());
                return Err(Error::shape(R::CLASS, message));
            }
        }
        for (matrix, moment) in moments {
            self.all.remove(&matrix.id());
            if let Some(moment) = moment {
                self.all.insert(matrix.id(), (matrix.downgrade(), moment));
            }
        }
        Ok(())
    }

    /// What is remembered of a matrix, room for as much as `rule` needs.
    pub(super) fn of<R: UpdateRule>(&mut self, matrix: &Matrix<T>, rule: &R) -> &mut Moment<T> {
        if self.all.len() > 2 * self.swept + 16 {
            self.all.retain(|_, (owner, _)| owner.is_alive());
            self.swept = self.all.len();
        }
        let fresh = || {
            let moment = Moment {
                of_weights: Vec::new(),
                past: Past::default(),
            };
            (matrix.downgrade(), moment)
        };
        let moment = &mut self.all.entry(matrix.id()).or_insert_with(fresh).1;
        while moment.of_weights.len() < rule.remembers() {
            let start = T::from_f64(rule.begins());
            moment.of_weights.push(vec![start; matrix.shape().len()]);
        }
        moment
    }
}

/// Numbers of matrices.
pub(super) type Ids = HashSet<u64, ById>;

type ById = BuildHasherDefault<IdHasher>;

/// Numbers of matrices are counted up, not chosen by an adversary: one product spreads them, where
/// the standard hash would cost as much as stepping a small matrix.
#[derive(Default)]
pub(super) struct IdHasher(u64);

impl Hasher for IdHasher {
    fn write_u64(&mut self, id: u64) {
        self.0 = id.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }
    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.write_u64(self.0 ^ u64::from(byte));
        }
    }
    fn finish(&self) -> u64 {
        self.0
    }
}
