//! Walks the table of ops: gradients against differences, both element types, operands that are one
//! matrix, broadcast or empty, and what must be refused.
#![allow(clippy::unwrap_used)] // a helper of tests, too, should stop where it stands

use std::collections::BTreeSet;

use recurrentnn::element::Element;
use recurrentnn::error::Result;
use recurrentnn::gradcheck::{Options, gradcheck};
use recurrentnn::graph::Graph;
use recurrentnn::kernels::Isa;
use recurrentnn::matrix::Matrix;
use recurrentnn::ops::{NAMES, Recorder};
use recurrentnn::random::{Purpose, Stream};
use recurrentnn::shape::Shape;

/// An op of the table, by its type and attributes.
macro_rules! op {
    ($name:ident $({ $($attribute:tt)* })?) => {
        Op::$name(ops::$name { $($($attribute)*)? })
    };
}

mod cases;
mod forms;
mod refused;
mod values;

use cases::{Case, Domain, Operand, cases};
use refused::refused;

/// Ops that have no value for an empty operand.
const NEVER_EMPTY: [&str; 5] = [
    "softmax_cross_entropy",
    "squared_error",
    "absolute_error",
    "huber",
    "binary_cross_entropy",
];

const OPTIONS: Options = Options {
    step: 1e-3,
    tolerance: 1e-9,
};

/// Gradcheck of a case whose operands are `matrices`, constants left out.
fn check(isa: Isa, case: &Case, matrices: &[Matrix<f64>]) -> Result<f64> {
    let leaves: Vec<_> = matrices
        .iter()
        .filter(|m| m.wants_grad())
        .cloned()
        .collect();
    let operands: Vec<_> = matrices.iter().collect();
    gradcheck(
        isa,
        &leaves,
        |graph, _| graph.apply(case.op.clone(), &operands),
        OPTIONS,
    )
}

/// The value, and the gradients of all operands when that of the output is cos 0, cos 1, ...
fn run<T: Element>(isa: Isa, case: &Case) -> Vec<Vec<f64>> {
    let matrices = case.matrices::<T>();
    let mut graph = Graph::new(isa);
    let output = graph
        .apply(case.op.clone(), &matrices.iter().collect::<Vec<_>>())
        .unwrap();
    for (k, seed) in output.grad_mut().unwrap().iter_mut().enumerate() {
        *seed = T::from_f64((k as f64).cos());
    }
    graph.backward(false).unwrap();
    let wide = |numbers: &[T]| numbers.iter().map(|x| x.to_f64()).collect();
    let gradients = matrices.iter().map(|m| wide(&m.grad().unwrap()));
    std::iter::once(wide(&output.value().unwrap()))
        .chain(gradients)
        .collect()
}

#[test]
fn every_op_has_a_case() {
    let tried: BTreeSet<_> = cases().iter().map(|case| case.op.name()).collect();
    assert_eq!(tried, NAMES.iter().copied().collect());
}

#[test]
fn gradients_are_derivatives() {
    for isa in Isa::available() {
        for case in cases() {
            if let Err(error) = check(isa, &case, &case.matrices()) {
                panic!("{}, {}: {error}", case.label(), isa.name());
            }
        }
    }
}

#[test]
fn float32_and_every_instruction_set_agree_with_float64() {
    for case in cases() {
        let exact = run::<f64>(Isa::PORTABLE, &case);
        for isa in Isa::available() {
            let runs = [
                (run::<f64>(isa, &case), 1e-13),
                (run::<f32>(isa, &case), 1e-6),
            ];
            for (found, tolerance) in runs {
                for (found, exact) in found.iter().zip(&exact) {
                    let scale = exact.iter().fold(1.0_f64, |m, x| m.max(x.abs()));
                    assert_eq!(found.len(), exact.len(), "{}", case.label());
                    for (a, b) in found.iter().zip(exact) {
                        assert!(
                            (a - b).abs() <= tolerance * scale,
                            "{}: {a} {b}",
                            case.label()
                        );
                    }
                }
            }
        }
    }
}

#[test]
fn one_matrix_may_stand_in_all_places() {
    let mut tried = BTreeSet::new();
    for case in cases().iter().filter(|case| case.operands.len() > 1) {
        for shape in [Shape::new(3, 3), Shape::new(3, 1)] {
            let shapes = vec![shape; case.operands.len()];
            let domain = Domain::Unit;
            let Ok(shared) = Operand { shape, domain }.matrix(0) else {
                continue;
            };
            if case.op.shape(&shapes).is_err() {
                continue;
            }
            let place = |given: Matrix<f64>| {
                if given.wants_grad() {
                    shared.clone()
                } else {
                    given
                }
            };
            let matrices = case.with_shapes(&shapes).matrices().into_iter().map(place);
            let worst = check(Isa::best(), case, &matrices.collect::<Vec<_>>());
            assert!(worst.is_ok(), "{} on one {shape}: {worst:?}", case.label());
            tried.insert(case.op.name());
        }
    }
    let many: BTreeSet<_> = cases()
        .iter()
        .filter(|case| case.operands.len() > 1)
        .map(|case| case.op.name())
        .collect();
    assert_eq!(tried, many);
}

#[test]
fn empty_operands_give_the_empty_result_or_an_error() {
    let mut accepted = BTreeSet::new();
    for case in cases() {
        for shape in [Shape::new(0, 0), Shape::new(3, 0), Shape::new(0, 4)] {
            let mut shapes = vec![shape; case.operands.len()];
            if case.op.name() == "layer_norm" {
                shapes[1..].fill(Shape::new(shape.rows, 1));
            }
            let case = case.with_shapes(&shapes);
            if case.op.shape(&shapes).is_ok() {
                let worst = check(Isa::best(), &case, &case.matrices());
                assert!(worst.is_ok(), "{}: {worst:?}", case.label());
                accepted.insert(case.op.name());
            }
        }
        // Of the table itself: what needs attributes of its own.
        if case.operands.iter().all(|operand| operand.shape.is_empty()) {
            accepted.insert(case.op.name());
        }
    }
    let never: BTreeSet<_> = NAMES
        .iter()
        .copied()
        .filter(|n| !accepted.contains(n))
        .collect();
    assert_eq!(never, NEVER_EMPTY.into());
}

#[test]
fn reductions_over_nothing_are_zero_and_products_over_nothing_too() {
    let m = Matrix::<f64>::zeros(Shape::new(0, 3));
    let n = Matrix::zeros(Shape::new(2, 0));
    let mut graph = Graph::new(Isa::best());
    assert_eq!(graph.sum(&m, None).unwrap().to_vec().unwrap(), [0.0]);
    assert_eq!(graph.matmul(&n, &m).unwrap().to_vec().unwrap(), [0.0; 6]);
}

#[test]
fn what_is_wrong_is_named_and_leaves_no_trace() {
    for (case, reason) in refused() {
        let matrices = case.matrices::<f64>();
        let mut graph = Graph::new(Isa::best());
        let result = graph.apply(case.op.clone(), &matrices.iter().collect::<Vec<_>>());
        let message = result
            .err()
            .map_or(String::new(), |error| error.to_string());
        assert!(
            message.starts_with(case.op.name()) && message.contains(reason),
            "{}: {message:?} does not say {reason:?}",
            case.label()
        );
        assert!(graph.is_empty() && !matrices.iter().any(Matrix::is_pending));
    }
}

/// Any number of operands of any shape: refused in words, or carried out and differentiated.
#[test]
fn odd_shapes_and_operand_counts_never_panic() {
    const SIZES: [usize; 6] = [0, 1, 2, 3, 4, 6];
    let stream = Stream::new(1, Purpose::Shuffle, 0);
    let mut draws = 0_u64..;
    let mut below = |n: usize| stream.below(draws.next().unwrap_or(0), n);
    let (mut taken, mut refused) = (0, 0);
    for case in cases() {
        for _ in 0..200 {
            let mut size = || SIZES[below(SIZES.len())];
            let same = Shape::new(size(), size());
            let shapes: Vec<_> = (0..below(5))
                .map(|_| match below(3) {
                    0 => same,
                    1 => Shape::new(same.rows, SIZES[below(SIZES.len())]),
                    _ => Shape::new(SIZES[below(SIZES.len())], same.rows),
                })
                .collect();
            let case = case.with_shapes(&shapes);
            match case.op.shape(&shapes) {
                Ok(shape) => {
                    assert_eq!(run::<f64>(Isa::best(), &case)[0].len(), shape.len());
                    taken += 1;
                }
                Err(error) => {
                    let message = error.to_string();
                    assert!(
                        message.starts_with(case.op.name()),
                        "{}: {message}",
                        case.label()
                    );
                    refused += 1;
                }
            }
        }
    }
    assert!(
        taken > 1000 && refused > 1000,
        "{taken} taken, {refused} refused"
    );
}

/// An empty matrix of any length costs a caller nothing; what would be made of it may.
#[test]
fn results_too_large_for_any_memory_are_refused() {
    const HUGE: usize = isize::MAX as usize;
    let (tall, wide) = (Shape::new(HUGE, 0), Shape::new(0, HUGE));
    for case in cases() {
        for shapes in [
            vec![tall],
            vec![wide],
            vec![tall, wide],
            vec![wide, tall],
            vec![tall; 3],
            vec![wide; 3],
        ] {
            let case = case.with_shapes(&shapes);
            let matrices = case.matrices::<f64>();
            let mut graph = Graph::new(Isa::best());
            let result = graph.apply(case.op.clone(), &matrices.iter().collect::<Vec<_>>());
            if let Ok(output) = result {
                assert!(output.shape().len() < 100, "{}", case.label());
            }
        }
    }
}
