//! How many threads there are, and when elementwise work is split over rayon's, into which pieces.
//!
//! These pieces depend on the size of the work alone, never on the number of threads, and every sum
//! over them is taken in their order: the same bits come out for any number of threads.

use std::num::NonZero;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The environment variable that says how many threads a call may use.
pub const THREADS_VARIABLE: &str = "RECURRENTNN_NUM_THREADS";

/// What was set last; 0 before.
static SET: AtomicUsize = AtomicUsize::new(0);

/// Threads that work may be split over: what [`set_threads`] set, else what [`THREADS_VARIABLE`]
/// named when the process first asked, else the cores that the process may run on.
///
/// A process forked from one that has rayon's pool has the pool but none of its threads, and would
/// wait for them for ever: it works alone.
pub fn threads() -> usize {
    static OWNER: OnceLock<u32> = OnceLock::new();
    static USUAL: OnceLock<usize> = OnceLock::new();
    let process = std::process::id();
    if *OWNER.get_or_init(|| process) != process {
        return 1;
    }
    // Work inside somebody's pool takes the threads of that pool.
    if rayon::current_thread_index().is_some() {
        return rayon::current_num_threads();
    }
    match SET.load(Ordering::Relaxed) {
        0 => *USUAL.get_or_init(|| {
            let named = std::env::var(THREADS_VARIABLE).ok();
            let named = named.and_then(|text| named_threads(&text));
            // This asks for the affinity of the process, too.
            let cores = || std::thread::available_parallelism().map_or(1, NonZero::get);
            named.unwrap_or_else(cores)
        }),
        threads => threads,
    }
}

/// Sets the number of threads, at least 1.
pub fn set_threads(threads: usize) {
    SET.store(threads.max(1), Ordering::Relaxed);
}

/// The number that a value of [`THREADS_VARIABLE`] names.
pub fn named_threads(text: &str) -> Option<usize> {
    text.trim().parse().ok().filter(|&threads| threads > 0)
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
