//! Threads that help with one call after another, and stay awake for a moment between two.
//!
//! A training step is several calls, some of a few milliseconds, and waking a thread whose core sleeps
//! takes from five microseconds to more than one millisecond where the core is a virtual one. So a
//! helper that has done its work looks out for more before it sleeps, as OpenMP's threads do. It yields
//! meanwhile: who has something to do gets the core.
//!
//! They are not rayon's threads, because those who meet again and again (`machine::team`) must all be
//! running, and a pool may have fewer free than were asked for.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::Thread;
use std::time::{Duration, Instant};

use smallvec::SmallVec;

/// How long a helper stays awake after its work: longer than what a training loop does in between.
const AWAKE: Duration = Duration::from_millis(2);
/// Looks before a thread that waits yields its core.
const SPINS: usize = 1 << 12;
/// Helpers that are kept for later calls.
const MOST_KEPT: usize = 1 << 8;

/// Runs `others` on so many threads less one, each with its number from 1 on, and `own` on this thread.
/// All run at the same time: they may wait for each other.
///
/// # Panics
/// If one of them panics, or the system gives no thread.
pub(super) fn together(threads: usize, others: &(dyn Fn(usize) + Sync), own: impl FnOnce()) {
    if threads <= 1 {
        return own();
    }
    let team = take(threads - 1);
    // SAFETY: nobody has the reference after the borrow of `others` ends, for `team` waits for all
    // helpers when it is dropped, where this thread panics, too.
    let work: &'static (dyn Fn(usize) + Sync) = unsafe { std::mem::transmute(others) };
    for (helper, number) in team.0.iter().zip(1..) {
        helper.start(Task { work, number });
    }
    own();
    team.wait();
    let panicked = team.0.iter().find_map(|helper| lock(&helper.panic).take());
    drop(team);
    if let Some(panicked) = panicked {
        resume_unwind(panicked);
    }
}

/// What a helper does once.
struct Task {
    work: &'static (dyn Fn(usize) + Sync),
    number: usize,
}

/// What a helper and who calls it share.
struct Helper {
    /// Set by the caller, who leaves a task first; cleared when that is done.
    busy: AtomicBool,
    /// None while busy: the helper shall end.
    task: Mutex<Option<Task>>,
    /// What the task panicked with.
    panic: Mutex<Option<Box<dyn Any + Send>>>,
}

/// A helper, as its caller holds it.
struct Hand {
    helper: Arc<Helper>,
    thread: Thread,
}

impl std::ops::Deref for Hand {
    type Target = Helper;

    fn deref(&self) -> &Helper {
        &self.helper
    }
}

impl Hand {
    fn new() -> Self {
        let helper = Arc::new(Helper {
            busy: AtomicBool::new(false),
            task: Mutex::new(None),
            panic: Mutex::new(None),
        });
        let shared = Arc::clone(&helper);
        let thread = std::thread::spawn(move || shared.serve()).thread().clone();
        Self { helper, thread }
    }

    fn start(&self, task: Task) {
        *lock(&self.task) = Some(task);
        self.busy.store(true, Ordering::Release);
        self.thread.unpark();
    }

    fn end(&self) {
        self.busy.store(true, Ordering::Release);
        self.thread.unpark();
    }
}

impl Helper {
    /// The life of a helper.
    fn serve(&self) {
        loop {
            await_flag(&self.busy, true, Some(AWAKE));
            let Some(task) = lock(&self.task).take() else {
                return;
            };
            let done = catch_unwind(AssertUnwindSafe(|| (task.work)(task.number)));
            *lock(&self.panic) = done.err();
            self.busy.store(false, Ordering::Release);
        }
    }
}

/// The helpers of one call; they have ended their work when it is dropped.
struct Team(SmallVec<[Hand; 4]>);

impl Team {
    fn wait(&self) {
        for helper in &self.0 {
            await_flag(&helper.busy, false, None);
        }
    }
}

impl Drop for Team {
    fn drop(&mut self) {
        self.wait();
        give_back(&mut self.0);
    }
}

/// Waits until a flag is so: looks, then looks and yields, and after `awake` sleeps until it is unparked.
fn await_flag(flag: &AtomicBool, value: bool, awake: Option<Duration>) {
    let mut looks = 0;
    let mut since = None;
    while flag.load(Ordering::Acquire) != value {
        looks += 1;
        if looks < SPINS {
            std::hint::spin_loop();
            continue;
        }
        let since = *since.get_or_insert_with(Instant::now);
        match awake {
            Some(awake) if since.elapsed() >= awake => std::thread::park(),
            _ => std::thread::yield_now(),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Helpers with nothing to do, and the process whose they are: a process forked from it has none of
/// them.
static FREE: Mutex<(u32, Vec<Hand>)> = Mutex::new((0, Vec::new()));

/// So many helpers; new ones where too few are free. It never waits for the list: a process forked
/// while another thread held it would wait for ever.
fn take(count: usize) -> Team {
    let mut team = Team(SmallVec::new());
    let hands = &mut team.0;
    if let Ok(mut free) = FREE.try_lock() {
        let process = std::process::id();
        if free.0 == process {
            let kept = free.1.len().saturating_sub(count);
            // The last to have worked are the likeliest to be awake.
            hands.extend(free.1.drain(kept..));
        } else {
            *free = (process, Vec::new());
        }
    }
    // One after the other: if the system has no more threads, those that there are go back.
    while hands.len() < count {
        hands.push(Hand::new());
    }
    team
}

fn give_back(hands: &mut SmallVec<[Hand; 4]>) {
    if let Ok(mut free) = FREE.try_lock()
        && free.0 == std::process::id()
    {
        let room = MOST_KEPT.saturating_sub(free.1.len()).min(hands.len());
        free.1.extend(hands.drain(..room));
    }
    for hand in hands {
        hand.end();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Barrier;
    use std::sync::atomic::AtomicUsize;

    #[test]
    fn all_run_at_once_and_each_has_its_number() {
        for threads in [1, 2, 3, 7] {
            for _ in 0..20 {
                let (barrier, numbers) = (Barrier::new(threads), AtomicUsize::new(0));
                let work = |number: usize| {
                    barrier.wait();
                    numbers.fetch_add(1 << (4 * number), Ordering::Relaxed);
                };
                together(threads, &work, || work(0));
                let wanted: usize = (0..threads).map(|number| 1 << (4 * number)).sum();
                assert_eq!(numbers.into_inner(), wanted);
            }
        }
    }

    #[test]
    fn a_helper_that_sleeps_is_woken() {
        let count = AtomicUsize::new(0);
        for _ in 0..3 {
            std::thread::sleep(5 * AWAKE);
            let work = |_| {
                count.fetch_add(1, Ordering::Relaxed);
            };
            together(2, &work, || {});
        }
        assert_eq!(count.into_inner(), 3);
    }

    #[test]
    fn a_panic_comes_to_the_caller_after_the_others_have_ended() {
        for fails in [0, 1, 2] {
            let ended = AtomicUsize::new(0);
            let result = catch_unwind(AssertUnwindSafe(|| {
                let work = |number| {
                    if number == fails {
                        // As a panic, without the time that its backtrace takes.
                        resume_unwind(Box::new("on purpose"));
                    }
                    std::thread::sleep(Duration::from_millis(20));
                    ended.fetch_add(1, Ordering::Relaxed);
                };
                together(3, &work, || work(0));
            }));
            assert!(result.is_err());
            assert_eq!(ended.into_inner(), 2);
        }
        together(3, &|_| {}, || {});
    }

    #[test]
    fn many_callers_have_their_own_helpers() {
        std::thread::scope(|scope| {
            for _ in 0..6 {
                scope.spawn(|| {
                    for _ in 0..50 {
                        let barrier = Barrier::new(3);
                        let work = |_| {
                            barrier.wait();
                        };
                        together(3, &work, || work(0));
                    }
                });
            }
        });
    }
}
