"""Running text, of one document or many, as parallel streams with carried state."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from recurrentnn._recurrentnn import Vocabulary, permutation
from recurrentnn.arguments import integer
from recurrentnn.data.batch import Batch, Symbols, held_out, unless_all
from recurrentnn.errors import ArgumentError, VocabularyError

# Symbols are 8 bytes each until they are packed.
_PIECE = 1 << 20


class Readable(Protocol):
    """A text's symbols: an array, or a file of them (`Mapped`)."""

    def __len__(self) -> int: ...

    def __getitem__(self, positions: Symbols, /) -> NDArray[np.integer]: ...


class Streams:
    """Documents one behind the other, cut into parallel streams.

    Within a document every symbol but the first is predicted from those before; nothing
    is predicted across a border, and the state begins anew behind it.

    Parameters
    ----------
    text
        Symbols, (length,).
    borders
        Where documents begin and end in it, (documents, 2), in any order; None: the
        whole text is one.
    shuffle
        Whether each epoch has the documents in an order of its own.

    Attributes
    ----------
    symbols
        How many are predicted: those of each document but its first.
    documents
        How many documents there are.
    """

    def __init__(
        self,
        text: Readable,
        borders: NDArray[np.integer] | None = None,
        *,
        shuffle: bool = True,
    ) -> None:
        if borders is None:
            borders = np.array([[0, len(text)]])
        begins, ends = np.asarray(borders, dtype=np.int64).reshape(-1, 2).T
        if not ((begins >= 0) & (begins <= ends) & (ends <= len(text))).all():
            raise ArgumentError(
                f"Streams: borders must be pairs in order within the text's {len(text)}"
            )
        # A document of one symbol has nothing to predict.
        more = ends - begins > 1
        self._text = text
        self._begins, self._ends = begins[more], ends[more]
        self._shuffle = shuffle
        self.documents = len(self._begins)
        self.symbols = int((self._ends - self._begins - 1).sum())

    @classmethod
    def of(cls, text: str, vocabulary: Vocabulary) -> Streams:
        """The whole text as one document, newlines included."""
        if len(text) < 2:
            raise ArgumentError(f"text: needs at least 2 characters, got {len(text)}")
        symbols = np.empty(len(text), np.min_scalar_type(len(vocabulary) - 1))
        for start in range(0, len(text), _PIECE):
            stop = start + _PIECE
            try:
                symbols[start:stop] = vocabulary.encode(text[start:stop])
            except VocabularyError:
                vocabulary.encode(text[:stop])  # names the place in all of the text
                raise
        return cls(symbols)

    def held_out(self, fraction: float) -> int:
        """How many symbols `split` holds out; 0: there are too few."""
        return held_out(self._size(), fraction, least=2)

    def split(self, fraction: float, _seed: int = 0) -> tuple[Streams, Streams | None]:
        """The beginning, and the fraction at the end; none of it is random."""
        if not fraction:
            return self, None
        size = self._size()
        tail = self.held_out(fraction)
        if not tail:
            raise ArgumentError(
                "learn: validation_fraction must hold out 2 characters and leave 2, "
                f"got {fraction:g} of {size} characters"
            )
        return self._part(0, size - tail), self._part(size - tail, size)

    def parts(self, *fractions: float) -> tuple[Streams, ...]:
        """Contiguous parts one behind the other, as of 0.8, 0.1, 0.1.

        The last one begins behind the others and ends with the text. A border may fall
        into a document; each side is then one of its own.
        """
        _check_fractions("parts", fractions)
        size = self._size()
        cuts = [int(size * sum(fractions[:k])) for k in range(len(fractions))]
        parts = (self._part(a, b) for a, b in zip(cuts, [*cuts[1:], size], strict=True))
        return tuple(_not_empty("parts", part, fractions) for part in parts)

    def parts_by_batch(
        self, batch_size: int, seq_length: int, *fractions: float
    ) -> tuple[Streams, ...]:
        """Parts as char-rnn makes them: of each of the streams, so many batches.

        The text is cut down to whole batches and laid out as `batch_size` streams; the
        first part takes floor(fraction * batches) of them from the head of each stream,
        and so on; the last part takes the rest. With the same `batch_size` and
        `seq_length`, an epoch of the first part has the batches of char-rnn.
        """
        _check_fractions("parts_by_batch", fractions)
        batch_size = integer("parts_by_batch", "batch_size", batch_size)
        seq_length = integer("parts_by_batch", "seq_length", seq_length)
        if self.documents != 1:
            raise ArgumentError(
                f"parts_by_batch: the text must be 1 document, got {self.documents}"
            )
        batches = self._size() // (batch_size * seq_length)
        ends = np.cumsum([int(batches * f) for f in fractions[:-1]] + [0])
        ends[-1] = batches
        begin = self._begins[0] + np.arange(batch_size) * batches * seq_length
        parts = []
        for first, last in zip([0, *ends[:-1]], ends, strict=True):
            # One more symbol than is read: the last one's successor.
            stop = np.minimum(begin + last * seq_length + 1, self._ends[0])
            rows = np.stack([begin + first * seq_length, stop], axis=1)
            if first == last:
                rows[:, 1] = rows[:, 0]
            part = Streams(self._text, rows, shuffle=False)
            parts.append(_not_empty("parts_by_batch", part, fractions))
        return tuple(parts)

    def batches(self, batch_size: int, seq_length: int) -> int:
        """How many batches an epoch has."""
        _, length = self._streams(batch_size, seq_length)
        return -(-length // seq_length)

    def epoch(
        self,
        number: int,
        batch_size: int,
        seq_length: int,
        seed: int,
        *,
        start: int = 0,
        back: int | None = None,
    ) -> Iterator[Batch]:
        """All documents once, in the epoch's own order, as parallel streams.

        Parameters
        ----------
        number, seed
            Which order.
        batch_size
            Most parallel streams. A short text makes fewer.
        seq_length
            k1, steps from one update to the next.
        start
            The first batch to make.
        back
            k2 >= k1, steps that gradients flow back from an update; None: k1.

            A batch then begins up to k2 - k1 steps before those that its mask counts,
            with the state that the net had there: the batch before says as `carry`
            after which of its steps that was.

        Notes
        -----
        Truncated back-propagation through time, BPTT(k2; k1) of Williams and Peng
        (1990), "An efficient gradient-based algorithm for on-line training of recurrent
        network trajectories".
        """
        order = None
        if self._shuffle and self.documents > 1:
            order = permutation(self.documents, seed=seed, step=2 * number + 1)
        back = seq_length if back is None else back
        if back < seq_length:
            raise ArgumentError(
                f"epoch: back must be at least seq_length {seq_length}, got {back}"
            )
        return self._batches(order, batch_size, seq_length, back, start)

    def in_order(self, batch_size: int, seq_length: int) -> Iterator[Batch]:
        """All documents once, in their order, as up to `batch_size` parallel streams.

        Row b goes on where row b of the batch before ended. A short text makes fewer
        streams; the last stream may end early.
        """
        return self._batches(None, batch_size, seq_length, seq_length, 0)

    def _batches(
        self, order: Symbols | None, streams: int, k1: int, k2: int, start: int
    ) -> Iterator[Batch]:
        begins, ends = self._begins, self._ends
        if order is not None:
            begins, ends = begins[order], ends[order]
        after = np.cumsum(ends - begins - 1)
        # What is to be added to a place in the epoch to get that in the text.
        shift = begins - (after - (ends - begins - 1))
        streams, length = self._streams(streams, k1)
        row = np.arange(streams)[:, None] * length
        for counted in range(start * k1, length, k1):
            stop = min(counted + k1, length)
            begin = max(0, counted + k1 - k2)
            following = max(0, counted + 2 * k1 - k2)
            place = row + np.arange(begin, stop)
            counts = place < self.symbols
            place = np.minimum(place, self.symbols - 1)
            document = np.searchsorted(after, place, side="right")
            position = place + shift[document]
            new = (position == begins[document]) & counts
            mask = counts.copy()
            mask[:, : counted - begin] = False
            if begin == 0:
                new[:, 0] = False
            size = int(mask.sum())
            yield Batch(
                x=self._text[position].astype(np.int64),
                targets=self._text[position + 1].astype(np.int64),
                mask=unless_all(mask),
                first=begin == 0,
                symbols=size,
                chars=size,
                reset=new if new.any() else None,
                carry=following - begin if k2 > k1 and stop < length else None,
            )

    def _streams(self, batch_size: int, seq_length: int) -> tuple[int, int]:
        """How many streams, and how long."""
        streams = min(batch_size, max(1, self.symbols // seq_length))
        return streams, -(-self.symbols // streams)

    def _size(self) -> int:
        return int((self._ends - self._begins).sum())

    def _part(self, start: int, stop: int) -> Streams:
        """What lies between two places, documents counted one behind the other."""
        lengths = self._ends - self._begins
        before = np.cumsum(lengths) - lengths
        begins = self._begins + np.clip(start - before, 0, lengths)
        ends = self._begins + np.clip(stop - before, 0, lengths)
        borders = np.stack([begins, ends], axis=1)
        return Streams(self._text, borders, shuffle=self._shuffle)


def _check_fractions(call: str, fractions: Sequence[float]) -> None:
    if not fractions or min(fractions) <= 0 or abs(sum(fractions) - 1) > 1e-9:
        given = ", ".join(f"{fraction:g}" for fraction in fractions) or "none"
        raise ArgumentError(
            f"{call}: fractions must be above 0 and add up to 1, got {given}"
        )


def _not_empty(call: str, part: Streams, fractions: Sequence[float]) -> Streams:
    if not part.symbols:
        given = ", ".join(f"{fraction:g}" for fraction in fractions)
        raise ArgumentError(f"{call}: the text is too short for parts of {given}")
    return part
