//! What a recorded step is made of, and what it refuses.
#![allow(clippy::unwrap_used)] // a helper of tests, too, should stop where it stands

use recurrentnn::error::Error;
use recurrentnn::graph::Graph;
use recurrentnn::kernels::Isa;
use recurrentnn::matrix::Matrix;
use recurrentnn::ops::{Axis, Recorder};
use recurrentnn::program::{Columns, Term, Trace};
use recurrentnn::shape::Shape;

#[test]
fn a_step_knows_which_columns_are_samples() {
    let mut trace = Trace::new();
    let w = trace.param(0, Shape::new(2, 3));
    let (x, h) = (trace.input(3), trace.state(0, 2));
    let product = trace.matmul(&w, &x).unwrap();
    let next = trace.add(&[&product, &h]).unwrap();
    let turned = trace.transpose(&w).unwrap();
    let counts: Vec<_> = [w, x, h, product, next, turned]
        .map(|symbol| (symbol.rows(), symbol.columns()))
        .into();
    let (batch, fixed) = (Columns::Batch, Columns::Fixed);
    let expected = [
        (2, fixed(3)),
        (3, batch),
        (2, batch),
        (2, batch),
        (2, batch),
        (3, fixed(2)),
    ];
    assert_eq!(counts, expected);
    let step = trace.finish(&[next]).unwrap();
    assert_eq!(step.results, [4]);
    assert!(matches!(&step.nodes[3].term, Term::Apply { inputs, .. } if *inputs == [0, 1]));
}

#[test]
fn what_mixes_samples_is_refused_by_name() {
    let mut trace = Trace::new();
    let (w, x) = (trace.param(0, Shape::new(3, 3)), trace.input(3));
    let results = [
        trace.transpose(&x),
        trace.sum(&x, None),
        trace.max(&x, Axis::Columns),
        trace.dropout(&x, 0.5, 1, 0),
        trace.concat_columns(&[&w, &x]),
        trace.squared_error(&x, &x),
    ];
    let names = [
        "transpose",
        "sum",
        "max",
        "dropout",
        "concat_columns",
        "squared_error",
    ];
    for (result, name) in results.into_iter().zip(names) {
        let error = result.unwrap_err();
        assert!(
            matches!(error, Error::Graph { op, .. } if op == name),
            "{error}"
        );
        assert!(error.to_string().contains("mixes the samples"), "{error}");
    }
    assert_eq!(trace.finish(&[x]).unwrap().nodes.len(), 2);
}

#[test]
fn a_batch_beside_any_number_of_columns_is_refused() {
    let mut trace = Trace::new();
    let (w, x) = (trace.param(0, Shape::new(3, 4)), trace.input(3));
    let error = trace.add(&[&w, &x]).unwrap_err().to_string();
    assert!(
        error.contains("3x4") && error.contains("3xbatch"),
        "{error}"
    );
    let error = trace.matmul(&x, &w).unwrap_err().to_string();
    assert!(error.contains("3xbatch"), "{error}");
}

#[test]
fn symbols_of_another_step_are_refused() {
    let (mut one, mut other) = (Trace::new(), Trace::new());
    let (x, y) = (one.input(3), other.input(3));
    let error = other.add(&[&y, &x]).unwrap_err().to_string();
    assert_eq!(error, "add: a symbol of another step came");
    assert!(one.finish(&[x, y]).is_err());
}

#[test]
fn a_replay_names_what_it_lacks() {
    let mut trace = Trace::new();
    let (w, h) = (trace.param(1, Shape::new(1, 1)), trace.state(0, 1));
    let sum = trace.add(&[&w, &h]).unwrap();
    let step = trace.finish(&[sum]).unwrap();
    let one = Matrix::<f64>::zeros(Shape::SCALAR);
    let mut graph = Graph::new(Isa::best());
    let two = [one.clone(), one.clone()];
    for (params, states, lacks) in [
        (&two[..1], &two[..], "parameter 1 but only 1 came"),
        (&two[..], &[][..], "state 0 but only 0 came"),
    ] {
        let replayed = step.replay(&mut graph, params, &one, states);
        let error = replayed.err().unwrap();
        assert!(error.to_string().contains(lacks), "{error}");
        assert!(graph.is_empty());
    }
    assert!(step.replay(&mut graph, &two, &one, &two).is_ok());
}

#[test]
fn a_gate_is_a_function_of_a_sum_with_a_product() {
    let mut t = Trace::new();
    let square = Shape::new(2, 2);
    let [w, u, v, gain] = [0, 1, 2, 3].map(|number| t.param(number, square));
    let bias = t.param(4, Shape::new(2, 1));
    let (x, h) = (t.input(2), t.state(0, 2));
    let wx = t.matmul(&w, &x).unwrap();
    let uh = t.matmul(&u, &h).unwrap();
    let sum = t.add(&[&wx, &uh, &bias]).unwrap();
    let open = t.sigmoid(&sum).unwrap(); // 10
    // No product is left in what is multiplied, nor in a function of a gate.
    let vh = t.matmul(&v, &h).unwrap();
    let kept = t.mul(&open, &vh).unwrap();
    let kept = t.add(&[&wx, &kept]).unwrap();
    let kept = t.tanh(&kept).unwrap(); // 14
    let again = t.tanh(&kept).unwrap();
    // Of a weight that is made of two, and scaled between sum and function.
    let both = t.mul(&v, &gain).unwrap();
    let both = t.matmul(&both, &again).unwrap();
    let both = t.scale(&both, 2.0).unwrap();
    let both = t.relu(&both, 0.0).unwrap(); // 19
    let step = t.finish(&[both]).unwrap();
    assert_eq!(step.gates(), [(0, 10), (1, 10), (0, 14), (2, 19), (3, 19)]);
}
