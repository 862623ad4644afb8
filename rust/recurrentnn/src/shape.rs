//! The shape of a matrix and the rules that shapes obey.

use std::fmt;

/// `rows` x `cols`; a column is one sample, so `cols` is the batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Shape {
    /// Number of rows: the features of a sample.
    pub rows: usize,
    /// Number of columns: the samples.
    pub cols: usize,
}

impl Shape {
    /// 1 x 1: a loss, a scalar.
    pub const SCALAR: Self = Self { rows: 1, cols: 1 };

    /// `rows` x `cols`.
    pub const fn new(rows: usize, cols: usize) -> Self {
        Self { rows, cols }
    }

    /// (rows, cols), as kernels take it.
    pub const fn dims(self) -> (usize, usize) {
        (self.rows, self.cols)
    }

    /// Number of elements; of more than a number can count, the largest number.
    pub const fn len(self) -> usize {
        self.rows.saturating_mul(self.cols)
    }

    /// Whether there is no element.
    pub const fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// The shape that both broadcast to: in each dimension both are equal or one of them is 1.
    pub fn broadcast(self, other: Self) -> Option<Self> {
        let dim = |a: usize, b: usize| match (a, b) {
            _ if a == b => Some(a),
            (1, _) => Some(b),
            (_, 1) => Some(a),
            _ => None,
        };
        Some(Self::new(
            dim(self.rows, other.rows)?,
            dim(self.cols, other.cols)?,
        ))
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}", self.rows, self.cols)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_rows_and_scalars_broadcast_and_others_do_not() {
        let full = Shape::new(3, 4);
        for small in [Shape::new(3, 1), Shape::new(1, 4), Shape::SCALAR, full] {
            assert_eq!(full.broadcast(small), Some(full));
            assert_eq!(small.broadcast(full), Some(full));
        }
        assert_eq!(
            Shape::new(3, 1).broadcast(Shape::new(1, 4)),
            Some(Shape::new(3, 4))
        );
        assert_eq!(full.broadcast(Shape::new(4, 3)), None);
        assert_eq!(
            Shape::new(1, 4).broadcast(Shape::new(0, 4)),
            Some(Shape::new(0, 4))
        );
    }
}
