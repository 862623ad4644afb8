//! Two rules against written-out numbers; what a step refuses, it leaves as it was.
#![allow(clippy::unwrap_used)] // a helper of tests, too, should stop where it stands

use recurrentnn::element::Element;
use recurrentnn::error::{Error, Result};
use recurrentnn::graph::Graph;
use recurrentnn::kernels::Isa;
use recurrentnn::matrix::Matrix;
use recurrentnn::ops::Recorder;
use recurrentnn::optim::{
    Clip, Moments, Named, Options, RmsProp, Solver, StepStats, UpdateRule, step as step_all,
};
use recurrentnn::shape::Shape;

/// A column of weights with its gradient.
fn weights<T: Element>(values: &[f64], grad: &[f64]) -> Matrix<T> {
    let numbers = |x: &[f64]| x.iter().map(|&x| T::from_f64(x)).collect::<Vec<_>>();
    let m = Matrix::from_vec(Shape::new(values.len(), 1), numbers(values)).unwrap();
    set_grad(&m, grad);
    m
}

fn set_grad<T: Element>(m: &Matrix<T>, grad: &[f64]) {
    for (to, &g) in m.grad_mut().unwrap().iter_mut().zip(grad) {
        *to = T::from_f64(g);
    }
}

fn assert_near<T: Element>(m: &Matrix<T>, expected: &[f64]) {
    let tolerance = if size_of::<T>() == 8 { 1e-15 } else { 1e-7 };
    let found = m.to_vec().unwrap();
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        let error = (found.to_f64() - expected).abs();
        assert!(
            error <= tolerance * expected.abs().max(1.0),
            "{found} {expected}"
        );
    }
}

/// A step by the gradients of one backward pass.
fn step<T: Element, R: UpdateRule>(
    isa: Isa,
    options: &Options<R>,
    moments: &mut Moments<T>,
    parameters: &[Named<'_, T>],
) -> Result<StepStats> {
    step_all(isa, &(*options).into(), moments, parameters, 1)
}

fn solver() -> Options<Solver> {
    Options {
        rule: Solver {
            decay_rate: 0.75,
            eps: 0.0,
        },
        learning_rate: 0.5,
        weight_decay: 0.125,
        clip: Clip {
            value: Some(3.0),
            norm: None,
        },
        decay_all: true,
    }
}

/// Squares everywhere, so that roots and quotients are exact.
fn rmsprop() -> Options<RmsProp> {
    Options {
        rule: own(0.75, 1.0),
        learning_rate: 0.5,
        weight_decay: 0.25,
        clip: Clip::default(),
        decay_all: false,
    }
}

fn own(decay_rate: f64, eps: f64) -> RmsProp {
    RmsProp {
        decay_rate,
        eps,
        ..RmsProp::default()
    }
}

fn rmsprop_numbers<T: Element>(isa: Isa) {
    let w = weights::<T>(&[1.0, -2.0, 4.0], &[2.0, -6.0, 0.0]);
    let mut moments = Moments::default();
    let stats = step(isa, &rmsprop(), &mut moments, &[(None, &w)]).unwrap();
    // s = g^2 / 4: 1, 9, 0. w -= (g / (sqrt s + 1) + w / 4) / 2.
    assert_near(
        &w,
        &[
            1.0 - 0.5 * (1.0 + 0.25),
            -2.0 + 0.5 * (1.5 + 0.5),
            4.0 - 0.5,
        ],
    );
    let norm = 40.0_f64.sqrt();
    assert_eq!(
        stats,
        StepStats {
            grad_norm: norm,
            clipped_fraction: 0.0
        }
    );
    assert!(w.grad().unwrap().iter().all(|&g| g == T::ZERO));

    // s = 3/4 s + g^2 / 4: 0.75 + 3.25 = 4, 6.75 + 2.25 = 9, 0 + 4 = 4.
    set_grad(&w, &[13.0_f64.sqrt(), 3.0, 4.0]);
    let before = [0.375, -1.0, 3.5];
    step(isa, &rmsprop(), &mut moments, &[(None, &w)]).unwrap();
    let moved = [13.0_f64.sqrt() / 3.0, 0.75, 4.0 / 3.0];
    let expected = before
        .iter()
        .zip(moved)
        .map(|(w, moved)| w - 0.5 * (moved + w / 4.0));
    assert_near(&w, &expected.collect::<Vec<_>>());
}

fn solver_numbers<T: Element>(isa: Isa) {
    let w = weights::<T>(&[1.0, -2.0, 4.0], &[2.0, -6.0, 4.0]);
    let mut moments = Moments::default();
    let stats = step(isa, &solver(), &mut moments, &[(Some("bias"), &w)]).unwrap();
    // s = g^2 / 4 of the gradient before it is clipped to 3: 1, 9, 4. w -= clip(g) / sqrt s / 2 + w / 8.
    let expected = [-0.125, -2.0 + 0.5 + 0.25, 4.0 - 0.75 - 0.5];
    assert_near(&w, &expected);
    assert!((stats.clipped_fraction - 2.0 / 3.0).abs() < 1e-15);
    assert!((stats.grad_norm - 56.0_f64.sqrt()).abs() < 1e-6);
    // s = 3/4 s + g^2 / 4: 4 with g^2 = 13; 9 with 9; 4 with 4.
    set_grad(&w, &[13.0_f64.sqrt(), 3.0, 2.0]);
    step(isa, &solver(), &mut moments, &[(None, &w)]).unwrap();
    let moved = [3.0 / 2.0, 1.0, 1.0];
    let expected = expected
        .iter()
        .zip(moved)
        .map(|(w, moved)| w - moved / 2.0 - w / 8.0);
    assert_near(&w, &expected.collect::<Vec<_>>());
}

#[test]
fn both_rules_compute_what_their_files_say() {
    for isa in Isa::available() {
        rmsprop_numbers::<f64>(isa);
        rmsprop_numbers::<f32>(isa);
        solver_numbers::<f64>(isa);
        solver_numbers::<f32>(isa);
    }
}

#[test]
fn the_norm_is_clipped_over_all_parameters_and_then_the_values() {
    let clip = Clip {
        norm: Some(6.5),
        value: Some(1.75),
    };
    let rule = Options {
        clip,
        weight_decay: 0.0,
        ..rmsprop()
    };
    let (a, b) = (
        weights::<f64>(&[0.0, 0.0], &[3.0, -4.0]),
        weights(&[0.0], &[12.0]),
    );
    let stats = step(
        Isa::best(),
        &rule,
        &mut Moments::default(),
        &[(None, &a), (None, &b)],
    )
    .unwrap();
    // The norm is 13, so gradients halve to 1.5, -2, 6; the last two then become -1.75, 1.75.
    assert_eq!(
        stats,
        StepStats {
            grad_norm: 13.0,
            clipped_fraction: 2.0 / 3.0
        }
    );
    let change = |g: f64| -0.5 * g / (g.abs() / 2.0 + 1.0);
    assert_near(&a, &[change(1.5), change(-1.75)]);
    assert_near(&b, &[change(1.75)]);

    let far = Options {
        clip: Clip {
            norm: Some(1e6),
            value: Some(1e6),
        },
        ..rule
    };
    let w = weights::<f64>(&[0.0], &[12.0]);
    let stats = step(Isa::best(), &far, &mut Moments::default(), &[(None, &w)]).unwrap();
    assert_eq!(
        stats,
        StepStats {
            grad_norm: 12.0,
            clipped_fraction: 0.0
        }
    );
    assert_near(&w, &[change(12.0)]);
}

#[test]
fn biases_do_not_decay_unless_asked_for() {
    let stepped = |name: Option<&str>, decay_all: bool| {
        let w = weights::<f64>(&[4.0], &[0.0]);
        let rule = Options {
            decay_all,
            ..rmsprop()
        };
        step(Isa::best(), &rule, &mut Moments::default(), &[(name, &w)]).unwrap();
        w.to_vec().unwrap()[0]
    };
    assert_eq!(stepped(Some("layers.0.hidden.bias"), false), 4.0);
    assert_eq!(stepped(Some("layers.0.candidate.bias_h"), false), 4.0);
    assert_eq!(stepped(Some("layers.0.hidden.bias"), true), 3.5);
    assert_eq!(stepped(Some("bias.weight"), false), 3.5);
    assert_eq!(stepped(None, false), 3.5);
}

#[test]
fn a_matrix_that_comes_twice_is_stepped_once_and_one_without_gradient_decays() {
    let once = weights::<f64>(&[1.0, -2.0], &[2.0, -6.0]);
    let twice = weights::<f64>(&[1.0, -2.0], &[2.0, -6.0]);
    let mut moments = Moments::default();
    let single = step(Isa::best(), &rmsprop(), &mut moments, &[(None, &once)]).unwrap();
    let same = [(None, &twice), (Some("again"), &twice.clone())];
    let double = step(Isa::best(), &rmsprop(), &mut moments, &same).unwrap();
    assert_eq!(single, double);
    assert_eq!(once.to_vec().unwrap(), twice.to_vec().unwrap());

    let untouched = Matrix::<f64>::full(Shape::SCALAR, 8.0);
    step(Isa::best(), &rmsprop(), &mut moments, &[(None, &untouched)]).unwrap();
    assert_near(&untouched, &[7.0]);
    // 0 / 0, were it carried out.
    let still = Options {
        rule: own(0.75, 0.0),
        weight_decay: 0.0,
        ..rmsprop()
    };
    step(
        Isa::best(),
        &still,
        &mut Moments::default(),
        &[(None, &untouched)],
    )
    .unwrap();
    assert_near(&untouched, &[7.0]);
    let none = step::<f64, _>(Isa::best(), &rmsprop(), &mut moments, &[]).unwrap();
    assert_eq!(
        none,
        StepStats {
            grad_norm: 0.0,
            clipped_fraction: 0.0
        }
    );
}

/// Steps a good and a bad matrix, and shows that neither, nor the state, has changed.
fn assert_refused<R: UpdateRule>(rule: &Options<R>, bad: &Matrix<f64>, good_first: bool) -> Error {
    let good = weights::<f64>(&[1.0, -2.0], &[2.0, -6.0]);
    let (start, grad) = (bad.to_vec().unwrap(), bad.grad().unwrap().to_vec());
    let mut moments = Moments::default();
    let mut all = vec![(Some("layers.0.good"), &good), (Some("layers.0.bad"), bad)];
    if !good_first {
        all.reverse();
    }
    let error = step(Isa::best(), rule, &mut moments, &all).unwrap_err();
    assert_eq!(good.to_vec().unwrap(), [1.0, -2.0]);
    assert_eq!(good.grad().unwrap().to_vec(), [2.0, -6.0]);
    assert_eq!(bad.to_vec().unwrap(), start);
    let same = |(a, b): (&f64, &f64)| a.to_bits() == b.to_bits();
    assert!(bad.grad().unwrap().iter().zip(&grad).all(same));

    let fresh = weights::<f64>(&[1.0, -2.0], &[2.0, -6.0]);
    step(Isa::best(), &rmsprop(), &mut moments, &[(None, &good)]).unwrap();
    step(
        Isa::best(),
        &rmsprop(),
        &mut Moments::default(),
        &[(None, &fresh)],
    )
    .unwrap();
    assert_eq!(
        good.to_vec().unwrap(),
        fresh.to_vec().unwrap(),
        "the state has changed"
    );
    error
}

#[test]
fn a_gradient_that_is_not_finite_is_named_and_nothing_changes() {
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        for good_first in [true, false] {
            let m = weights::<f64>(&[1.0, 2.0, 3.0], &[0.5, 0.5, bad]);
            let error = assert_refused(&rmsprop(), &m, good_first);
            assert!(matches!(error, Error::NonFinite { .. }));
            let message = format!("RMSProp: gradient of layers.0.bad is {bad} at (2, 0)");
            assert_eq!(error.to_string(), message);
            let error = assert_refused(&solver(), &m, good_first);
            assert!(matches!(error, Error::NonFinite { .. }));
        }
    }
}

#[test]
fn a_gradient_whose_square_is_infinite_is_refused_where_it_is_squared() {
    let w = weights::<f32>(&[1.0, 2.0], &[0.5, 1e20]);
    let all = [(None, &w)];
    let message =
        "gradient of parameter 0 is 100000000000000000000 at (1, 0), whose square is infinite";
    let errors = [
        step(Isa::best(), &rmsprop(), &mut Moments::default(), &all).unwrap_err(),
        step(Isa::best(), &solver(), &mut Moments::default(), &all).unwrap_err(),
    ];
    for error in errors {
        assert!(error.to_string().ends_with(message), "{error}");
    }
    assert_eq!(w.to_vec().unwrap(), [1.0, 2.0]);
    let clip = Clip {
        value: Some(1.0),
        norm: None,
    };
    let rule = Options { clip, ..rmsprop() };
    let stats = step(Isa::best(), &rule, &mut Moments::default(), &[(None, &w)]).unwrap();
    assert_eq!(stats.clipped_fraction, 0.5);
}

#[test]
fn a_parameter_whose_backward_has_not_run_is_refused() {
    let w = weights::<f64>(&[1.0, 2.0], &[0.5, 0.5]);
    let mut graph = Graph::new(Isa::best());
    let loss = graph.mean(&w, None).unwrap();
    for good_first in [true, false] {
        let error = assert_refused(&rmsprop(), &w, good_first);
        assert!(matches!(error, Error::Graph { .. }), "{error}");
        assert!(error.to_string().contains("layers.0.bad"), "{error}");
    }
    graph.backward_from(&loss, false).unwrap();
    assert!(
        step(
            Isa::best(),
            &rmsprop(),
            &mut Moments::default(),
            &[(None, &w)]
        )
        .is_ok()
    );
}

#[test]
fn a_borrowed_parameter_and_settings_out_of_their_domain_change_nothing() {
    let w = weights::<f64>(&[1.0, 2.0], &[0.5, 0.5]);
    let other = w.clone();
    let held = other.value().unwrap();
    let good = weights::<f64>(&[1.0], &[2.0]);
    let all = [(None, &good), (None, &w)];
    let busy = step(Isa::best(), &rmsprop(), &mut Moments::default(), &all).unwrap_err();
    assert!(matches!(busy, Error::Busy { .. }));
    assert_eq!(good.to_vec().unwrap(), [1.0]);
    drop(held);

    let wrong = |clip_value: f64| {
        Some(Clip {
            value: Some(clip_value),
            norm: None,
        })
    };
    for clip in [wrong(0.0), wrong(-1.0), wrong(f64::NAN)]
        .into_iter()
        .flatten()
    {
        assert_refused(&Options { clip, ..rmsprop() }, &w, true);
    }
    for bad in [-1e-9, f64::NAN, f64::INFINITY] {
        for rule in [
            Options {
                learning_rate: bad,
                ..rmsprop()
            },
            Options {
                rule: own(bad, 1.0),
                ..rmsprop()
            },
            Options {
                rule: own(0.75, bad),
                ..rmsprop()
            },
            Options {
                weight_decay: bad,
                ..rmsprop()
            },
        ] {
            let error = assert_refused(&rule, &w, true);
            assert!(
                matches!(error, Error::Argument { op: "RMSProp", .. }),
                "{error}"
            );
        }
        assert_refused(
            &Options {
                learning_rate: bad,
                ..solver()
            },
            &w,
            true,
        );
        assert_refused(
            &Options {
                clip: Clip {
                    value: Some(bad),
                    norm: None,
                },
                ..solver()
            },
            &w,
            true,
        );
    }
}
