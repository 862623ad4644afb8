//! What an optimizer remembers of each matrix.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};

use crate::element::Element;
use crate::matrix::{Matrix, WeakMatrix};

/// The running mean squares of an optimizer, by matrix.
pub struct Moments<T: Element> {
    means: HashMap<u64, (WeakMatrix<T>, Vec<T>), ById>,
    /// Number of means after matrices that are gone were last forgotten.
    swept: usize,
}

impl<T: Element> Default for Moments<T> {
    fn default() -> Self {
        Self {
            means: HashMap::default(),
            swept: 0,
        }
    }
}

impl<T: Element> Moments<T> {
    /// The mean square of a matrix, zeros at first.
    pub(super) fn mean(&mut self, matrix: &Matrix<T>) -> &mut [T] {
        if self.means.len() > 2 * self.swept + 16 {
            self.means.retain(|_, (owner, _)| owner.is_alive());
            self.swept = self.means.len();
        }
        let fresh = || (matrix.downgrade(), vec![T::ZERO; matrix.shape().len()]);
        &mut self.means.entry(matrix.id()).or_insert_with(fresh).1
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
