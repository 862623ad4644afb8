//! Values worked out by hand: differences show that a gradient fits its value, not that the value is
//! the one that was meant.

use std::collections::BTreeSet;
use std::sync::Arc;

use recurrentnn::graph::Graph;
use recurrentnn::kernels::Isa;
use recurrentnn::matrix::Matrix;
use recurrentnn::ops::{self, Axis, NAMES, Op, Recorder};
use recurrentnn::random::{Purpose, Stream};
use recurrentnn::shape::Shape;

fn matrix(rows: usize, cols: usize, numbers: &[f64]) -> Matrix<f64> {
    Matrix::from_vec(Shape::new(rows, cols), numbers.to_vec()).unwrap()
}

/// An op, its operands, and the result: rows, cols, numbers.
type Row = (Op, Vec<Matrix<f64>>, (usize, usize, Vec<f64>));

/// The normal distribution function at the points of [`elementwise`].
fn phi(x: f64) -> f64 {
    match x {
        -4.0 => 3.167_124_183_311_998e-5,
        -1.5 => 0.066_807_201_268_858_07,
        0.5 => 0.691_462_461_274_013_1,
        _ => 0.977_249_868_051_820_8,
    }
}

/// An op of one number, and its formula.
type Formula = (Op, fn(f64) -> f64);

fn elementwise() -> Vec<Row> {
    let table: [Formula; 16] = [
        (op!(Tanh), |x| x.sinh() / x.cosh()),
        (op!(Sigmoid), |x| 1.0 / (1.0 + (-x).exp())),
        (op!(Relu { slope_at_zero: 0.0 }), |x| x.max(0.0)),
        (op!(Neg), |x| -x),
        (op!(Exp), |x| std::f64::consts::E.powf(x)),
        (op!(Square), |x| x * x),
        (op!(Abs), |x| (x * x).sqrt()),
        (op!(Softplus), |x| (1.0 + x.exp()).ln()),
        (op!(Gelu), |x| x * phi(x)),
        (op!(HardSigmoid), |x| (x / 6.0 + 0.5).clamp(0.0, 1.0)),
        (op!(Scale { factor: -1.5 }), |x| -1.5 * x),
        (op!(Shift { amount: 0.25 }), |x| x + 0.25),
        (op!(Pow { exponent: 3.0 }), |x| x * x * x),
        (
            op!(Clip {
                low: -1.0,
                high: 0.7
            }),
            |x| x.clamp(-1.0, 0.7),
        ),
        (op!(Elu { alpha: 1.5 }), |x| {
            if x > 0.0 { x } else { 1.5 * (x.exp() - 1.0) }
        }),
        (op!(LeakyRelu { slope: 0.5 }), |x| {
            if x > 0.0 { x } else { 0.5 * x }
        }),
    ];
    let x = [-4.0, -1.5, 0.5, 2.0];
    let row = |(op, f): Formula| (op, vec![matrix(2, 2, &x)], (2, 2, x.map(f).to_vec()));
    let mut all: Vec<Row> = table.into_iter().map(row).collect();
    let e = std::f64::consts::E;
    let positive = || vec![matrix(3, 1, &[1.0, e, e * e])];
    all.push((op!(Log), positive(), (3, 1, vec![0.0, 1.0, 2.0])));
    all.push((
        op!(Sqrt),
        vec![matrix(1, 2, &[4.0, 2.25])],
        (1, 2, vec![2.0, 1.5]),
    ));
    let draws = Stream::new(3, Purpose::Dropout, 2);
    let kept = |k: u32| {
        if draws.uniform(k.into()) < 0.75 {
            0.0
        } else {
            4.0 * f64::from(k)
        }
    };
    let numbers: Vec<f64> = (0..40).map(f64::from).collect();
    let dropped = (0..40).map(kept).collect();
    let op = op!(Dropout {
        rate: 0.75,
        seed: 3,
        step: 2
    });
    all.push((op, vec![matrix(8, 5, &numbers)], (8, 5, dropped)));
    all
}

/// All on m = [[1, 3, 5], [2, 4, 6]], column by column.
#[allow(clippy::too_many_lines)] // a table
fn of_matrices() -> Vec<Row> {
    let m = || matrix(2, 3, &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    let n = || matrix(2, 3, &[6.0, 5.0, 4.0, 3.0, 2.0, 1.0]);
    let (one, pair) = (|| vec![m()], || vec![m(), n()]);
    let col = |a, b| matrix(2, 1, &[a, b]);
    let row = |a, b, c| matrix(1, 3, &[a, b, c]);
    let two_by_three = |numbers: [f64; 6]| (2, 3, numbers.to_vec());
    let scalar = |x: f64| (1, 1, vec![x]);
    let per_column = |a: f64, b: f64, c: f64| (1, 3, vec![a, b, c]);
    let per_row = |a: f64, b: f64| (2, 1, vec![a, b]);
    let chosen = matrix(2, 3, &[0.0, 1.0, 0.0, 2.0, 0.0, -1.0]);
    // Every column is a, a + 1: ln(e^a + e^(a + 1)) = a + 1 + l.
    let l = (1.0 + (-1.0_f64).exp()).ln();
    let p = 1.0 / (1.0 + 1.0_f64.exp());
    let targets: Arc<[usize]> = [0, 1, 1].into();
    let mask: Arc<[bool]> = [true, false, true].into();
    let unmasked = op!(SoftmaxCrossEntropy {
        targets: targets.clone(),
        mask: None
    });
    let masked = op!(SoftmaxCrossEntropy {
        targets,
        mask: Some(mask)
    });
    let target = [1.0, 0.0, 0.5, 0.25, 1.0, 0.0];
    let bce = (1..=6)
        .map(f64::from)
        .zip(target)
        .map(|(x, t): (f64, f64)| {
            let y = 1.0 / (1.0 + (-x).exp());
            -t * y.ln() - (1.0 - t) * (1.0 - y).ln()
        });
    let bce = bce.sum::<f64>() / 6.0;
    let (rows, columns) = (Some(Axis::Rows), Some(Axis::Columns));
    let tall = |numbers: &[f64]| (3, numbers.len() / 3, numbers.to_vec());
    vec![
        (
            op!(Add),
            vec![
                m(),
                col(10.0, 20.0),
                row(100.0, 200.0, 300.0),
                matrix(1, 1, &[0.5]),
            ],
            two_by_three([111.5, 122.5, 213.5, 224.5, 315.5, 326.5]),
        ),
        (
            op!(Sub),
            vec![m(), row(1.0, 2.0, 3.0)],
            two_by_three([0.0, 1.0, 1.0, 2.0, 2.0, 3.0]),
        ),
        (
            op!(Mul),
            vec![m(), col(1.0, 10.0)],
            two_by_three([1.0, 20.0, 3.0, 40.0, 5.0, 60.0]),
        ),
        (
            op!(Div),
            vec![m(), col(2.0, 4.0)],
            two_by_three([0.5, 0.5, 1.5, 1.0, 2.5, 1.5]),
        ),
        (
            op!(Maximum),
            pair(),
            two_by_three([6.0, 5.0, 4.0, 4.0, 5.0, 6.0]),
        ),
        (
            op!(Minimum),
            pair(),
            two_by_three([1.0, 2.0, 3.0, 3.0, 2.0, 1.0]),
        ),
        (
            op!(Where),
            vec![chosen, m(), n()],
            two_by_three([6.0, 2.0, 4.0, 4.0, 2.0, 6.0]),
        ),
        (
            op!(Matmul),
            vec![m(), matrix(3, 1, &[1.0, 0.0, 2.0])],
            per_row(11.0, 14.0),
        ),
        (
            op!(Concat),
            vec![m(), row(7.0, 8.0, 9.0)],
            tall(&[1.0, 2.0, 7.0, 3.0, 4.0, 8.0, 5.0, 6.0, 9.0]),
        ),
        (
            op!(ConcatColumns),
            vec![col(7.0, 8.0), m()],
            (2, 4, vec![7.0, 8.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0]),
        ),
        (
            op!(SliceRows { start: 0, stop: 1 }),
            one(),
            per_column(1.0, 3.0, 5.0),
        ),
        (
            op!(SliceRows { start: 1, stop: 2 }),
            one(),
            per_column(2.0, 4.0, 6.0),
        ),
        (
            op!(SliceColumns { start: 1, stop: 2 }),
            one(),
            per_row(3.0, 4.0),
        ),
        (
            op!(SelectRows {
                indices: [1, 0, 1].into()
            }),
            one(),
            tall(&[2.0, 4.0, 6.0, 1.0, 3.0, 5.0, 2.0, 4.0, 6.0]),
        ),
        (
            op!(SelectColumns {
                indices: [2, 0].into()
            }),
            one(),
            (2, 2, vec![5.0, 6.0, 1.0, 2.0]),
        ),
        (
            op!(Reshape { rows: 3, cols: 2 }),
            one(),
            tall(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]),
        ),
        (op!(Transpose), one(), tall(&[1.0, 3.0, 5.0, 2.0, 4.0, 6.0])),
        (op!(Sum { axis: None }), one(), scalar(21.0)),
        (op!(Sum { axis: rows }), one(), per_column(3.0, 7.0, 11.0)),
        (op!(Sum { axis: columns }), one(), per_row(9.0, 12.0)),
        (op!(Mean { axis: None }), one(), scalar(3.5)),
        (op!(Mean { axis: rows }), one(), per_column(1.5, 3.5, 5.5)),
        (op!(Mean { axis: columns }), one(), per_row(3.0, 4.0)),
        (
            op!(Max { axis: Axis::Rows }),
            one(),
            per_column(2.0, 4.0, 6.0),
        ),
        (
            op!(Max {
                axis: Axis::Columns
            }),
            vec![n()],
            per_row(6.0, 5.0),
        ),
        (op!(Logsumexp), one(), per_column(2.0 + l, 4.0 + l, 6.0 + l)),
        (
            op!(Softmax),
            one(),
            two_by_three([p, 1.0 - p, p, 1.0 - p, p, 1.0 - p]),
        ),
        (
            op!(LogSoftmax),
            one(),
            two_by_three([-1.0 - l, -l, -1.0 - l, -l, -1.0 - l, -l]),
        ),
        (
            // The variance is 1/4, so s = 1 and z = -1/2, 1/2.
            op!(LayerNorm { eps: 0.75 }),
            vec![m(), col(2.0, 4.0), col(3.0, -1.0)],
            two_by_three([2.0, 1.0, 2.0, 1.0, 2.0, 1.0]),
        ),
        (unmasked, one(), scalar((1.0 + 3.0 * l) / 3.0)),
        (masked, one(), scalar(0.5 + l)),
        (op!(SquaredError), pair(), scalar(70.0 / 6.0)),
        (op!(AbsoluteError), pair(), scalar(3.0)),
        (
            op!(Huber { delta: 2.0 }),
            pair(),
            scalar((8.0 + 4.0 + 0.5) / 3.0),
        ),
        (
            op!(BinaryCrossEntropy),
            vec![m(), matrix(2, 3, &target)],
            scalar(bce),
        ),
    ]
}

#[test]
fn every_op_has_the_value_worked_out_by_hand() {
    let table: Vec<Row> = elementwise().into_iter().chain(of_matrices()).collect();
    for isa in Isa::available() {
        for (op, operands, (rows, cols, expected)) in &table {
            let mut graph = Graph::without_recording(isa);
            let operands: Vec<_> = operands.iter().collect();
            let found = graph.apply(op.clone(), &operands).unwrap();
            assert_eq!(found.shape(), Shape::new(*rows, *cols), "{op:?}");
            for (found, expected) in found.to_vec().unwrap().iter().zip(expected) {
                let error = (found - expected).abs();
                assert!(
                    error <= 1e-14 * expected.abs().max(1.0),
                    "{op:?}: {found} {expected}"
                );
            }
        }
    }
    let tried: BTreeSet<_> = table.iter().map(|(op, ..)| op.name()).collect();
    assert_eq!(tried, NAMES.iter().copied().collect());
}
