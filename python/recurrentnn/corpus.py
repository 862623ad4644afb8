"""From text to batches of symbols: lines with a boundary, or one running text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from recurrentnn._recurrentnn import Vocabulary, permutation
from recurrentnn.errors import ArgumentError, ArgumentTypeError, VocabularyError

Symbols: TypeAlias = NDArray[np.int64]
Mask: TypeAlias = NDArray[np.bool_]
T = TypeVar("T")

# Lines are sorted by length within pools of so many batches: short ones are then padded
# little, and which lines meet in a batch still changes from epoch to epoch.
_POOL = 16

# Which shuffle of a seed is for what: one for the split, then two for each epoch.
_SPLIT = 0


class Batch(NamedTuple):
    """Sequences side by side, and what follows each of their symbols.

    Attributes
    ----------
    x, targets
        Symbols and their successors, (batch, time).
    mask
        Which targets count, (batch, time); None: all.
    first
        Whether the sequences begin here; else they go on where the last batch ended.
    symbols, chars
        Targets that count, and how many of them are code points and not an END.
    """

    x: Symbols
    targets: Symbols
    mask: Mask | None
    first: bool
    symbols: int
    chars: int


class Lines:
    """Lines of their own: START c1 .. cn predicts c1 .. cn END."""

    def __init__(self, lines: Sequence[Symbols]) -> None:
        self._lines = lines
        self.symbols = sum(map(len, lines)) + len(lines)

    @classmethod
    def of(cls, text: str, vocabulary: Vocabulary) -> Lines:
        """The lines of a text that are not blank."""
        lines = []
        for number, line in enumerate(clean(text).split("\n"), start=1):
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
        return _held_out(len(self._lines), fraction, least=1)

    def split(self, fraction: float, seed: int) -> tuple[Lines, Lines | None]:
        """The rest, and a random fraction: neighbours are alike, no tail would do."""
        if not fraction:
            return self, None
        held_out = self.held_out(fraction)
        if not held_out:
            raise ArgumentError(
                "learn: validation_fraction must hold out a line and leave one, "
                f"got {fraction:g} of {len(self._lines)} lines"
            )
        lines = _shuffled(self._lines, seed, _SPLIT)
        return Lines(lines[held_out:]), Lines(lines[:held_out])

    def epoch(
        self, number: int, batch_size: int, seq_length: int, seed: int
    ) -> Iterator[Batch]:
        """Every line once, beside others of its length, in the epoch's own order."""
        lines = _shuffled(self._lines, seed, 2 * number + 1)
        pools = _groups(lines, batch_size * _POOL)
        groups = [g for pool in pools for g in _groups(_by_length(pool), batch_size)]
        for group in _shuffled(groups, seed, 2 * number + 2):
            yield from _side_by_side(group, seq_length)

    def in_order(self, batch_size: int, seq_length: int) -> Iterator[Batch]:
        """Every line once; an evaluation does not depend on the batches."""
        for group in _groups(_by_length(self._lines), batch_size):
            yield from _side_by_side(group, seq_length)


class Running:
    """One running text: every symbol but the first is predicted from those before."""

    def __init__(self, text: Symbols) -> None:
        self._text = text
        self.symbols = len(text) - 1

    @classmethod
    def of(cls, text: str, vocabulary: Vocabulary) -> Running:
        """The whole text, newlines included."""
        symbols = vocabulary.encode(clean(text))
        if len(symbols) < 2:
            raise ArgumentError(
                f"text: needs at least 2 characters, got {len(symbols)}"
            )
        return cls(symbols)

    def held_out(self, fraction: float) -> int:
        """How many code points `split` holds out; 0: there are too few."""
        return _held_out(len(self._text), fraction, least=2)

    def split(self, fraction: float, _seed: int) -> tuple[Running, Running | None]:
        """The beginning, and the fraction at the end; none of it is random."""
        if not fraction:
            return self, None
        held_out = self.held_out(fraction)
        if not held_out:
            raise ArgumentError(
                "learn: validation_fraction must hold out 2 characters and leave 2, "
                f"got {fraction:g} of {len(self._text)} characters"
            )
        return Running(self._text[:-held_out]), Running(self._text[-held_out:])

    def epoch(
        self, _number: int, batch_size: int, seq_length: int, _seed: int
    ) -> Iterator[Batch]:
        """The whole text once, as parallel streams: the same in every epoch."""
        return self.in_order(batch_size, seq_length)

    def in_order(self, batch_size: int, seq_length: int) -> Iterator[Batch]:
        """The whole text as up to `batch_size` parallel streams, cut along time.

        Row b goes on where row b of the batch before ended. A short text makes fewer
        streams; the last stream may end early.
        """
        streams = min(batch_size, max(1, self.symbols // seq_length))
        length = -(-self.symbols // streams)
        for start in range(0, length, seq_length):
            time = np.arange(start, min(start + seq_length, length))
            position = np.arange(streams)[:, None] * length + time
            mask = position < self.symbols
            position = np.minimum(position, self.symbols - 1)
            counted = int(mask.sum())
            yield Batch(
                x=self._text[position],
                targets=self._text[position + 1],
                mask=_unless_all(mask),
                first=start == 0,
                symbols=counted,
                chars=counted,
            )


def read(text: str, vocabulary: Vocabulary) -> Lines | Running:
    """Encode a text as its vocabulary has it: with a boundary as lines."""
    return (Lines if vocabulary.boundary else Running).of(text, vocabulary)


def clean(text: object) -> str:
    """The text with each line end, CR LF or CR, as one LF."""
    if not isinstance(text, str):
        kind = type(text).__name__
        raise ArgumentTypeError(f"text: must be a string, got {kind}")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _side_by_side(group: Sequence[Symbols], seq_length: int) -> Iterator[Batch]:
    """Lines padded to the longest; beyond `seq_length` they go on in more batches."""
    width = max(map(len, group)) + 1
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
            mask=_unless_all(mask[part]),
            first=start == 0,
            symbols=counted.size,
            chars=int((counted != Vocabulary.BOUNDARY).sum()),
        )


def _held_out(count: int, fraction: float, least: int) -> int:
    """The fraction of `count`, or 0 if that or the rest is less than `least`."""
    held_out = int(count * fraction)
    return held_out if min(held_out, count - held_out) >= least else 0


def _unless_all(mask: Mask) -> Mask | None:
    return None if mask.all() else mask


def _by_length(lines: Sequence[Symbols]) -> list[Symbols]:
    return sorted(lines, key=len)


def _shuffled(items: Sequence[T], seed: int, step: int) -> list[T]:
    return [items[i] for i in permutation(len(items), seed=seed, step=step)]


def _groups(lines: Sequence[Symbols], size: int) -> list[Sequence[Symbols]]:
    return [lines[i : i + size] for i in range(0, len(lines), size)]
