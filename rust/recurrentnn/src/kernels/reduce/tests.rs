#![allow(clippy::float_cmp)] // equal bits are what is claimed

use super::super::naive::{assert_close, for_all, numbers, rounding, with_threads};
use super::*;

const SIZES: [(usize, usize); 11] = [
    (0, 3),
    (3, 0),
    (1, 1),
    (1, 40),
    (40, 1),
    (3, 5),
    (16, 17),
    (33, 70),
    (129, 131),
    (300, 700),
    (1100, 70),
];

fn sums_are_naive<T: Element>(isa: Isa) {
    for whole in SIZES {
        let (rows, cols) = whole;
        let a = numbers::<T>(1, rows * cols);
        let at = |i: usize, j: usize| a[i + j * rows].to_f64();
        let column = |j: usize| (0..rows).map(|i| at(i, j)).sum::<f64>();
        let row = |i: usize| (0..cols).map(|j| at(i, j)).sum::<f64>();
        let mut out = vec![T::NAN; cols];
        sum_per_column(isa, whole, &a, &mut out);
        assert_close(
            &out,
            &(0..cols).map(column).collect::<Vec<_>>(),
            rounding(rows),
        );
        let mut out = vec![T::NAN; rows];
        sum_per_row(isa, whole, &a, &mut out);
        assert_close(
            &out,
            &(0..rows).map(row).collect::<Vec<_>>(),
            rounding(cols),
        );
        let total = T::from_f64(sum(isa, &a));
        // Beyond blocks of 128 in double precision: an error of a block, times the root of their number.
        let blocks = (a.len() as f64 / 128.0).sqrt();
        assert_close(
            &[total],
            &[(0..cols).map(column).sum()],
            rounding(128) * blocks.max(1.0),
        );
        let squares = a.iter().map(|x| x.to_f64() * x.to_f64()).sum::<f64>();
        assert!((sum_of_squares(isa, &a) - squares).abs() <= 1e-13 * squares);
    }
}

#[test]
fn sums_are_naive_to_rounding() {
    for_all!(sums_are_naive);
}

fn sums_of_integers_are_exact<T: Element>(isa: Isa) {
    let a: Vec<T> = (0..1000).map(|i| T::from_f64(f64::from(i))).collect();
    assert_eq!(sum(isa, &a).to_bits(), 499_500.0_f64.to_bits());
    let mut out = vec![T::ZERO; 10];
    sum_per_column(isa, (100, 10), &a, &mut out);
    assert_eq!(out[9], T::from_f64(94_950.0));
}

#[test]
fn sums_that_need_no_rounding_are_exact() {
    for_all!(sums_of_integers_are_exact);
}

fn long_sums_stay_accurate<T: Element>(isa: Isa) {
    // One after the other in single precision, 0.1 + 0.1 + ... would be off by a percent. In double
    // precision some 8000 sums of blocks still are one after the other.
    let a = vec![T::from_f64(0.1); 1_000_000];
    let expected = 1e6 * a[0].to_f64();
    assert_close(&[T::from_f64(sum(isa, &a))], &[expected], 100.0);
    let mut out = [T::ZERO];
    sum_per_row(isa, (1, 1_000_000), &a, &mut out);
    assert_close(&out, &[expected], 100.0);
}

#[test]
fn a_million_terms_stay_accurate() {
    for_all!(long_sums_stay_accurate);
}

fn does_not_depend_on_threads<T: Element>(isa: Isa) {
    for whole in [
        (1000, 400),
        (3001, 70),
        (400_000, 1),
        (1, 400_000),
        (7, 50_000),
    ] {
        let a = numbers::<T>(1, whole.0 * whole.1);
        let run = |threads: usize| {
            with_threads(threads, || {
                let (mut columns, mut rows) = (vec![T::ZERO; whole.1], vec![T::ZERO; whole.0]);
                sum_per_column(isa, whole, &a, &mut columns);
                sum_per_row(isa, whole, &a, &mut rows);
                let totals = [sum(isa, &a), sum_of_squares(isa, &a)];
                (columns, rows, totals.map(f64::to_bits))
            })
        };
        let one = run(1);
        assert_eq!(run(2), one);
        assert_eq!(run(3), one);
    }
}

#[test]
fn bits_do_not_depend_on_threads() {
    for_all!(does_not_depend_on_threads);
}

fn maxima_are_naive<T: Element>(isa: Isa) {
    for (rows, cols) in SIZES {
        let whole = (rows, cols);
        let a = numbers::<T>(1, rows * cols);
        let max = |x: T, y: T| if y > x { y } else { x };
        let (mut columns, mut by_row) = (vec![T::NAN; cols], vec![T::NAN; rows]);
        max_per_column(isa, whole, &a, &mut columns);
        max_per_row(isa, whole, &a, &mut by_row);
        for (j, out) in columns.iter().enumerate() {
            let column = (0..rows).map(|i| a[i + j * rows]);
            assert_eq!(*out, column.fold(T::NEG_INFINITY, max));
        }
        for (i, out) in by_row.iter().enumerate() {
            let row = (0..cols).map(|j| a[i + j * rows]);
            assert_eq!(*out, row.fold(T::NEG_INFINITY, max));
        }
    }
}

#[test]
fn maxima_are_naive_exactly() {
    for_all!(maxima_are_naive);
}

fn not_a_number_is_found<T: Element>(isa: Isa) {
    for len in [1, 2, 16, 17, 40] {
        for at in 0..len {
            let mut a = numbers::<T>(1, len);
            a[at] = T::NAN;
            assert!(!sum_of_squares(isa, &a).is_finite());
            let mut out = [T::ZERO];
            max_per_column(isa, (len, 1), &a, &mut out);
            assert!(out[0].is_nan());
            out = [T::ZERO];
            max_per_row(isa, (1, len), &a, &mut out);
            assert!(out[0].is_nan());
            let mut into = vec![T::ZERO; len];
            max_per_row_gradient((1, len), &a, &out, &[T::ONE], &mut into);
            assert_eq!(into[at], T::ONE);
            a[at] = T::NEG_INFINITY;
            assert!(!sum_of_squares(isa, &a).is_finite());
        }
    }
}

#[test]
fn nan_wins_and_infinities_are_found_anywhere() {
    for_all!(not_a_number_is_found);
}

#[test]
fn the_gradient_goes_to_the_first_maximum() {
    let a = [1.0, 3.0, 3.0, 3.0, 2.0, 3.0]; // columns (1, 3), (3, 3), (2, 3)
    let mut into = [10.0; 6];
    max_per_column_gradient((2, 3), &a, &[3.0; 3], &[1.0, 2.0, 3.0], &mut into);
    assert_eq!(into, [10.0, 11.0, 12.0, 10.0, 10.0, 13.0]);
    into = [0.0; 6];
    max_per_row_gradient((2, 3), &a, &[3.0; 2], &[1.0, 2.0], &mut into);
    assert_eq!(into, [0.0, 2.0, 1.0, 0.0, 0.0, 0.0]);
}
