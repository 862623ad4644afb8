//! What ops must refuse, and with which words.

use recurrentnn::ops::{self, Axis, Op};

use super::cases::{Case, Domain, Operand, indices, of, real};

/// Ops with attributes, shapes or numbers that they must refuse, and a word of the reason.
#[allow(clippy::too_many_lines)] // a table
pub(crate) fn refused() -> Vec<(Case, &'static str)> {
    let mut all = Vec::new();
    let mut add = |op: Op, operands: Vec<Operand>, reason: &'static str| {
        all.push((Case { op, operands }, reason));
    };
    for (low, high) in [(1.0, 0.0), (f64::NAN, 1.0)] {
        add(
            op!(Clip { low, high }),
            vec![real(3, 4)],
            "low must not exceed high",
        );
    }
    for rate in [1.0, -0.1, f64::NAN] {
        add(
            op!(Dropout {
                rate,
                seed: 0,
                step: 0
            }),
            vec![real(3, 4)],
            "rate must be in [0, 1)",
        );
    }
    for delta in [0.0, f64::INFINITY, f64::NAN] {
        add(
            op!(Huber { delta }),
            vec![real(3, 4), real(3, 4)],
            "delta must be finite",
        );
    }
    for eps in [-1.0, f64::NAN] {
        let operands = vec![real(3, 4), real(3, 1), real(3, 1)];
        add(op!(LayerNorm { eps }), operands, "eps must be finite");
    }
    add(
        op!(LayerNorm { eps: 0.0 }),
        vec![real(3, 4), real(1, 3), real(3, 1)],
        "gain must be 3x1",
    );
    add(
        op!(LayerNorm { eps: 0.0 }),
        vec![real(3, 4), real(3, 1), real(1, 1)],
        "bias must be 3x1",
    );
    for (start, stop, reason) in [
        (2, 1, "start must be at most stop, 1,"),
        (0, 5, "stop must be at most 4,"),
        (0, usize::MAX, "stop must be at most 4,"),
    ] {
        add(op!(SliceRows { start, stop }), vec![real(4, 4)], reason);
        add(op!(SliceColumns { start, stop }), vec![real(4, 4)], reason);
    }
    for index in [3, usize::MAX] {
        let indices = indices(&[0, index]);
        let picked = indices.clone();
        add(
            op!(SelectRows { indices }),
            vec![real(3, 4)],
            "out of range for 3 rows",
        );
        let indices = picked;
        add(
            op!(SelectColumns { indices }),
            vec![real(4, 3)],
            "out of range for 3 columns",
        );
    }
    for (rows, cols) in [(3, 3), (usize::MAX, 2), (0, 4)] {
        add(
            op!(Reshape { rows, cols }),
            vec![real(3, 4)],
            "has 12 elements",
        );
    }
    for axis in [Axis::Rows, Axis::Columns] {
        let (rows, cols) = if axis == Axis::Rows { (0, 3) } else { (3, 0) };
        let nothing = "expected at least one element";
        add(op!(Max { axis }), vec![real(rows, cols)], nothing);
        add(
            op!(Mean { axis: Some(axis) }),
            vec![real(rows, cols)],
            nothing,
        );
        add(op!(Mean { axis: None }), vec![real(rows, cols)], nothing);
    }
    let entropy = |targets: &[usize], mask: Option<&[bool]>| {
        let (targets, mask) = (indices(targets), mask.map(Into::into));
        op!(SoftmaxCrossEntropy { targets, mask })
    };
    add(
        entropy(&[0, 1], None),
        vec![real(3, 3)],
        "targets must have one entry per column, 3,",
    );
    add(
        entropy(&[0, 1], Some(&[true])),
        vec![real(3, 2)],
        "mask must have one entry per column",
    );
    add(
        entropy(&[0, 3], None),
        vec![real(3, 2)],
        "index 3 is out of range for 3 logits",
    );
    add(
        entropy(&[0, 1], Some(&[false; 2])),
        vec![real(3, 2)],
        "mask must leave",
    );
    add(entropy(&[], None), vec![real(3, 0)], "at least one column");
    let logits = real(3, 4);
    add(
        op!(BinaryCrossEntropy),
        vec![logits, real(3, 4)],
        "target must be in [0, 1]",
    );
    add(
        op!(Where),
        vec![of(Domain::Condition, 3, 1), logits, logits],
        "one shape",
    );
    add(
        op!(Matmul),
        vec![real(3, 4), real(3, 4)],
        "left is 3x4 but right has 3 rows",
    );
    add(
        op!(Add),
        vec![real(3, 4), real(4, 3)],
        "left is 3x4 but right is 4x3",
    );
    all
}
