#![allow(clippy::float_cmp)] // equal bits are what is claimed

use super::super::naive::{self, assert_close, for_all, numbers, rounding};
use super::*;
use crate::kernels::Product;

/// Numbers in front of, between and behind what a product may write.
const GAP: usize = 3;

/// A product with several targets, each with a gap behind every column, and several segments.
struct Case<T: Element> {
    packed: Packed<T>,
    weights: Vec<Vec<T>>,
    segments: Vec<Vec<T>>,
    bias: Vec<Vec<T>>,
    before: Vec<Vec<T>>,
    cols: usize,
}

/// The starts by which targets are told apart here.
#[derive(Clone, Copy, Debug)]
enum Begin {
    Zero,
    Keep,
    Column,
}
const BEGINS: [Begin; 3] = [Begin::Zero, Begin::Keep, Begin::Column];

impl<T: Element> Case<T> {
    fn new(isa: Isa, rows: &[usize], depths: &[usize], cols: usize) -> Self {
        let depth = depths.iter().sum();
        let mut packed = Packed::new(isa, rows, depth).unwrap();
        let mut weights = Vec::new();
        for (target, &rows) in rows.iter().enumerate() {
            let weight = numbers::<T>(10 + target as u64, rows * depth);
            let mut at = 0;
            for (s, cols) in depths.iter().enumerate() {
                let part = &weight[at * rows..][..rows * cols];
                if s % 2 == 0 {
                    packed.pack(target, at, part, rows, *cols);
                } else {
                    let transposed: Vec<T> = (0..rows * cols)
                        .map(|i| part[i / cols + i % cols * rows])
                        .collect();
                    packed.pack_transposed(target, at, &transposed, *cols, rows);
                }
                at += cols;
            }
            weights.push(weight);
        }
        let seeds = 20..;
        let each = |seed: u64, len: usize| numbers::<T>(seed, len);
        Self {
            packed,
            weights,
            segments: depths
                .iter()
                .zip(seeds)
                .map(|(rows, seed)| each(seed, (rows + GAP) * cols))
                .collect(),
            bias: rows.iter().map(|rows| each(30, *rows)).collect(),
            before: rows
                .iter()
                .map(|rows| each(40, GAP + (rows + GAP) * cols))
                .collect(),
            cols,
        }
    }

    /// The outputs, from calls for the columns `cuts` apart and for the panels of each range.
    fn run(&self, begins: &[Begin], cuts: &[usize], ranges: &[Range<usize>]) -> Vec<Vec<T>> {
        let mut outputs = self.before.clone();
        for columns in cuts.windows(2) {
            for range in ranges {
                let operand: Vec<_> = (self.segments.iter())
                    .map(|segment| {
                        let column_step = segment.len() / self.cols;
                        let start = segment[columns[0] * column_step..].as_ptr();
                        Segment {
                            start,
                            rows: column_step - GAP,
                            column_step,
                        }
                    })
                    .collect();
                let targets: Vec<_> = (outputs.iter_mut().enumerate())
                    .map(|(i, output)| {
                        let column_step = self.packed.rows()[i] + GAP;
                        let start = match begins[i % begins.len()] {
                            Begin::Zero => Start::Zero,
                            Begin::Keep => Start::Keep,
                            Begin::Column => Start::Column(self.bias[i].as_ptr()),
                        };
                        let output = output[GAP + columns[0] * column_step..].as_mut_ptr();
                        Target {
                            output,
                            column_step,
                            start,
                        }
                    })
                    .collect();
                let (isa, cols) = (self.packed.isa(), columns[1] - columns[0]);
                // SAFETY: `new` makes all slices of these lengths.
                unsafe {
                    multiply_panels(isa, &self.packed, &operand, &targets, cols, range.clone());
                }
            }
        }
        outputs
    }

    fn all(&self, begins: &[Begin]) -> Vec<Vec<T>> {
        let whole = 0..self.packed.panels();
        self.run(begins, &[0, self.cols], std::slice::from_ref(&whole))
    }

    /// Every output is the naive product, and nothing beside it is touched.
    fn check(&self, begins: &[Begin]) {
        let depth = self.packed.depth();
        let mut operand = Vec::new();
        for j in 0..self.cols {
            for segment in &self.segments {
                let step = segment.len() / self.cols;
                operand.extend_from_slice(&segment[j * step..][..step - GAP]);
            }
        }
        for (i, output) in self.all(begins).iter().enumerate() {
            let (rows, before) = (self.packed.rows()[i], &self.before[i]);
            let mut inside = Vec::new();
            let mut start = Vec::new();
            assert_eq!(output[..GAP], before[..GAP]);
            for j in 0..self.cols {
                let column = GAP + j * (rows + GAP)..;
                let (now, then) = (&output[column.clone()], &before[column]);
                assert_eq!(now[rows..][..GAP], then[rows..][..GAP]);
                inside.extend_from_slice(&now[..rows]);
                match begins[i % begins.len()] {
                    Begin::Zero => start.resize(start.len() + rows, T::ZERO),
                    Begin::Keep => start.extend_from_slice(&then[..rows]),
                    Begin::Column => start.extend_from_slice(&self.bias[i]),
                }
            }
            let size = (rows, self.cols, depth);
            let weight = &self.weights[i];
            let expected = naive::gemm(Product::Plain, size, weight, &operand, &start);
            assert_close(&inside, &expected, rounding(depth));
        }
    }
}

fn is_naive_around_tile_edges<T: Element>(isa: Isa) {
    let panel = Packed::<T>::new(isa, &[1], 1).unwrap().panel_rows();
    for rows in (0..=panel + 2).chain(6 * panel - 1..=6 * panel + 1) {
        for cols in (1..=20).step_by(if rows % 4 == 1 { 1 } else { 5 }) {
            for begin in BEGINS {
                Case::<T>::new(isa, &[rows], &[5], cols).check(&[begin]);
            }
        }
    }
}

#[test]
fn products_are_naive_around_every_tile_edge() {
    for_all!(is_naive_around_tile_edges);
}

fn is_naive_for_targets_and_segments<T: Element>(isa: Isa) {
    let targets: [&[usize]; 5] = [
        &[],
        &[20, 20, 20, 20],
        &[33, 1, 16, 8, 7],
        &[0, 64, 0, 3],
        &[100; 2],
    ];
    let segments: [&[usize]; 6] = [&[], &[0], &[1], &[20, 20], &[3, 0, 17, 1], &[30, 0, 25]];
    for rows in targets {
        for depths in segments {
            for cols in [1, 2, 3, 7, 12] {
                Case::<T>::new(isa, rows, depths, cols).check(&BEGINS);
            }
        }
    }
}

#[test]
fn products_are_naive_for_any_targets_and_segments() {
    for_all!(is_naive_for_targets_and_segments);
}

fn is_naive_around_block_edges<T: Element>(isa: Isa) {
    Case::<T>::new(isa, &[35], &[300, 830], 250).check(&[Begin::Column]);
    Case::<T>::new(isa, &[70], &[2060], 31).check(&[Begin::Zero]);
}

#[test]
fn products_are_naive_around_every_block_edge() {
    for_all!(is_naive_around_block_edges);
}

fn bits_stay<T: Element>(isa: Isa) {
    for cols in [1, 2, 3, 5, 13] {
        let case = Case::<T>::new(isa, &[40, 9, 33], &[50, 230], cols);
        let all = case.all(&BEGINS);
        let panels = case.packed.panels();
        let whole = std::slice::from_ref(&(0..panels)).to_vec();
        let single: Vec<_> = (0..panels).map(|q| q..q + 1).collect();
        let thirds = [0..panels / 3, panels / 3..panels / 2, panels / 2..panels];
        let each_column: Vec<_> = (0..=cols).collect();
        let uneven = [0, cols / 3, cols / 2, cols];
        for cuts in [&each_column, &uneven[..], &[0, cols]] {
            for ranges in [&whole[..], &single, &thirds] {
                assert_eq!(case.run(&BEGINS, cuts, ranges), all, "{cuts:?} {ranges:?}");
            }
        }
    }
}

#[test]
fn bits_depend_neither_on_the_columns_nor_on_the_panels_of_a_call() {
    for_all!(bits_stay);
}

fn is_one_ascending_chain<T: Element>(isa: Isa) {
    let (rows, depth, cols) = (67, 2060, 14);
    let (a, b, c) = (
        numbers::<T>(1, rows * depth),
        numbers::<T>(2, depth * cols),
        numbers::<T>(3, rows * cols),
    );
    let mut packed = Packed::new(isa, &[rows], depth).unwrap();
    packed.pack(0, 0, &a, rows, depth);
    let (mut output, mut expected) = (c.clone(), c);
    accumulate(&packed, &b, &mut [&mut output], cols);
    for (at, y) in expected.iter_mut().enumerate() {
        let (i, j) = (at % rows, at / rows);
        let row: Vec<_> = (0..depth).map(|p| a[p * rows + i]).collect();
        *y = isa.run(naive::Chain(*y, &row, &b[j * depth..][..depth]));
    }
    assert_eq!(output, expected);
}

#[test]
fn every_element_is_one_chain_over_ascending_depth() {
    for_all!(is_one_ascending_chain);
}

#[test]
fn panels_of_targets_follow_one_another() {
    for isa in Isa::available() {
        let packed = Packed::<f32>::new(isa, &[70, 0, 5], 3).unwrap();
        let of = [0, 1, 2].map(|target| packed.panels_of(target));
        assert_eq!(of[0].len(), 70_usize.div_ceil(packed.panel_rows()));
        assert_eq!((of[0].start, of[2].end), (0, packed.panels()));
        assert_eq!((of[1].len(), of[2].len()), (0, 1));
        assert_eq!((of[0].end, of[1].end), (of[1].start, of[2].start));
        assert!(Packed::<f32>::new(isa, &[70], usize::MAX / 128).is_none());
    }
}

#[test]
#[should_panic(expected = "left == right")]
fn a_weight_of_another_size_is_refused() {
    Packed::<f32>::new(Isa::PORTABLE, &[3], 2)
        .unwrap()
        .pack(0, 0, &[0.0; 4], 2, 2);
}
