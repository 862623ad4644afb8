//! One class for both element types: an enum over them, and the macro that opens it.

use recurrentnn::element::{DType, Element};
use recurrentnn::matrix::Matrix;
use recurrentnn::shape::Shape;

use crate::error::raise;
use pyo3::PyResult;

/// An element type that both sides know.
pub(crate) trait Number: Element + numpy::Element {
    fn wrap(matrix: Matrix<Self>) -> AnyMatrix;
    fn unwrap(matrix: &AnyMatrix) -> Option<&Matrix<Self>>;
}

impl Number for f32 {
    fn wrap(matrix: Matrix<Self>) -> AnyMatrix {
        AnyMatrix::Float32(matrix)
    }
    fn unwrap(matrix: &AnyMatrix) -> Option<&Matrix<Self>> {
        if let AnyMatrix::Float32(matrix) = matrix {
            Some(matrix)
        } else {
            None
        }
    }
}

impl Number for f64 {
    fn wrap(matrix: Matrix<Self>) -> AnyMatrix {
        AnyMatrix::Float64(matrix)
    }
    fn unwrap(matrix: &AnyMatrix) -> Option<&Matrix<Self>> {
        if let AnyMatrix::Float64(matrix) = matrix {
            Some(matrix)
        } else {
            None
        }
    }
}

/// A matrix of either element type.
#[derive(Clone)]
pub(crate) enum AnyMatrix {
    Float32(Matrix<f32>),
    Float64(Matrix<f64>),
}

/// Runs the same code for the element type at hand: `with!(matrix, AnyMatrix, |m| ...)`.
macro_rules! with {
    ($value:expr, $any:ident, |$inner:ident| $body:expr) => {
        match $value {
            $any::Float32($inner) => $body,
            $any::Float64($inner) => $body,
        }
    };
}
pub(crate) use with;

/// Runs the same code for an element type given as a value: `with_type!(dtype, T => ...)`.
macro_rules! with_type {
    ($dtype:expr, $type:ident => $body:expr) => {
        match $dtype {
            recurrentnn::element::DType::Float32 => {
                type $type = f32;
                $body
            }
            recurrentnn::element::DType::Float64 => {
                type $type = f64;
                $body
            }
        }
    };
}
pub(crate) use with_type;

impl AnyMatrix {
    pub(crate) fn dtype(&self) -> DType {
        match self {
            Self::Float32(_) => DType::Float32,
            Self::Float64(_) => DType::Float64,
        }
    }

    pub(crate) fn shape(&self) -> Shape {
        with!(self, AnyMatrix, |m| m.shape())
    }

    /// The matrix as one of `T`, or the error that names both types.
    pub(crate) fn typed<T: Number>(&self, op: &str, name: &str) -> PyResult<&Matrix<T>> {
        T::unwrap(self).ok_or_else(|| {
            let (wants, is) = (T::DTYPE.name(), self.dtype().name());
            raise(
                "DTypeError",
                format!("{op}: {name} must be {wants} but is {is}"),
            )
        })
    }
}
