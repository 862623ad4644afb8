#![allow(clippy::float_cmp)] // equal bits are what is claimed

use super::super::naive::{assert_close, at, for_all, numbers, rounding, with_threads};
use super::*;

const EXTENTS: [Extent; 4] = [Extent::Full, Extent::Column, Extent::Row, Extent::Scalar];
const SIZES: [(usize, usize); 9] = [
    (0, 3),
    (3, 0),
    (1, 1),
    (1, 20),
    (20, 1),
    (3, 5),
    (17, 16),
    (130, 70),
    (300, 3),
];

/// The shape of an operand of this extent.
fn shape(extent: Extent, (rows, cols): (usize, usize)) -> (usize, usize) {
    match extent {
        Extent::Full => (rows, cols),
        Extent::Column => (rows, 1),
        Extent::Row => (1, cols),
        Extent::Scalar => (1, 1),
    }
}

/// An operand and its shape.
fn operand<T: Element>(
    seed: u64,
    extent: Extent,
    whole: (usize, usize),
) -> (Vec<T>, (usize, usize)) {
    let own = shape(extent, whole);
    (numbers(seed, own.0 * own.1), own)
}

fn is_naive<T: Element>(isa: Isa) {
    for whole in SIZES {
        for (x, y) in EXTENTS.iter().flat_map(|x| EXTENTS.map(|y| (*x, y))) {
            let (a, a_shape) = operand::<T>(1, x, whole);
            let (b, b_shape) = operand::<T>(2, y, whole);
            let f = |i: usize, j: usize| at(&a, a_shape, i, j) - at(&b, b_shape, i, j);
            let operands = [
                Operand {
                    values: &a,
                    extent: x,
                },
                Operand {
                    values: &b,
                    extent: y,
                },
            ];
            let mut out = vec![T::NAN; whole.0 * whole.1];
            map_broadcast(isa, Cost::Cheap, whole, operands, &mut out, |[a, b]| a - b);
            for (at, out) in out.iter().enumerate() {
                assert_eq!(*out, f(at % whole.0, at / whole.0), "{x:?} {y:?} {whole:?}");
            }
            for extent in EXTENTS {
                let (mut into, own) = operand::<T>(3, extent, whole);
                let mut expected: Vec<f64> = into.iter().map(|x| x.to_f64()).collect();
                for (i, j) in (0..whole.1).flat_map(|j| (0..whole.0).map(move |i| (i, j))) {
                    let (i_own, j_own) = (i.min(own.0 - 1), j.min(own.1 - 1));
                    expected[i_own + j_own * own.0] += f(i, j).to_f64();
                }
                let minus = |[a, b]: [T; 2]| a - b;
                accumulate_broadcast(isa, Cost::Cheap, whole, operands, extent, &mut into, minus);
                assert_close(
                    &into,
                    &expected,
                    rounding(whole.0 * whole.1 / into.len().max(1)),
                );
            }
        }
    }
}

#[test]
fn every_pair_of_extents_maps_exactly_and_sums_to_rounding() {
    for_all!(is_naive);
}

fn does_not_depend_on_threads<T: Element>(isa: Isa) {
    for whole in [(1000, 400), (400_000, 1), (1, 400_000), (40, 10_000)] {
        for extent in EXTENTS {
            let (a, _) = operand::<T>(1, Extent::Full, whole);
            let (b, _) = operand::<T>(2, extent, whole);
            let full = Operand {
                values: &a,
                extent: Extent::Full,
            };
            let run = |threads: usize| {
                let (mut out, mut into) = (vec![T::ZERO; a.len()], b.clone());
                let operands = [full, Operand { values: &b, extent }];
                with_threads(threads, || {
                    let f = |[a, b]: [T; 2]| a * b;
                    map_broadcast(isa, Cost::Cheap, whole, operands, &mut out, f);
                    let square = |[a]: [T; 1]| a * a;
                    accumulate_broadcast(
                        isa,
                        Cost::Cheap,
                        whole,
                        [full],
                        extent,
                        &mut into,
                        square,
                    );
                });
                (out, into)
            };
            let one = run(1);
            assert_eq!(run(2), one);
            assert_eq!(run(3), one);
        }
    }
}

#[test]
fn bits_do_not_depend_on_threads() {
    for_all!(does_not_depend_on_threads);
}

#[test]
fn an_extent_is_named_by_what_the_operand_has() {
    let whole = (3, 4);
    for extent in EXTENTS {
        assert_eq!(Extent::of(shape(extent, whole), whole), extent);
    }
    assert_eq!(Extent::of((1, 1), (1, 1)), Extent::Full);
}
