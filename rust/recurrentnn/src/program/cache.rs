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
        let mut idle = self.idle();
        let fits = |(v, _): &(Variant, Memory<T>)| *v == variant;
        let same = |(v, m): &(Variant, Memory<T>)| *v == variant && *m.layout() == layout;
        let at = idle
            .iter()
            .position(same)
            .or_else(|| idle.iter().position(fits));
        let found = at.map(|at| idle.swap_remove(at).1);
        drop(idle);
        match found {
            Some(mut memory) if *memory.layout() == layout => {
                memory.set_constants(Arc::clone(constants));
                Ok(memory)
            }
            found => {
                let planes = planes(compiled.code.planes(), &compiled.fills, symbols);
                let columns = layout.columns();
                let memory = Memory::new(&planes, layout, Arc::clone(constants), found);
                memory.ok_or_else(|| {
                    let message = format!("not enough memory for {columns} steps and samples");
                    Error::memory("forward", message)
                })
            }
        }
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
