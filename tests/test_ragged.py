"""Rows of different lengths, steps left out, resets: each row the bits of its own."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import nets
import oracle
import recurrentnn as rnn
from cases import MODELS, ModelCase, spread
from recurrentnn import reference as ref
from support import assert_close, tolerance

Array = NDArray[Any]

EVERY_NET = pytest.mark.parametrize("case", MODELS, ids=lambda case: case.name)
LENGTHS = [2, 5, 0]


def batch_of(case: ModelCase) -> Array:
    """Return (batch, time) symbols or (batch, time, features)."""
    if case.takes_symbols:
        return nets.symbols(case)
    return np.stack([x.T for x in nets.features(case)], axis=1)


def initial(case: ModelCase) -> rnn.State:
    hidden, cell = nets.start(case)
    return rnn.State(tuple(h.T.copy() for h in hidden), tuple(c.T.copy() for c in cell))


def vectors(state: rnn.State) -> list[Array]:
    return [np.asarray(v) for v in (*state.hidden, *state.cell)]


def assert_same_state(one: rnn.State, other: rnn.State) -> None:
    for a, b in zip(vectors(one), vectors(other), strict=True):
        np.testing.assert_array_equal(a, b)


@EVERY_NET
def test_a_row_has_the_bits_that_it_has_alone(case: ModelCase, dtype: str) -> None:
    net, _ = nets.stirred(case, dtype)
    x, start = batch_of(case), initial(case)
    y, state = net(x, start, lengths=LENGTHS)
    rows, listed = net([x[b, :n] for b, n in enumerate(LENGTHS)], start)
    assert_same_state(state, listed)
    assert y.shape[:2] == x.shape[:2]
    for b, n in enumerate(LENGTHS):
        alone, after = net(x[b : b + 1, :n], start.select([b]))
        np.testing.assert_array_equal(y[b, :n], alone[0])
        np.testing.assert_array_equal(rows[b], alone[0])
        assert not y[b, n:].any()
        assert_same_state(state.select([b]), after)


def weighted(y: rnn.Matrix, weights: Array) -> rnn.Matrix:
    return (y * weights).sum()


@EVERY_NET
def test_a_recorded_row_has_the_gradients_that_it_has_alone(
    case: ModelCase, dtype: str
) -> None:
    """Bits for states; the parameters' gradients are sums over the rows."""
    net, _ = nets.stirred(case, dtype)
    x, (hidden, cell) = batch_of(case), nets.start(case)
    time = x.shape[1]
    weights = spread(nets.output_size(case), x.shape[0] * time, 0.5, 1.5)
    if case.options.get("all_to_output") and case.output_size is None:
        weights = spread(sum(case.hidden_sizes), x.shape[0] * time, 0.5, 1.5)

    def run(rows: slice, **options: Any) -> tuple[list[Array], list[Array], Array]:
        net.zero_grad()
        leaves = [rnn.Matrix(v[:, rows], dtype=dtype) for v in (*hidden, *cell)]
        start = rnn.State(tuple(leaves[: len(hidden)]), tuple(leaves[len(hidden) :]))
        b, columns = rows.start or 0, slice(None)
        part, given = x[rows], weights
        if "alone" in options:
            n = options.pop("alone")
            part, columns = part[:, :n], slice(b * time, b * time + n)
        with rnn.Graph() as g:
            y, state = net(part, start, **options)
            loss = weighted(y, given[:, columns])
            for v in (*state.hidden, *state.cell):
                loss = loss + (v * 0.5).sum()
        g.backward(loss)
        parameters = [np.array(m.grad) for m in net.parameters().values()]
        return [np.array(m.grad) for m in leaves], parameters, np.array(y.value)

    states, parameters, y = run(slice(None), lengths=LENGTHS)
    sums = [np.zeros_like(p) for p in parameters]
    for b, n in enumerate(LENGTHS):
        one, part, alone = run(slice(b, b + 1), alone=n)
        np.testing.assert_array_equal(y[:, b * time : b * time + n], alone)
        for all_rows, row in zip(states, one, strict=True):
            np.testing.assert_array_equal(all_rows[:, b : b + 1], row)
        for total, gradient in zip(sums, part, strict=True):
            total += gradient
    for found, expected in zip(parameters, sums, strict=True):
        assert_close(found, expected, tolerance(dtype, "gradient"), "parameter")


@pytest.mark.parametrize("seed", range(12))
def test_any_lengths_in_any_order_on_any_number_of_threads(seed: int) -> None:
    order = rnn.permutation(7, seed=seed)
    lengths = [int(n) * int(n) for n in order]
    cell = (rnn.RNN, rnn.LSTM, rnn.GRU)[seed % 3]
    net: Any = cell(
        5, [9, 17], 4, seed=seed, bidirectional=seed % 2 == 0, dtype="float32"
    )
    x = spread(7 * 40, 5).reshape(7, 40, 5)
    threads = rnn.get_num_threads()
    try:
        found = []
        for count in (1, 2, 3):
            rnn.set_num_threads(count)
            found.append(net([x[b, :n] for b, n in enumerate(lengths)]))
    finally:
        rnn.set_num_threads(threads)
    for rows, state in found:
        for b, n in enumerate(lengths):
            alone, after = net(x[b : b + 1, :n])
            np.testing.assert_array_equal(rows[b], alone[0])
            assert_same_state(state.select([b]), after)


MASK = np.array([[1, 0, 1, 1, 0], [0, 0, 0, 0, 0], [1, 1, 1, 0, 0]], dtype=bool)
RESET = np.array([[0, 0, 1, 0, 0], [1, 0, 0, 0, 1], [0, 0, 0, 0, 0]], dtype=bool)


@EVERY_NET
def test_masks_and_resets_equal_the_reference(case: ModelCase) -> None:
    ours, theirs = nets.stirred(case)
    x = batch_of(case)
    hidden, cell = nets.start(case)
    start = ref.State(*(tuple(map(oracle.to_reference, v)) for v in (hidden, cell)))
    for options in (
        {"lengths": LENGTHS},
        {"mask": MASK.tolist()},
        {"reset": RESET.tolist()},
        {"mask": MASK.tolist(), "reset": RESET.tolist()},
        {"lengths": LENGTHS, "reset": RESET.tolist()},
    ):
        y, state = ours(x, initial(case), **options)
        expected, end = theirs(x.tolist(), start, **options)
        assert_close(y, expected, 1e-12, "output")
        ends = [oracle.value(m).T for m in (*end.hidden, *end.cell)]
        for found, other in zip(vectors(state), ends, strict=True):
            assert_close(found, other, 1e-12, "state")


@EVERY_NET
def test_gradients_through_masks_and_resets_equal_the_reference(
    case: ModelCase,
) -> None:
    ours, theirs = nets.stirred(case)
    x = batch_of(case)
    options: dict[str, Any] = {"mask": MASK.tolist(), "reset": RESET.tolist()}
    with rnn.Graph() as g:
        y, state = ours(x, initial(case), **options)
        loss = y.square().sum() + sum(h.sum() for h in state.hidden)
    g.backward(loss)
    hidden, cell = nets.start(case)
    start = ref.State(*(tuple(map(oracle.to_reference, v)) for v in (hidden, cell)))
    with ref.Graph() as h:
        y, end = theirs(x.tolist(), start, **options)
        their_loss = y.square().sum()
        for vector in end.hidden:
            their_loss = their_loss + vector.sum()
    h.backward(their_loss)
    assert_close(loss.value, oracle.value(their_loss), 1e-12, "loss")
    for name, matrix in ours.parameters().items():
        assert_close(matrix.grad, oracle.gradient(theirs[name]), 1e-10, name)


X = spread(3 * 6, 4).reshape(3, 6, 4)


@pytest.fixture
def net() -> Any:
    return rnn.LSTM(4, [5, 3], 2, seed=4, dtype="float64")


def test_a_reset_splits_a_sequence_bit_for_bit(net: Any) -> None:
    reset = np.zeros((3, 6), dtype=bool)
    reset[:, 4] = True
    start = net(X)[1]
    y, state = net(X, start, reset=reset)
    first, _ = net(X[:, :4], start)
    second, after = net(X[:, 4:])
    np.testing.assert_array_equal(y, np.concatenate([first, second], axis=1))
    assert_same_state(state, after)


def test_pieces_with_lengths_are_the_whole_bit_for_bit(net: Any) -> None:
    lengths = np.array([6, 3, 1])
    y, end = net(X, lengths=lengths)
    state, parts = None, []
    for start, stop in ((0, 2), (2, 3), (3, 6)):
        part = np.clip(lengths - start, 0, stop - start)
        found, state = net(X[:, start:stop], state, lengths=part)
        parts.append(found)
    np.testing.assert_array_equal(np.concatenate(parts, axis=1), y)
    assert state is not None
    assert_same_state(state, end)


def test_a_mask_that_is_a_prefix_is_lengths(net: Any) -> None:
    lengths = [4, 0, 6]
    mask = np.arange(6) < np.array(lengths)[:, None]
    y, state = net(X, lengths=lengths)
    masked, after = net(X, mask=mask)
    np.testing.assert_array_equal(y, masked)
    assert_same_state(state, after)


def test_time_major_and_single_sequences_have_masks_of_their_layout(net: Any) -> None:
    y, _ = net(X, mask=MASK[:, [0, 1, 2, 3, 4, 0]], reset=RESET[:, [0, 1, 2, 3, 4, 1]])
    mask, reset = MASK[:, [0, 1, 2, 3, 4, 0]].T, RESET[:, [0, 1, 2, 3, 4, 1]].T
    other, _ = net(X.swapaxes(0, 1), mask=mask, reset=reset, time_major=True)
    np.testing.assert_array_equal(other.swapaxes(0, 1), y)
    one, _ = net(X[0], mask=mask[:, 0], reset=reset[:, 0])
    np.testing.assert_array_equal(one, y[0])
    swapped, _ = net(X.swapaxes(0, 1), lengths=[1, 6, 0], time_major=True)
    np.testing.assert_array_equal(swapped.swapaxes(0, 1), net(X, lengths=[1, 6, 0])[0])


def test_what_lies_beyond_may_be_anything() -> None:
    net: Any = rnn.GRU(5, [4], 5, embedding_size=3)
    symbols = np.array([[0, 4, -1], [1, -7, 99]])
    y, _ = net(symbols, lengths=[2, 1])
    np.testing.assert_array_equal(y[0, :2], net(symbols[:1, :2])[0][0])
    with pytest.raises(rnn.OutOfRangeError, match="x must not be negative"):
        net(symbols, lengths=[3, 1])
    other: Any = rnn.LSTM(4, [5, 3], 2, seed=4)
    x = X.copy()
    x[1, 2:] = np.nan
    assert np.isfinite(other(x, lengths=[6, 2, 6])[0]).all()


def test_a_net_upon_a_net_takes_the_same_lengths() -> None:
    """Columns that a graph computed, and the gradient that goes through them."""
    nets_ = [rnn.GRU(4, [5], 3, seed=1, dtype="float64") for _ in range(2)]
    uppers = [rnn.LSTM(3, [4], 2, seed=2, dtype="float64") for _ in range(2)]
    lengths = [2, 6, 3]
    with rnn.Graph() as g:
        middle, _ = nets_[0](X, lengths=lengths)
        y, _ = uppers[0](middle, lengths=lengths)
        loss = y.square().sum()
    g.backward(loss)
    with rnn.Graph() as g:
        losses = []
        for b, n in enumerate(lengths):
            middle, _ = nets_[1](X[b : b + 1, :n])
            losses.append(uppers[1](middle)[0].square().sum())
        expected = losses[0] + losses[1] + losses[2]
    g.backward(expected)
    assert_close(loss.value, expected.value, 1e-12, "loss")
    for one, other in ((nets_[0], nets_[1]), (uppers[0], uppers[1])):
        for name, matrix in one.parameters().items():
            assert_close(matrix.grad, other[name].grad, 1e-10, name)


def test_a_list_takes_resets_as_a_list(net: Any) -> None:
    rows = [X[0, :3], X[1], X[2, :0]]
    resets = [np.array([False, True, False]), RESET[1, [0, 1, 2, 3, 4, 0]], []]
    resets[2] = np.zeros(0, dtype=bool)
    found, _ = net(rows, reset=resets)
    np.testing.assert_array_equal(found[0], net(X[:1, :3], reset=[resets[0]])[0][0])
    assert [row.shape for row in found] == [(3, 2), (6, 2), (0, 2)]
    with rnn.Graph():
        y, _ = net(rows)
        assert y.sequence.shape == (3, 6, 2)


SYMBOLS = np.zeros((3, 6), dtype=int)
ROWS = [X[0, :2], X[1]]
WRONG: dict[str, tuple[Any, dict[str, Any], type[Exception], str]] = {
    "longer than x": (X, {"lengths": [7, 1, 1]}, rnn.OutOfRangeError, "at most 6"),
    "negative": (X, {"lengths": [-1, 1, 1]}, rnn.OutOfRangeError, "negative"),
    "too few": (X, {"lengths": [1, 1]}, rnn.ShapeError, "lengths must be"),
    "no integers": (X, {"lengths": [1.0, 1.0, 2.0]}, rnn.DTypeError, "integers"),
    "both": (X, {"lengths": [1, 1, 1], "mask": MASK}, rnn.ArgumentError, "both"),
    "mask of numbers": (X, {"mask": np.ones((3, 6))}, rnn.DTypeError, "booleans"),
    "mask of another shape": (X, {"mask": MASK}, rnn.ShapeError, "mask must be"),
    "reset of another shape": (X, {"reset": RESET[0]}, rnn.ShapeError, "reset must be"),
    "reset of numbers": (X, {"reset": SYMBOLS}, rnn.DTypeError, "booleans"),
    "lengths of a list": (ROWS, {"lengths": [1, 1]}, rnn.ArgumentError, "list"),
    "mask of a list": (ROWS, {"mask": MASK}, rnn.ArgumentError, "list"),
    "time-major list": (ROWS, {"time_major": True}, rnn.ArgumentError, "list"),
    "resets of a list": (ROWS, {"reset": [RESET[0]]}, rnn.ShapeError, "2 arrays"),
    "features": ([X[0, :, :2], X[1]], {}, rnn.ShapeError, "4 features"),
    "symbols among features": ([X[0], SYMBOLS[0]], {}, rnn.ShapeError, "dimensions"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_does_not_fit_is_refused(net: Any, name: str) -> None:
    x, options, kind, message = WRONG[name]
    with pytest.raises(kind, match=message):
        net(x, **options)
    with rnn.Graph() as g:
        with pytest.raises(kind, match=message):
            net(x, **options)
        assert len(g) == 0


def test_no_rows_and_no_steps(net: Any) -> None:
    start = net(X)[1]
    y, state = net(X, start, lengths=[0, 0, 0])
    assert not y.any()
    assert_same_state(state, start)
    y, _ = net(np.zeros((0, 6, 4)), lengths=np.zeros(0, dtype=int))
    assert y.shape == (0, 6, 2)
    y, _ = net(np.zeros((3, 0, 4)), start, lengths=[0, 0, 0])
    assert y.shape == (3, 0, 2)
