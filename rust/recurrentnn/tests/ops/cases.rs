//! The table: every op with the operands that it is tried on.

use std::sync::Arc;

use recurrentnn::element::Element;
use recurrentnn::error::Result;
use recurrentnn::matrix::Matrix;
use recurrentnn::ops::{self, Axis, Op};
use recurrentnn::shape::Shape;

/// What the numbers of an operand may be. All stay clear of kinks, ties and edges of domains by more
/// than the steps that differences take.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Domain {
    /// In (-2, 2.1), 0.03 or more away from multiples of 0.1.
    Real,
    /// Twice that.
    Wide,
    /// In (0.3, 2.5).
    Positive,
    /// In (0.04, 0.96).
    Unit,
    /// 0 or 1; data, not differentiated.
    Condition,
}

impl Domain {
    /// Element `k` of operand `number`: no two elements of one operand are equal, nor the same
    /// elements of two.
    fn value(self, number: usize, k: usize) -> f64 {
        // 17 has no factor in common with 41.
        let slot = (17 * k + 5 * number) % 41;
        let x = 0.1 * slot as f64 - 2.0 + 0.03 + 0.01 * number as f64;
        match self {
            Self::Real => x,
            Self::Wide => 2.0 * x,
            Self::Positive => 0.4 + 0.5 * (x + 2.0),
            Self::Unit => 0.05 + (x + 2.0) / 4.7,
            Self::Condition => f64::from(u8::from(slot.is_multiple_of(2))),
        }
    }
}

/// One operand.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Operand {
    pub(crate) shape: Shape,
    pub(crate) domain: Domain,
}

impl Operand {
    pub(crate) fn matrix<T: Element>(self, number: usize) -> Result<Matrix<T>> {
        let numbers = (0..self.shape.len()).map(|k| T::from_f64(self.domain.value(number, k)));
        if self.domain == Domain::Condition {
            Matrix::constant(self.shape, numbers.collect())
        } else {
            Matrix::from_vec(self.shape, numbers.collect())
        }
    }
}

/// An op on operands that it takes.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) op: Op,
    pub(crate) operands: Vec<Operand>,
}

impl Case {
    /// The operands as matrices.
    pub(crate) fn matrices<T: Element>(&self) -> Vec<Matrix<T>> {
        let all = self.operands.iter().enumerate();
        all.map(|(number, operand)| operand.matrix(number).unwrap())
            .collect()
    }

    /// The same op and kinds of numbers in other shapes.
    pub(crate) fn with_shapes(&self, shapes: &[Shape]) -> Self {
        let kinds = self.operands.iter().cycle();
        let operand = |(&shape, kind): (&Shape, &Operand)| Operand { shape, ..*kind };
        Self {
            op: self.op.clone(),
            operands: shapes.iter().zip(kinds).map(operand).collect(),
        }
    }

    pub(crate) fn label(&self) -> String {
        let shapes: Vec<_> = self.operands.iter().map(|o| o.shape.to_string()).collect();
        format!("{:?} on {}", self.op, shapes.join(", "))
    }
}

pub(crate) fn of(domain: Domain, rows: usize, cols: usize) -> Operand {
    let shape = Shape::new(rows, cols);
    Operand { shape, domain }
}

pub(crate) fn real(rows: usize, cols: usize) -> Operand {
    of(Domain::Real, rows, cols)
}

pub(crate) fn indices(indices: &[usize]) -> Arc<[usize]> {
    indices.into()
}

/// Every op, in the order of `NAMES`.
#[allow(clippy::too_many_lines)] // a table
pub(crate) fn cases() -> Vec<Case> {
    let mut all = Vec::new();
    let mut add = |op: Op, operands: Vec<Operand>| all.push(Case { op, operands });

    for op in [
        op!(Tanh),
        op!(Sigmoid),
        op!(Relu { slope_at_zero: 0.0 }),
        op!(Neg),
        op!(Exp),
        op!(Square),
        op!(Abs),
        op!(Softplus),
        op!(Gelu),
        op!(HardSigmoid),
        op!(Scale { factor: -1.7 }),
        op!(Shift { amount: 0.3 }),
        op!(Pow { exponent: 3.0 }),
        op!(Clip {
            low: -0.5,
            high: 0.7
        }),
        op!(Elu { alpha: 1.3 }),
        op!(LeakyRelu { slope: 0.2 }),
        op!(Dropout {
            rate: 0.4,
            seed: 3,
            step: 2
        }),
    ] {
        add(op, vec![of(Domain::Wide, 3, 4)]);
    }
    for op in [op!(Log), op!(Sqrt), op!(Pow { exponent: -1.5 })] {
        add(op, vec![of(Domain::Positive, 3, 4)]);
    }

    let small = [(3, 4), (3, 1), (1, 4), (1, 1)];
    for (rows, cols) in small {
        let positive = of(Domain::Positive, rows, cols);
        add(op!(Sub), vec![real(3, 4), real(rows, cols)]);
        add(op!(Sub), vec![real(rows, cols), real(3, 4)]);
        add(op!(Mul), vec![real(3, 4), real(rows, cols)]);
        add(op!(Mul), vec![real(rows, cols), real(3, 4)]);
        add(op!(Div), vec![real(3, 4), positive]);
        add(op!(Div), vec![real(rows, cols), of(Domain::Positive, 3, 4)]);
    }
    add(op!(Mul), vec![real(3, 1), real(1, 4)]);
    add(op!(Add), vec![real(3, 4)]);
    add(op!(Add), vec![real(3, 4), real(3, 4), real(3, 1)]);
    add(
        op!(Add),
        small.iter().map(|&(rows, cols)| real(rows, cols)).collect(),
    );
    add(
        op!(Add),
        vec![real(1, 4), real(3, 1), real(1, 1), real(3, 4), real(1, 4)],
    );
    add(op!(Maximum), vec![real(3, 4), real(3, 4)]);
    add(op!(Minimum), vec![real(3, 4), real(3, 4)]);
    add(
        op!(Where),
        vec![of(Domain::Condition, 3, 4), real(3, 4), real(3, 4)],
    );

    for (m, k, n) in [(3, 2, 4), (5, 7, 1), (1, 6, 3), (9, 3, 4), (3, 0, 4)] {
        add(op!(Matmul), vec![real(m, k), real(k, n)]);
    }
    add(
        op!(Concat),
        vec![real(2, 3), real(1, 3), real(0, 3), real(4, 3)],
    );
    add(
        op!(ConcatColumns),
        vec![real(3, 2), real(3, 1), real(3, 0), real(3, 4)],
    );
    add(op!(SliceRows { start: 1, stop: 3 }), vec![real(4, 3)]);
    add(op!(SliceRows { start: 2, stop: 2 }), vec![real(4, 3)]);
    add(op!(SliceColumns { start: 1, stop: 3 }), vec![real(3, 4)]);
    add(
        op!(SelectRows {
            indices: indices(&[2, 0, 2, 1])
        }),
        vec![real(3, 4)],
    );
    add(
        op!(SelectColumns {
            indices: indices(&[2, 0, 2])
        }),
        vec![real(3, 4)],
    );
    add(op!(Reshape { rows: 2, cols: 6 }), vec![real(3, 4)]);
    add(op!(Reshape { rows: 0, cols: 5 }), vec![real(3, 0)]);
    add(op!(Transpose), vec![real(3, 4)]);

    for axis in [None, Some(Axis::Rows), Some(Axis::Columns)] {
        add(op!(Sum { axis }), vec![real(3, 4)]);
        add(op!(Mean { axis }), vec![real(3, 4)]);
    }
    add(op!(Max { axis: Axis::Rows }), vec![real(3, 4)]);
    add(
        op!(Max {
            axis: Axis::Columns
        }),
        vec![real(3, 4)],
    );
    add(op!(Logsumexp), vec![real(3, 4)]);
    add(op!(Softmax), vec![real(3, 4)]);
    add(op!(LogSoftmax), vec![real(3, 4)]);
    add(
        op!(LayerNorm { eps: 1e-5 }),
        vec![real(3, 4), real(3, 1), real(3, 1)],
    );

    let targets = indices(&[2, 0, 1, 1]);
    let mask: Arc<[bool]> = [true, false, true, true].into();
    for mask in [None, Some(mask)] {
        let targets = targets.clone();
        add(op!(SoftmaxCrossEntropy { targets, mask }), vec![real(3, 4)]);
    }
    for op in [
        op!(SquaredError),
        op!(AbsoluteError),
        op!(Huber { delta: 0.55 }),
    ] {
        add(op, vec![real(3, 4), real(3, 4)]);
    }
    add(
        op!(BinaryCrossEntropy),
        vec![of(Domain::Wide, 3, 4), of(Domain::Unit, 3, 4)],
    );
    all
}
