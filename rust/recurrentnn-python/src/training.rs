//! Whether a model's calls drop, and which of them comes next.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Shared by all objects of one model.
pub(crate) struct Training {
    on: AtomicBool,
    step: AtomicU64,
}

impl Training {
    pub(crate) fn new() -> Self {
        Self {
            on: AtomicBool::new(true),
            step: AtomicU64::new(0),
        }
    }

    pub(crate) fn is_on(&self) -> bool {
        self.on.load(Ordering::Relaxed)
    }

    pub(crate) fn set(&self, on: bool) {
        self.on.store(on, Ordering::Relaxed);
    }

    /// The number of the next call that drops.
    pub(crate) fn step(&self) -> u64 {
        self.step.load(Ordering::Relaxed)
    }

    pub(crate) fn set_step(&self, step: u64) {
        self.step.store(step, Ordering::Relaxed);
    }

    /// Counts a call that was done.
    pub(crate) fn advance(&self) {
        self.step.fetch_add(1, Ordering::Relaxed);
    }
}
