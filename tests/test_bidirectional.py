"""Nets that go both ways in time: the reference, differences, what they refuse."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import oracle
import recurrentnn as rnn
from cases import CLASSES, FOR_SEQUENCES, spread
from recurrentnn import reference as ref
from support import assert_close, tolerance

Array = NDArray[Any]

CELLS = ("rnn", "lstm", "gru")
MERGES = FOR_SEQUENCES["merge"]
X = spread(3 * 5, 4).reshape(3, 5, 4)
LENGTHS = [2, 5, 0]
OPTIONS: list[dict[str, Any]] = [
    {"input_to_all": True, "all_to_output": True},
    *({"learned_state": learned} for learned in FOR_SEQUENCES["learned_state"]),
]


def pair(
    cell: str, merge: str, dtype: str = "float64", **options: Any
) -> tuple[Any, Any]:
    """Return both nets with the same parameters."""
    name, output = CLASSES[cell], None if merge == "none" else 2
    ours: Any = getattr(rnn, name)(
        4, [5, 3], output, bidirectional=True, merge=merge, dtype=dtype, **options
    )
    theirs: Any = getattr(ref, name)(
        4, [5, 3], output, bidirectional=True, merge=merge, **options
    )
    oracle.stir(ours)
    oracle.copy_parameters(ours, theirs)
    return ours, theirs


def arrays(y: Any) -> list[Array]:
    return [np.asarray(part) for part in (y if isinstance(y, tuple) else (y,))]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("merge", MERGES)
@pytest.mark.parametrize("cell", CELLS)
def test_values_equal_the_reference(
    cell: str, merge: str, options: dict[str, Any], dtype: str
) -> None:
    ours, theirs = pair(cell, merge, dtype, **options)
    reset = (np.arange(15).reshape(3, 5) % 4 == 3).tolist()
    calls: tuple[dict[str, Any], ...] = ({}, {"lengths": LENGTHS}, {"reset": reset})
    for call in calls:
        y, state = ours(X, **call)
        expected, end = theirs(X.tolist(), **call)
        bound = tolerance(dtype)
        for found, other in zip(arrays(y), arrays(expected), strict=True):
            assert_close(found, other, bound, "output")
        assert len(state.hidden) == 4
        pairs = zip((*state.hidden, *state.cell), (*end.hidden, *end.cell), strict=True)
        for found, vector in pairs:
            assert_close(found, oracle.value(vector).T, bound, "state")


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("merge", MERGES)
@pytest.mark.parametrize("cell", CELLS)
def test_gradients_equal_the_reference(
    cell: str, merge: str, options: dict[str, Any]
) -> None:
    ours, theirs = pair(cell, merge, **options)
    for call in ({}, {"lengths": LENGTHS}):
        ours.zero_grad()
        theirs.zero_grad()
        with rnn.Graph() as g:
            y, state = ours(X, **call)
            loss = (y[0] - y[1] * 2.0 if merge == "none" else y).square().sum()
            for h in (*state.hidden, *state.cell):
                loss = loss + h.sum()
        g.backward(loss)
        with ref.Graph() as h_:
            y, end = theirs(X.tolist(), **call)
            theirs_y = y[0] - y[1] * 2.0 if merge == "none" else y
            expected = (theirs_y * theirs_y).sum()
            for vector in (*end.hidden, *end.cell):
                expected = expected + vector.sum()
        h_.backward(expected)
        assert_close(loss.value, oracle.value(expected), 1e-12, "loss")
        for name, matrix in ours.parameters().items():
            assert_close(matrix.grad, oracle.gradient(theirs[name]), 1e-10, name)


@pytest.mark.parametrize("cell", CELLS)
def test_a_row_has_the_bits_that_it_has_alone(cell: str, dtype: str) -> None:
    for merge in MERGES:
        net, _ = pair(cell, merge, dtype)
        rows, state = net([X[b, :n] for b, n in enumerate(LENGTHS)])
        for b, n in enumerate(LENGTHS):
            alone, after = net(X[b : b + 1, :n])
            both = rows if merge == "none" else (rows,)
            for half, one in zip(both, arrays(alone), strict=True):
                np.testing.assert_array_equal(half[b], one[0])
            for one, other in zip(state.hidden, after.hidden, strict=True):
                np.testing.assert_array_equal(one[b], other[0])


def test_the_reverse_direction_is_the_net_on_the_sequence_backward() -> None:
    both: Any = rnn.LSTM(4, 5, None, bidirectional=True, merge="none", dtype="float64")
    forward, reverse = (rnn.LSTM(4, 5, None, dtype="float64") for _ in range(2))
    for name, matrix in forward.parameters().items():
        matrix.value = both[name].value
        reverse[name].value = both[name.replace("layers.0", "layers.0.reverse")].value
    (y, z), state = both(X)
    expected, end = forward(X)
    backward, start = reverse(X[:, ::-1])
    np.testing.assert_array_equal(y, expected)
    np.testing.assert_array_equal(z, backward[:, ::-1])
    np.testing.assert_array_equal(state.cell[0], end.cell[0])
    np.testing.assert_array_equal(state.cell[1], start.cell[0])


def test_a_gradient_is_a_difference_of_the_loss() -> None:
    net: Any = rnn.GRU(
        4, [3, 2], 2, bidirectional=True, learned_state=True, dtype="float64", seed=3
    )
    oracle.stir(net)

    def loss() -> float:
        return float((net(X, lengths=LENGTHS)[0] ** 2).sum())

    with rnn.Graph() as g:
        y, _ = net(X, lengths=LENGTHS)
        total = y.square().sum()
    g.backward(total)
    for name, matrix in net.parameters().items():
        value = matrix.value
        at = (value.shape[0] - 1, value.shape[1] - 1)
        kept = value[at]
        value[at] = kept + 1e-6
        up = loss()
        value[at] = kept - 1e-6
        down = loss()
        value[at] = kept
        assert abs((up - down) / 2e-6 - matrix.grad[at]) < 1e-6, name


def test_parameters_of_the_second_direction_come_after_those_of_the_first() -> None:
    net = rnn.RNN(4, [3, 2], 1, bidirectional=True, learned_state=True)
    gates = ("hidden.weight_x", "hidden.weight_h", "hidden.bias", "initial_hidden")
    names = [
        f"layers.{j}.{way}{gate}"
        for j in (0, 1)
        for way in ("", "reverse.")
        for gate in gates
    ]
    assert list(net.parameters()) == [*names, "decoder.weight", "decoder.bias"]
    assert net["layers.1.hidden.weight_x"].shape == (2, 6)
    assert net["decoder.weight"].shape == (1, 4)


def test_files_and_representations_keep_the_options(tmp_path: Any) -> None:
    net: Any = rnn.GRU(
        4, 3, None, bidirectional=True, merge="none", learned_state=True, seed=7
    )
    net.save(tmp_path / "net.safetensors")
    again: Any = rnn.load(tmp_path / "net.safetensors")
    assert again.config() == net.config()
    for one, other in zip(net(X)[0], again(X)[0], strict=True):
        np.testing.assert_array_equal(one, other)
    text = repr(net)
    assert "bidirectional=True" in text
    assert "merge='none'" in text
    assert "learned_state=True" in text


def test_files_without_the_options_are_as_before_there_were_any(tmp_path: Any) -> None:
    """So a file that was written before is read: what it does not name is usual."""
    path = tmp_path / "net.safetensors"
    net = rnn.GRU(4, 3, 2)
    net.save(path)
    contents = path.read_bytes()
    assert b"all_to_output" in contents
    assert b"bidirectional" not in contents
    assert b"learned_state" not in contents
    assert rnn.load(path).config() == net.config()


def test_activations_name_both_directions() -> None:
    net: Any = rnn.LSTM(4, [3, 2], 1, bidirectional=True)
    found = net.activations(X)
    assert found["layers.1.reverse.cell"].shape == (3, 5, 2)
    assert {"layers.0.forget", "layers.0.reverse.forget", "output"} <= set(found)
    y, state = net(X)
    np.testing.assert_array_equal(found["output"], y)
    np.testing.assert_array_equal(found["layers.1.hidden"][:, -1], state.hidden[2])
    reverse = found["layers.1.reverse.hidden"]
    np.testing.assert_array_equal(reverse[:, 0], state.hidden[3])


def test_ticks_streams_and_generation_are_refused() -> None:
    net: Any = rnn.GRU(4, 3, 4, bidirectional=True)
    calls: tuple[Callable[[], Any], ...] = (
        lambda: net.forward(rnn.Graph(), np.ones((4, 1))),
        lambda: net.stream(),
        lambda: net.generate([1], 3),
    )
    for call in calls:
        with pytest.raises(rnn.ArgumentError, match="whole sequence"):
            call()


WRONG: dict[str, tuple[str, int | None, dict[str, Any], str]] = {
    "feedback": ("gfgru", 2, {"bidirectional": True}, "bidirectional means nothing"),
    "merge alone": ("gru", 2, {"merge": "sum"}, "unless bidirectional"),
    "none with a decoder": (
        "gru",
        2,
        {"bidirectional": True, "merge": "none"},
        "decoder",
    ),
    "no such merge": ("gru", 2, {"bidirectional": True, "merge": "max"}, "one of"),
}


@pytest.mark.parametrize("name", WRONG)
def test_options_that_mean_nothing_are_refused(name: str) -> None:
    cell, output, options, message = WRONG[name]
    with pytest.raises(rnn.ArgumentError, match=message):
        rnn.Model(cell, 4, 3, output, **options)
    with pytest.raises(ValueError, match=message.replace("one of", "must be one of")):
        ref.Model(cell, 4, 3, output, **options)
