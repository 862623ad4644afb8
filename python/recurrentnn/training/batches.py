"""Where batches come from: any number of epochs, each a function of its number."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from recurrentnn._recurrentnn import permutation
from recurrentnn.arguments import integer, real
from recurrentnn.data import Lines, Streams
from recurrentnn.errors import ArgumentError, ShapeError
from recurrentnn.training.tasks import AnyBatch

# Which shuffle of a seed is for what: one for the split, then one for each epoch.
_SPLIT = 0


class Batches(Protocol):
    """What a `Trainer` reads."""

    @property
    def symbols(self) -> int:
        """The sum of `batch.symbols` over an epoch."""

    @property
    def plan(self) -> str:
        """What the batches follow from. Of two sources with one plan, all are equal."""

    def epoch(self, number: int, start: int = 0) -> Iterator[AnyBatch]:
        """The batches of an epoch from batch `start` on; a function of both."""

    def in_order(self) -> Iterator[AnyBatch]:
        """All of it once, to evaluate."""


class TextBatches:
    """A text, cut into batches.

    Parameters
    ----------
    text
        `recurrentnn.data.Lines` or `Streams`.
    batch_size
        Lines, or parallel streams, side by side.
    seq_length
        Symbols from update to update, which gradients flow back through.
    back
        Of `Streams`: gradients flow back through so many, at least `seq_length`.
    seed
        Of the order of lines or documents.
    name
        Tells texts apart; a run goes on in mid-epoch with the same one only.
    """

    def __init__(
        self,
        text: Lines | Streams,
        *,
        batch_size: int = 16,
        seq_length: int = 64,
        back: int | None = None,
        seed: int = 0,
        name: str = "",
    ) -> None:
        call = "TextBatches"
        self._text = text
        self._batch_size = integer(call, "batch_size", batch_size)
        self._seq_length = integer(call, "seq_length", seq_length)
        self._seed = integer(call, "seed", seed, least=0, most=2**64 - 1)
        if back is not None:
            if not isinstance(text, Streams):
                kind = type(text).__name__
                raise ArgumentError(f"{call}: back needs Streams, got {kind}")
            back = integer(call, "back", back, least=self._seq_length)
        self._back = back
        self.symbols = text.symbols
        plan = [name, text.symbols, self._batch_size, self._seq_length, self._seed]
        self.plan = json.dumps(plan if back is None else [*plan, back])

    def epoch(self, number: int, start: int = 0) -> Iterator[AnyBatch]:
        """The batches of an epoch from batch `start` on."""
        text, size, length = self._text, self._batch_size, self._seq_length
        if isinstance(text, Lines):
            return text.epoch(number, size, length, self._seed, start=start)
        return text.epoch(
            number, size, length, self._seed, start=start, back=self._back
        )

    def in_order(self) -> Iterator[AnyBatch]:
        """All of it once."""
        return self._text.in_order(self._batch_size, self._seq_length)


class SequenceBatch(NamedTuple):
    """Some sequences with their targets; `lengths` of the rows, the rest is padding."""

    x: NDArray[Any]
    targets: NDArray[Any]
    mask: NDArray[np.bool_] | None
    lengths: NDArray[np.int64]
    symbols: int
    chars: int
    first: bool = True


class Sequences:
    """Sequences with targets, in shuffled batches; an epoch is each of them once.

    Parameters
    ----------
    x
        Arrays (time, features), or symbols (time,), of equal or several lengths; or
        one array (n, time, features) or (n, time).
    targets
        For each of them a class, an array for all of its ticks, or numbers; what the
        task wants.
    batch_size
        Sequences in a batch; the last one of an epoch may have fewer.
    seed
        Of the order, which is another one in each epoch.

    Notes
    -----
    Shorter sequences are padded behind their end, and `lengths` and `mask` say so;
    targets with one entry a tick are padded with them.
    """

    def __init__(
        self,
        x: Sequence[ArrayLike] | NDArray[Any],
        targets: Sequence[ArrayLike] | NDArray[Any],
        *,
        batch_size: int = 32,
        seed: int = 0,
    ) -> None:
        call = "Sequences"
        self._x = [np.asarray(one) for one in x]
        self._targets = [np.asarray(one) for one in targets]
        self._batch_size = integer(call, "batch_size", batch_size)
        self._seed = integer(call, "seed", seed, least=0, most=2**64 - 1)
        if not self._x or len(self._x) != len(self._targets):
            raise ShapeError(
                f"{call}: x and targets must be of one length, at least 1, "
                f"got {len(self._x)} and {len(self._targets)}"
            )
        for number, one in enumerate(self._x):
            if not (1 <= one.ndim <= 2 and len(one)):
                raise ShapeError(
                    f"{call}: x[{number}] must be (time,) or (time, features) with a "
                    f"tick, got {one.shape}"
                )
        self.symbols = len(self._x)
        self._plan: str | None = None

    @property
    def plan(self) -> str:
        """A checksum of the numbers, and how they are cut."""
        if self._plan is None:
            sum_ = hashlib.sha256()
            for array in (*self._x, *self._targets):
                sum_.update(f"{array.dtype.str}{array.shape}".encode())
                sum_.update(np.ascontiguousarray(array).tobytes())
            self._plan = json.dumps([sum_.hexdigest(), self._batch_size, self._seed])
        return self._plan

    def split(self, validation: float, test: float = 0.0) -> list[Sequences]:
        """What is left, and random shares of all: two or three parts.

        Raises
        ------
        ArgumentError
            If a part would be empty.
        """
        shares = [real("split", "validation", validation, below=1)]
        if test:
            shares.append(real("split", "test", test, below=1))
        sizes = [int(len(self._x) * share) for share in shares]
        if not all(sizes) or sum(sizes) >= len(self._x):
            raise ArgumentError(
                f"split: each part must have a sequence, got shares {shares} "
                f"of {len(self._x)}"
            )
        order = permutation(len(self._x), seed=self._seed, step=_SPLIT)
        cuts = np.cumsum(sizes)
        *parts, rest = np.split(order, cuts)
        return [self._some(part) for part in (rest, *parts)]

    def epoch(self, number: int, start: int = 0) -> Iterator[SequenceBatch]:
        """Each sequence once, in the epoch's own order, from batch `start` on."""
        order = permutation(len(self._x), seed=self._seed, step=number + 1)
        return self._batches(order[start * self._batch_size :])

    def in_order(self) -> Iterator[SequenceBatch]:
        """Each sequence once, as they came."""
        return self._batches(np.arange(len(self._x)))

    def _some(self, numbers: NDArray[np.int64]) -> Sequences:
        return Sequences(
            [self._x[i] for i in numbers],
            [self._targets[i] for i in numbers],
            batch_size=self._batch_size,
            seed=self._seed,
        )

    def _batches(self, order: NDArray[Any]) -> Iterator[SequenceBatch]:
        for start in range(0, len(order), self._batch_size):
            rows = order[start : start + self._batch_size]
            x = [self._x[i] for i in rows]
            targets = [self._targets[i] for i in rows]
            lengths = np.array([len(one) for one in x], dtype=np.int64)
            time = int(lengths.max())
            mask = np.arange(time) < lengths[:, None]
            if all(
                t.ndim and len(t) == len(one) for t, one in zip(targets, x, strict=True)
            ):
                targets = _padded(targets, time)
            yield SequenceBatch(
                x=np.stack(_padded(x, time)),
                targets=np.stack(targets),
                mask=None if mask.all() else mask,
                lengths=lengths,
                symbols=len(rows),
                chars=len(rows),
            )


def _padded(arrays: list[NDArray[Any]], time: int) -> list[NDArray[Any]]:
    """Arrays of one length, zeros behind their ends."""
    return [
        np.pad(one, [(0, time - len(one)), *[(0, 0)] * (one.ndim - 1)])
        for one in arrays
    ]
