#![allow(clippy::float_cmp)] // equal bits are what is claimed

use super::super::naive::{self, assert_close, for_all, numbers, rounding, with_threads};
use super::*;

const PRODUCTS: [Product; 3] = [
    Product::Plain,
    Product::TransposedLeft,
    Product::TransposedRight,
];

/// Sizes around the edges of tiles of 4, 8 or 16 rows and 6 columns.
const ROWS: [usize; 13] = [0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 17, 32, 33];
const COLS: [usize; 10] = [0, 1, 2, 3, 5, 6, 7, 11, 13, 26];
const DEPTHS: [usize; 6] = [0, 1, 2, 3, 5, 20];

fn identity<T: Element>(n: usize) -> Vec<T> {
    let mut identity = vec![T::ZERO; n * n];
    identity.iter_mut().step_by(n + 1).for_each(|x| *x = T::ONE);
    identity
}

fn transposed<T: Element>(rows: usize, cols: usize, a: &[T]) -> Vec<T> {
    (0..rows * cols)
        .map(|i| a[i / cols + i % cols * rows])
        .collect()
}

fn times_the_identity_is_exact<T: Element>(isa: Isa) {
    for m in ROWS {
        for n in ROWS {
            let a = numbers::<T>(1, m * n);
            for product in PRODUCTS {
                let stored = transposed(m, n, &a);
                let left = if product == Product::TransposedLeft {
                    &stored
                } else {
                    &a
                };
                let mut c = vec![T::ZERO; m * n];
                gemm(isa, product, m, n, n, left, &identity(n), &mut c);
                assert_eq!(c, a, "A I, {product:?} {m}x{n}");
                let right = if product == Product::TransposedRight {
                    &stored
                } else {
                    &a
                };
                c.fill(T::ZERO);
                gemm(isa, product, m, n, m, &identity(m), right, &mut c);
                assert_eq!(c, a, "I B, {product:?} {m}x{n}");
            }
        }
    }
}

#[test]
fn a_times_identity_and_identity_times_b_are_exact() {
    for_all!(times_the_identity_is_exact);
}

fn check<T: Element>(isa: Isa, (m, n, k): (usize, usize, usize)) {
    let (a, b, c) = (numbers::<T>(1, m * k), numbers(2, k * n), numbers(3, m * n));
    for product in PRODUCTS {
        let mut out = c.clone();
        gemm(isa, product, m, n, k, &a, &b, &mut out);
        assert_close(
            &out,
            &naive::gemm(product, (m, n, k), &a, &b, &c),
            rounding(k),
        );
    }
}

fn is_naive_around_tile_edges<T: Element>(isa: Isa) {
    for m in ROWS {
        for n in COLS {
            for k in DEPTHS {
                check::<T>(isa, (m, n, k));
            }
        }
    }
}

#[test]
fn products_are_naive_around_every_tile_edge() {
    for_all!(is_naive_around_tile_edges);
}

fn is_naive_around_block_edges<T: Element>(isa: Isa) {
    for size in [
        (67, 1, 300),
        (1, 67, 300),
        (70, 29, 257),
        (70, 270, 600),
        (35, 270, 520),
    ] {
        check::<T>(isa, size);
    }
}

#[test]
fn products_are_naive_around_every_block_edge() {
    for_all!(is_naive_around_block_edges);
}

fn is_one_ascending_chain<T: Element>(isa: Isa) {
    let (m, k) = (67, 600);
    for n in [1, 2, 30, 41] {
        let (a, b, c) = (numbers::<T>(1, m * k), numbers(2, k * n), numbers(3, m * n));
        let mut out = c.clone();
        gemm(isa, Product::TransposedLeft, m, n, k, &a, &b, &mut out);
        for (at, out) in out.iter().enumerate() {
            let (row, column) = (&a[at % m * k..][..k], &b[at / m * k..][..k]);
            assert_eq!(
                *out,
                isa.run(naive::Chain(c[at], row, column)),
                "element {at}"
            );
        }
    }
}

#[test]
fn every_element_is_one_chain_over_ascending_k() {
    for_all!(is_one_ascending_chain);
}

fn does_not_depend_on_threads_or_batch<T: Element>(isa: Isa) {
    for (m, n, k) in [
        (700, 1, 600),
        (1, 700, 600),
        (150, 100, 140),
        (8, 700, 300),
        (300, 20, 300),
    ] {
        let (a, b, c) = (numbers::<T>(1, m * k), numbers(2, k * n), numbers(3, m * n));
        let run = |product: Product, threads: usize| {
            let mut out = c.clone();
            with_threads(threads, || gemm(isa, product, m, n, k, &a, &b, &mut out));
            out
        };
        let one = PRODUCTS.map(|product| run(product, 1));
        for threads in [2, 3] {
            assert_eq!(PRODUCTS.map(|product| run(product, threads)), one);
        }
        let j = n / 2;
        let mut alone = c[j * m..][..m].to_vec();
        gemm(
            isa,
            Product::Plain,
            m,
            1,
            k,
            &a,
            &b[j * k..][..k],
            &mut alone,
        );
        assert_eq!(alone, one[0][j * m..][..m]);
    }
}

#[test]
fn bits_depend_neither_on_threads_nor_on_the_batch() {
    for_all!(does_not_depend_on_threads_or_batch);
}

#[test]
fn a_nan_of_b_stays_in_its_column() {
    for isa in Isa::available() {
        let (a, mut b) = (vec![1.0_f32; 5 * 3], vec![1.0; 3 * 7]);
        b[3 * 4] = f32::NAN;
        let mut c = vec![0.0; 5 * 7];
        gemm(isa, Product::Plain, 5, 7, 3, &a, &b, &mut c);
        assert!(
            c.iter()
                .enumerate()
                .all(|(i, x)| x.is_nan() == (i / 5 == 4))
        );
    }
}

#[test]
#[should_panic(expected = "left == right")]
fn a_short_operand_is_refused() {
    gemm(
        Isa::PORTABLE,
        Product::Plain,
        2,
        2,
        2,
        &[1.0; 3],
        &[1.0; 4],
        &mut [0.0; 4],
    );
}

/// Rows of each dz and the operands it meets, rows of the operands, and columns.
type Outers<'a> = (&'a [(usize, &'a [usize])], &'a [usize], usize);

fn outer_is_naive<T: Element>(isa: Isa) {
    let cases: [Outers<'_>; 9] = [
        (&[(20, &[0]), (20, &[0]), (20, &[0]), (20, &[0])], &[20], 62),
        (&[(33, &[0]), (0, &[0]), (7, &[0]), (1, &[0])], &[13], 300),
        (&[(70, &[0])], &[1], 1),
        (&[(90, &[0, 1]), (120, &[1])], &[130, 40], 90),
        (
            &[(64, &[1, 0, 2]), (64, &[2]), (9, &[])],
            &[50, 0, 30],
            1100,
        ),
        (&[(5, &[0, 1]), (3, &[1])], &[400, 300], 700),
        (&[(20, &[0, 1, 0]), (7, &[1, 1])], &[13, 30], 62),
        (&[(3, &[0])], &[0], 4),
        (&[(3, &[])], &[], 4),
    ];
    for (dzs, operand_rows, cols) in cases {
        let operands: Vec<_> = (1..)
            .zip(operand_rows)
            .map(|(seed, rows)| numbers::<T>(seed, rows * cols))
            .collect();
        let both: Vec<_> = (operands.iter().zip(operand_rows))
            .map(|(operand, rows)| (&operand[..], *rows))
            .collect();
        let dz: Vec<_> = (dzs.iter())
            .map(|(m, _)| numbers::<T>(20, m * cols))
            .collect();
        let weights: Vec<Vec<_>> = (dzs.iter())
            .map(|(m, of)| {
                let of = of.iter();
                of.map(|of| numbers::<T>(30, m * operand_rows[*of]))
                    .collect()
            })
            .collect();
        let biases: Vec<_> = dzs.iter().map(|(m, _)| numbers::<T>(40, *m)).collect();
        let run = |threads: usize, with_biases: bool| {
            let (mut dws, mut dbs) = (weights.clone(), biases.clone());
            let mut targets: Vec<_> = (dzs.iter().zip(&dz).zip(dws.iter_mut().zip(&mut dbs)))
                .map(|(((rows, of), dz), (dws, db))| Outer {
                    rows: *rows,
                    dz,
                    weights: (of.iter().copied())
                        .zip(dws.iter_mut().map(|dw| &mut dw[..]))
                        .collect(),
                    bias: with_biases.then_some(&mut db[..]),
                })
                .collect();
            with_threads(threads, || outer(isa, &mut targets, &both, cols));
            (dws, dbs)
        };
        let one = run(1, true);
        for (i, (m, of)) in dzs.iter().enumerate() {
            for (k, of) in of.iter().enumerate() {
                let size = (*m, operand_rows[*of], cols);
                let (b, before) = (&operands[*of], &weights[i][k]);
                let expected = naive::gemm(Product::TransposedRight, size, &dz[i], b, before);
                assert_close(&one.0[i][k], &expected, rounding(cols));
            }
            let ones = vec![T::ONE; cols];
            let size = (*m, 1, cols);
            let expected = naive::gemm(Product::Plain, size, &dz[i], &ones, &biases[i]);
            assert_close(&one.1[i], &expected, rounding(cols));
        }
        assert_eq!(run(3, true), one);
        assert_eq!(run(1, false), (one.0, biases.clone()));
    }
}

#[test]
fn gradients_of_weights_are_naive_for_any_number_of_threads() {
    for_all!(outer_is_naive);
}
