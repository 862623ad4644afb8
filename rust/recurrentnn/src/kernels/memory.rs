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

fn lines<T>(len: usize) -> usize {
    len.div_ceil(size_of::<Line>() / size_of::<T>())
}

/// Numbers from the start of a cache line on.
pub(super) struct Lines<T> {
    memory: Vec<Line>,
    len: usize,
    element: PhantomData<T>,
}

impl<T: Element> Lines<T> {
    /// `len` zeros, unless there is not that much memory.
    pub(super) fn zeros(len: usize) -> Option<Self> {
        let count = lines::<T>(len);
        let layout = Layout::array::<Line>(count).ok()?;
        let memory = if count == 0 {
            Vec::new()
        } else {
            // Pages that are zero come from the system when they are touched, not before.
            // SAFETY: the layout is not empty.
            let start = NonNull::new(unsafe { alloc_zeroed(layout) })?.cast::<Line>();
            // SAFETY: allocated just now for `count` lines, all of them zero.
            let lines = unsafe { Box::from_raw(slice_from_raw_parts_mut(start.as_ptr(), count)) };
            lines.into_vec()
        };
        Some(Self {
            memory,
            len,
            element: PhantomData,
        })
    }

    /// Nothing.
    pub(super) fn none() -> Self {
        Self {
            memory: Vec::new(),
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
        // SAFETY: the lines hold `len` elements or more, are initialised and aligned for them, and
        // any bits are an f32 or f64 (`Element` is sealed).
        unsafe { std::slice::from_raw_parts(self.memory.as_ptr().cast(), self.len) }
    }

    #[inline(always)]
    pub(super) fn as_mut_slice(&mut self) -> &mut [T] {
        // SAFETY: as in `as_slice`, and borrowed mutably.
        unsafe { std::slice::from_raw_parts_mut(self.memory.as_mut_ptr().cast(), self.len) }
    }
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
        let lines = lines::<T>(len);
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
