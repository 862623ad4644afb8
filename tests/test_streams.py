"""Parallel streams of documents: their order, borders, windows and places."""

from typing import Any

import numpy as np
import pytest

import recurrentnn as rnn
from recurrentnn import data
from recurrentnn import reference as ref
from support import assert_close, require_data

LENGTHS = [1, 7, 2, 0, 30, 3, 12]


def _streams(lengths: list[int], **options: Any) -> tuple[data.Streams, list[Any]]:
    """Return documents of distinct symbols, and the same as lists."""
    ends = np.cumsum(lengths)
    borders = np.stack([ends - lengths, ends], axis=1)
    text = np.arange(100, 100 + ends[-1], dtype=np.uint8)
    documents = [text[a:b].tolist() for a, b in borders]
    return data.Streams(text, borders, **options), documents


def _as_lists(batch: data.Batch) -> ref.Batch:
    every, none = np.ones(batch.x.shape, bool), np.zeros(batch.x.shape, bool)
    return ref.Batch(
        batch.x.tolist(),
        batch.targets.tolist(),
        (every if batch.mask is None else batch.mask).tolist(),
        (none if batch.reset is None else batch.reset).tolist(),
        batch.first,
        batch.carry,
    )


@pytest.mark.parametrize("lengths", [LENGTHS, [30], [2, 2, 2]], ids=str)
@pytest.mark.parametrize("batch_size", [1, 3, 8])
@pytest.mark.parametrize(("k1", "k2"), [(1, 1), (4, 4), (4, 6), (3, 9), (100, 100)])
def test_batches_are_those_of_the_reference(
    lengths: list[int], batch_size: int, k1: int, k2: int
) -> None:
    streams, documents = _streams(lengths)
    for epoch in range(3):
        batches = list(streams.epoch(epoch, batch_size, k1, seed=5, back=k2))
        assert list(map(_as_lists, batches)) == ref.streams(
            documents, batch_size, k1, back=k2, seed=5, epoch=epoch
        )
        assert sum(batch.symbols for batch in batches) == streams.symbols
        assert len(batches) == streams.batches(batch_size, k1)
    in_order = list(map(_as_lists, streams.in_order(batch_size, k1)))
    assert in_order == ref.streams(documents, batch_size, k1)


def test_every_epoch_has_an_order_of_its_own_unless_told() -> None:
    def order(streams: data.Streams, epoch: int) -> list[Any]:
        return [b.x.tolist() for b in streams.epoch(epoch, 2, 4, seed=1)]

    shuffled, fixed = _streams(LENGTHS)[0], _streams(LENGTHS, shuffle=False)[0]
    assert order(shuffled, 0) == order(shuffled, 0)
    assert order(shuffled, 0) != order(shuffled, 1)
    assert order(fixed, 0) == order(fixed, 1)


class _Watched:
    """A text that notes what is read of it."""

    def __init__(self, text: Any) -> None:
        self.text, self.read = text, set[int]()

    def __len__(self) -> int:
        return len(self.text)

    def __getitem__(self, positions: Any) -> Any:
        self.read |= set(positions.ravel().tolist())
        return self.text[positions]


@pytest.mark.parametrize("back", [None, 6])
def test_a_place_is_found_again_without_reading_what_is_before(
    back: int | None,
) -> None:
    text = _Watched(np.arange(40))
    streams = data.Streams(text)
    whole = [_as_lists(b) for b in streams.epoch(2, 1, 4, 7, back=back)]
    for read in range(len(whole) + 1):
        text.read.clear()
        rest = [_as_lists(b) for b in streams.epoch(2, 1, 4, 7, start=read, back=back)]
        assert rest == whole[read:]
        assert min(text.read, default=99) >= 4 * read - (back or 4) + 4 - 4 * (not read)
    many = _streams(LENGTHS)[0]
    whole = [_as_lists(b) for b in many.epoch(3, 2, 4, 7)]
    for read in range(len(whole)):
        rest = [_as_lists(b) for b in many.epoch(3, 2, 4, 7, start=read)]
        assert rest == whole[read:]


def test_lines_find_a_place_again_too() -> None:
    lines = data.Lines([np.arange(1, 2 + n % 11) for n in range(50)])
    whole = [_as_lists(b) for b in lines.epoch(1, 4, 3, seed=9)]
    for read in range(len(whole) + 1):
        rest = [_as_lists(b) for b in lines.epoch(1, 4, 3, seed=9, start=read)]
        assert rest == whole[read:]


def test_gradients_flow_back_k2_steps_through_windows() -> None:
    """The last window's gradient is that of the whole, cut k2 steps before its end."""
    k1, k2, n = 2, 5, 9
    text = np.array([1, 0, 2, 2, 1, 0, 1, 2, 0, 1])
    net = rnn.GRU(3, [4], 3, seed=1, dtype="float64")
    *_, last = before = list(data.Streams(text).epoch(0, 1, k1, 0, back=k2))
    state = None
    for batch in before[:-1]:
        assert batch.carry is not None
        if batch.carry:
            _, state = net(batch.x[:, : batch.carry], None if batch.first else state)
    with rnn.Graph() as graph:
        logits, _ = net(last.x, state)
        loss = graph.softmax_cross_entropy(logits, last.targets, last.mask)
    graph.backward(loss)
    found = {name: p.grad.copy() for name, p in net.parameters().items()}

    net.zero_grad()
    # The last update, after steps 8 and 9, counts step 9 alone and reaches to step 10.
    begin = 10 - k2
    _, state = net(text[None, :begin])
    with rnn.Graph() as graph:
        logits, _ = net(text[None, begin:n], state)
        mask = np.arange(begin, n)[None] >= n - 1
        loss = graph.softmax_cross_entropy(logits, text[None, begin + 1 :], mask)
    graph.backward(loss)
    for name, parameter in net.parameters().items():
        assert_close(found[name], parameter.grad, 1e-12, name)


def test_parts_are_contiguous_and_share_nothing() -> None:
    streams, documents = _streams([10, 20, 30])
    parts = streams.parts(0.5, 0.25, 0.25)
    text = [symbol for document in documents for symbol in document]
    pieces = [text[:30], text[30:45], text[45:]]
    for part, piece in zip(parts, pieces, strict=True):
        read = {s for b in part.in_order(1, 7) for s in (*b.x[0], *b.targets[0])}
        assert read == set(piece)
    with pytest.raises(rnn.ArgumentError, match=r"add up to 1, got 0\.5, 0\.4"):
        streams.parts(0.5, 0.4)
    with pytest.raises(rnn.ArgumentError, match="too short"):
        data.Streams(np.arange(10)).parts(0.95, 0.05)


def test_parts_by_batch_are_those_of_char_rnn() -> None:
    """Rows of a matrix of streams, its last columns held out."""
    b, s, n = 3, 4, 3 * 4 * 10 + 5
    train, held_out = data.Streams(np.arange(n)).parts_by_batch(b, s, 0.75, 0.25)
    x = np.arange(120).reshape(b, 40)
    for part, first, last in ((train, 0, 7), (held_out, 7, 10)):
        batches = list(part.epoch(1, b, s, seed=3))
        assert len(batches) == last - first
        for k, batch in enumerate(batches, start=first):
            np.testing.assert_array_equal(batch.x, x[:, k * s : (k + 1) * s])
            np.testing.assert_array_equal(batch.targets, batch.x + 1)
            assert batch.reset is batch.mask is None
    with pytest.raises(rnn.ArgumentError, match="too short"):
        data.Streams(np.arange(9)).parts_by_batch(b, s, 0.9, 0.1)
    with pytest.raises(rnn.ArgumentError, match="1 document, got 3"):
        _streams([5, 6, 7])[0].parts_by_batch(1, 2, 0.5, 0.5)


def test_tiny_shakespeare_falls_into_char_rnns_batches() -> None:
    text = require_data("tinyshakespeare.txt").read_bytes()
    streams = data.Streams(np.frombuffer(text, np.uint8))
    train, held_out = streams.parts_by_batch(50, 50, 0.95, 0.05)
    assert (train.batches(50, 50), held_out.batches(50, 50)) == (423, 23)


def test_mistakes_are_named() -> None:
    streams = data.Streams(np.arange(9))
    with pytest.raises(rnn.ArgumentError, match="back must be at least seq_length 4"):
        streams.epoch(0, 1, 4, 0, back=3)
    for borders in ([[0, 10]], [[-1, 3]], [[4, 3]]):
        with pytest.raises(rnn.ArgumentError, match="borders must be"):
            data.Streams(np.arange(9), np.array(borders))
