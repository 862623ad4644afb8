//! Memory that starts on a cache line.

use crate::element::Element;

/// One cache line.
#[derive(Clone, Copy)]
#[repr(align(64))]
#[allow(dead_code)] // read as numbers, through a pointer
struct Line([u64; 8]);

/// At least so many numbers, the first on a cache line.
pub struct Lines<T> {
    lines: Vec<Line>,
    len: usize,
    of: std::marker::PhantomData<T>,
}

impl<T: Element> Lines<T> {
    /// `len` zeros; `None` if there is not that much memory.
    pub fn zeros(len: usize) -> Option<Self> {
        let count = len.checked_mul(size_of::<T>())?.div_ceil(size_of::<Line>());
        let mut lines = Vec::new();
        lines.try_reserve_exact(count).ok()?;
        lines.resize(count, Line([0; 8]));
        let of = std::marker::PhantomData;
        Some(Self { lines, len, of })
    }

    /// How many numbers.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The numbers.
    pub fn as_slice(&self) -> &[T] {
        // SAFETY: the lines hold `len` numbers or more, initialised and aligned for them, and any bits
        // are an f32 or f64 (`Element` is sealed).
        unsafe { std::slice::from_raw_parts(self.lines.as_ptr().cast(), self.len) }
    }

    /// The numbers, to be written.
    pub fn as_mut_slice(&mut self) -> &mut [T] {
        // SAFETY: as above.
        unsafe { std::slice::from_raw_parts_mut(self.lines.as_mut_ptr().cast(), self.len) }
    }
}
