#![allow(clippy::float_cmp)] // equal bits are what is claimed

use super::super::naive::{assert_close, for_all, numbers, rounding, with_threads};
use super::*;

/// Of one column, in double precision: (logsumexp, softmax).
fn naive<T: Element>(column: &[T]) -> (f64, Vec<f64>) {
    let sum = column.iter().map(|x| x.to_f64().exp()).sum::<f64>();
    (
        sum.ln(),
        column.iter().map(|x| x.to_f64().exp() / sum).collect(),
    )
}

fn columns_are_naive<T: Element>(isa: Isa) {
    for (rows, cols) in [(1, 3), (2, 1), (17, 2), (65, 4), (300, 40)] {
        let a = numbers::<T>(1, rows * cols);
        let whole = (rows, cols);
        let (mut soft, mut log) = (vec![T::NAN; a.len()], vec![T::NAN; a.len()]);
        let mut lse = vec![T::NAN; cols];
        softmax(isa, whole, &a, &mut soft);
        log_softmax(isa, whole, &a, &mut log);
        logsumexp_per_column(isa, whole, &a, &mut lse);
        for (j, column) in a.chunks_exact(rows).enumerate() {
            let (expected_lse, expected) = naive(column);
            let logs: Vec<f64> = expected.iter().map(|p| p.ln()).collect();
            assert_close(&lse[j..=j], &[expected_lse], 4.0);
            assert_close(&soft[j * rows..][..rows], &expected, 4.0);
            assert_close(&log[j * rows..][..rows], &logs, 4.0);
        }
        let picks: Vec<usize> = (0..cols).map(|j| j % rows).collect();
        let mut picked = vec![T::NAN; cols];
        picked_log_softmax(isa, whole, &a, &picks, &mut picked);
        for (j, picked) in picked.into_iter().enumerate() {
            assert_eq!(picked, log[j * rows + j % rows]);
        }
    }
}

#[test]
fn columns_are_naive_to_rounding() {
    for_all!(columns_are_naive);
}

fn gradients_are_naive<T: Element>(isa: Isa) {
    for (rows, cols) in [(1, 3), (17, 2), (65, 5), (300, 40)] {
        let whole = (rows, cols);
        let [a, grad, old] = [1, 2, 3].map(|seed| numbers::<T>(seed, rows * cols));
        let mut soft = old.clone();
        let weight = |j: usize| (j != 1).then(|| T::from_f64(j as f64 - 0.5));
        accumulate_softmax(isa, whole, &a, weight, &mut soft);
        let mut log = old.clone();
        accumulate_log_softmax_gradient(isa, whole, &a, &grad, &mut log);
        for j in 0..cols {
            let column = j * rows..(j + 1) * rows;
            let (_, shares) = naive(&a[column.clone()]);
            let wide = |values: &[T]| -> Vec<f64> {
                values[column.clone()].iter().map(|x| x.to_f64()).collect()
            };
            let (old, x, g) = (wide(&old), wide(&a), wide(&grad));
            let weight = weight(j).map_or(0.0, T::to_f64);
            let expected = old.iter().zip(&shares).map(|(old, p)| old + weight * p);
            let expected: Vec<f64> = expected.collect();
            assert_close(&soft[column.clone()], &expected, 8.0);
            let total: f64 = g.iter().sum();
            let terms = old.iter().zip(g.iter().zip(&x));
            let expected = terms.map(|(old, (g, x))| old + g - x.exp() * total);
            let expected: Vec<f64> = expected.collect();
            assert_close(&log[column], &expected, rounding(rows));
        }
    }
}

#[test]
fn gradients_are_naive_to_rounding() {
    for_all!(gradients_are_naive);
}

/// Each column alone, and at another place.
fn columns_stand_alone<T: Element>(isa: Isa) {
    let (rows, cols) = (67, 5);
    let a = numbers::<T>(1, rows * cols);
    let run = |columns: std::ops::Range<usize>| {
        let a = &a[columns.start * rows..columns.end * rows];
        let whole = (rows, columns.len());
        let mut out = vec![T::ZERO; 4 * a.len()];
        for (i, out) in out.chunks_exact_mut(a.len()).enumerate() {
            match i {
                0 => softmax(isa, whole, a, out),
                1 => log_softmax(isa, whole, a, out),
                2 => accumulate_softmax(isa, whole, a, |_| Some(T::ONE), out),
                _ => accumulate_log_softmax_gradient(isa, whole, a, a, out),
            }
        }
        out
    };
    let all = run(0..cols);
    for j in 0..cols {
        for (i, alone) in run(j..j + 1).chunks_exact(rows).enumerate() {
            assert_eq!(*alone, all[(i * cols + j) * rows..][..rows]);
        }
    }
}

#[test]
fn a_column_alone_has_the_bits_it_has_among_others() {
    for_all!(columns_stand_alone);
}

fn extremes_are_exact<T: Element>(isa: Isa) {
    let big = T::from_f64(1e6);
    let infinity = -T::NEG_INFINITY;
    let run = |a: &[T]| {
        let whole = (a.len(), 1);
        let (mut soft, mut log) = (vec![T::NAN; a.len()], vec![T::NAN; a.len()]);
        let mut lse = [T::NAN];
        softmax(isa, whole, a, &mut soft);
        log_softmax(isa, whole, a, &mut log);
        logsumexp_per_column(isa, whole, a, &mut lse);
        (soft, log, lse[0])
    };
    let (soft, log, lse) = run(&[big, -big]);
    assert_eq!(soft, [T::ONE, T::ZERO]);
    assert_eq!(log, [T::ZERO, -(big + big)]);
    assert_eq!(lse, big);
    let (_, log, _) = run(&[big, big]);
    assert_close(&log, &[-std::f64::consts::LN_2; 2], 1.0);
    let (soft, log, lse) = run(&[T::NEG_INFINITY, T::ONE]);
    assert_eq!((soft[0], log[0], lse), (T::ZERO, T::NEG_INFINITY, T::ONE));
    assert_eq!(run(&[infinity, T::ONE]).2, infinity);
    assert_eq!(run(&[T::NEG_INFINITY; 2]).2, T::NEG_INFINITY);
    assert_eq!(run(&[]).2, T::NEG_INFINITY);
    for a in [[T::NAN, T::ONE], [T::ONE, T::NAN]] {
        let (soft, log, lse) = run(&a);
        assert!(soft.iter().chain(&log).chain([&lse]).all(|x| x.is_nan()));
    }
}

#[test]
fn logits_of_a_million_infinities_and_nan_do_what_they_should() {
    for_all!(extremes_are_exact);
}

fn does_not_depend_on_threads<T: Element>(isa: Isa) {
    let whole = (70, 600);
    let a = numbers::<T>(1, 70 * 600);
    let run = |threads: usize| {
        let (mut soft, mut lse) = (vec![T::ZERO; a.len()], vec![T::ZERO; 600]);
        let (mut sum, mut log) = (soft.clone(), soft.clone());
        with_threads(threads, || {
            softmax(isa, whole, &a, &mut soft);
            logsumexp_per_column(isa, whole, &a, &mut lse);
            accumulate_softmax(isa, whole, &a, |_| Some(T::ONE), &mut sum);
            accumulate_log_softmax_gradient(isa, whole, &a, &a, &mut log);
        });
        (soft, lse, sum, log)
    };
    assert_eq!(run(2), run(1));
}

#[test]
fn bits_do_not_depend_on_threads() {
    for_all!(does_not_depend_on_threads);
}
