//! Which columns a run has at each step, where samples may end at different ones.

use std::ops::Range;

/// Steps and samples of one run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    /// Steps of the longest sample.
    pub time: usize,
    /// Samples.
    pub batch: usize,
}

impl Extent {
    /// Columns of a sequence whose samples are all of one length.
    pub fn columns(self) -> usize {
        self.time * self.batch
    }
}

/// The columns of each step: those of the samples that are so long. The longest sample comes first, so
/// that the samples of a step are the first ones, and those that it hands on to the next the first of
/// these.
///
/// What is handed from step to step lies in slots, one a boundary between steps: slot 0 has a column
/// for every sample, slot t + 1 one for every sample of step t. So the column of a sample in the slot of
/// its length is what is there after its last step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Steps of each sample.
    lengths: Vec<usize>,
    /// The first column of each slot, and the end of the last.
    slots: Vec<usize>,
}

impl Layout {
    /// The layout of samples of these lengths.
    ///
    /// # Panics
    /// Unless each is at most as long as the one before.
    pub fn new(lengths: Vec<usize>) -> Self {
        assert!(lengths.is_sorted_by(|a, b| a >= b), "the longest first");
        let time = lengths.first().copied().unwrap_or(0);
        let mut slots = Vec::with_capacity(time + 2);
        slots.push(0);
        let (mut end, mut count) = (lengths.len(), lengths.len());
        slots.push(end);
        for step in 0..time {
            while lengths[count - 1] <= step {
                count -= 1;
            }
            end += count;
            slots.push(end);
        }
        Self { lengths, slots }
    }

    /// The layout of samples of one length.
    pub fn dense(extent: Extent) -> Self {
        Self::new(vec![extent.time; extent.batch])
    }

    /// Steps of the longest sample, and samples.
    pub fn extent(&self) -> Extent {
        Extent {
            time: self.time(),
            batch: self.batch(),
        }
    }

    /// Steps of the longest sample.
    pub fn time(&self) -> usize {
        self.slots.len() - 2
    }

    /// Samples.
    pub fn batch(&self) -> usize {
        self.lengths.len()
    }

    /// Steps of all samples together.
    pub fn columns(&self) -> usize {
        self.slots[self.time() + 1] - self.batch()
    }

    /// Whether all samples are of one length.
    pub fn is_dense(&self) -> bool {
        self.lengths.first() == self.lengths.last()
    }

    /// Samples of a step.
    #[inline]
    pub fn count(&self, step: usize) -> usize {
        self.slots[step + 2] - self.slots[step + 1]
    }

    /// The first column of a step.
    #[inline]
    pub fn step(&self, step: usize) -> usize {
        self.slots[step + 1] - self.slots[1]
    }

    /// The first column of a slot.
    #[inline]
    pub fn slot(&self, slot: usize) -> usize {
        self.slots[slot]
    }

    /// Samples of one length, and that length.
    pub fn groups(&self) -> impl Iterator<Item = (Range<usize>, usize)> + '_ {
        let mut first = 0;
        self.lengths.chunk_by(|a, b| a == b).map(move |group| {
            let samples = first..first + group.len();
            first = samples.end;
            (samples, group[0])
        })
    }

    /// The columns before the steps, of a plane with slots: for each step as many as it has samples.
    pub fn before(&self) -> impl Iterator<Item = Range<usize>> + '_ {
        (0..self.time()).map(|step| self.slot(step)..self.slot(step) + self.count(step))
    }

    /// The samples that the `index`-th of `of` threads takes, so that all have about as many steps.
    pub(super) fn share(&self, index: usize, of: usize) -> Range<usize> {
        let mut before = 0;
        let mut ends = [self.batch(); 2];
        let limits = [index, index + 1].map(|end| (self.columns() * end).div_ceil(of));
        for (sample, length) in self.lengths.iter().enumerate() {
            for (end, limit) in ends.iter_mut().zip(limits) {
                if before >= limit {
                    *end = sample.min(*end);
                }
            }
            before += length;
        }
        ends[0]..ends[1]
    }

    /// The step of a column, and where the columns from it on end that lie in a row before their steps
    /// as they do in them; at least `enough` of them are found if they are there.
    pub(super) fn in_a_row(&self, column: usize, enough: usize) -> (usize, usize) {
        let step = self.slots[2..].partition_point(|&end| end - self.slots[1] <= column);
        let mut last = step;
        while last + 1 < self.time()
            && self.step(last + 1) - column < enough
            && self.slot(last + 1) - self.slot(last) == self.count(last)
        {
            last += 1;
        }
        (step, self.step(last + 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_and_slots_of_samples_of_different_length() {
        let layout = Layout::new(vec![4, 2, 2, 0]);
        let counts: Vec<_> = (0..4).map(|step| layout.count(step)).collect();
        let (steps, slots): (Vec<_>, Vec<_>) =
            (0..5).map(|t| (layout.step(t), layout.slot(t))).unzip();
        assert_eq!(counts, [3, 3, 1, 1]);
        assert_eq!(steps, [0, 3, 6, 7, 8]);
        assert_eq!(slots, [0, 4, 7, 10, 11]);
        assert_eq!(layout.columns(), 8);
        let groups: Vec<_> = layout.groups().collect();
        assert_eq!(groups, [(0..1, 4), (1..3, 2), (3..4, 0)]);
        let before: Vec<_> = layout.before().collect();
        assert_eq!(before, [0..3, 4..7, 7..8, 10..11]);
        // Slot 1 begins where step 0 ends only if that takes all of slot 0.
        assert_eq!(layout.in_a_row(0, 100), (0, 3));
        assert_eq!(layout.in_a_row(4, 100), (1, 7));
        assert_eq!(layout.in_a_row(6, 100), (2, 7));
        let dense = Layout::dense(Extent { time: 5, batch: 2 });
        assert_eq!(dense.in_a_row(3, 100), (1, 10));
        assert_eq!(dense.in_a_row(3, 2), (1, 6));
    }

    #[test]
    fn threads_share_all_samples_by_their_steps() {
        for lengths in [vec![9, 3, 3, 3, 0], vec![2; 5], vec![7], vec![], vec![0, 0]] {
            let layout = Layout::new(lengths);
            for of in 1..5 {
                let shares: Vec<_> = (0..of).map(|index| layout.share(index, of)).collect();
                let mut next = 0;
                for share in shares {
                    assert!(share.start == next || share.is_empty());
                    next = next.max(share.end);
                }
                // What has no steps is nobody's.
                let some = layout.lengths.iter().filter(|&&length| length > 0);
                assert_eq!(next, some.count());
            }
        }
        assert_eq!(Layout::new(vec![9, 3, 3, 3]).share(0, 2), 0..1);
    }
}
