//! Cells of one's own: the same walks as the library's, the library's own numbers, and what is refused.

use recurrentnn::cells::{Custom, Layer, Sketch};
use recurrentnn::error::Error;
use recurrentnn::init::Init;
use recurrentnn::params::Role;
use recurrentnn::plan::Plan;
use recurrentnn::program::Symbol;

use super::*;

/// An LSTM whose second state is `memory`, and a state that nothing reads: how often it stepped.
pub(super) fn counting_lstm() -> Custom {
    let states = ["hidden", "memory", "ticks"];
    let cell = Custom::new("CountingLSTM", &states, |cell, layer| {
        let mut gate = |name| cell.gate(name, layer.inputs, layer.size);
        let [input, forget, candidate, output] =
            ["input", "forget", "candidate", "output"].map(&mut gate);
        let (x, h, c) = (cell.x(), cell.state("hidden")?, cell.state("memory")?);
        let (i, f) = (input.sigmoid(cell, &x, &h)?, forget.sigmoid(cell, &x, &h)?);
        let n = candidate.sum(cell, &x, &h)?;
        let n = cell.tanh(&n)?;
        let o = output.sigmoid(cell, &x, &h)?;
        let (kept, written) = (cell.mul(&f, &c)?, cell.mul(&i, &n)?);
        let c = cell.add(&[&kept, &written])?;
        let squashed = cell.tanh(&c)?;
        let ticks = cell.state("ticks")?;
        Ok(vec![cell.mul(&o, &squashed)?, c, cell.shift(&ticks, 1.0)?])
    });
    cell.unwrap()
}

#[test]
fn a_cell_written_anew_has_the_bits_of_the_library_s() {
    let own = Config {
        forget_bias: 1.0,
        ..config(CellKind::Custom(counting_lstm()), Options::default())
    };
    let (model, lstm) = (net(&own), net(&config(CellKind::Lstm, Options::default())));
    for ((name, ours), (known, theirs)) in model.params().iter().zip(lstm.params().iter()) {
        assert_eq!(name, known);
        ours.value_mut()
            .unwrap()
            .copy_from_slice(&theirs.value().unwrap());
    }
    let first = states(&model);
    let theirs = first.iter().map(|state| State {
        hidden: state.hidden.clone(),
        more: state.more[..1].to_vec(),
    });
    let mut graph = Graph::new(Isa::best());
    let run = |graph: &mut Graph<f64>, model, states| {
        unroll(model, graph, &sequence(&own), BATCH, states).unwrap()
    };
    let (expected, _) = run(&mut graph, &lstm, theirs.collect());
    let (found, last) = run(&mut graph, &model, first.clone());
    assert_same(&found, &expected, &own);
    for (before, after) in first.iter().zip(&last) {
        let ticks = after.more[1].to_vec().unwrap().into_iter();
        let grown = ticks.zip(before.more[1].to_vec().unwrap());
        assert!(grown.into_iter().all(|(a, b)| (a - b - 3.0).abs() < 1e-12));
    }
}

#[test]
fn parameters_begin_as_they_were_registered() {
    let cell = Custom::new("Echo", &["hidden"], |cell, layer| {
        let size = layer.size;
        let gate = cell.gate("forget", layer.inputs, size);
        let decay = cell.param_from("decay.rate", (size, 1), Role::Bias, Init::Constant(0.25));
        let sum = gate.sum(cell, &cell.x(), &cell.state("hidden")?)?;
        Ok(vec![cell.mul(&decay, &sum)?])
    });
    let model = Model::<f64>::new(config(CellKind::Custom(cell.unwrap()), Options::default()));
    let model = model.unwrap();
    let value = |name: &str| model.params().get(name).unwrap().to_vec().unwrap();
    assert_eq!(value("layers.1.decay.rate"), [0.25, 0.25]);
    // `forget_bias` is for the library's own cells.
    assert_eq!(value("layers.0.forget.bias"), [0.0; 3]);
    assert!(value("layers.0.forget.weight_h").iter().all(|w| *w != 0.0));
}

/// The refusal of a model whose layers are recorded so.
fn refusal(
    step: impl Fn(&mut Sketch, &Layer<'_>) -> Result<Vec<Symbol>> + Send + Sync + 'static,
) -> Error {
    let cell = Custom::new("Wrong", &["hidden"], step).unwrap();
    let plan = Plan::new(config(CellKind::Custom(cell), Options::default()));
    plan.err().unwrap()
}

#[test]
fn what_is_no_cell_is_refused_in_words() {
    for (error, words) in [
        (
            refusal(|_, _| Ok(Vec::new())),
            "step: must give 1 new states but gave 0",
        ),
        (
            refusal(|cell, _| Ok(vec![cell.x(), cell.x()])),
            "step: must give 1 new states but gave 2",
        ),
        (
            refusal(|cell, layer| Ok(vec![cell.param("b", layer.size, 1, Role::Bias)])),
            "step: hidden must be 3xbatch but is 3x1",
        ),
        (
            refusal(|cell, _| {
                let x = cell.x();
                Ok(vec![cell.concat(&[&x, &x])?])
            }),
            "step: hidden must be 3xbatch but is 6xbatch",
        ),
        (
            refusal(|cell, _| {
                let h = cell.state("hidden")?;
                Ok(vec![cell.transpose(&h)?])
            }),
            "transpose: mixes the samples",
        ),
        (
            refusal(|cell, _| Ok(vec![cell.state("cell")?])),
            "step: state must be one of [\"hidden\"] but is \"cell\"",
        ),
        (
            refusal(|cell, layer| {
                cell.gate("a", layer.inputs, layer.size);
                cell.gate("a", layer.inputs, layer.size);
                Ok(vec![cell.state("hidden")?])
            }),
            "build: parameter a.weight_x was registered before",
        ),
        (
            refusal(|cell, _| {
                cell.param("a..b", 1, 1, Role::Bias);
                Ok(vec![cell.state("hidden")?])
            }),
            "build: a parameter needs a name",
        ),
        (
            refusal(|cell, _| {
                cell.param("a", 0, 1, Role::Bias);
                Ok(vec![cell.state("hidden")?])
            }),
            "build: parameter a must not be 0x1",
        ),
    ] {
        assert!(error.to_string().starts_with(words), "{error}");
    }
}

#[test]
fn states_are_named_once_and_hidden_comes_first() {
    for states in [&[][..], &["cell"], &["hidden", "hidden"], &["hidden"; 65]] {
        let cell = Custom::new("Wrong", states, |_, _| Ok(Vec::new()));
        assert!(cell.is_err(), "{states:?}");
    }
    assert!(Custom::new("", &["hidden"], |_, _| Ok(Vec::new())).is_err());
    assert!(Custom::new("lstm", &["hidden"], |_, _| Ok(Vec::new())).is_err());
}
