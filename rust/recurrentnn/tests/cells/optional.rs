//! What an LSTM, a GRU or a simple net can be told beyond its equations, and their numbers.

use super::*;

/// One layer's options.
fn lstm(change: impl FnOnce(&mut Options)) -> Config {
    let mut options = Options::default();
    change(&mut options);
    config(CellKind::Lstm, options)
}

fn named(all: &[(&str, ActivationKind)]) -> std::collections::BTreeMap<String, ActivationKind> {
    let named = all.iter().map(|(name, kind)| ((*name).to_owned(), *kind));
    named.collect()
}

/// Nets that differ from the plain ones in one option, and two that have several.
pub(super) fn configs() -> Vec<Config> {
    let normal = |cell: CellKind, reset| {
        let options = Options {
            layer_norm: true,
            reset,
            ..Options::default()
        };
        // Of two units that are normalised, one is 1 and the other -1.
        Config {
            hidden_sizes: vec![7, 6],
            ..config(cell, options)
        }
    };
    let gated = |cell: CellKind, names: &[(&str, ActivationKind)]| {
        let options = Options {
            activations: named(names),
            ..Options::default()
        };
        config(cell, options)
    };
    let several = |options: &mut Options| {
        options.peepholes = true;
        options.coupled_gates = true;
        options.layer_norm = true;
        options.cell_clip = Some(0.9);
        options.projection_size = Some(6);
    };
    let several = Config {
        hidden_sizes: vec![12, 10],
        ..lstm(several)
    };
    vec![
        normal(CellKind::Rnn, Reset::After),
        normal(CellKind::Lstm, Reset::After),
        normal(CellKind::Gru, Reset::After),
        normal(CellKind::Gru, Reset::Before),
        lstm(|options| options.peepholes = true),
        lstm(|options| options.coupled_gates = true),
        lstm(|options| options.projection_size = Some(1)),
        lstm(|options| options.cell_clip = Some(0.5)),
        several,
        gated(
            CellKind::Lstm,
            &[
                ("candidate", ActivationKind::Relu),
                ("output", ActivationKind::HardSigmoid),
                ("cell", ActivationKind::Linear),
            ],
        ),
        gated(CellKind::GfGru, &[("candidate", ActivationKind::Elu)]),
        gated(CellKind::GfLstm, &[("cell", ActivationKind::Softplus)]),
        gated(CellKind::Gru, &[("update", ActivationKind::HardSigmoid)]),
        Config {
            hidden_clip: Some(0.4),
            ..config(CellKind::Gru, Options::default())
        },
        Config {
            hidden_sizes: vec![3; 2],
            residual: true,
            all_to_output: true,
            ..config(CellKind::Lstm, Options::default())
        },
        Config {
            embedding_size: Some(2),
            tied_embedding: true,
            ..config(CellKind::GfRnn, Options::default())
        },
    ]
}

/// A parameter of one number by its name.
type Named<'a> = &'a dyn Fn(&str) -> f64;

/// The step of one layer's one unit: h' and c' for x = 0.7, h = -0.4, c = 0.9.
fn stepped(model: &Model<f64>) -> Vec<f64> {
    let one = |x: f64| Matrix::constant(Shape::SCALAR, vec![x]).unwrap();
    let first = State {
        hidden: one(-0.4),
        more: vec![one(0.9)],
    };
    let mut graph = Graph::new(Isa::best());
    let next = model.step(&mut graph, &one(0.7), &[first]).unwrap();
    let numbers = parts(&next.states);
    numbers.iter().map(|m| m.to_vec().unwrap()[0]).collect()
}

#[test]
fn one_unit_of_an_lstm_steps_as_its_options_say() {
    let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
    let single = |config: Config| {
        net(&Config {
            hidden_sizes: vec![1],
            input_size: 1,
            output_size: None,
            ..config
        })
    };
    let check = |config: Config, expected: &dyn Fn(Named<'_>) -> [f64; 2]| {
        let model = single(config.clone());
        let p = |name: &str| {
            let found = model.params().get(&format!("layers.0.{name}"));
            found.map_or(0.0, |m| m.to_vec().unwrap()[0])
        };
        for (found, expected) in stepped(&model).iter().zip(expected(&p)) {
            assert!((found - expected).abs() < 1e-15, "{config:?}");
        }
    };
    let sum = |p: Named<'_>, name: &str| {
        p(&format!("{name}.weight_x")) * 0.7 - p(&format!("{name}.weight_h")) * 0.4
            + p(&format!("{name}.bias"))
    };
    let gate = |p: Named<'_>, name: &str| sigmoid(sum(p, name));
    let candidate = |p: Named<'_>| sum(p, "candidate").tanh();
    check(lstm(|options| options.peepholes = true), &|p| {
        let seen = |name: &str, c: f64| sigmoid(sum(p, name) + p(&format!("{name}.peephole")) * c);
        let c = seen("forget", 0.9) * 0.9 + seen("input", 0.9) * candidate(p);
        [seen("output", c) * c.tanh(), c]
    });
    check(lstm(|options| options.coupled_gates = true), &|p| {
        let i = gate(p, "input");
        let c = (1.0 - i) * 0.9 + i * candidate(p);
        [gate(p, "output") * c.tanh(), c]
    });
    check(lstm(|options| options.cell_clip = Some(0.2)), &|p| {
        let c = gate(p, "forget") * 0.9 + gate(p, "input") * candidate(p);
        assert!(c.abs() > 0.2, "{c} is not clipped: nothing is shown");
        let c = c.clamp(-0.2, 0.2);
        [gate(p, "output") * c.tanh(), c]
    });
    let other = [
        ("candidate", ActivationKind::Softplus),
        ("output", ActivationKind::HardSigmoid),
        ("cell", ActivationKind::Linear),
    ];
    check(lstm(|options| options.activations = named(&other)), &|p| {
        let n = sum(p, "candidate").exp().ln_1p();
        let c = gate(p, "forget") * 0.9 + gate(p, "input") * n;
        let o = (sum(p, "output") / 6.0 + 0.5).clamp(0.0, 1.0);
        [o * c, c]
    });
    // One unit is its own mean: what is normalised is 0, the bias is left.
    check(lstm(|options| options.layer_norm = true), &|p| {
        let gate = |name: &str| sigmoid(p(&format!("{name}.bias")));
        let c = gate("forget") * 0.9 + gate("input") * p("candidate.bias").tanh();
        [gate("output") * p("cell.bias").tanh(), c]
    });
}
