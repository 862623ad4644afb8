"""Gradients against differences: whether `backward` gives the derivative."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from recurrentnn._recurrentnn import Graph, Matrix, Model
from recurrentnn.errors import (
    ArgumentError,
    ArgumentTypeError,
    DTypeError,
    RecurrentNNError,
)

Parameters: TypeAlias = Model | Mapping[str, Matrix] | Iterable[Matrix]


class GradcheckError(RecurrentNNError, AssertionError):
    """A gradient that is not the derivative; the message names the worst element."""


def gradcheck(
    function: Callable[[Graph], Matrix],
    matrices: Parameters,
    *,
    step: float = 1e-3,
    tolerance: float = 1e-7,
) -> float:
    """Compare the gradients of a function with central differences, element by element.

    ::

        d(h) = (f(w + h) - f(w - h)) / 2h
        numeric = (4 d(h/2) - d(h)) / 3            Richardson: the error falls with h^4
        error = |gradient - numeric| / max(1, max |numeric|)      maximum per matrix

    Parameters
    ----------
    function
        Takes a graph, which also is the thread's recording graph, and gives a matrix.
        Of a result that is not 1x1, a fixed weighted sum of the elements is checked.
    matrices
        The float64 leaves to check: a model, a mapping by name, or matrices.
    step
        h of an element w is step * max(1, |w|). Kinks must be farther away than that.
    tolerance
        Largest error allowed.

    Returns
    -------
    float
        The largest error found.

    Raises
    ------
    GradcheckError
        An error above the tolerance, or a gradient that is not finite.
    DTypeError
        A matrix of another dtype than float64: differences of float32 show nothing.
    ArgumentError
        No matrix, a step that is not positive, or a function that gives different
        values for the same matrices.

    Notes
    -----
    Values and gradients of the matrices are afterwards what they were before.

    Examples
    --------
    >>> W = Matrix.normal(3, 2, seed=1, dtype="float64")
    >>> gradcheck(lambda g: W.tanh(), [W]) < 1e-9
    True
    """
    named = _named(matrices)
    if not named:
        raise ArgumentError("gradcheck: matrices must not be empty")
    for name, value in (("step", step), ("tolerance", tolerance)):
        if not 0.0 < value < math.inf:
            message = f"gradcheck: {name} must be finite and above 0, got {value}"
            raise ArgumentError(message)
    for name, matrix in named.items():
        _expect_matrix(name, matrix)
        if matrix.dtype != np.float64:
            raise DTypeError(f"gradcheck: {name} must be float64, is {matrix.dtype}")
    objective = _Objective(function)
    if objective.value() != objective.value():
        raise ArgumentError("gradcheck: function must be deterministic and not NaN")
    gradients = objective.gradients(named)
    return max(
        _compare(name, matrix, gradients[name], objective, step, tolerance)
        for name, matrix in named.items()
    )


def _named(matrices: Parameters) -> dict[str, Matrix]:
    if isinstance(matrices, Model):
        return matrices.parameters()
    if isinstance(matrices, Mapping):
        return dict(matrices)
    if not isinstance(matrices, Iterable):
        kind = type(matrices).__name__
        message = f"gradcheck: matrices must be a model or matrices, got {kind}"
        raise ArgumentTypeError(message)
    return {f"matrix {i}": matrix for i, matrix in enumerate(matrices)}


def _expect_matrix(name: str, value: object) -> None:
    if not isinstance(value, Matrix):
        kind = type(value).__name__
        raise ArgumentTypeError(f"gradcheck: {name} must be a Matrix, got {kind}")


class _Objective:
    """A function's result as one number: the sum of its elements by fixed weights."""

    def __init__(self, function: Callable[[Graph], Matrix]) -> None:
        self._function = function

    def value(self) -> float:
        with Graph(recording=False) as graph:
            result = self._function(graph)
        _expect_matrix("the function's result", result)
        value = result.value
        return float((_weights(value.shape) * value).sum())

    def gradients(self, named: Mapping[str, Matrix]) -> dict[str, NDArray[Any]]:
        before = {name: matrix.grad.copy() for name, matrix in named.items()}
        try:
            for matrix in named.values():
                matrix.zero_grad()
            with Graph() as graph:
                result = self._function(graph)
            if len(graph) == 0:
                raise ArgumentError("gradcheck: function must compute with the graph")
            result.grad = _weights(result.shape)
            graph.backward()
            return {name: matrix.grad.copy() for name, matrix in named.items()}
        finally:
            for name, matrix in named.items():
                matrix.grad = before[name]


def _weights(shape: tuple[int, ...]) -> NDArray[Any]:
    # 1 for a loss; else no two alike, so that a gradient in the wrong place shows.
    return np.cos(np.arange(np.prod(shape, dtype=int))).reshape(shape)


def _compare(
    name: str,
    matrix: Matrix,
    gradient: NDArray[Any],
    objective: _Objective,
    step: float,
    tolerance: float,
) -> float:
    numeric = np.empty_like(gradient)
    for index in np.ndindex(matrix.shape):
        numeric[index] = _derivative(matrix, index, objective, step)
    if numeric.size == 0:
        return 0.0
    errors = np.abs(gradient - numeric) / max(1.0, float(np.abs(numeric).max()))
    errors[~np.isfinite(errors)] = np.inf
    worst = np.unravel_index(int(errors.argmax()), errors.shape)
    error = float(errors[worst])
    if not error <= tolerance:
        row, col = (int(i) for i in worst)
        raise GradcheckError(
            f"gradcheck: {name}[{row}, {col}] has gradient {gradient[worst]:.12g} but "
            f"differences give {numeric[worst]:.12g}, "
            f"error {error:.3g} above {tolerance:.3g}"
        )
    return error


def _derivative(
    matrix: Matrix, index: tuple[int, ...], objective: _Objective, step: float
) -> float:
    """Richardson's extrapolation of two central differences for one element."""
    kept = float(matrix.value[index])
    h = step * max(1.0, abs(kept))

    def central(h: float) -> float:
        matrix.value[index] = high = kept + h
        above = objective.value()
        matrix.value[index] = low = kept - h
        # The step that was really taken, rounded as w +- h was.
        return (above - objective.value()) / (high - low)

    try:
        return (4.0 * central(h / 2.0) - central(h)) / 3.0
    finally:
        matrix.value[index] = kept
