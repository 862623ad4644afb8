//! What runs leave for the next: memory, and what was derived from the weights.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::compile::{Compiled, Variant, planes};
use super::prepare::{Weights, empty_packs, prepare};
use crate::element::Element;
use crate::error::{Error, Result};
use crate::kernels::Isa;
use crate::kernels::machine::{Constants, Layout, Memory};
use crate::kernels::panel::Packed;

/// Everything derived from the weights. Runs of the same values share it.
pub(super) struct Prepared<T> {
    variant: Variant,
    isa: Isa,
    batch: usize,
    /// Which values of the weights it holds.
    pub(super) version: Option<u64>,
    pub(super) packs: Vec<Packed<T>>,
    pub(super) constants: Arc<Constants<T>>,
}

/// Memories kept while idle, and preparations: for training one, for inference one, for a stream one.
const IDLE: usize = 3;

/// What a program keeps between runs.
pub(super) struct Cache<T: Element> {
    prepared: Mutex<Vec<Arc<Prepared<T>>>>,
    idle: Mutex<Vec<(Variant, Memory<T>)>>,
}

impl<T: Element> Cache<T> {
    pub(super) fn new() -> Self {
        Self {
            prepared: Mutex::new(Vec::new()),
            idle: Mutex::new(Vec::new()),
        }
    }

    /// What is derived from the weights, for runs of one variant and batch.
    pub(super) fn prepared(
        &self,
        compiled: &Compiled<T>,
        (variant, isa, batch): (Variant, Isa, usize),
        weights: Weights<'_, T>,
        version: Option<u64>,
    ) -> Result<Arc<Prepared<T>>> {
        let mut all = self.prepared.lock().unwrap_or_else(PoisonError::into_inner);
        let same = |p: &Arc<Prepared<T>>| (p.variant, p.isa, p.batch) == (variant, isa, batch);
        let known = all.iter().position(same).map(|at| all.remove(at));
        let known = match known {
            Some(known) if version.is_some() && known.version == version => {
                all.push(Arc::clone(&known));
                return Ok(known);
            }
            Some(known) => Arc::into_inner(known),
            None => None,
        };
        // Another run may read the constants for as long as it lives.
        let prepared = known.filter(|known| Arc::strong_count(&known.constants) == 1);
        let mut prepared = if let Some(prepared) = prepared {
            prepared
        } else {
            let no_memory = || Error::memory("forward", "not enough memory for the weights");
            let planes = planes(compiled.code.planes(), &compiled.fills, weights.symbols);
            let constants = Constants::new(&planes, batch);
            Prepared {
                variant,
                isa,
                batch,
                version: None,
                packs: empty_packs(isa, compiled).ok_or_else(no_memory)?,
                constants: Arc::new(constants.ok_or_else(no_memory)?),
            }
        };
        if let Some(constants) = Arc::get_mut(&mut prepared.constants) {
            prepare(isa, compiled, weights, &mut prepared.packs, constants);
        }
        prepared.version = version;
        let prepared = Arc::new(prepared);
        all.push(Arc::clone(&prepared));
        if all.len() > IDLE {
            all.remove(0);
        }
        Ok(prepared)
    }

    fn idle(&self) -> MutexGuard<'_, Vec<(Variant, Memory<T>)>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Memory for a run, that of an earlier one where it fits.
    pub(super) fn memory(
        &self,
        compiled: &Compiled<T>,
        variant: Variant,
        layout: Layout,
        symbols: usize,
        constants: &Arc<Constants<T>>,
    ) -> Result<Memory<T>> {
        let same = |(v, m): &(Variant, Memory<T>)| *v == variant && *m.layout() == layout;
        if let Some(mut memory) = take(&mut self.idle(), |all| all.iter().position(same))
            && memory.serves_again()
        {
            memory.set_constants(Arc::clone(constants));
            return Ok(memory);
        }
        let planes = planes(compiled.code.planes(), &compiled.fills, symbols);
        let needed = Memory::<T>::needed(&planes, &layout);
        let found = take(&mut self.idle(), |all| nearest(all, variant, needed));
        let columns = layout.columns();
        let memory = Memory::new(&planes, layout, Arc::clone(constants), found);
        memory.ok_or_else(|| {
            let message = format!("not enough memory for {columns} steps and samples");
            Error::memory("forward", message)
        })
    }

    /// Keeps a memory for the next run.
    pub(super) fn give_back(&self, variant: Variant, mut memory: Memory<T>) {
        // What lies idle must not keep the constants from being written anew.
        memory.forget_constants();
        let mut idle = self.idle();
        idle.push((variant, memory));
        if idle.len() > IDLE {
            idle.remove(0);
        }
    }
}

type Kept<T> = Vec<(Variant, Memory<T>)>;

/// Takes one of the memories out; the others stay in the order in which they were last used.
fn take<T>(all: &mut Kept<T>, which: impl FnOnce(&Kept<T>) -> Option<usize>) -> Option<Memory<T>> {
    which(all).map(|at| all.remove(at).1)
}

/// The smallest memory of a variant that has so many numbers, or else the largest, if it is not so much
/// smaller that other runs will want it again.
fn nearest<T: Element>(all: &Kept<T>, variant: Variant, needed: usize) -> Option<usize> {
    let near = |(v, memory): &(Variant, Memory<T>)| *v == variant && memory.len() >= needed / 4;
    let candidates = (0..all.len()).filter(|&at| near(&all[at]));
    candidates.min_by_key(|&at| {
        let len = all[at].1.len();
        let is_small = len < needed;
        (is_small, if is_small { needed - len } else { len })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::machine::{Extent, Plane, Span};

    const INFERENCE: Variant = Variant {
        differentiate: false,
        input_grad: false,
        gather: false,
    };
    const TRAINING: Variant = Variant {
        differentiate: true,
        ..INFERENCE
    };

    fn kept(variant: Variant, time: usize) -> (Variant, Memory<f32>) {
        let (rows, span) = (16, Span::Steps);
        let layout = Layout::dense(Extent { time, batch: 1 });
        let constants = Arc::new(Constants::new(&[Plane { rows, span }], 1).unwrap());
        let memory = Memory::new(&[Plane { rows, span }], layout, constants, None);
        (variant, memory.unwrap())
    }

    #[test]
    fn the_nearest_memory_is_taken() {
        let all = vec![
            kept(TRAINING, 100),
            kept(INFERENCE, 1),
            kept(INFERENCE, 50),
            kept(INFERENCE, 30),
        ];
        let nearest = |variant, time: usize| nearest(&all, variant, 16 * time);
        assert_eq!(nearest(TRAINING, 1), Some(0));
        assert_eq!(nearest(INFERENCE, 1), Some(1));
        assert_eq!(nearest(INFERENCE, 29), Some(3));
        assert_eq!(nearest(INFERENCE, 31), Some(2));
        assert_eq!(nearest(INFERENCE, 51), Some(2), "it grows");
        assert_eq!(nearest(TRAINING, 400), Some(0), "it grows");
        assert_eq!(nearest(TRAINING, 404), None, "another kind of run");
    }
}
