//! The rows of a batch: of different lengths, with steps left out, cut where the state is reset.

use std::borrow::Cow;
use std::ops::Range;

use crate::element::Element;
use crate::error::{Error, Result};

/// Which steps a run takes.
///
/// A row is cut into pieces, one more than it has resets. The first begins with the state that is given,
/// the others with the initial state; the last one's state is the row's. Pieces depend on nothing of each
/// other: to a run they are samples, the longest first.
pub struct Rows {
    batch: usize,
    time: usize,
    /// Steps of each row, taken or left out.
    row_lengths: Vec<usize>,
    /// The longest first.
    pieces: Vec<Piece>,
    /// The last piece of each row.
    last: Vec<usize>,
    /// Row and step of each column of a run; `None`: step by step all rows.
    columns: Option<Vec<(usize, usize)>>,
}

#[derive(Clone)]
struct Piece {
    row: usize,
    /// Whether it begins with the state that is given.
    given: bool,
    /// Where its steps stand in a list of all.
    steps: Range<usize>,
}

/// Where a step of a row stands among the columns of an output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Columns {
    /// Column b * time + t.
    BatchMajor,
    /// Column t * batch + b.
    TimeMajor,
    /// One row after the other, each as long as it is.
    Unpadded,
}

impl Rows {
    /// Rows of one length.
    pub fn dense(batch: usize, time: usize) -> Self {
        let piece = |row| Piece {
            row,
            given: true,
            steps: row * time..(row + 1) * time,
        };
        Self {
            batch,
            time,
            row_lengths: vec![time; batch],
            pieces: (0..batch).map(piece).collect(),
            last: (0..batch).collect(),
            columns: None,
        }
    }

    /// Rows of these lengths within `time` steps.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] for one that is longer.
    pub fn ragged(time: usize, lengths: &[usize]) -> Result<Self> {
        if let Some(longer) = lengths.iter().find(|&&length| length > time) {
            let message = format!("lengths must be at most {time} but one is {longer}");
            return Err(Error::out_of_range("forward", message));
        }
        let there = |row: usize, step: usize| step < lengths[row];
        Ok(Self::new(lengths.len(), time, lengths, there, |_, _| false))
    }

    /// Rows of `time` steps, of which those are taken that `mask` has (all, if there is none), and before
    /// those that `reset` has the state begins anew. Both are batch x time, row by row; a reset before a
    /// step that is left out counts.
    ///
    /// # Errors
    /// [`Error::Shape`] where one of them is of another size.
    pub fn cut(
        time: usize,
        lengths: &[usize],
        mask: Option<&[bool]>,
        reset: Option<&[bool]>,
    ) -> Result<Self> {
        Self::ragged(time, lengths)?;
        for (name, given) in [("mask", mask), ("reset", reset)] {
            let (expected, found) = (lengths.len() * time, given.map(<[bool]>::len));
            if found.is_some_and(|found| found != expected) {
                let message = format!("{name} must have {expected} entries");
                return Err(Error::shape("forward", message));
            }
        }
        let there = |row: usize, step: usize| mask.is_none_or(|mask| mask[row * time + step]);
        let resets = |row: usize, step: usize| reset.is_some_and(|reset| reset[row * time + step]);
        Ok(Self::new(lengths.len(), time, lengths, there, resets))
    }

    fn new(
        batch: usize,
        time: usize,
        lengths: &[usize],
        there: impl Fn(usize, usize) -> bool,
        resets: impl Fn(usize, usize) -> bool,
    ) -> Self {
        let (mut pieces, mut steps) = (Vec::with_capacity(batch), Vec::new());
        for (row, &length) in lengths.iter().enumerate() {
            let (mut first, mut given) = (steps.len(), true);
            for step in 0..length {
                if resets(row, step) {
                    // A piece without steps has no trace but its state, which is gone.
                    if steps.len() > first {
                        pieces.push(Piece {
                            row,
                            given,
                            steps: first..steps.len(),
                        });
                    }
                    (first, given) = (steps.len(), false);
                }
                if there(row, step) {
                    steps.push(step);
                }
            }
            pieces.push(Piece {
                row,
                given,
                steps: first..steps.len(),
            });
        }
        let whole = |piece: &Piece| piece.given && piece.steps.len() == time;
        if pieces.len() == batch && pieces.iter().all(whole) {
            return Self::dense(batch, time);
        }
        pieces.sort_by_key(|piece| std::cmp::Reverse(piece.steps.len()));
        let mut last = vec![(0, 0); batch];
        for (number, piece) in pieces.iter().enumerate() {
            // The pieces of a row stand in the list of steps as they follow one another; of those that
            // end alike, one without steps comes after one that has some.
            last[piece.row] = last[piece.row].max((piece.steps.end, number));
        }
        let mut columns = Vec::with_capacity(steps.len());
        let mut count = pieces.len();
        for step in 0..pieces.first().map_or(0, |piece| piece.steps.len()) {
            while pieces[count - 1].steps.len() <= step {
                count -= 1;
            }
            let column = |piece: &Piece| (piece.row, steps[piece.steps.start + step]);
            columns.extend(pieces[..count].iter().map(column));
        }
        Self {
            batch,
            time,
            row_lengths: lengths.to_vec(),
            last: last.into_iter().map(|(_, number)| number).collect(),
            pieces,
            columns: Some(columns),
        }
    }

    /// Rows.
    pub fn batch(&self) -> usize {
        self.batch
    }

    /// Steps that a row can have.
    pub fn time(&self) -> usize {
        self.time
    }

    /// Steps of all rows that are taken.
    pub fn count(&self) -> usize {
        match &self.columns {
            Some(columns) => columns.len(),
            None => self.batch * self.time,
        }
    }

    /// Whether all rows are of one length, without a reset.
    pub fn is_dense(&self) -> bool {
        self.columns.is_none()
    }

    /// Steps of each row, taken or left out.
    pub fn row_lengths(&self) -> &[usize] {
        &self.row_lengths
    }

    /// Steps of each piece, the longest first.
    pub(crate) fn lengths(&self) -> Vec<usize> {
        self.pieces.iter().map(|piece| piece.steps.len()).collect()
    }

    /// The row whose state each piece begins with; `None`: with the initial state.
    pub(crate) fn starts(&self) -> impl ExactSizeIterator<Item = Option<usize>> + '_ {
        self.pieces.iter().map(|p| p.given.then_some(p.row))
    }

    /// The states of the rows, from those of the pieces, `height` numbers each.
    pub(crate) fn last_of<'a, T: Element>(
        &self,
        pieces: Cow<'a, [T]>,
        height: usize,
    ) -> Cow<'a, [T]> {
        if self.is_dense() {
            return pieces;
        }
        Cow::Owned(gathered(&pieces, height, self.last.iter().copied()))
    }

    /// What [`Rows::last_of`] gave, back where it came from; 0 elsewhere.
    pub(crate) fn of_last<'a, T: Element>(&self, rows: &'a [T], height: usize) -> Cow<'a, [T]> {
        if self.is_dense() {
            return Cow::Borrowed(rows);
        }
        let last = self.last.iter().copied();
        Cow::Owned(scattered(rows, height, last, self.pieces.len()))
    }

    /// Row and step of a column of a run.
    pub(crate) fn place(&self, column: usize) -> (usize, usize) {
        match &self.columns {
            Some(columns) => columns[column],
            None => (column % self.batch, column / self.batch),
        }
    }

    /// Where each column of a run stands among the columns of an array of that order.
    pub fn places(&self, order: Columns) -> Vec<usize> {
        let (batch, time) = (self.batch, self.time);
        let all = (0..self.count()).map(|column| self.place(column));
        let starts: Vec<usize> = match order {
            Columns::BatchMajor => (0..batch).map(|row| row * time).collect(),
            Columns::TimeMajor => {
                return all.map(|(row, step)| step * batch + row).collect();
            }
            Columns::Unpadded => {
                let sum = |sum: &mut usize, length: &usize| {
                    let before = *sum;
                    *sum += length;
                    Some(before)
                };
                self.row_lengths.iter().scan(0, sum).collect()
            }
        };
        all.map(|(row, step)| starts[row] + step).collect()
    }

    /// The columns of a run, of `height` numbers each, from those of a batch-major array.
    pub(crate) fn gather<T: Element>(&self, values: &[T], height: usize, run: &mut [T]) {
        if height == 0 {
            return;
        }
        let mut columns = run.chunks_exact_mut(height);
        let mut put = |place: usize| {
            if let Some(to) = columns.next() {
                to.copy_from_slice(&values[place * height..][..height]);
            }
        };
        if self.is_dense() {
            let step = |step: usize| (0..self.batch).map(move |row| row * self.time + step);
            (0..self.time).flat_map(step).for_each(&mut put);
        } else {
            self.places(Columns::BatchMajor)
                .into_iter()
                .for_each(&mut put);
        }
    }

    /// Columns of an array of that order.
    pub fn len(&self, order: Columns) -> usize {
        match order {
            Columns::BatchMajor | Columns::TimeMajor => self.batch * self.time,
            Columns::Unpadded => self.row_lengths.iter().sum(),
        }
    }
}

/// Some columns, of `height` numbers each.
pub(crate) fn gathered<T: Element>(
    values: &[T],
    height: usize,
    columns: impl IntoIterator<Item = usize>,
) -> Vec<T> {
    let column = |column: usize| &values[column * height..][..height];
    columns.into_iter().flat_map(column).copied().collect()
}

/// `count` columns of `height` numbers: those given at these places, and zeros.
pub(crate) fn scattered<T: Element>(
    values: &[T],
    height: usize,
    places: impl IntoIterator<Item = usize>,
    count: usize,
) -> Vec<T> {
    let mut out = vec![T::ZERO; count * height];
    for (at, place) in places.into_iter().enumerate() {
        out[place * height..][..height].copy_from_slice(&values[at * height..][..height]);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(rows: &Rows) -> Vec<(Option<usize>, usize)> {
        rows.starts().zip(rows.lengths()).collect()
    }

    #[test]
    fn rows_come_in_the_order_of_their_lengths() {
        let rows = Rows::ragged(3, &[1, 0, 3, 1]).unwrap();
        assert_eq!(
            pieces(&rows),
            [(Some(2), 3), (Some(0), 1), (Some(3), 1), (Some(1), 0)]
        );
        assert_eq!(rows.last, [1, 3, 0, 2]);
        assert_eq!(rows.places(Columns::BatchMajor), [6, 0, 9, 7, 8]);
        assert_eq!(rows.places(Columns::TimeMajor), [2, 0, 3, 6, 10]);
        assert_eq!(rows.places(Columns::Unpadded), [1, 0, 4, 2, 3]);
        assert!(Rows::ragged(3, &[3, 3]).unwrap().is_dense());
        assert!(matches!(
            Rows::ragged(3, &[4]),
            Err(Error::OutOfRange { .. })
        ));
    }

    #[test]
    fn a_reset_begins_a_piece_and_a_mask_leaves_out() {
        let (yes, no) = (true, false);
        let reset = [no, no, yes, no, yes, no, no, yes];
        let rows = Rows::cut(4, &[4, 4], None, Some(&reset)).unwrap();
        // The second row is reset before its first step, and before its last.
        let expected = [(None, 3), (Some(0), 2), (None, 2), (None, 1)];
        assert_eq!(pieces(&rows), expected);
        assert_eq!(rows.last, [2, 3]);
        assert_eq!(rows.places(Columns::BatchMajor), [4, 0, 2, 7, 5, 1, 3, 6]);
        // What is left out may be reset, and then nothing is left of what was given.
        let (mask, reset) = ([yes, no, yes, no], [no, no, no, yes]);
        let rows = Rows::cut(4, &[4], Some(&mask), Some(&reset)).unwrap();
        assert_eq!(pieces(&rows), [(Some(0), 2), (None, 0)]);
        assert_eq!(rows.last, [1]);
        assert_eq!(rows.places(Columns::BatchMajor), [0, 2]);
    }
}
