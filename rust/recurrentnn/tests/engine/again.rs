//! Programs, runs and their memory used again: what was there before does not show.

use recurrentnn::error::Error;
use recurrentnn::program::Run;

use super::recipe::Dish;
use super::recipes::all;
use super::*;

const EXTENTS: [(usize, usize); 7] = [(5, 3), (1, 1), (5, 3), (9, 2), (2, 9), (1, 1), (40, 4)];

#[test]
fn a_program_serves_any_extent_after_any_other() {
    for recipe in all() {
        let first = recipe.dish::<f64>(1, 1, Source::Features);
        let program = first.program(Passes::ALL);
        for (time, batch) in EXTENTS {
            let dish = recipe.dish(time, batch, Source::Features);
            let again = dish.run_of(&program, Isa::best(), 1);
            let fresh = dish.run(Isa::best(), Passes::ALL, 1);
            assert!(again == fresh, "{} T={time} B={batch}", dish.name);
        }
    }
}

#[test]
fn other_weights_have_another_version_or_none() {
    for source in [Source::Features, Source::OneHot, Source::Embedding(0)] {
        for cell in [CellKind::Gru, CellKind::GfLstm] {
            let mut config = config(cell, 6, &[9, 17], false);
            config.embedding_size = matches!(source, Source::Embedding(_)).then_some(4);
            let mut dish = Dish::<f32>::of_net(&config, 4, 3, source);
            let program = dish.program(Passes::ALL);
            for version in [None, None, Some(1), Some(2), None, Some(2)] {
                for _ in 0..2 {
                    dish.version = version;
                    let found = dish.run_of(&program, Isa::best(), 1);
                    let fresh = dish.run(Isa::best(), Passes::ALL, 1);
                    assert!(found == fresh, "{} {source:?} {version:?}", dish.name);
                }
                for param in &mut dish.params {
                    for w in param.iter_mut() {
                        *w = 0.9 * *w + 0.01;
                    }
                }
            }
        }
    }
}

fn values(dish: &Dish<f64>) -> Vec<&[f64]> {
    dish.params.iter().map(|values| &values[..]).collect()
}

/// Runs it once more in the memory of this run.
fn rerun(
    dish: &Dish<f64>,
    run: &mut Run<f64>,
    poll: &mut dyn FnMut() -> bool,
) -> Result<(), Error> {
    let states: Vec<Option<&[f64]>> = dish.states.iter().map(Option::as_deref).collect();
    run.load(Input::Features(&dish.features), &states)?;
    run.forward(poll)
}

fn lstm(time: usize, batch: usize) -> Dish<f64> {
    let config = config(CellKind::Lstm, 6, &[9, 17], false);
    Dish::of_net(&config, time, batch, Source::Features)
}

#[test]
fn a_run_goes_again_from_other_numbers() {
    let (mut dish, isa) = (lstm(4, 5), Isa::best());
    let program = dish.program(Passes::ALL);
    let mut run = dish.forward(&program, isa, 1, &values(&dish));
    for round in 0..4 {
        let fresh = dish.run(isa, Passes::ALL, 1);
        // Before and after a backward pass, which uses memory of the forward pass.
        rerun(&dish, &mut run, &mut || false).unwrap();
        if round % 2 == 0 {
            assert!(dish.backward(&mut run, &values(&dish)) == fresh);
        }
        dish.features.iter_mut().for_each(|x| *x += 0.1);
        dish.states[1].as_mut().unwrap()[0] += 0.1;
    }
}

#[test]
fn a_stopped_pass_can_begin_again() {
    let (dish, isa) = (lstm(4, 5), Isa::best());
    let program = dish.program(Passes::ALL);
    let fresh = dish.run(isa, Passes::ALL, 1);
    for threads in [1, 2] {
        let mut run = dish.forward(&program, isa, threads, &values(&dish));
        assert!(dish.backward(&mut run, &values(&dish)) == fresh);
        let stopped = rerun(&dish, &mut run, &mut || true);
        assert!(matches!(stopped, Err(Error::Interrupted)));
        rerun(&dish, &mut run, &mut || false).unwrap();
        let stopped = run.backward(&mut || true);
        assert!(matches!(stopped, Err(Error::Interrupted)));
        // What the forward pass left is gone: it runs again by itself.
        let again = dish.backward(&mut run, &values(&dish));
        assert!(again.params == fresh.params && again.initial == fresh.initial);
    }
}

#[test]
fn runs_that_follow_one_another_give_the_gradients_of_one() {
    let isa = Isa::best();
    for recipe in all() {
        let whole = recipe.dish::<f64>(5, 3, Source::Features);
        let program = whole.program(Passes::ALL);
        if !program.prelude().is_empty() {
            continue;
        }
        let values = values(&whole);
        let served = whole.run_of(&program, isa, 1);
        let given: Vec<Vec<f64>> = whole.states.iter().flatten().cloned().collect();
        let mut first = whole.steps(0..2, &given);
        let mut one = first.forward(&program, isa, 1, &values);
        let between: Vec<Vec<f64>> = (0..given.len())
            .map(|k| one.state(k).unwrap().to_vec())
            .collect();
        let second = whole.steps(2..5, &between);
        let mut two = second.forward(&program, isa, 1, &values);
        let after = second.backward(&mut two, &values);
        first.state_grads = after.initial.into_iter().map(Some).collect();
        let before = first.backward(&mut one, &values);
        let (far, name) = (
            apart(&before.input, &served.input[..before.input.len()]),
            &whole.name,
        );
        assert!(
            far < 1e-12 && before.initial.len() == served.initial.len(),
            "{name}"
        );
        let mut params: Vec<Vec<f64>> = values.iter().map(|v| vec![0.0; v.len()]).collect();
        let mut into: Vec<&mut [f64]> = params.iter_mut().map(|p| &mut p[..]).collect();
        weight_gradients(&[&one, &two], &values, &mut into).unwrap();
        for (found, expected) in params.iter().zip(&served.params) {
            assert!(apart(found, expected) < 1e-12, "{name}");
        }
    }
}

#[test]
fn no_steps_hand_the_states_on() {
    for recipe in all() {
        let mut dish = recipe.dish::<f64>(0, 3, Source::Features);
        dish.result_grads.iter_mut().for_each(|grad| *grad = None);
        let program = dish.program(Passes::ALL);
        let served = dish.run_of(&program, Isa::best(), 2);
        let given = |all: &[Option<Vec<f64>>]| all.iter().flatten().cloned().collect::<Vec<_>>();
        assert_eq!(served.states, given(&dish.states), "{}", dish.name);
        assert_eq!(served.initial, given(&dish.state_grads), "{}", dish.name);
        assert!(served.params.iter().flatten().all(|g| *g == 0.0));
        assert!(served.results.iter().all(Vec::is_empty));
    }
}
