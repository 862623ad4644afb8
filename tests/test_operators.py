"""Operators of matrices with matrices, numbers, arrays and nested lists."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import recurrentnn as rnn
from differences import DIFFERENCE_BOUND, richardson
from support import assert_close, tolerance

A = np.array([[1.0, -2.0], [0.5, 3.0]])
ROW = np.array([[2.0, 4.0]])
COLUMN = np.array([[0.5], [-1.0]])

LIST = [[1.0, 2.0], [3.0, 4.0]]

OPERATORS: dict[str, Callable[[Any], Any]] = {
    "x + 2": lambda x: x + 2,
    "2 + x": lambda x: 2 + x,
    "x - 2.5": lambda x: x - 2.5,
    "2.5 - x": lambda x: 2.5 - x,
    "x * 3": lambda x: x * 3,
    "3 * x": lambda x: 3 * x,
    "x / 4": lambda x: x / 4,
    "4 / x": lambda x: 4 / x,
    "-x": lambda x: -x,
    "x ** 2": lambda x: x**2,
    "x + array": lambda x: x + A,
    "array + x": lambda x: A + x,
    "x - row": lambda x: x - ROW,
    "row - x": lambda x: ROW - x,
    "x * column": lambda x: x * COLUMN,
    "column * x": lambda x: COLUMN * x,
    "x / array": lambda x: x / A,
    "array / x": lambda x: A / x,
    "x @ array": lambda x: x @ A,
    "array @ x": lambda x: A @ x,
    "row @ x": lambda x: ROW @ x,
    "numpy scalar * x": lambda x: np.float64(3.0) * x,
    "x - numpy scalar": lambda x: x - np.float32(0.5),
    "x + nested list": lambda x: x + LIST,
    "nested list - x": lambda x: LIST - x,
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("expression", OPERATORS)
def test_an_operator_takes_numbers_and_arrays_as_constants(
    expression: str, dtype: str
) -> None:
    call = OPERATORS[expression]
    values = np.array([[1.5, -0.5], [2.0, 4.0]])
    x = rnn.Matrix(values, dtype=dtype)
    with rnn.Graph() as g:
        y = call(x)
        loss = y.sum()
    assert isinstance(y, rnn.Matrix)
    assert y.dtype == np.dtype(dtype)
    expected = np.asarray(call(values))
    assert_close(y.value, expected, tolerance(dtype))
    g.backward(loss)
    if dtype == "float64":
        slope = richardson(lambda moved: float(np.sum(call(moved))), values)
        assert_close(x.grad, slope, DIFFERENCE_BOUND, "gradient")


def test_operators_between_matrices_are_the_ops_of_their_names() -> None:
    x = rnn.Matrix(A, dtype="float64")
    y = rnn.Matrix([[2.0, 1.0], [-1.0, 4.0]], dtype="float64")
    pairs = {
        "add": (x + y, rnn.Graph(recording=False).add(x, y)),
        "sub": (x - y, rnn.Graph(recording=False).sub(x, y)),
        "mul": (x * y, rnn.Graph(recording=False).mul(x, y)),
        "div": (x / y, rnn.Graph(recording=False).div(x, y)),
        "matmul": (x @ y, rnn.Graph(recording=False).matmul(x, y)),
        "neg": (-x, rnn.Graph(recording=False).neg(x)),
        "transpose": (x.T, rnn.Graph(recording=False).transpose(x)),
    }
    for name, (operator, method) in pairs.items():
        np.testing.assert_array_equal(operator.value, method.value, err_msg=name)


def test_truth_is_refused_and_equality_is_identity() -> None:
    x = rnn.Matrix(A, dtype="float64")
    with pytest.raises(TypeError):
        bool(x)
    assert x == x
    assert x != x.copy()
    assert len({x, x, x.copy()}) == 2
    with pytest.raises(TypeError):
        len(x)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        iter(x)  # type: ignore[call-overload]
