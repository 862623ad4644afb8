//! What a run needs of the weights: packed panels, columns, tables of symbols.

use super::compile::{Compiled, Fill, PackPart};
use super::run::Input;
use super::step::Weight;
use crate::element::Element;
use crate::kernels::machine::{Constants, Memory};
use crate::kernels::panel::Packed;
use crate::kernels::{Isa, Product, gemm};
use crate::shape::Shape;

/// Where the input comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// Numbers.
    Features,
    /// Symbols, each a column with a single 1.
    OneHot,
    /// Symbols, each a row of the parameter of that number.
    Embedding(usize),
}

/// The weights of a run.
#[derive(Clone, Copy)]
pub(super) struct Weights<'a, T> {
    pub(super) values: &'a [&'a [T]],
    pub(super) shapes: &'a [Shape],
    pub(super) source: Source,
    /// Columns of the table of symbols.
    pub(super) symbols: usize,
}

impl<'a, T: Element> Weights<'a, T> {
    /// Some columns of a weight.
    pub(super) fn columns(&self, weight: Weight) -> &'a [T] {
        let rows = self.shapes[weight.number].rows;
        &self.values[weight.number][weight.first * rows..][..weight.columns * rows]
    }
}

/// Memory for the packed weights; `None` if there is not that much.
pub(super) fn empty_packs<T: Element>(isa: Isa, compiled: &Compiled<T>) -> Option<Vec<Packed<T>>> {
    let shapes = compiled.code.packs().iter();
    shapes
        .map(|(rows, depth)| Packed::new(isa, rows, *depth))
        .collect()
}

/// Copies everything that is derived from the weights to where the run reads it.
pub(super) fn prepare<T: Element>(
    isa: Isa,
    compiled: &Compiled<T>,
    weights: Weights<'_, T>,
    packs: &mut [Packed<T>],
    constants: &mut Constants<T>,
) {
    for (number, parts) in compiled.packs.iter().enumerate() {
        for part in parts {
            pack(part, weights, &mut packs[number]);
        }
    }
    for (plane, fill) in &compiled.fills {
        let rows = compiled.code.planes()[*plane].rows;
        let to = constants.plane_mut(*plane);
        match *fill {
            Fill::Weight(weight) => to.copy_from_slice(weights.columns(weight)),
            Fill::Repeated(number) => repeat(weights.values[number], to),
            Fill::Table(weight, column) => {
                match column {
                    Some(number) => repeat(weights.values[number], to),
                    None => to.fill(T::ZERO),
                }
                table(isa, rows, weight, weights, to);
            }
        }
    }
}

fn pack<T: Element>(part: &PackPart, weights: Weights<'_, T>, packed: &mut Packed<T>) {
    let values = weights.columns(part.weight);
    let rows = weights.shapes[part.weight.number].rows;
    if part.transposed {
        packed.pack_transposed(
            part.target,
            part.at_depth,
            values,
            rows,
            part.weight.columns,
        );
    } else {
        packed.pack(
            part.target,
            part.at_depth,
            values,
            rows,
            part.weight.columns,
        );
    }
}

fn repeat<T: Element>(column: &[T], to: &mut [T]) {
    for to in to.chunks_exact_mut(column.len().max(1)) {
        to.copy_from_slice(column);
    }
}

/// Adds to a table of rows x symbols the product of the weight with each symbol's column.
fn table<T: Element>(isa: Isa, rows: usize, weight: Weight, weights: Weights<'_, T>, to: &mut [T]) {
    let values = weights.columns(weight);
    match weights.source {
        Source::Embedding(number) => gemm(
            isa,
            Product::TransposedRight,
            rows,
            weights.symbols,
            weight.columns,
            values,
            weights.values[number],
            to,
        ),
        Source::OneHot | Source::Features => {
            for (to, value) in to.iter_mut().zip(values) {
                *to += *value;
            }
        }
    }
}

/// Writes the columns of the input; symbols are columns of a table, or one-hot where there is none.
pub(super) fn fill_input<T: Element>(
    input: Input<'_, T>,
    table: Option<usize>,
    symbols: usize,
    memory: &mut Memory<T>,
    plane: usize,
) {
    let rows = memory.shape(plane).rows;
    match (input, table) {
        (Input::Features(features), _) => memory.plane_mut(plane).copy_from_slice(features),
        (Input::Symbols(chosen), Some(table)) => {
            let (to, table) = memory.beside_constant(plane, table);
            for (to, &symbol) in to.chunks_exact_mut(rows.max(1)).zip(chosen) {
                for (row, to) in to.iter_mut().enumerate() {
                    *to = table[row * symbols + symbol];
                }
            }
        }
        (Input::Symbols(chosen), None) => {
            let to = memory.plane_mut(plane);
            to.fill(T::ZERO);
            for (to, &symbol) in to.chunks_exact_mut(rows.max(1)).zip(chosen) {
                to[symbol] = T::ONE;
            }
        }
    }
}
