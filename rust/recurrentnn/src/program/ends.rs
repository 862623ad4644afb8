//! What planes hold of whole sequences, and at the ends of samples that may be of different lengths.

use std::borrow::Cow;
use std::ops::Range;

use crate::element::Element;
use crate::kernels::machine::{Layout, Memory, Place, Span};

/// The columns of a place over the whole sequence.
pub(super) fn columns<T: Element>(memory: &Memory<T>, place: Place) -> Cow<'_, [T]> {
    let (shape, layout) = (memory.shape(place.plane), memory.layout());
    let (rows, all) = (shape.rows, memory.plane(place.plane));
    match (shape.span, place.after) {
        (Span::Fixed(_), _) => Cow::Borrowed(all),
        // What lies before the steps has gaps where samples have ended.
        (Span::States, 0) if !layout.is_dense() => {
            let mut packed = Vec::with_capacity(layout.columns() * rows);
            for step in layout.before() {
                packed.extend_from_slice(&all[step.start * rows..step.end * rows]);
            }
            Cow::Owned(packed)
        }
        (Span::States, after) => {
            Cow::Borrowed(&all[layout.slot(after) * rows..][..layout.columns() * rows])
        }
        _ => Cow::Borrowed(&all[..layout.columns() * rows]),
    }
}

/// Which end of the samples, as a state goes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// Before what it reads first.
    First,
    /// After what it reads last.
    Last,
}

impl End {
    /// Whether that is after the last step in time.
    pub(super) fn is_late(self, reversed: bool) -> bool {
        (self == Self::Last) != reversed
    }
}

/// Where a plane of states holds what is before the first or after the last step of the samples of one
/// length.
fn column(is_late: bool, span: Span, layout: &Layout, length: usize) -> usize {
    match (is_late, span) {
        (false, _) => 0,
        (true, Span::Carry) => (length & 1) * layout.batch(),
        (true, _) => layout.slot(length),
    }
}

/// What a plane of states holds before the first or after the last step of the samples.
pub(super) fn states<T: Element>(memory: &Memory<T>, plane: usize, is_late: bool) -> Cow<'_, [T]> {
    let (shape, layout, all) = (memory.shape(plane), memory.layout(), memory.plane(plane));
    let of = |samples: Range<usize>, length| {
        let first = column(is_late, shape.span, layout, length) + samples.start;
        &all[first * shape.rows..][..samples.len() * shape.rows]
    };
    if layout.is_dense() || !is_late {
        return Cow::Borrowed(of(0..layout.batch(), layout.time()));
    }
    let mut states = Vec::with_capacity(layout.batch() * shape.rows);
    for (samples, length) in layout.groups() {
        states.extend_from_slice(of(samples, length));
    }
    Cow::Owned(states)
}

/// Writes what a plane of states holds there; `None` are zeros.
pub(super) fn put<T: Element>(
    memory: &mut Memory<T>,
    plane: usize,
    is_late: bool,
    from: Option<&[T]>,
) {
    let shape = memory.shape(plane);
    let (all, layout) = memory.plane_and_layout(plane);
    for (samples, length) in layout.groups() {
        let from = from.map(|from| &from[samples.start * shape.rows..samples.end * shape.rows]);
        let first = column(is_late, shape.span, layout, length) + samples.start;
        fill(
            &mut all[first * shape.rows..][..samples.len() * shape.rows],
            from,
        );
    }
}

pub(super) fn fill<T: Element>(to: &mut [T], from: Option<&[T]>) {
    match from {
        Some(from) => to.copy_from_slice(from),
        None => to.fill(T::ZERO),
    }
}
