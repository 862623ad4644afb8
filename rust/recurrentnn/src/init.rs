//! First values of parameters, drawn in double precision and rounded.

#![allow(clippy::inline_always)] // as the kernels: what is not inlined misses the instruction set

use crate::element::Element;
use crate::element::simd::Simd;
use crate::error::Result;
use crate::kernels::isa::{Isa, Task};
use crate::matrix::Matrix;
use crate::random::{Purpose, Stream};
use crate::shape::Shape;

/// How a parameter is filled. Element k, counted column by column, uses draw k of the stream.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Init {
    /// Every element the same.
    Constant(f64),
    /// Uniform in [low, high).
    Uniform {
        /// Lower end.
        low: f64,
        /// Upper end.
        high: f64,
    },
    /// Normal with mean 0.
    Normal {
        /// Standard deviation.
        std: f64,
    },
    /// Uniform in ±sqrt(6 / (rows + cols)) (Glorot and Bengio 2010, eq. 16).
    GlorotUniform,
    /// Orthonormal columns, or rows where there are fewer rows: the Gram-Schmidt process on normal
    /// draws (Saxe et al. 2014).
    Orthogonal,
}

impl Init {
    /// The values of parameter number `parameter` of a model with this seed, column by column.
    ///
    /// # Errors
    /// [`Error::Memory`](crate::error::Error::Memory) if there is not that much.
    pub fn values<T: Element>(self, shape: Shape, seed: u64, parameter: u32) -> Result<Vec<T>> {
        let stream = Stream::new(seed, Purpose::Init, parameter);
        let mut values = Matrix::try_zeros("Model", shape)?;
        match self {
            Self::Constant(x) => values.fill(T::from_f64(x)),
            Self::Uniform { low, high } => stream.fill_uniform(&mut values, low, high),
            Self::Normal { std } => stream.fill_normal(&mut values, 0.0, std),
            Self::GlorotUniform => {
                let limit = (6.0 / (shape.rows + shape.cols) as f64).sqrt();
                stream.fill_uniform(&mut values, -limit, limit);
            }
            Self::Orthogonal => {
                for (value, x) in values.iter_mut().zip(orthogonal(shape, &stream)) {
                    *value = T::from_f64(x);
                }
            }
        }
        Ok(values)
    }
}

/// Classical Gram-Schmidt, every column projected twice: once leaves an error of the size of the
/// cancellation, twice is enough (Giraud et al. 2005). All sums run in ascending order.
fn orthogonal(shape: Shape, stream: &Stream) -> Vec<f64> {
    let (long, short) = (shape.rows.max(shape.cols), shape.rows.min(shape.cols));
    let mut columns: Vec<f64> = (0..(long * short) as u64)
        .map(|k| stream.normal(k))
        .collect();
    Isa::best().run(Orthonormalise {
        columns: &mut columns,
        long,
        short,
    });
    if shape.rows == long {
        return columns;
    }
    let element = |k: usize| columns[(k % shape.rows) * long + k / shape.rows];
    (0..shape.len()).map(element).collect()
}

/// Makes `short` columns of length `long` orthonormal, in place.
struct Orthonormalise<'a> {
    columns: &'a mut [f64],
    long: usize,
    short: usize,
}

impl Task for Orthonormalise<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self) {
        let Self {
            columns,
            long,
            short,
        } = self;
        // The finished columns again, row by row: sums over rows then run in vectors over columns
        // without changing the order of any sum.
        let mut rows = vec![0.0; long * short];
        let mut dots = vec![0.0; short];
        for j in 0..short {
            let (done, rest) = columns.split_at_mut(j * long);
            let column = &mut rest[..long];
            for _ in 0..2 {
                let dots = &mut dots[..j];
                dots.fill(0.0);
                for (row, &a) in rows.chunks_exact(short).zip(&*column) {
                    for (dot, &q) in dots.iter_mut().zip(row) {
                        *dot += q * a;
                    }
                }
                for (q, &dot) in done.chunks_exact(long).zip(&*dots) {
                    for (a, &q) in column.iter_mut().zip(q) {
                        *a -= dot * q;
                    }
                }
            }
            let norm = column.iter().fold(0.0, |sum, a| sum + a * a).sqrt();
            for (row, a) in rows.chunks_exact_mut(short).zip(column) {
                *a /= norm;
                row[j] = *a;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orthogonal_has_orthonormal_columns_or_rows() {
        for (rows, cols) in [(5, 5), (7, 3), (3, 7), (1, 4)] {
            let shape = Shape::new(rows, cols);
            let q: Vec<f64> = Init::Orthogonal.values(shape, 1, 2).unwrap();
            let at = |r: usize, c: usize| q[c * rows + r];
            let short = rows.min(cols);
            for i in 0..short {
                for j in 0..short {
                    let product: f64 = if rows >= cols {
                        (0..rows).map(|k| at(k, i) * at(k, j)).sum()
                    } else {
                        (0..cols).map(|k| at(i, k) * at(j, k)).sum()
                    };
                    let wanted = f64::from(u8::from(i == j));
                    assert!((product - wanted).abs() < 1e-14, "{rows}x{cols}: {i}, {j}");
                }
            }
        }
    }

    #[test]
    fn glorot_stays_within_its_limit_and_fills_it() {
        let shape = Shape::new(40, 20);
        let values: Vec<f64> = Init::GlorotUniform.values(shape, 3, 0).unwrap();
        let limit = 0.1f64.sqrt();
        let largest = values.iter().fold(0.0f64, |m, x| m.max(x.abs()));
        assert!(largest < limit && largest > 0.98 * limit);
        let variance = values.iter().map(|x| x * x).sum::<f64>() / 800.0;
        assert!((variance / (limit * limit / 3.0) - 1.0).abs() < 0.1);
    }
}
