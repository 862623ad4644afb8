//! Freed memory of large buffers, kept for the next that needs as much.
//!
//! A training step takes and frees the same sizes again and again. The C library hands large freed
//! memory back to the system, and to get it anew, page by page, costs more than a pass over it.

use std::collections::VecDeque;
use std::sync::{Mutex, TryLockError};

use crate::element::Element;

/// Buffers of fewer bytes are left to the allocator, which keeps them itself.
const SMALLEST: usize = 64 << 10;
/// At most so many bytes are kept.
const MOST: usize = 128 << 20;
/// What was not asked for while so many buffers were freed after it goes back to the system.
const PATIENCE: u64 = 64;

/// Freed memory, the longest kept first. In a forked child, and where another thread is busy with it,
/// it does nothing: the allocator serves.
pub struct FreeList<T>(Mutex<Kept<T>>);

struct Kept<T> {
    /// The number of buffers freed before it, and the memory.
    memory: VecDeque<(u64, Vec<T>)>,
    bytes: usize,
    freed: u64,
}

fn bytes<T>(memory: &Vec<T>) -> usize {
    memory.capacity() * size_of::<T>()
}

impl<T: Element> FreeList<T> {
    /// Nothing yet.
    pub const fn empty() -> Self {
        Self(Mutex::new(Kept {
            memory: VecDeque::new(),
            bytes: 0,
            freed: 0,
        }))
    }

    fn with<R>(&self, work: impl FnOnce(&mut Kept<T>) -> R) -> Option<R> {
        match self.0.try_lock() {
            Ok(mut kept) => Some(work(&mut kept)),
            Err(TryLockError::Poisoned(kept)) => Some(work(&mut kept.into_inner())),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    /// Kept memory for `len` elements, empty, which is not much larger.
    pub fn take(&self, len: usize) -> Option<Vec<T>> {
        if len.saturating_mul(size_of::<T>()) < SMALLEST {
            return None;
        }
        let fits =
            |memory: &Vec<T>| (len..=len.saturating_add(len / 4)).contains(&memory.capacity());
        self.with(|kept| {
            let at = kept.memory.iter().rposition(|(_, memory)| fits(memory))?;
            let (_, memory) = kept.memory.remove(at)?;
            kept.bytes -= bytes(&memory);
            Some(memory)
        })?
    }

    /// Keeps memory that is not needed any more, or frees it.
    pub fn give(&self, mut memory: Vec<T>) {
        let size = bytes(&memory);
        if !(SMALLEST..=MOST).contains(&size) {
            return;
        }
        memory.clear();
        // Freed at the end, when nobody waits.
        let _old = self.with(|kept| {
            kept.freed += 1;
            kept.bytes += size;
            kept.memory.push_back((kept.freed, memory));
            let mut old = Vec::new();
            while let Some((since, memory)) = kept.memory.front() {
                if kept.bytes <= MOST && since + PATIENCE > kept.freed {
                    break;
                }
                kept.bytes -= bytes(memory);
                old.extend(kept.memory.pop_front());
            }
            old
        });
    }
}

/// Empty memory with room for `len` elements, unless there is not that much.
pub fn room<T: Element>(len: usize) -> Option<Vec<T>> {
    T::free_list().take(len).or_else(|| {
        let mut room = Vec::new();
        room.try_reserve_exact(len).ok()?;
        Some(room)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEN: usize = SMALLEST / size_of::<f64>();

    #[test]
    fn what_was_freed_serves_again() {
        let list = FreeList::<f64>::empty();
        assert!(list.take(LEN).is_none());
        let memory = vec![1.0; LEN];
        let place = memory.as_ptr();
        list.give(memory);
        assert!(list.take(LEN + 1).is_none(), "too small");
        assert!(list.take(LEN / 2).is_none(), "left to the allocator");
        let again = list.take(LEN).unwrap();
        assert_eq!((again.as_ptr(), again.len()), (place, 0));
        assert!(list.take(LEN).is_none(), "taken");
        list.give(vec![1.0; 2 * LEN]);
        assert!(list.take(LEN).is_none(), "much too large");
    }

    #[test]
    fn it_keeps_neither_too_much_nor_for_ever() {
        let list = FreeList::<f64>::empty();
        list.give(vec![0.0; 2 * LEN]);
        for _ in 0..PATIENCE {
            list.give(vec![0.0; LEN]);
        }
        assert!(list.take(2 * LEN).is_none(), "nobody wanted it");
        for _ in 0..3 {
            list.give(Vec::with_capacity(MOST / size_of::<f64>() / 2));
        }
        let kept = list.0.lock().unwrap();
        assert!(kept.bytes <= MOST);
        let all: usize = kept.memory.iter().map(|(_, memory)| bytes(memory)).sum();
        assert_eq!(kept.bytes, all);
        drop(kept);
        list.give(Vec::with_capacity(MOST));
        assert!(list.take(MOST).is_none(), "more than all");
    }
}
