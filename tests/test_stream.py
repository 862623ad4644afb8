"""One step at a time: the bits of a whole sequence, in place, from any state."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import nets
import recurrentnn as rnn
from cases import MODELS, ModelCase


def steps(case: ModelCase, dtype: str) -> NDArray[Any]:
    """Input of (batch, time), as features or symbols."""
    if case.takes_symbols:
        return nets.symbols(case)
    return np.stack(nets.features(case)).transpose(2, 0, 1).astype(dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("case", MODELS, ids=lambda case: case.name)
def test_a_stream_gives_the_bits_of_the_sequence(case: ModelCase, dtype: str) -> None:
    """Output and state, for every kind of net."""
    net, x = nets.build(case, dtype), steps(case, dtype)
    expected, state = net(x)
    stream = net.stream(nets.BATCH)
    for tick in range(nets.TICKS):
        np.testing.assert_array_equal(stream(x[:, tick]), expected[:, tick])
    for name in ("hidden", "cell"):
        for ours, theirs in zip(
            getattr(stream.state, name), getattr(state, name), strict=True
        ):
            np.testing.assert_array_equal(ours, theirs)


def test_one_sample_needs_no_batch_and_out_is_written() -> None:
    """(features,) in, (outputs,) out, into an array of one's own."""
    net: Any = rnn.LSTM(3, [4], 2, seed=1)
    stream, again = net.stream(), net.stream()
    x = np.array([0.5, -1.0, 2.0], dtype=np.float32)
    y = np.empty(2, dtype=np.float32)
    assert stream(x, out=y) is y
    np.testing.assert_array_equal(y, again([0.5, -1, 2]))
    np.testing.assert_array_equal(stream(x[None], out=y[None])[0], again(x))


def test_a_stream_begins_and_begins_anew_from_a_state() -> None:
    """As the calls do."""
    net: Any = rnn.GRU(3, [4], 2, seed=1)
    x = np.linspace(-1, 1, 18, dtype=np.float32).reshape(1, 6, 3)
    _, half = net(x[:, :3])
    expected, _ = net(x)
    stream = net.stream(state=half)
    np.testing.assert_array_equal(stream(x[0, 3]), expected[0, 3])
    stream.reset(half)
    np.testing.assert_array_equal(stream(x[0, 3]), expected[0, 3])
    stream.reset()
    np.testing.assert_array_equal(stream(x[0, 0]), expected[0, 0])


def test_weights_that_change_are_seen_by_the_next_step() -> None:
    """By assignment, by an optimizer's step, and through a view held from before."""
    net: Any = rnn.LSTM(3, [4], 2, seed=1)
    stream = net.stream()
    x = np.ones(3, dtype=np.float32)
    stream(x)
    view = net["decoder.bias"].value
    view[:] = 7.0
    first = stream(x)
    view[:] = 8.0
    second = stream(x)
    del view
    net["decoder.bias"].value = np.zeros((2, 1))
    weights = net["decoder.weight"].value.astype(np.float64)
    hidden = stream.state.hidden[0][0].astype(np.float64)
    np.testing.assert_allclose(second, weights @ hidden + 8.0, rtol=1e-5)
    assert abs(first - second).max() > 0.5
    third = stream(x)
    hidden = stream.state.hidden[0][0].astype(np.float64)
    np.testing.assert_allclose(third, weights @ hidden, atol=1e-5)


@pytest.mark.parametrize(
    ("x", "error"),
    [
        (np.ones(4, dtype=np.float32), rnn.ShapeError),
        (np.ones((2, 3), dtype=np.float32), rnn.ShapeError),
        (np.ones((1, 1, 3)), rnn.ShapeError),
        ("abc", rnn.ArgumentTypeError),
        (np.ones(3, dtype=complex), rnn.DTypeError),
    ],
)
def test_wrong_input_is_refused_and_changes_nothing(
    x: Any, error: type[Exception]
) -> None:
    """The state stays."""
    net: Any = rnn.LSTM(3, [4], 2, seed=1)
    stream = net.stream()
    stream(np.ones(3))
    before = stream.state.hidden[0].copy()
    with pytest.raises((error, rnn.ShapeError, rnn.DTypeError)):
        stream(x)
    np.testing.assert_array_equal(stream.state.hidden[0], before)


def test_wrong_out_batch_and_symbols_are_refused() -> None:
    """Each with its reason."""
    net = rnn.LSTM(3, [4], 2, seed=1, embedding_size=2)
    stream = net.stream(2)
    with pytest.raises(rnn.OutOfRangeError, match="below 3"):
        stream([0, 3])
    with pytest.raises(rnn.ShapeError, match="out must be"):
        stream([0, 1], out=np.zeros(2, dtype=np.float32))
    with pytest.raises(rnn.ShapeError, match="out must be"):
        stream([0, 1], out=np.zeros((2, 2)))
    with pytest.raises(rnn.ArgumentError, match="at least 1"):
        net.stream(0)
    with pytest.raises(rnn.ShapeError):
        net.stream(2, state=net([0, 1])[1])
    features = rnn.LSTM(3, [4], 2, seed=1).stream()
    features(1)
    with pytest.raises(rnn.ArgumentError, match="as those that the stream began"):
        features(np.ones(3))


def test_the_number_of_threads_is_set_and_changes_no_bit() -> None:
    """For a batch that is split, and for rows that are."""
    before = rnn.get_num_threads()
    try:
        for hidden, batch in ((32, 64), (512, 1)):
            net: Any = rnn.LSTM(16, [hidden], 4, seed=1)
            x = np.random.default_rng(1).normal(size=(batch, 40, 16))
            outputs = []
            for threads in (1, 2, 4):
                rnn.set_num_threads(threads)
                assert rnn.get_num_threads() == threads
                with rnn.Graph() as g:
                    y, _ = net(x)
                    loss = g.sum(g.square(y))
                g.backward(loss)
                grads = [p.grad.copy() for p in net.parameters().values()]
                net.zero_grad()
                outputs.append([y.value.copy(), *grads])
            for other in outputs[1:]:
                for a, b in zip(outputs[0], other, strict=True):
                    np.testing.assert_array_equal(a, b)
    finally:
        rnn.set_num_threads(before)
    with pytest.raises(rnn.ArgumentError):
        rnn.set_num_threads(0)
