//! The token that tells which recording made a matrix, and whether that recording is still open.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// One recording of a graph: open from its beginning until its backward pass, its `clear` or
/// the end of the graph. Cloning shares it.
#[derive(Clone, Debug)]
pub struct Recording(Arc<AtomicBool>);

impl Recording {
    /// A new, open recording.
    pub fn open() -> Self {
        Self(Arc::new(AtomicBool::new(true)))
    }

    /// Whether gradients can still flow through what it made.
    pub fn is_open(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }

    /// Ends it: what it made enters other graphs by value from now on.
    pub fn finish(&self) {
        self.0.store(false, Ordering::Release);
    }

    /// Whether both are the same recording.
    pub fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}
