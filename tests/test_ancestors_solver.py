"""The faults of the ancestors' solver: mended in RMSProp, kept by name in compat.

Letters and numbers are those of the list of faults in docs/porting.md.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import recurrentnn as rnn
from recurrentnn import Matrix, compat
from recurrentnn.compat import recurrentjs as R
from support import assert_close, tolerance

VALUE = tolerance("float64")


def weight(*values: float) -> Matrix:
    """Return a column."""
    return Matrix(np.array(values), "float64")


def moves(step: Callable[[Matrix], Any], gradients: list[float]) -> list[float]:
    """Return how far a single weight moves for each gradient."""
    m = weight(1.0)
    result = []
    for gradient in gradients:
        before = m.value[0, 0]
        m.grad[0, 0] = gradient
        step(m)
        result.append(abs(float(m.value[0, 0] - before)))
    return result


OUTLIER = [1.0] * 50 + [1000.0] + [1.0] * 50


def test_an_outlier_does_not_stop_learning() -> None:
    """K1: RMSProp clips before it accumulates."""
    optimizer = rnn.RMSProp(0.01, clip_value=5.0)
    with_outlier = moves(lambda m: optimizer.step([m]), OUTLIER)
    other = rnn.RMSProp(0.01, clip_value=5.0)
    without = moves(lambda m: other.step([m]), [1.0] * len(OUTLIER))
    ratios = np.array(with_outlier[51:]) / np.array(without[51:])
    assert ratios.min() > 0.5
    assert ratios.max() < 2


def test_the_ancestors_solver_still_stumbles_over_an_outlier() -> None:
    """K1, kept by name: the unclipped square stays in the mean."""
    solver = compat.Solver()
    sizes = moves(lambda m: compat.step(solver, [m], 0.01, 0.0, 5.0), OUTLIER)
    assert sizes[-1] < sizes[49] / 50


@pytest.mark.parametrize("gradient", [1e-2, 1.0, 3.0])
def test_the_ancestors_first_step_is_31_times_the_rate(gradient: float) -> None:
    """K2, kept by name: the mean starts at 0 without a correction."""
    solver = compat.Solver()
    (size,) = moves(lambda m: compat.step(solver, [m], 0.01, 0.0, 5.0), [gradient])
    expected = 0.01 * gradient / math.sqrt(0.001 * gradient**2 + 1e-8)
    assert_close(size, expected, VALUE)
    assert 0.29 < size < 0.32


def test_weight_decay_spares_biases_and_is_scaled_by_the_rate() -> None:
    """K3: without a gradient a step is -learning_rate * weight_decay * w."""
    net = rnn.LSTM(2, 3, 2, dtype="float64")
    before = {name: m.value.copy() for name, m in net.parameters().items()}
    rnn.RMSProp(0.1, weight_decay=0.5).step(net)
    for name, m in net.parameters().items():
        kept = 1.0 if name.split(".")[-1].startswith("bias") else 1 - 0.1 * 0.5
        assert_close(m.value, kept * before[name], VALUE, name)


def test_the_ancestors_decay_takes_everything_regardless_of_the_rate() -> None:
    """K3, kept by name: -regc * w, biases included."""
    net = compat.LSTM(2, [3], 2)
    net["decoder.bias"].value[...] = 1.0
    before = {name: m.value.copy() for name, m in net.parameters().items()}
    compat.step(compat.Solver(), net, 0.1, 0.5, 5.0)
    for name, m in net.parameters().items():
        assert_close(m.value, 0.5 * before[name], VALUE, name)


def test_the_clipped_share_is_told() -> None:
    """J14: the page computed and never showed it."""
    m = weight(0.0, 0.0, 0.0, 0.0)
    m.dw = [[9.0], [-9.0], [0.1], [0.0]]
    assert R.Solver().step({"m": m}, 0.1, 0.0, 5.0) == {"ratio_clipped": 0.5}


def test_a_solver_may_serve_two_models() -> None:
    """L7: its memory was by position and ran past the end of the first model's."""
    solver, alone = compat.Solver(), compat.Solver()
    first, second, twin = (compat.LSTM(2, [size], 2, seed=1) for size in (2, 3, 3))
    for net in (first, second, twin):
        for m in net.matrices:
            m.dw = np.full(m.shape, 0.25)
    compat.step(solver, first, 0.01, 0.0, 5.0)
    compat.step(solver, second, 0.01, 0.0, 5.0)
    compat.step(alone, twin, 0.01, 0.0, 5.0)
    for m, same in zip(second.matrices, twin.matrices, strict=True):
        np.testing.assert_array_equal(m.w, same.w)
