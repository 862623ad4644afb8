"""Derivatives against differences: the judge of every backward pass."""

from collections.abc import Callable

from . import random
from .graph import Graph
from .ieee import dot
from .matrix import Matrix
from .params import Parameters, named

Function = Callable[[Graph], Matrix]


def gradcheck(
    function: Function,
    matrices: Parameters,
    *,
    step: float = 1e-3,
    tolerance: float = 1e-7,
) -> float:
    """Compare the gradients of a function with extrapolated central differences.

    The function's result Y, of any shape, is made a number by weights of our own,
    L = sum_k w_k y_k with w in [0.5, 1.5), so that no element of Y can hide behind
    another. With the central difference D(h) = (L(x+h) - L(x-h)) / (2h), the estimate
    (4 D(h/2) - D(h)) / 3 is off by O(h^4) (Richardson), here some 1e-12, instead of
    O(h^2).

    Parameters
    ----------
    function
        Gets a graph, which also is the active one, and returns a matrix; the same
        numbers give the same result.
    matrices
        What to differentiate by: a model, a mapping or matrices, away from kinks and
        from the edges of domains. They are left as they were.
    step
        The h above.
    tolerance
        Largest max|a - b| / max(1, max|b|) over a matrix, a the gradient of the
        recording, b that of the differences.

    Returns
    -------
    float
        The largest of those errors.

    Raises
    ------
    AssertionError
        If it is above the tolerance, or not a number. Names the matrix and element.
    """
    names = named(matrices)
    before = {m: m.grad if m.has_grad else None for m in names}
    for m in names:
        m.forget_grad()
    try:
        loss = _record(function)
        return max(
            (_compare(m, name, loss, step, tolerance) for m, name in names.items()),
            default=0.0,
        )
    finally:
        for m, gradient in before.items():
            m.forget_grad()
            if gradient is not None:
                m.grad = gradient


def _record(function: Function) -> Callable[[], float]:
    """Fill the gradients of L by a recording; return L as a function of the values."""
    with Graph() as graph:
        y = function(graph)
    weights = [
        0.5 + random.uniform(0, random.MATRIX, 0, k) for k in range(y.shape.size)
    ]
    y.grad = weights
    graph.backward()

    def loss() -> float:
        with Graph(recording=False) as graph:
            return dot(weights, function(graph).value)

    return loss


def _compare(
    m: Matrix, name: str, loss: Callable[[], float], step: float, tolerance: float
) -> float:
    """Return the largest error of one matrix, relative as the tolerance is."""

    def central(k: int, h: float) -> float:
        x = m.value[k]
        try:
            m.value[k] = x + h
            above = loss()
            m.value[k] = x - h
            below = loss()
        finally:
            m.value[k] = x
        return (above - below) / (2.0 * h)

    numeric = [
        (4.0 * central(k, step / 2.0) - central(k, step)) / 3.0
        for k in range(m.shape.size)
    ]
    scale = max([1.0, *map(abs, numeric)])
    worst = 0.0
    for k, (a, b) in enumerate(zip(m.grad, numeric, strict=True)):
        error = abs(a - b) / scale
        # Not `error > tolerance`: an error that is no number must fail too.
        if not error <= tolerance:
            raise AssertionError(
                f"gradcheck: gradient of {name} at ({k % m.rows}, {k // m.rows}) "
                f"is {a!r} but differences give {b!r}"
            )
        worst = max(worst, error)
    return worst
