"""The public gradcheck passes what is right and, above all, fails what is wrong."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import recurrentnn as rnn
from cases import signed
from recurrentnn import GradcheckError, gradcheck


@pytest.fixture
def w() -> rnn.Matrix:
    return rnn.Matrix(signed(3, 2), dtype="float64")


def wrong_by(factor: float, w: rnn.Matrix) -> Callable[[rnn.Graph], rnn.Matrix]:
    """Return a function of w with derivative 1 whose recorded one is `factor`.

    What reaches the graph as an array is a constant to it, although it changes with w.
    """
    return lambda g: g.add(g.scale(w, factor), (1.0 - factor) * np.array(w.value))


def test_a_right_gradient_passes_and_its_error_is_returned(w: rnn.Matrix) -> None:
    b = rnn.Matrix(signed(3, 1), dtype="float64")
    x = signed(2, 4)
    error = gradcheck(lambda _: (w @ x + b).tanh(), {"w": w, "b": b})
    assert 0.0 <= error < 1e-9


@pytest.mark.parametrize("factor", [-1.0, 1.01, 0.99, 0.0, 2.0])
def test_a_wrong_gradient_fails(w: rnn.Matrix, factor: float) -> None:
    assert gradcheck(wrong_by(1.0, w), [w]) < 1e-9
    with pytest.raises(GradcheckError):
        gradcheck(wrong_by(factor, w), [w])


def test_one_wrong_element_among_right_ones_is_found_and_named(w: rnn.Matrix) -> None:
    hole = np.ones((3, 2))
    hole[2, 1] = 1.01

    def function(g: rnn.Graph) -> rnn.Matrix:
        return g.add(g.mul(w, hole), (1.0 - hole) * w.value)

    with pytest.raises(GradcheckError, match=r"weight\[2, 1\]"):
        gradcheck(function, {"weight": w})


def test_gradients_in_each_others_place_are_found(w: rnn.Matrix) -> None:
    def function(g: rnn.Graph) -> rnn.Matrix:
        # The value is w, the gradient goes to the rows in reverse.
        turned = g.concat(*(g.slice_rows(w, i, i + 1) for i in (2, 1, 0)))
        return g.add(turned, np.array(w.value) - np.array(w.value)[::-1])

    with pytest.raises(GradcheckError):
        gradcheck(function, [w])


def test_a_gradient_that_is_not_a_number_fails() -> None:
    zero = rnn.Matrix([[0.0]], dtype="float64")
    # |x|^(1/2) has the derivative inf * 0 at 0.
    with pytest.raises(GradcheckError):
        gradcheck(lambda _: zero.abs().sqrt(), [zero])


def test_the_tolerance_is_what_divides_right_from_wrong(w: rnn.Matrix) -> None:
    function = wrong_by(1.001, w)
    error = gradcheck(function, [w], tolerance=0.01)
    assert error == pytest.approx(1e-3, rel=1e-3)
    with pytest.raises(GradcheckError):
        gradcheck(function, [w], tolerance=0.9e-3)


def test_it_checks_a_whole_model() -> None:
    net: Any = rnn.GFGRU(2, [3, 2], 2, dtype="float64")
    x = signed(4, 2).reshape(1, 4, 2)
    assert gradcheck(lambda _: net(x)[0].square().sum(), net) < 1e-7


def test_values_and_gradients_are_afterwards_what_they_were(w: rnn.Matrix) -> None:
    w.grad[...] = 7.0
    before = w.value.copy()
    gradcheck(lambda _: w.exp(), [w])
    with pytest.raises(GradcheckError):
        gradcheck(wrong_by(-1.0, w), [w])
    np.testing.assert_array_equal(w.value, before)
    np.testing.assert_array_equal(w.grad, np.full((3, 2), 7.0))


def test_what_it_cannot_judge_it_refuses(w: rnn.Matrix) -> None:
    with pytest.raises(rnn.DTypeError, match="float64"):
        gradcheck(lambda g: g.tanh(w), [rnn.Matrix.ones(1, 1)])
    with pytest.raises(rnn.ArgumentError, match="empty"):
        gradcheck(lambda g: g.tanh(w), [])
    with pytest.raises(rnn.ArgumentError, match="step"):
        gradcheck(lambda g: g.tanh(w), [w], step=0.0)
    count = iter(range(1000))
    with pytest.raises(rnn.ArgumentError, match="deterministic"):
        gradcheck(lambda g: g.scale(w, float(next(count))), [w])
