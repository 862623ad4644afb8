//! When work is split over rayon's threads, and into which pieces.
//!
//! Pieces depend on the size of the work alone, never on the number of threads, and every sum over
//! pieces is taken in their order: the same bits come out for any number of threads.

use std::sync::OnceLock;

/// Threads that work can be split over. A process forked from one that has a pool has the pool but
/// none of its threads, and would wait for them for ever: it works alone.
pub(crate) fn threads() -> usize {
    static OWNER: OnceLock<u32> = OnceLock::new();
    let process = std::process::id();
    if *OWNER.get_or_init(|| process) == process {
        rayon::current_num_threads()
    } else {
        1
    }
}

/// What one element of an elementwise loop costs, which decides from where threads pay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cost {
    /// A few additions and products: the loop waits for memory.
    Cheap,
    /// A function of [`math`](super::math): a nanosecond, more or less.
    Transcendental,
    /// A function that is called for each number, `powf` or `erfc`: tens of nanoseconds.
    Called,
}

impl Cost {
    /// Elements in one piece; two of them, some 15 microseconds of one core each, repay the 5 to
    /// 10 microseconds that waking a thread takes.
    pub(super) const fn piece(self) -> usize {
        match self {
            Self::Cheap => 1 << 16,
            Self::Transcendental => 1 << 14,
            Self::Called => 1 << 10,
        }
    }

    /// Whether to split `elements` over threads.
    pub(super) fn splits(self, elements: usize) -> bool {
        elements >= 2 * self.piece() && threads() > 1
    }
}
