"""What a net learns from in one update: symbols, what follows them, what counts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, Protocol, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

Symbols: TypeAlias = NDArray[np.int64]
Mask: TypeAlias = NDArray[np.bool_]


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
    reset
        Where another document begins, (batch, time): the state is the zero state
        before that step; None: nowhere but where `first` says it already.
    carry
        The state that the next batch begins with is the one after so many steps of this
        one; None: after the last. See `Streams.epoch`, `back`.
    """

    x: Symbols
    targets: Symbols
    mask: Mask | None
    first: bool
    symbols: int
    chars: int
    reset: Mask | None = None
    carry: int | None = None


class Source(Protocol):
    """Where batches come from: `Lines` and `Streams`.

    The batches of an epoch follow from its number and the other arguments alone. So a
    place in the data is the number of an epoch and how many of its batches are read,
    and `epoch(number, .., start=read)` goes on there, without reading what is before.
    """

    symbols: int

    def epoch(
        self,
        number: int,
        batch_size: int,
        seq_length: int,
        seed: int,
        *,
        start: int = 0,
    ) -> Iterator[Batch]:
        """The batches of an epoch, from number `start` on."""

    def in_order(self, batch_size: int, seq_length: int) -> Iterator[Batch]:
        """Every symbol once, for an evaluation."""

    def held_out(self, fraction: float) -> int:
        """How much `split` holds out; 0: there is too little."""

    def split(self, fraction: float, seed: int) -> tuple[Self, Self | None]:
        """The rest, and a fraction held out; None for a fraction of 0."""


def held_out(count: int, fraction: float, least: int) -> int:
    """The fraction of `count`, or 0 if that or the rest is less than `least`."""
    size = int(count * fraction)
    return size if min(size, count - size) >= least else 0


def unless_all(mask: Mask) -> Mask | None:
    """The mask, or None if it leaves nothing out."""
    return None if mask.all() else mask
