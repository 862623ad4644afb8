"""Parameters as one vector: order, refusals, and an optimizer from outside."""

import math
from collections import deque
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import recurrentnn as rnn
from cases import spread

Array = NDArray[np.float64]


def test_a_vector_has_the_rows_of_every_matrix_once_in_order() -> None:
    a = rnn.Matrix([[1.0, 2.0], [3.0, 4.0]], dtype="float64")
    b = rnn.Matrix([[5.0]], dtype="float64")
    a.grad = [[10.0, 20.0], [30.0, 40.0]]
    for given in ([a, b, a], {"a": a, "b": b, "again": a}, (m for m in (a, b))):
        assert rnn.parameters_to_vector(given).tolist() == [1, 2, 3, 4, 5]
    assert rnn.gradients_to_vector([a, b]).tolist() == [10, 20, 30, 40, 0]
    rnn.vector_to_parameters([6, 7, 8, 9, 10], [a, b])
    assert a.value.tolist() == [[6, 7], [8, 9]]
    assert b.item() == 10
    assert rnn.parameters_to_vector([]).shape == (0,)


def test_a_vector_of_a_model_goes_round(dtype: str) -> None:
    net = rnn.GFLSTM(3, [4, 5], 2, embedding_size=2, dtype=dtype)
    vector = rnn.parameters_to_vector(net)
    assert vector.dtype == np.dtype(dtype)
    assert vector.size == sum(m.value.size for m in net.parameters().values())
    rnn.vector_to_parameters(-vector, net)
    np.testing.assert_array_equal(rnn.parameters_to_vector(net), -vector)
    # It is a copy.
    vector[...] = 0
    assert rnn.parameters_to_vector(net).any()


def test_a_vector_that_does_not_fit_changes_nothing() -> None:
    net = rnn.RNN(2, [3], 2)
    before = rnn.parameters_to_vector(net)
    size = before.size
    wrong: list[tuple[Any, type[Exception]]] = [
        (np.zeros(size - 1), rnn.ShapeError),
        (np.zeros((size, 1)), rnn.ShapeError),
        (np.zeros(size, complex), rnn.DTypeError),
        (["x"] * size, rnn.DTypeError),
    ]
    for vector, error in wrong:
        with pytest.raises(error, match="vector_to_parameters: vector"):
            rnn.vector_to_parameters(vector, net)
        np.testing.assert_array_equal(rnn.parameters_to_vector(net), before)


@pytest.mark.parametrize(
    "call",
    [rnn.parameters_to_vector, rnn.gradients_to_vector],
    ids=lambda c: c.__name__,
)
def test_what_has_no_parameters_is_refused(call: Callable[[Any], Array]) -> None:
    for given in (3, rnn.Matrix([[1.0]]), [np.zeros(3)], {"w": 3.0}):
        with pytest.raises(rnn.ArgumentTypeError, match=f"{call.__name__}: parameters"):
            call(given)
    with pytest.raises(rnn.DTypeError, match="one dtype"):
        call([rnn.Matrix([[1.0]]), rnn.Matrix([[1.0]], dtype="float64")])


def minimised(
    loss: Callable[[Array], tuple[float, Array]], x: Array, steps: int
) -> float:
    """L-BFGS (Nocedal 1980) with backtracking: anybody's optimizer."""
    pairs: deque[tuple[Array, Array]] = deque(maxlen=10)
    value, gradient = loss(x)
    for _ in range(steps):
        direction = -gradient
        weights = []
        for s, y in reversed(pairs):
            weights.append(s @ direction / (s @ y))
            direction = direction - weights[-1] * y
        if pairs:
            s, y = pairs[-1]
            direction = direction * (s @ y) / (y @ y)
        for (s, y), weight in zip(pairs, reversed(weights), strict=True):
            direction = direction + s * (weight - y @ direction / (s @ y))
        size = 1.0
        while True:
            trial, trial_gradient = loss(x + size * direction)
            if trial <= value + 1e-4 * size * (gradient @ direction) or size < 1e-12:
                break
            size /= 2
        s, y = size * direction, trial_gradient - gradient
        x, value, gradient = x + s, trial, trial_gradient
        if s @ y > 1e-12:
            pairs.append((s, y))
    return value


def test_an_optimizer_from_outside_trains_a_net() -> None:
    net = rnn.GRU(2, [6], 1, seed=3, dtype="float64")
    x = spread(4 * 9, 2, -1.0, 1.0).reshape(4, 9, 2)
    y = np.cumsum(x[:, :, 0] * x[:, :, 1], axis=1).reshape(1, -1)

    def loss(vector: Array) -> tuple[float, Array]:
        rnn.vector_to_parameters(vector, net)
        net.zero_grad()
        with rnn.Graph() as g:
            error = g.squared_error(net(x)[0], y)
        g.backward(error)
        return error.item(), rnn.gradients_to_vector(net)

    start = rnn.parameters_to_vector(net)
    first, _ = loss(start)
    last = minimised(loss, start, 150)
    assert math.isfinite(first)
    assert last < first / 100
