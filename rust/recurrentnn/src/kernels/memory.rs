//! Memory in whole cache lines: packed operands start on a line, and scratch is kept between calls.

use std::alloc::{Layout, alloc_zeroed};
use std::cell::Cell;
use std::marker::PhantomData;
use std::ptr::{NonNull, slice_from_raw_parts_mut};

use crate::element::Element;

/// One cache line.
#[derive(Clone, Copy)]
#[repr(align(64))]
#[allow(dead_code)] // read as numbers, through a pointer
struct Line([u64; 8]);

const ZEROS: Line = Line([0; 8]);

/// A piece of a cache line that any allocator aligns by itself. What has to be aligned further it would
/// fill with zeros by hand; this comes from the system as pages that are zero when they are touched.
#[derive(Clone, Copy)]
#[repr(align(16))]
#[allow(dead_code)] // as above
struct Quarter([u64; 2]);

/// What one entry of the table of pages may cover, where the system does so on request.
const HUGE_PAGE: usize = 2 << 20;

/// Numbers from the start of a cache line on, or of a huge page where there are that many.
pub(super) struct Lines<T> {
    memory: Vec<Quarter>,
    /// Where they begin.
    start: usize,
    len: usize,
    element: PhantomData<T>,
}

impl<T: Element> Lines<T> {
    /// `len` zeros, unless there is not that much memory.
    pub(super) fn zeros(len: usize) -> Option<Self> {
        if len == 0 {
            return Some(Self::none());
        }
        let bytes = len.checked_mul(size_of::<T>())?;
        let huge = bytes >= 2 * HUGE_PAGE;
        let boundary = if huge { HUGE_PAGE } else { align_of::<Line>() };
        let count = bytes.checked_add(boundary)?.div_ceil(size_of::<Quarter>());
        let layout = Layout::array::<Quarter>(count).ok()?;
        // SAFETY: the layout is not empty.
        let start = NonNull::new(unsafe { alloc_zeroed(layout) })?.cast::<Quarter>();
        // SAFETY: allocated just now for `count` quarters, all of them zero.
        let memory = unsafe { Box::from_raw(slice_from_raw_parts_mut(start.as_ptr(), count)) };
        let mut lines = Self {
            start: memory.as_ptr().align_offset(boundary),
            memory: memory.into_vec(),
            len,
            element: PhantomData,
        };
        if huge {
            want_huge_pages(lines.as_mut_slice());
        }
        Some(lines)
    }

    /// Nothing.
    pub(super) fn none() -> Self {
        Self {
            memory: Vec::new(),
            start: 0,
            len: 0,
            element: PhantomData,
        }
    }

    /// How many numbers.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    #[inline(always)]
    pub(super) fn as_slice(&self) -> &[T] {
        let memory = &self.memory[self.start..];
        // SAFETY: that holds `len` elements or more, is initialised and aligned for them, and any
        // bits are an f32 or f64 (`Element` is sealed).
        unsafe { std::slice::from_raw_parts(memory.as_ptr().cast(), self.len) }
    }

    #[inline(always)]
    pub(super) fn as_mut_slice(&mut self) -> &mut [T] {
        let memory = &mut self.memory[self.start..];
        // SAFETY: as in `as_slice`, and borrowed mutably.
        unsafe { std::slice::from_raw_parts_mut(memory.as_mut_ptr().cast(), self.len) }
    }
}

/// Asks the system to back memory that nobody has touched with huge pages: the first touch of each costs
/// a fault, and a time loop goes through more small pages than the processor's table holds.
fn want_huge_pages<T>(memory: &mut [T]) {
    #[cfg(target_os = "linux")]
    // SAFETY: the memory is the caller's, and what is in it stays. Where the system has no huge pages
    // it says so, and nothing is lost.
    unsafe {
        let start = memory.as_mut_ptr().cast();
        libc::madvise(start, size_of_val(memory), libc::MADV_HUGEPAGE);
    }
    #[cfg(not(target_os = "linux"))]
    let _ = memory;
}

thread_local! {
    // Kept between products: fresh pages would cost more than a small product.
    static SCRATCH: Cell<Vec<Line>> = const { Cell::new(Vec::new()) };
}

/// This thread's scratch memory, until it is dropped. (A guard, not a function that takes a closure:
/// a closure of this size would not be inlined and so miss the instruction set.)
pub(super) struct Scratch(Vec<Line>);

impl Scratch {
    #[inline(always)]
    pub(super) fn take() -> Self {
        Self(SCRATCH.take())
    }

    /// `len` elements of unspecified value, from the start of a cache line on.
    #[inline(always)]
    pub(super) fn elements<T: Element>(&mut self, len: usize) -> &mut [T] {
        let lines = len.div_ceil(size_of::<Line>() / size_of::<T>());
        if self.0.len() < lines {
            self.0.resize(lines, ZEROS);
        }
        // SAFETY: as in `Lines::as_slice`.
        unsafe { std::slice::from_raw_parts_mut(self.0.as_mut_ptr().cast(), len) }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        SCRATCH.set(std::mem::take(&mut self.0));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zeros_begin_on_a_line_and_many_on_a_huge_page() {
        let huge = 2 * HUGE_PAGE / size_of::<f64>();
        for len in [0, 1, 7, 8, 9, 1000, huge - 1, huge, huge + 1, 3 * huge + 5] {
            let mut lines = Lines::<f64>::zeros(len).unwrap();
            assert_eq!((lines.len(), lines.as_slice().len()), (len, len));
            assert!(lines.as_slice().iter().all(|&number| number == 0.0));
            let boundary = if len < huge { 64 } else { HUGE_PAGE };
            assert!(len == 0 || lines.as_slice().as_ptr().addr().is_multiple_of(boundary));
            lines.as_mut_slice().fill(1.0);
        }
        assert!(Lines::<f64>::zeros(usize::MAX / 8).is_none());
        assert!(Lines::<f64>::zeros(usize::MAX / 4).is_none());
    }
}
