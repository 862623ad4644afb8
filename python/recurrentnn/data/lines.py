"""Lines of their own, each between a START and an END, beside others of its length."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import TypeVar

import numpy as np

from recurrentnn._recurrentnn import Vocabulary, permutation
from recurrentnn.data.batch import Batch, Symbols, held_out, unless_all
from recurrentnn.errors import ArgumentError, VocabularyError

T = TypeVar("T")

# Lines are sorted by length within pools of so many batches: short ones are then padded
# little, and which lines meet in a batch still changes from epoch to epoch.
_POOL = 16

# Which shuffle of a seed is for what: one for the split, then two for each epoch.
_SPLIT = 0


class Lines:
    """Lines of their own: START c1 .. cn predicts c1 .. cn END."""

    def __init__(self, lines: Sequence[Symbols]) -> None:
        self._lines = lines
        self.symbols = sum(map(len, lines)) + len(lines)

    @classmethod
    def of(cls, text: str, vocabulary: Vocabulary) -> Lines:
        """The lines of a text, its line ends LF, that are not blank."""
        lines = []
        for number, line in enumerate(text.split("\n"), start=1):
            if not line.strip():
                continue
            try:
                lines.append(vocabulary.encode(line))
            except VocabularyError as error:
                raise VocabularyError(f"line {number}: {error}") from None
        if not lines:
            raise ArgumentError("text: needs a line that is not blank, got none")
        return cls(lines)

    def held_out(self, fraction: float) -> int:
        """How many lines `split` holds out; 0: there are too few."""
        return held_out(len(self._lines), fraction, least=1)

    def split(self, fraction: float, seed: int) -> tuple[Lines, Lines | None]:
        """The rest, and a random fraction: neighbours are alike, no tail would do."""
        if not fraction:
            return self, None
        count = self.held_out(fraction)
        if not count:
            raise ArgumentError(
                "learn: validation_fraction must hold out a line and leave one, "
                f"got {fraction:g} of {len(self._lines)} lines"
            )
        lines = _shuffled(self._lines, seed, _SPLIT)
        return Lines(lines[count:]), Lines(lines[:count])

    def epoch(
        self,
        number: int,
        batch_size: int,
        seq_length: int,
        seed: int,
        *,
        start: int = 0,
    ) -> Iterator[Batch]:
        """Every line once, beside others of its length, in the epoch's own order.

        From batch `start` on; batches before it are counted and not made.
        """
        lines = _shuffled(self._lines, seed, 2 * number + 1)
        pools = _groups(lines, batch_size * _POOL)
        groups = [g for pool in pools for g in _groups(_by_length(pool), batch_size)]
        for group in _shuffled(groups, seed, 2 * number + 2):
            batches = -(-_width(group) // seq_length)
            if start < batches:
                yield from islice(_side_by_side(group, seq_length), start, None)
            start = max(0, start - batches)

    def in_order(self, batch_size: int, seq_length: int) -> Iterator[Batch]:
        """Every line once; an evaluation does not depend on the batches."""
        for group in _groups(_by_length(self._lines), batch_size):
            yield from _side_by_side(group, seq_length)


def _side_by_side(group: Sequence[Symbols], seq_length: int) -> Iterator[Batch]:
    """Lines padded to the longest; beyond `seq_length` they go on in more batches."""
    width = _width(group)
    x = np.full((len(group), width), Vocabulary.BOUNDARY, dtype=np.int64)
    targets = x.copy()
    mask = np.zeros(x.shape, dtype=np.bool_)
    for row, line in enumerate(group):
        x[row, 1 : len(line) + 1] = line
        targets[row, : len(line)] = line
        mask[row, : len(line) + 1] = True
    for start in range(0, width, seq_length):
        part = np.s_[:, start : start + seq_length]
        counted = targets[part][mask[part]]
        yield Batch(
            x=x[part],
            targets=targets[part],
            mask=unless_all(mask[part]),
            first=start == 0,
            symbols=counted.size,
            chars=int((counted != Vocabulary.BOUNDARY).sum()),
        )


def _width(group: Sequence[Symbols]) -> int:
    return max(map(len, group)) + 1


def _by_length(lines: Sequence[Symbols]) -> list[Symbols]:
    return sorted(lines, key=len)


def _shuffled(items: Sequence[T], seed: int, step: int) -> list[T]:
    return [items[i] for i in permutation(len(items), seed=seed, step=step)]


def _groups(lines: Sequence[Symbols], size: int) -> list[Sequence[Symbols]]:
    return [lines[i : i + size] for i in range(0, len(lines), size)]
