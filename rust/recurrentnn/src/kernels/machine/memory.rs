//! Planes: the memory of a machine, laid out for so many steps and samples.

use std::ptr::NonNull;
use std::sync::Arc;

use super::layout::Layout;
use crate::element::Element;
use crate::kernels::memory::Lines;

/// How many columns a plane has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Span {
    /// One a step and sample, those of a step beside each other.
    Steps,
    /// Slots, one a boundary between steps: the state before step t is at t, after it at t + 1.
    States,
    /// Two windows that take turns: what one step leaves for the next.
    Carry,
    /// One a sample; every step writes it anew.
    Window,
    /// One column, repeated as often as any instruction needs it beside a window.
    Repeated,
    /// This many, whatever time and batch.
    Fixed(usize),
}

/// A plane of a program: so many rows over a span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plane {
    /// Rows; columns lie one after the other without gaps.
    pub rows: usize,
    /// Its columns.
    pub span: Span,
}

/// Columns of a bulk stage that are computed together: enough to use a panel of weights often, few
/// enough that what one instruction wrote is in cache when the next one reads it.
pub(super) const BLOCK: usize = 120;

impl Plane {
    #[inline]
    fn columns(self, layout: &Layout) -> usize {
        match self.span {
            Span::Steps => layout.columns(),
            Span::States => layout.slot(layout.time() + 1),
            Span::Carry => 2 * layout.batch(),
            Span::Window => layout.batch(),
            Span::Repeated | Span::Fixed(_) => self.span.constant(layout.batch()),
        }
    }

    /// Numbers it holds.
    pub fn len(self, layout: &Layout) -> usize {
        self.rows * self.columns(layout)
    }

    /// Numbers it holds if a machine only reads it, else 0.
    fn constant(self, batch: usize) -> usize {
        self.rows * self.span.constant(batch)
    }
}

impl Span {
    /// Whether a machine only reads such planes.
    fn is_constant(self) -> bool {
        matches!(self, Self::Repeated | Self::Fixed(_))
    }

    /// Columns of such a plane.
    fn constant(self, batch: usize) -> usize {
        match self {
            Self::Repeated => batch.max(BLOCK),
            Self::Fixed(columns) => columns,
            _ => 0,
        }
    }
}

/// Planes start on a cache line.
const ALIGNED: usize = 64;

/// The planes that a machine only reads: runs share them.
pub struct Constants<T> {
    lines: Lines<T>,
    /// Where each plane begins and how long it is, the others' lengths being 0.
    places: Vec<(usize, usize)>,
}

impl<T: Element> Constants<T> {
    /// Zeros for those of these planes, for so many samples; `None` if there is not that much memory.
    pub fn new(planes: &[Plane], batch: usize) -> Option<Self> {
        let mut len = 0_usize;
        let mut places = Vec::with_capacity(planes.len());
        for plane in planes {
            let own = plane.constant(batch);
            places.push((len, own));
            len = len.checked_add(own.next_multiple_of(ALIGNED / size_of::<T>()))?;
        }
        let lines = Lines::zeros(len)?;
        Some(Self { lines, places })
    }

    /// The numbers of a plane, to be written.
    pub fn plane_mut(&mut self, plane: usize) -> &mut [T] {
        let (start, len) = self.places[plane];
        &mut self.lines.as_mut_slice()[start..][..len]
    }

    fn plane(&self, plane: usize) -> &[T] {
        let (start, len) = self.places[plane];
        &self.lines.as_slice()[start..][..len]
    }
}

/// Runs in a row that may need less than a quarter of a memory: one short batch among long ones costs
/// nothing then.
const PATIENCE: usize = 16;

/// The numbers of all planes, for one layout.
pub struct Memory<T> {
    lines: Lines<T>,
    /// How many of them the layout needs.
    needed: usize,
    /// How many runs in a row needed less than a quarter of them.
    wasted: usize,
    planes: Vec<(Plane, usize)>,
    layout: Layout,
    constants: Arc<Constants<T>>,
    /// Slots of each thread.
    scratch: Vec<Lines<T>>,
}

/// Numbers that a plane takes in a memory, with what keeps the next one on a cache line.
fn room<T>(plane: Plane, layout: &Layout) -> usize {
    let own = if plane.span.is_constant() {
        0
    } else {
        plane.len(layout)
    };
    own.next_multiple_of(ALIGNED / size_of::<T>())
}

impl<T: Element> Memory<T> {
    /// Numbers that these planes need, beside the constant ones.
    pub fn needed(planes: &[Plane], layout: &Layout) -> usize {
        let all = planes.iter().map(|&plane| room::<T>(plane, layout));
        all.fold(0, usize::saturating_add)
    }

    /// Memory for these planes, beside the constant ones; `reuse` is taken where it serves, and otherwise
    /// freed first, for a larger one with a quarter to spare. `None` if there is not that much memory.
    ///
    /// # Panics
    /// If the constants are not of these planes.
    pub fn new(
        planes: &[Plane],
        layout: Layout,
        constants: Arc<Constants<T>>,
        reuse: Option<Self>,
    ) -> Option<Self> {
        let needed = Self::needed(planes, &layout);
        // Lengths that change would else make it grow by a little again and again.
        let grows = reuse.as_ref().is_some_and(|memory| memory.len() < needed);
        let serving = reuse.and_then(|mut memory| memory.serves(needed).then_some(memory));
        let (lines, wasted, scratch) = if let Some(memory) = serving {
            (memory.lines, memory.wasted, memory.scratch)
        } else {
            let spare = if grows { needed / 4 } else { 0 };
            (Lines::zeros(needed.checked_add(spare)?)?, 0, Vec::new())
        };
        let mut len = 0;
        let placed = planes.iter().map(|&plane| {
            let start = len;
            len += room::<T>(plane, &layout);
            (plane, start)
        });
        let mut memory = Self {
            lines,
            needed,
            wasted,
            planes: placed.collect(),
            layout,
            constants: Arc::clone(&constants),
            scratch,
        };
        memory.set_constants(constants);
        Some(memory)
    }

    /// Numbers it holds; a layout may need fewer.
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Counts a run of so many numbers: whether it is large enough, and not much too large for many in a
    /// row.
    fn serves(&mut self, needed: usize) -> bool {
        self.wasted = if self.len() / 4 > needed {
            self.wasted + 1
        } else {
            0
        };
        self.len() >= needed && self.wasted <= PATIENCE
    }

    /// Counts one more run of its layout: whether it is not much too large for many in a row.
    pub fn serves_again(&mut self) -> bool {
        self.serves(self.needed)
    }

    /// All planes.
    pub(super) fn planes(&self) -> impl ExactSizeIterator<Item = Plane> + '_ {
        self.planes.iter().map(|(plane, _)| *plane)
    }

    /// Lets go of the constants, which it needs again before it is run.
    pub fn forget_constants(&mut self) {
        self.constants = Arc::new(Constants {
            lines: Lines::none(),
            places: Vec::new(),
        });
    }

    /// Takes other constants.
    ///
    /// # Panics
    /// If they are not of these planes.
    pub fn set_constants(&mut self, constants: Arc<Constants<T>>) {
        assert_eq!(constants.places.len(), self.planes.len());
        for ((plane, _), (_, len)) in self.planes.iter().zip(&constants.places) {
            assert_eq!(plane.constant(self.layout.batch()), *len);
        }
        self.constants = constants;
    }

    /// Which columns it has.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// What a plane is.
    pub fn shape(&self, plane: usize) -> Plane {
        self.planes[plane].0
    }

    /// The numbers of a plane.
    pub fn plane(&self, plane: usize) -> &[T] {
        let (shape, start) = self.planes[plane];
        if shape.span.is_constant() {
            return self.constants.plane(plane);
        }
        &self.lines.as_slice()[start..][..shape.len(&self.layout)]
    }

    /// The numbers of a plane that is not constant, to be written.
    ///
    /// # Panics
    /// If it is constant.
    pub fn plane_mut(&mut self, plane: usize) -> &mut [T] {
        self.plane_and_layout(plane).0
    }

    /// A plane to be written that is not constant, and which columns there are.
    ///
    /// # Panics
    /// If it is constant.
    pub fn plane_and_layout(&mut self, plane: usize) -> (&mut [T], &Layout) {
        let (shape, start) = self.planes[plane];
        assert!(!shape.span.is_constant());
        let len = shape.len(&self.layout);
        (&mut self.lines.as_mut_slice()[start..][..len], &self.layout)
    }

    /// A plane to be written, and a constant one.
    ///
    /// # Panics
    /// If they are not.
    pub fn beside_constant(&mut self, write: usize, constant: usize) -> (&mut [T], &[T]) {
        let (shape, start) = self.planes[write];
        assert!(!shape.span.is_constant());
        let to = &mut self.lines.as_mut_slice()[start..][..shape.len(&self.layout)];
        (to, self.constants.plane(constant))
    }

    /// Makes sure of `threads` scratch memories of `len` numbers; false if there is not that much.
    pub(super) fn reserve(&mut self, threads: usize, len: usize) -> bool {
        self.scratch.retain(|scratch| scratch.len() >= len);
        while self.scratch.len() < threads {
            match Lines::zeros(len) {
                Some(scratch) => self.scratch.push(scratch),
                None => return false,
            }
        }
        true
    }

    /// The planes as the threads of a machine share them, and the scratch memory of each.
    pub(super) fn shared(&mut self) -> (Shared<'_, T>, &mut [Lines<T>]) {
        let shared = Shared {
            start: NonNull::from(self.lines.as_mut_slice()).cast(),
            planes: &self.planes,
            constants: &self.constants,
            layout: &self.layout,
        };
        (shared, &mut self.scratch)
    }
}

/// Where an operand lies relative to the step: its plane, and how many steps later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    /// Number of the plane.
    pub plane: usize,
    /// Of planes with [`Span::States`] or [`Span::Carry`]: 0 before the step, 1 after it.
    pub after: usize,
}

/// The columns that an instruction works on: those of some samples at one step, or of several steps
/// where they lie in a row.
#[derive(Clone, Copy, Debug)]
pub(super) struct Columns {
    /// The step.
    pub(super) step: usize,
    /// The first, counted from the first sample of the step.
    pub(super) first: usize,
    /// How many.
    pub(super) count: usize,
}

/// The planes, shared by threads that write disjoint columns or rows of them.
#[derive(Clone, Copy)]
pub(super) struct Shared<'a, T> {
    start: NonNull<T>,
    planes: &'a [(Plane, usize)],
    constants: &'a Constants<T>,
    layout: &'a Layout,
}

// SAFETY: a `Shared` hands out addresses only; who uses them argues that no two threads meet.
unsafe impl<T: Send + Sync> Send for Shared<'_, T> {}
// SAFETY: as above.
unsafe impl<T: Send + Sync> Sync for Shared<'_, T> {}

impl<'a, T: Element> Shared<'a, T> {
    pub(super) fn layout(&self) -> &'a Layout {
        self.layout
    }

    pub(super) fn plane(&self, place: Place) -> Plane {
        self.planes[place.plane].0
    }

    pub(super) fn rows(&self, place: Place) -> usize {
        self.plane(place).rows
    }

    /// Address of the first of these columns, all of which lie in the plane; of a plane with
    /// [`Span::Fixed`] that of its own first one.
    #[inline]
    pub(super) fn at(&self, place: Place, columns: Columns) -> *mut T {
        let (plane, start) = self.planes[place.plane];
        if plane.span.is_constant() {
            // Only ever read: the code's check has found no such plane among what it writes.
            let all = self.constants.plane(place.plane);
            assert!(plane.span != Span::Repeated || all.len() >= plane.rows * columns.count);
            return all.as_ptr().cast_mut();
        }
        let layout = self.layout;
        let first = match plane.span {
            Span::Steps => layout.step(columns.step) + columns.first,
            Span::States => layout.slot(columns.step + place.after) + columns.first,
            Span::Carry => ((columns.step + place.after) & 1) * layout.batch() + columns.first,
            Span::Window => columns.first,
            Span::Repeated | Span::Fixed(_) => 0,
        };
        assert!(
            first + columns.count <= plane.columns(layout),
            "columns outside of the plane"
        );
        // SAFETY: within the plane, by the assertion, and so within the allocation.
        unsafe { self.start.add(start + first * plane.rows) }.as_ptr()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLANES: [Plane; 2] = [
        Plane {
            rows: 16,
            span: Span::Steps,
        },
        Plane {
            rows: 3,
            span: Span::Fixed(5),
        },
    ];

    fn memory(time: usize, reuse: Option<Memory<f32>>) -> Memory<f32> {
        let layout = Layout::new(vec![time]);
        let constants = Arc::new(Constants::new(&PLANES, 1).unwrap());
        Memory::new(&PLANES, layout, constants, reuse).unwrap()
    }

    #[test]
    fn one_that_is_too_small_gives_way_to_one_with_room_to_spare() {
        let first = memory(100, None);
        assert_eq!(first.len(), 1600);
        let second = memory(104, Some(first));
        assert_eq!(second.len(), 16 * 104 * 5 / 4);
        let third = memory(130, Some(second));
        assert_eq!(third.len(), 16 * 130);
        assert_eq!(third.plane(0).len(), 16 * 130);
    }

    #[test]
    fn one_that_is_much_too_large_serves_for_some_runs() {
        let mut kept = memory(100, None);
        for _ in 0..2 {
            for time in (1..=PATIENCE).rev() {
                kept = memory(time, Some(kept));
                assert_eq!(kept.len(), 1600, "{time}");
            }
            kept = memory(25, Some(kept));
        }
        for _ in 0..PATIENCE {
            kept = memory(24, Some(kept));
        }
        assert_eq!(kept.len(), 1600);
        assert!(!kept.serves_again());
        assert_eq!(memory(24, Some(kept)).len(), 16 * 24);
        assert!(memory(24, None).serves_again());
    }
}
