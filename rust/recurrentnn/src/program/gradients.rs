//! The gradients of the weights of one or several runs.

use std::sync::Arc;

use super::jobs::{Columns, Jobs};
use super::prepare::{Source, Weights};
use super::run::{Run, weights};
use crate::element::Element;
use crate::error::{Error, Result};

/// Adds to the gradients of the weights what the backward passes of some runs of one program found:
/// one product over all their steps.
///
/// # Errors
/// [`Error::Internal`] unless the runs are of one variant of one program.
pub fn weight_gradients<T: Element>(
    runs: &[&Run<T>],
    values: &[&[T]],
    grads: &mut [&mut [T]],
) -> Result<()> {
    let Some(first) = runs.first() else {
        return Ok(());
    };
    let (isa, compiled) = (first.isa, &first.compiled);
    if runs.iter().any(|run| !Arc::ptr_eq(&run.compiled, compiled)) {
        return Err(Error::internal("backward", "runs of different programs"));
    }
    let weights = weights(&first.program, values);
    let memories = runs.iter().map(|run| run.memory());
    let memories = memories.collect::<Result<Vec<_>>>()?;
    let symbols: Vec<usize> = runs
        .iter()
        .flat_map(|run| run.symbols.iter().copied())
        .collect();
    let jobs = |symbols| Jobs {
        isa,
        compiled,
        weights,
        symbols,
    };
    if compiled.passes.defer {
        let mut all = Columns::new(memories, None);
        jobs(&symbols).run(&mut all, grads);
    } else {
        for (memory, run) in memories.into_iter().zip(runs) {
            let layout = memory.layout();
            for step in (0..layout.time()).rev() {
                let symbols = run.symbols.get(layout.step(step)..).unwrap_or(&[]);
                let symbols = &symbols[..layout.count(step).min(symbols.len())];
                let mut one = Columns::new(vec![memory], Some(step));
                jobs(symbols).run(&mut one, grads);
            }
        }
    }
    embedding_gradients(runs, weights, grads)
}

/// What reaches the embedding through the input itself.
fn embedding_gradients<T: Element>(
    runs: &[&Run<T>],
    weights: Weights<'_, T>,
    grads: &mut [&mut [T]],
) -> Result<()> {
    let Source::Embedding(number) = weights.source else {
        return Ok(());
    };
    for run in runs {
        let Some(grad) = run.input_grad()? else {
            continue;
        };
        let rows = run.program.input_rows();
        let into = &mut *grads[number];
        for (column, &symbol) in grad.chunks_exact(rows.max(1)).zip(&run.symbols) {
            for (row, g) in column.iter().enumerate() {
                into[row * weights.symbols + symbol] += *g;
            }
        }
    }
    Ok(())
}
