//! Gradients of the weights: at the end, over all steps and samples at once.

use std::borrow::Cow;
use std::collections::HashMap;

use super::compile::{Compiled, PlacedJob};
use super::ends::columns as all_columns;
use super::outers::Group;
use super::prepare::{Source, Weights};
use super::step::Weight;
use crate::element::Element;
use crate::kernels::broadcast::{Extent, Operand, accumulate_broadcast};
use crate::kernels::machine::{Memory, Place, Span};
use crate::kernels::{Cost, Isa, Outer, Product, gemm, outer};

/// Some columns of planes, of one run or of several that follow one another.
pub(super) struct Columns<'a, T> {
    memories: Vec<&'a Memory<T>>,
    /// Of each run; `None` takes all.
    step: Option<usize>,
    /// What had to be copied together.
    joined: HashMap<Place, Vec<T>>,
}

impl<'a, T: Element> Columns<'a, T> {
    pub(super) fn new(memories: Vec<&'a Memory<T>>, step: Option<usize>) -> Self {
        Self {
            memories,
            step,
            joined: HashMap::new(),
        }
    }

    fn of(memory: &'a Memory<T>, place: Place, step: Option<usize>) -> Cow<'a, [T]> {
        let Some(step) = step else {
            return all_columns(memory, place);
        };
        let (shape, layout) = (memory.shape(place.plane), memory.layout());
        let all = memory.plane(place.plane);
        let first = match shape.span {
            Span::Fixed(_) => return Cow::Borrowed(all),
            Span::States => layout.slot(step + place.after),
            _ => layout.step(step),
        };
        Cow::Borrowed(&all[first * shape.rows..][..layout.count(step) * shape.rows])
    }

    /// Copies together what several runs hold of a place.
    fn join(&mut self, place: Place) {
        if let [_, _, ..] = self.memories[..] {
            let fixed = matches!(self.memories[0].shape(place.plane).span, Span::Fixed(_));
            let count = if fixed { 1 } else { self.memories.len() };
            let memories = self.memories[..count].iter();
            self.joined.entry(place).or_insert_with(|| {
                let parts = memories.map(|memory| Self::of(memory, place, self.step));
                parts.collect::<Vec<_>>().concat()
            });
        }
    }

    /// The columns of a place that is joined.
    fn get(&self, place: Place) -> Cow<'_, [T]> {
        match self.joined.get(&place) {
            Some(joined) => Cow::Borrowed(joined),
            None => Self::of(self.memories[0], place, self.step),
        }
    }

    fn count(&self) -> usize {
        let columns = |memory: &&Memory<T>| match self.step {
            None => memory.layout().columns(),
            Some(step) => memory.layout().count(step),
        };
        self.memories.iter().map(columns).sum()
    }
}

/// What the jobs run on.
pub(super) struct Jobs<'a, T> {
    pub(super) isa: Isa,
    pub(super) compiled: &'a Compiled<T>,
    pub(super) weights: Weights<'a, T>,
    /// The symbols of the columns.
    pub(super) symbols: &'a [usize],
}

impl<T: Element> Jobs<'_, T> {
    /// Adds to the gradient of each weight what these columns give.
    pub(super) fn run(&self, columns: &mut Columns<'_, T>, grads: &mut [&mut [T]]) {
        let (groups, others) = Group::of(&self.compiled.jobs);
        for group in groups {
            self.outer(columns, &group, grads);
        }
        for job in others {
            self.other(job, columns, grads);
        }
    }

    fn rows(&self, place: Place) -> usize {
        self.compiled.code.planes()[place.plane].rows
    }

    fn outer(&self, columns: &mut Columns<'_, T>, group: &Group, grads: &mut [&mut [T]]) {
        for place in group
            .operands
            .iter()
            .chain(group.dzs.iter().map(|dz| &dz.grad))
        {
            columns.join(*place);
        }
        let operands: Vec<_> = (group.operands.iter())
            .map(|place| (columns.get(*place), self.rows(*place)))
            .collect();
        let operands: Vec<_> = operands.iter().map(|(all, rows)| (&**all, *rows)).collect();
        let sources: Vec<_> = group.dzs.iter().map(|dz| columns.get(dz.grad)).collect();
        let mut all: Vec<_> = (group.dzs.iter().zip(&sources))
            .map(|(dz, source)| Outer {
                rows: self.rows(dz.grad),
                dz: source,
                weights: Vec::with_capacity(dz.weights.len()),
                bias: None,
            })
            .collect();
        for (number, grad) in grads.iter_mut().enumerate() {
            for (dz, target) in group.dzs.iter().zip(&mut all) {
                let found = dz
                    .weights
                    .iter()
                    .find(|(weight, _)| weight.number == number);
                if let Some((weight, of)) = found {
                    let part = weight.first * target.rows..;
                    let part = &mut grad[part][..weight.columns * target.rows];
                    target.weights.push((*of, part));
                    break;
                } else if dz.bias == Some(number) {
                    target.bias = Some(grad);
                    break;
                }
            }
        }
        outer(self.isa, &mut all, &operands, columns.count());
    }

    fn other(&self, job: &PlacedJob, columns: &mut Columns<'_, T>, grads: &mut [&mut [T]]) {
        match job {
            PlacedJob::Outer { .. } => unreachable!("they are in groups"),
            PlacedJob::Columns { weight, grad } => {
                columns.join(*grad);
                self.sum(columns, [*grad], |[g]| g, grads[*weight]);
            }
            PlacedJob::Products { weight, grad, of } => {
                columns.join(*grad);
                columns.join(*of);
                self.sum(columns, [*grad, *of], |[g, x]| g * x, grads[*weight]);
            }
            PlacedJob::Pull {
                weight,
                backward,
                inputs,
            } => {
                for place in inputs {
                    columns.join(*place);
                }
                let inputs: Vec<_> = inputs.iter().map(|place| columns.get(*place)).collect();
                let inputs: Vec<&[T]> = inputs.iter().map(|input| &**input).collect();
                backward.add(self.isa, &inputs, columns.count(), grads[*weight]);
            }
            PlacedJob::Scatter { weight, grad } => {
                columns.join(*grad);
                self.scatter(*weight, self.rows(*grad), &columns.get(*grad), grads);
            }
        }
    }

    /// Adds the sum over all columns of what is computed from them.
    fn sum<const N: usize>(
        &self,
        columns: &Columns<'_, T>,
        places: [Place; N],
        f: impl Fn([T; N]) -> T + Sync,
        into: &mut [T],
    ) {
        let whole = (self.rows(places[0]), columns.count());
        let values = places.map(|place| columns.get(place));
        let operands = std::array::from_fn(|i| Operand {
            values: &values[i],
            extent: Extent::Full,
        });
        let cost = Cost::Cheap;
        accumulate_broadcast(self.isa, cost, whole, operands, Extent::Column, into, f);
    }

    /// Gives each column's gradient to its symbol; with an embedding, from there on to the weight and
    /// to the embedding.
    fn scatter(&self, weight: Weight, rows: usize, columns: &[T], grads: &mut [&mut [T]]) {
        let Source::Embedding(number) = self.weights.source else {
            let into = &mut grads[weight.number][weight.first * rows..];
            add_by_symbol(self.symbols, rows, columns, into);
            return;
        };
        let symbols = self.weights.symbols;
        let mut table = vec![T::ZERO; rows * symbols];
        add_by_symbol(self.symbols, rows, columns, &mut table);
        let into = &mut grads[weight.number][weight.first * rows..][..weight.columns * rows];
        let embedding = self.weights.values[number];
        let (isa, size) = (self.isa, weight.columns);
        gemm(
            isa,
            Product::Plain,
            rows,
            size,
            symbols,
            &table,
            embedding,
            into,
        );
        let values = self.weights.columns(weight);
        let into = &mut *grads[number];
        gemm(
            isa,
            Product::TransposedLeft,
            symbols,
            size,
            rows,
            &table,
            values,
            into,
        );
    }
}

/// `table[:, symbols[c]] += columns[:, c]`.
fn add_by_symbol<T: Element>(symbols: &[usize], rows: usize, columns: &[T], table: &mut [T]) {
    for (column, &symbol) in columns.chunks_exact(rows.max(1)).zip(symbols) {
        let to = &mut table[symbol * rows..][..rows];
        for (to, from) in to.iter_mut().zip(column) {
            *to += *from;
        }
    }
}
