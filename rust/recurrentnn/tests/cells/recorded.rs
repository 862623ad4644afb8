//! A step recorded once and replayed is the step itself.

use recurrentnn::regularise::Phase;

use super::*;

/// The step carried out, and its recording replayed: new states and the output.
fn both(config: &Config) -> [Vec<Matrix<f64>>; 2] {
    let (model, x) = (net(config), leaf(config.features(), BATCH, 1));
    let (states, mut graph) = (states(&model), Graph::new(Isa::best()));
    let next = model.step(&mut graph, &x, &states).unwrap();
    let top = model.top(&mut graph, &next).unwrap();
    let mut direct = parts(&next.states);
    direct.push(model.decode(&mut graph, &top).unwrap());
    let step = model.trace(Phase::Evaluation).unwrap();
    let params = model.params().matrices();
    let replayed = step.replay(&mut graph, params, &x, &parts(&states));
    [direct, replayed.unwrap()]
}

#[test]
fn a_replayed_step_has_the_bits_of_the_step() {
    for config in configs() {
        let [direct, replayed] = both(&config);
        assert_eq!(direct.len(), replayed.len());
        for (a, b) in direct.iter().zip(&replayed) {
            assert_same(a, b, &config);
        }
    }
}
