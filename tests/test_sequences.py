"""Whole sequences through a net: the same numbers as tick by tick."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import nets
import recurrentnn as rnn
from cases import MODELS, ModelCase, spread
from support import assert_close, tolerance

Array = NDArray[Any]

EVERY_NET = pytest.mark.parametrize("case", MODELS, ids=lambda case: case.name)


def sequences(case: ModelCase) -> Array:
    """The input of a case as (batch, time) symbols or (batch, time, features)."""
    if case.takes_symbols:
        return nets.symbols(case)
    return np.stack([x.T for x in nets.features(case)], axis=1)


def initial(case: ModelCase) -> rnn.State:
    hidden, cell = nets.start(case)
    return rnn.State(tuple(h.T.copy() for h in hidden), tuple(c.T.copy() for c in cell))


def by_ticks(net: Any, x: Array, state: rnn.State) -> tuple[Array, rnn.Step]:
    """Return the output (batch, time, features) and the last step."""
    kind = net.dtype
    hidden = tuple(rnn.Matrix(h.T, dtype=kind) for h in state.hidden)
    cell = tuple(rnn.Matrix(c.T, dtype=kind) for c in state.cell)
    prev = rnn.Step(hidden, cell, hidden[-1])
    g = rnn.Graph(recording=False)
    outputs = []
    for t in range(x.shape[1]):
        tick = x[:, t] if x.ndim == 2 else x[:, t].T
        prev = net.forward(g, tick, prev)
        outputs.append(prev.output.value.T)
    return np.stack(outputs, axis=1), prev


@EVERY_NET
def test_a_sequence_equals_its_ticks(case: ModelCase, dtype: str) -> None:
    net, _ = nets.stirred(case, dtype)
    x = sequences(case)
    y, state = net(x, initial(case))
    expected, last = by_ticks(net, x, initial(case))
    bound = tolerance(dtype)
    assert_close(y, expected, bound, "output")
    assert y.dtype == np.dtype(dtype)
    assert y.flags.c_contiguous
    for kind in ("hidden", "cell"):
        pairs = zip(getattr(state, kind), getattr(last, kind), strict=True)
        for layer, (array, matrix) in enumerate(pairs):
            assert isinstance(array, np.ndarray)
            assert_close(array, matrix.value.T, bound, f"{kind} {layer}")


def weighted_loss(y: rnn.Matrix) -> rnn.Matrix:
    return (y.square() * spread(*y.shape, 0.5, 1.5)).sum()


@EVERY_NET
def test_a_recorded_sequence_has_the_gradients_of_its_ticks(case: ModelCase) -> None:
    whole, _ = nets.stirred(case)
    parts, _ = nets.stirred(case)
    x = sequences(case)
    with rnn.Graph() as g:
        y, _ = whole(x)
        loss = weighted_loss(y)
    g.backward(loss)
    time = x.shape[1]
    with rnn.Graph() as g:
        prev, outputs = None, []
        for t in range(time):
            prev = parts.forward(g, x[:, t] if x.ndim == 2 else x[:, t].T, prev)
            outputs.append(prev.output)
        columns = g.concat_columns(*outputs)
        order = [t * nets.BATCH + b for b in range(nets.BATCH) for t in range(time)]
        expected = weighted_loss(columns.select_columns(order))
    g.backward(expected)
    assert_close(loss.value, expected.value, 1e-12, "loss")
    for name, matrix in whole.parameters().items():
        assert_close(matrix.grad, parts[name].grad, 1e-10, name)


@pytest.fixture
def net() -> Any:
    return rnn.LSTM(3, [4, 2], 5, seed=2, dtype="float64")


X = spread(2 * 6, 3).reshape(2, 6, 3)


def test_one_sequence_without_a_batch_equals_a_batch_of_one(net: Any) -> None:
    y, state = net(X[0])
    batched, batched_state = net(X[:1])
    assert y.shape == (6, 5)
    np.testing.assert_array_equal(y, batched[0])
    for one, other in zip(state.hidden, batched_state.hidden, strict=True):
        np.testing.assert_array_equal(one, other)


def test_time_major_is_the_same_with_the_axes_exchanged(net: Any) -> None:
    y, state = net(X)
    swapped, swapped_state = net(X.swapaxes(0, 1), time_major=True)
    np.testing.assert_array_equal(swapped, y.swapaxes(0, 1))
    for one, other in zip(state.cell, swapped_state.cell, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    "layout",
    [
        lambda x: np.asfortranarray(x),
        lambda x: np.repeat(x, 2, axis=1)[:, ::2],
        lambda x: x[::-1, ::-1, ::-1].copy()[::-1, ::-1, ::-1],
        lambda x: x.astype(">f8"),
        lambda x: x.tolist(),
    ],
    ids=["Fortran", "strided", "negative strides", "big endian", "nested lists"],
)
def test_sequences_of_any_layout_are_read_right(net: Any, layout: Any) -> None:
    np.testing.assert_array_equal(net(layout(X))[0], net(X)[0])


@pytest.mark.parametrize("kind", ["<i8", ">i4", "u1", "i2", "list"])
def test_symbols_of_any_integer_type_are_read_right(kind: str) -> None:
    net: Any = rnn.GRU(5, [4], 5, embedding_size=3)
    symbols = np.array([[0, 4, 2], [1, 1, 3]])
    expected, _ = net(symbols)
    given = symbols.tolist() if kind == "list" else symbols.astype(kind)
    np.testing.assert_array_equal(net(given)[0], expected)


def test_a_sequence_in_chunks_with_its_state_is_the_sequence_bit_for_bit(
    net: Any,
) -> None:
    y, end = net(X)
    state, pieces = None, []
    for start, stop in ((0, 1), (1, 4), (4, 6)):
        piece, state = net(X[:, start:stop], state)
        pieces.append(piece)
    np.testing.assert_array_equal(np.concatenate(pieces, axis=1), y)
    assert state is not None
    for one, other in zip(
        (*state.hidden, *state.cell), (*end.hidden, *end.cell), strict=True
    ):
        np.testing.assert_array_equal(one, other)


def test_a_call_does_not_change_the_state_it_was_given(net: Any) -> None:
    _, state = net(X)
    before = [a.copy() for a in (*state.hidden, *state.cell)]
    net(X, state)
    for array, kept in zip((*state.hidden, *state.cell), before, strict=True):
        np.testing.assert_array_equal(array, kept)


def test_calls_in_one_graph_are_differentiated_across(net: Any) -> None:
    twin: Any = rnn.LSTM(3, [4, 2], 5, seed=2, dtype="float64")
    with rnn.Graph() as g:
        _, state = net(X[:, :3])
        y, _ = net(X[:, 3:], state)
        loss = y.square().sum()
    g.backward(loss)
    with rnn.Graph() as g:
        whole, _ = twin(X)
        late = [b * 6 + t for b in range(2) for t in range(3, 6)]
        expected = whole.select_columns(late).square().sum()
    g.backward(expected)
    for name, matrix in net.parameters().items():
        assert_close(matrix.grad, twin[name].grad, 1e-10, name)


def test_a_state_of_a_finished_graph_enters_by_value(net: Any) -> None:
    with rnn.Graph() as g:
        y, state = net(X)
        loss = y.sum()
    g.backward(loss)
    expected, _ = net(X, state.detach())
    with rnn.Graph() as g:
        y, _ = net(X, state)
        loss = y.sum()
    g.backward(loss)
    np.testing.assert_array_equal(y.sequence, expected)
    assert isinstance(state.hidden[0], rnn.Matrix)
    assert state.hidden[0].shape == (4, 2)


def test_a_state_of_a_graph_still_open_is_an_error(net: Any) -> None:
    with rnn.Graph():
        _, state = net(X)
        with rnn.Graph(), pytest.raises(rnn.GraphError, match="graph"):
            net(X, state)


def test_detach_gives_arrays_of_its_own(net: Any) -> None:
    with rnn.Graph():
        _, state = net(X)
    free = state.detach()
    for array, matrix in zip(free.hidden, state.hidden, strict=True):
        np.testing.assert_array_equal(array, matrix.value.T)
        assert not np.shares_memory(array, matrix.value)


def test_targets_and_mask_may_be_batch_by_time(net: Any) -> None:
    targets = np.array([[0, 1, 2, 3, 4, 0], [4, 4, 1, 0, 2, 3]])
    mask = np.array([[1, 1, 1, 0, 0, 0], [1, 1, 1, 1, 1, 0]], dtype=bool)
    with rnn.Graph(recording=False) as g:
        y, _ = net(X)
        nested = g.softmax_cross_entropy(y, targets, mask)
        flat = g.softmax_cross_entropy(y, targets.ravel(), mask.ravel())
        whole = g.softmax_cross_entropy(y, targets.tolist())
    assert nested.item() == flat.item() != whole.item()


def test_what_lies_behind_the_mask_has_no_gradient() -> None:
    nets_: list[Any] = [rnn.GRU(3, [4], 5, seed=1, dtype="float64") for _ in range(2)]
    x = X.copy()
    mask = np.array([[1, 1, 1, 0, 0, 0], [1, 1, 1, 1, 1, 0]])
    gradients = []
    for net, late in zip(nets_, (0.0, 100.0), strict=True):
        x[mask == 0] = late
        with rnn.Graph() as g:
            y, _ = net(x)
            loss = g.softmax_cross_entropy(y, np.zeros((2, 6), dtype=int), mask)
        g.backward(loss)
        gradients.append([m.grad.copy() for m in net.parameters().values()])
    for one, other in zip(*gradients, strict=True):
        np.testing.assert_allclose(one, other, rtol=0.0, atol=1e-15)


def test_symbols_without_an_embedding_are_one_hot_columns() -> None:
    net: Any = rnn.GFLSTM(5, [4, 3], 2, dtype="float64")
    symbols = np.array([[0, 4, 2], [1, 1, 3]])
    one_hot = np.eye(5)[symbols]
    assert_close(net(symbols)[0], net(one_hot)[0], 1e-15, "output")


def test_forward_takes_one_symbol_as_a_number() -> None:
    net: Any = rnn.RNN(5, [4], 5, embedding_size=3)
    g = rnn.Graph(recording=False)
    one, many = net.forward(g, 3), net.forward(g, [3])
    assert one.output.shape == (5, 1)
    np.testing.assert_array_equal(one.output.value, many.output.value)


@pytest.mark.parametrize("shape", [(0, 6, 3), (2, 0, 3)])
def test_an_empty_sequence_or_batch_has_an_empty_output(
    net: Any, shape: tuple[int, int, int]
) -> None:
    state = None if shape[0] == 0 else net(X)[1]
    y, after = net(np.zeros(shape), state)
    assert y.shape == (*shape[:2], 5)
    if state is not None:
        np.testing.assert_array_equal(after.hidden[0], state.hidden[0])
