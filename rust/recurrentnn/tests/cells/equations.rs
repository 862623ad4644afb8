//! The equations of the cells' own files, in numbers: differences cannot tell a gate from another.

use recurrentnn::cells::{ActivationKind, CellKind, Options, Reset, State};
use recurrentnn::config::Config;
use recurrentnn::graph::Graph;
use recurrentnn::kernels::Isa;
use recurrentnn::matrix::Matrix;
use recurrentnn::model::Model;
use recurrentnn::shape::Shape;

use super::{config, net, other_options, parts};

fn one(x: f64) -> Matrix<f64> {
    Matrix::constant(Shape::SCALAR, vec![x]).unwrap()
}

fn parameter(model: &Model<f64>, name: &str) -> Vec<f64> {
    let found = model.params().get(name);
    found
        .unwrap_or_else(|| panic!("no {name}"))
        .to_vec()
        .unwrap()
}

fn assert_near(found: &Matrix<f64>, expected: f64, what: &str) {
    let found = found.to_vec().unwrap()[0];
    let error = (found - expected).abs();
    assert!(error < 1e-15, "{what}: {found} {expected}");
}

#[test]
fn one_unit_steps_as_its_equations_say() {
    let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
    let both = |cell| [(cell, Options::default()), (cell, other_options(cell))];
    for (cell, options) in CellKind::ALL.iter().flat_map(both) {
        let model = net(&Config {
            hidden_sizes: vec![1],
            input_size: 1,
            output_size: None,
            ..config(cell.clone(), options.clone())
        });
        let p = |name: &str| parameter(&model, &format!("layers.0.{name}"))[0];
        let (x, h, c) = (0.7, -0.4, 0.9);
        let gate = |name: &str, h: f64| {
            let part = |part: &str| p(&format!("{name}.{part}"));
            part("weight_x") * x + part("weight_h") * h + part("bias")
        };
        let fed = |name: &str, feedback: f64| {
            p(&format!("{name}.weight_x")) * x + p(&format!("{name}.bias")) + feedback
        };
        let feedback = || sigmoid(gate("feedback.0.gate", h)) * p("feedback.0.weight_h") * h;
        let memory = |n: f64| {
            let c = sigmoid(gate("forget", h)) * c + sigmoid(gate("input", h)) * n.tanh();
            vec![sigmoid(gate("output", h)) * c.tanh(), c]
        };
        let update = |n: f64| {
            let z = sigmoid(gate("update", h));
            vec![(1.0 - z) * n.tanh() + z * h]
        };
        let reset = || sigmoid(gate("reset", h));
        let act = |sum: f64| match options.activation {
            ActivationKind::Tanh => vec![sum.tanh()],
            _ => vec![sum.max(0.0)],
        };
        let expected = match cell {
            CellKind::Rnn => act(gate("hidden", h)),
            CellKind::Lstm => memory(gate("candidate", h)),
            CellKind::Gru if options.reset == Reset::Before => {
                update(gate("candidate", reset() * h))
            }
            CellKind::Gru => {
                let uh = p("candidate.weight_h") * h + p("candidate.bias_h");
                update(gate("candidate", 0.0) + reset() * uh)
            }
            CellKind::GfRnn => act(fed("hidden", feedback())),
            CellKind::GfLstm => memory(fed("candidate", feedback())),
            CellKind::GfGru => update(fed("candidate", reset() * feedback())),
            CellKind::Custom(_) => panic!("no cell of the table"),
        };
        let first = State {
            hidden: one(h),
            more: cell.states()[1..].iter().map(|_| one(c)).collect(),
        };
        let mut graph = Graph::new(Isa::best());
        let found = model.step(&mut graph, &one(x), &[first]).unwrap();
        for (found, expected) in parts(&found.states).iter().zip(expected) {
            assert_near(found, expected, cell.name());
        }
    }
}

/// h* of two layers, the input below every layer, and a decoder over both.
#[test]
fn two_layers_are_connected_as_the_options_say() {
    let options = Options {
        all_to_gates: true,
        ..Options::default()
    };
    let model = net(&Config {
        hidden_sizes: vec![1, 1],
        input_size: 1,
        output_size: Some(1),
        input_to_all: true,
        all_to_output: true,
        ..config(CellKind::GfGru, options)
    });
    let (x, old) = (0.7, [-0.4, 0.6]);
    let first = old.map(|h| State {
        hidden: one(h),
        more: Vec::new(),
    });
    let mut graph = Graph::new(Isa::best());
    let next = model.step(&mut graph, &one(x), &first).unwrap();
    let top = model.top(&mut graph, &next).unwrap();
    let output = model.decode(&mut graph, &top).unwrap();

    let p = |name: String| parameter(&model, &name);
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let mut new = Vec::new();
    for layer in 0..2 {
        // The hidden vector of the layer below, then x.
        let input: Vec<f64> = new.iter().copied().chain([x]).collect();
        let gate = |name: &str| {
            let part = |part: &str| p(format!("layers.{layer}.{name}.{part}"));
            let sum = dot(&part("weight_x"), &input) + dot(&part("weight_h"), &old);
            1.0 / (1.0 + (-sum - part("bias")[0]).exp())
        };
        let fed = (0..2).map(|from| {
            let name = format!("feedback.{from}");
            gate(&format!("{name}.gate"))
                * p(format!("layers.{layer}.{name}.weight_h"))[0]
                * old[from]
        });
        let part = |part: &str| p(format!("layers.{layer}.candidate.{part}"));
        let wx = dot(&part("weight_x"), &input) + part("bias")[0];
        let n = (wx + gate("reset") * fed.sum::<f64>()).tanh();
        let z = gate("update");
        new.push((1.0 - z) * n + z * old[layer]);
        assert_near(&next.states[layer].hidden, new[layer], "hidden");
    }
    let decoder = |part: &str| p(format!("decoder.{part}"));
    let expected = dot(&decoder("weight"), &new) + decoder("bias")[0];
    assert_near(&output, expected, "output");
}
