//! Memory of a matrix: fixed in place and size for its whole life, shared, borrowed at run time.
//!
//! A NumPy view points into a buffer for as long as it likes, so the storage never moves. Inside the
//! crate a buffer is borrowed like a `RefCell`: many readers or one writer, and a conflict is a value,
//! not a panic. What a view reads or writes meanwhile is the business of the border that made the
//! view: it holds the interpreter while any borrow lives, so that only NumPy's own loops, which may
//! run without the interpreter in another thread, can meet a borrow; a caller must not let them.

use std::mem::ManuallyDrop;
use std::ops::{Deref, DerefMut};
use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::{AtomicIsize, Ordering};

use crate::element::Element;
use crate::element::free_list::room;

/// `len` zeros, unless there is not that much memory.
pub fn zeros<T: Element>(len: usize) -> Option<Vec<T>> {
    let mut zeros = room(len)?;
    zeros.resize(len, T::ZERO);
    Some(zeros)
}

/// Shared, immovable memory for `len` elements. Cloning shares it.
pub struct Buffer<T: Element>(Arc<Storage<T>>);

struct Storage<T: Element> {
    data: NonNull<[T]>,
    /// Of the vector that the memory came in.
    capacity: usize,
    /// Number of readers, or -1 for one writer.
    borrows: AtomicIsize,
}

// SAFETY: the storage owns plain numbers; access inside the crate goes through `borrows`.
unsafe impl<T: Element> Send for Storage<T> {}
// SAFETY: as above; the counter is atomic, so two threads never hold conflicting borrows.
unsafe impl<T: Element> Sync for Storage<T> {}

impl<T: Element> Drop for Storage<T> {
    fn drop(&mut self) {
        let (data, len) = (self.data.as_ptr().cast(), self.data.len());
        // SAFETY: the parts of the vector in `From<Vec>`, put together again only here.
        T::free_list().give(unsafe { Vec::from_raw_parts(data, len, self.capacity) });
    }
}

impl<T: Element> From<Vec<T>> for Buffer<T> {
    fn from(mut data: Vec<T>) -> Self {
        if data.capacity() > data.len() + data.len() / 4 {
            data.shrink_to_fit();
        }
        let mut data = ManuallyDrop::new(data);
        Self(Arc::new(Storage {
            data: NonNull::from(data.as_mut_slice()),
            capacity: data.capacity(),
            borrows: AtomicIsize::new(0),
        }))
    }
}

impl<T: Element> Clone for Buffer<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T: Element> Buffer<T> {
    /// `len` zeros.
    pub fn zeros(len: usize) -> Self {
        let kept = T::free_list().take(len).map(|mut kept| {
            kept.resize(len, T::ZERO);
            kept
        });
        kept.unwrap_or_else(|| vec![T::ZERO; len]).into()
    }

    /// Number of elements.
    pub fn len(&self) -> usize {
        self.0.data.len()
    }

    /// Whether there is no element.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether anybody else has it, such as a view.
    pub fn is_shared(&self) -> bool {
        Arc::strong_count(&self.0) > 1
    }

    /// Whether it is borrowed, for reading or writing.
    pub fn is_borrowed(&self) -> bool {
        self.0.borrows.load(Ordering::Relaxed) != 0
    }

    /// Where the numbers lie: for a view that keeps a clone of this buffer alive.
    pub fn as_ptr(&self) -> *mut T {
        self.0.data.as_ptr().cast()
    }

    /// Borrows for reading; `None` while somebody writes.
    pub fn read(&self) -> Option<Read<'_, T>> {
        let borrows = &self.0.borrows;
        borrows
            .fetch_update(Ordering::Acquire, Ordering::Relaxed, |n| {
                (n >= 0).then_some(n + 1)
            })
            .ok()?;
        // SAFETY: the count above keeps writers away until the guard is dropped, and the guard keeps
        // the storage alive through its lifetime.
        let data = unsafe { self.0.data.as_ref() };
        Some(Read { data, borrows })
    }

    /// Borrows for writing; `None` while anybody else borrows.
    pub fn write(&self) -> Option<Write<'_, T>> {
        let borrows = &self.0.borrows;
        borrows
            .compare_exchange(0, -1, Ordering::Acquire, Ordering::Relaxed)
            .ok()?;
        // SAFETY: the count was 0 and is -1 now, so no other borrow lives until the guard is dropped.
        let data = unsafe { &mut *self.0.data.as_ptr() };
        Some(Write { data, borrows })
    }
}

/// A borrow for reading.
pub struct Read<'a, T: Element> {
    data: &'a [T],
    borrows: &'a AtomicIsize,
}

impl<T: Element> Deref for Read<'_, T> {
    type Target = [T];
    fn deref(&self) -> &[T] {
        self.data
    }
}

impl<T: Element> Drop for Read<'_, T> {
    fn drop(&mut self) {
        self.borrows.fetch_sub(1, Ordering::Release);
    }
}

/// A borrow for writing.
pub struct Write<'a, T: Element> {
    data: &'a mut [T],
    borrows: &'a AtomicIsize,
}

impl<T: Element> Deref for Write<'_, T> {
    type Target = [T];
    fn deref(&self) -> &[T] {
        self.data
    }
}

impl<T: Element> DerefMut for Write<'_, T> {
    fn deref_mut(&mut self) -> &mut [T] {
        self.data
    }
}

impl<T: Element> Drop for Write<'_, T> {
    fn drop(&mut self) {
        self.borrows.store(0, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_readers_or_one_writer() {
        let buffer = Buffer::from(vec![1.0f32, 2.0]);
        let (first, second) = (buffer.read(), buffer.read());
        assert!(first.is_some() && second.is_some() && buffer.write().is_none());
        drop((first, second));
        {
            let mut write = buffer.write().unwrap();
            write[1] = 3.0;
            assert!(buffer.read().is_none() && buffer.write().is_none());
        }
        assert_eq!(&*buffer.read().unwrap(), &[1.0, 3.0]);
    }

    #[test]
    fn clones_share_and_outlive() {
        let buffer = Buffer::<f64>::zeros(3);
        let clone = buffer.clone();
        buffer.write().unwrap()[0] = 5.0;
        drop(buffer);
        assert_eq!(clone.read().unwrap()[0], 5.0);
        assert!(Buffer::<f64>::zeros(0).is_empty());
    }
}
