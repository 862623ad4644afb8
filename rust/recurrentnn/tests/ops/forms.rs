//! An op that keeps columns apart gives a column alone what it gives that column in a batch.

use recurrentnn::ops::Form;

use super::*;

/// Ops that a step does not apply to samples; of the reductions only the ones over columns.
const MIXES: [&str; 12] = [
    "dropout",
    "concat_columns",
    "slice_columns",
    "select_rows",
    "select_columns",
    "reshape",
    "transpose",
    "softmax_cross_entropy",
    "squared_error",
    "absolute_error",
    "huber",
    "binary_cross_entropy",
];

/// Column `col` of an operand that has one a sample; others as they are.
fn alone(case: &Case, m: &Matrix<f64>, number: usize, batch: usize, col: usize) -> Matrix<f64> {
    // The left operand of a product is a weight.
    let fixed = case.op.form() == Form::Product && number == 0;
    if fixed || m.cols() != batch {
        return m.clone();
    }
    let numbers = m.to_vec().unwrap();
    let column = numbers[col * m.rows()..(col + 1) * m.rows()].to_vec();
    Matrix::constant(Shape::new(m.rows(), 1), column).unwrap()
}

#[test]
fn a_column_alone_equals_the_column_in_the_batch() {
    let mut tried = BTreeSet::new();
    for case in cases().iter().filter(|case| case.op.form() != Form::Mixes) {
        let matrices = case.matrices::<f64>();
        let mut graph = Graph::without_recording(Isa::best());
        let all: Vec<_> = matrices.iter().collect();
        let whole = graph.apply(case.op.clone(), &all).unwrap();
        // Samples are what most operands have; of a product, what the right one has.
        let mut columns = all.iter().map(|m| m.cols());
        let batch = match case.op.form() {
            Form::Product => columns.next_back(),
            _ => columns.max(),
        };
        let (batch, rows) = (batch.unwrap(), whole.rows());
        assert_eq!(whole.cols(), batch, "{}", case.label());
        for (col, expected) in whole.to_vec().unwrap().chunks(rows.max(1)).enumerate() {
            let operands = matrices.iter().enumerate();
            let operands = operands.map(|(k, m)| alone(case, m, k, batch, col));
            let operands: Vec<_> = operands.collect();
            let found = graph.apply(case.op.clone(), &operands.iter().collect::<Vec<_>>());
            let found = found.unwrap().to_vec().unwrap();
            assert_eq!(found, expected, "{}, column {col}", case.label());
        }
        tried.insert(case.op.name());
    }
    // What stays apart from this list is every op that a step refuses for samples.
    assert_eq!(NAMES.len() - tried.len(), MIXES.len());
    assert!(MIXES.iter().all(|name| !tried.contains(name)));
}

/// What a compiled step makes of the form is the op.
#[test]
fn affine_ops_are_scale_and_shift() {
    for case in cases() {
        let Form::Affine { scale, shift } = case.op.form() else {
            continue;
        };
        let m = &case.matrices::<f64>()[0];
        let found = Graph::without_recording(Isa::best()).apply(case.op.clone(), &[m]);
        let expected: Vec<_> = m
            .to_vec()
            .unwrap()
            .iter()
            .map(|x| x * scale + shift)
            .collect();
        assert_eq!(
            found.unwrap().to_vec().unwrap(),
            expected,
            "{}",
            case.label()
        );
    }
}
