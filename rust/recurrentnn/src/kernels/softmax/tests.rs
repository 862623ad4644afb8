#![allow(clippy::float_cmp)] // equal bits are what is claimed

use super::super::naive::{assert_close, for_all, numbers, with_threads};
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
    }
}

#[test]
fn columns_are_naive_to_rounding() {
    for_all!(columns_are_naive);
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
    let whole = (70, 300);
    let a = numbers::<T>(1, 70 * 300);
    let run = |threads: usize| {
        let (mut soft, mut lse) = (vec![T::ZERO; a.len()], vec![T::ZERO; 300]);
        with_threads(threads, || {
            softmax(isa, whole, &a, &mut soft);
            logsumexp_per_column(isa, whole, &a, &mut lse);
        });
        (soft, lse)
    };
    assert_eq!(run(2), run(1));
}

#[test]
fn bits_do_not_depend_on_threads() {
    for_all!(does_not_depend_on_threads);
}
