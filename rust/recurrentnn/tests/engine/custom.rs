//! Steps of all kinds against the graph, and against differences of their own values.

use super::recipe::{Dish, Recipe};
use super::recipes::{all, looked_up};
use super::*;

fn check<T: Element>(dish: &Dish<T>, passes: Passes, bound: f64) {
    let expected = dish.graph();
    for isa in Isa::available() {
        let (far, what) = dish.run(isa, passes, 1).apart(&expected);
        let (name, extent, source) = (&dish.name, dish.extent, dish.source);
        assert!(
            far < bound,
            "{name} {extent:?} {source:?} {} {passes:?}: {what} is {far} away",
            isa.name()
        );
    }
}

fn check_both(recipe: &Recipe, time: usize, batch: usize, passes: Passes) {
    let source = Source::Features;
    check(&recipe.dish::<f64>(time, batch, source), passes, 1e-12);
    check(&recipe.dish::<f32>(time, batch, source), passes, 5e-5);
}

/// One switch off, all on, all off.
pub(crate) fn variants() -> Vec<Passes> {
    let one = |leave: fn(&mut Passes)| {
        let mut passes = Passes::ALL;
        leave(&mut passes);
        passes
    };
    vec![
        Passes::ALL,
        Passes::NONE,
        one(|p| p.stack = false),
        one(|p| p.hoist = false),
        one(|p| p.accumulate = false),
        one(|p| p.fuse = false),
        one(|p| p.defer = false),
        one(|p| p.plan = false),
        one(|p| p.pack = false),
    ]
}

#[test]
fn every_step_is_what_its_graph_is() {
    for recipe in all() {
        // One and several blocks of columns, at the borders of a step.
        for (time, batch) in [(1, 1), (4, 1), (3, 4), (61, 2), (41, 3), (2, 125)] {
            check_both(&recipe, time, batch, Passes::ALL);
        }
    }
}

#[test]
fn without_any_pass_too() {
    for recipe in all() {
        for passes in variants() {
            check(&recipe.dish::<f64>(4, 3, Source::Features), passes, 1e-12);
        }
    }
}

#[test]
fn symbols_are_one_hot_columns() {
    for recipe in looked_up() {
        for passes in variants() {
            for (time, batch) in [(1, 2), (5, 3)] {
                let dish = recipe.dish::<f64>(time, batch, Source::OneHot);
                check(&dish, passes, 1e-12);
            }
        }
    }
}

#[test]
fn symbols_are_rows_of_an_embedding() {
    for mut recipe in looked_up() {
        // The embedding comes last, with fewer and with more symbols than columns.
        recipe.params.push((7, recipe.input));
        let source = Source::Embedding(recipe.params.len() - 1);
        for passes in variants() {
            for (time, batch) in [(1, 2), (5, 3)] {
                check(&recipe.dish::<f64>(time, batch, source), passes, 1e-12);
            }
        }
    }
}

#[test]
fn missing_states_and_gradients_are_zeros() {
    for recipe in all() {
        for case in 0..4 {
            let mut dish = recipe.dish::<f64>(4, 3, Source::Features);
            if case != 1 {
                dish.result_grads.iter_mut().for_each(|grad| *grad = None);
            }
            if case != 2 {
                dish.state_grads.iter_mut().for_each(|grad| *grad = None);
            }
            if case == 3 {
                dish.states.iter_mut().for_each(|state| *state = None);
                dish.result_grads = recipe.dish(4, 3, Source::Features).result_grads;
            }
            check(&dish, Passes::ALL, 1e-12);
        }
    }
}

/// The weighted sum of all that a run gives, whose gradient the backward pass computes.
fn loss(dish: &Dish<f64>, program: &Arc<Program<f64>>, isa: Isa) -> f64 {
    let served = dish.run_of(program, isa, 1);
    let dot = |(values, grad): (&Vec<f64>, &Option<Vec<f64>>)| -> f64 {
        let grad = grad.iter().flatten();
        values.iter().zip(grad).map(|(v, g)| v * g).sum()
    };
    let results: f64 = served.results.iter().zip(&dish.result_grads).map(dot).sum();
    let states: f64 = served.states.iter().zip(&dish.state_grads).map(dot).sum();
    results + states
}

#[test]
fn gradients_are_differences_of_values() {
    const STEP: f64 = 1e-5;
    let isa = Isa::best();
    for recipe in all() {
        let mut dish = recipe.dish::<f64>(3, 2, Source::Features);
        let program = dish.program(Passes::ALL);
        let served = dish.run_of(&program, isa, 1);
        let mut compare = |what: &str, grad: &[f64], at: &dyn Fn(&mut Dish<f64>) -> &mut [f64]| {
            for (i, g) in grad.iter().enumerate() {
                let mut moved = |by: f64| {
                    at(&mut dish)[i] += by;
                    let loss = loss(&dish, &program, isa);
                    at(&mut dish)[i] -= by;
                    loss
                };
                let slope = (moved(STEP) - moved(-STEP)) / (2.0 * STEP);
                let far = (slope - g).abs() / (1.0 + g.abs());
                assert!(far < 1e-6, "{}: {what} {i}: {g} but {slope}", recipe.name);
            }
        };
        compare("input", &served.input, &|dish| &mut dish.features);
        for (k, grad) in served.params.iter().enumerate() {
            compare(&format!("parameter {k}"), grad, &|dish| &mut dish.params[k]);
        }
        for (k, grad) in served.initial.iter().enumerate() {
            compare(&format!("state {k}"), grad, &|dish| {
                dish.states[k].as_mut().unwrap()
            });
        }
    }
}
