"""Derivatives against differences: the judge of every backward pass."""

from collections.abc import Callable, Sequence

from . import random
from .graph import Graph
from .ieee import dot
from .matrix import Matrix


def gradcheck(
    function: Callable[..., Matrix],
    matrices: Sequence[Matrix],
    *,
    step: float = 1e-3,
    tolerance: float = 1e-7,
    seed: int = 0,
) -> float:
    """Compare the gradients of a function with extrapolated central differences.

    The function's output Y, of any shape, is made a number by weights of our own,
    L = sum_k w_k y_k with w in [0.5, 1.5), so that no element of Y can hide behind
    another. With the central difference D(h) = (L(x+h) - L(x-h)) / (2h), the estimate
    (4 D(h/2) - D(h)) / 3 is off by O(h^4) (Richardson), here some 1e-12, instead of
    O(h^2).

    Parameters
    ----------
    function
        Gets `matrices` and returns a matrix; the same numbers give the same result.
    matrices
        Where to differentiate, away from kinks and from the edges of domains. The
        function may also reach them in another way, as a net its parameters; they are
        left as they were.
    step
        h.
    tolerance
        Largest max|a - b| / max(1, max|b|) over a matrix, a the gradient of the
        recording, b that of the differences.
    seed
        Of the weights w.

    Returns
    -------
    float
        The largest of those errors.

    Raises
    ------
    AssertionError
        If it is above the tolerance, or not a number. Names the matrix and element.
    """
    gradients = [m.grad if m.has_grad else None for m in matrices]
    for m in matrices:
        m.forget_grad()
    try:
        return _worst_error(function, matrices, step, tolerance, seed)
    finally:
        for m, gradient in zip(matrices, gradients, strict=True):
            m.forget_grad()
            if gradient is not None:
                m.grad = gradient


def _worst_error(
    function: Callable[..., Matrix],
    matrices: Sequence[Matrix],
    step: float,
    tolerance: float,
    seed: int,
) -> float:
    with Graph() as graph:
        out = function(*matrices)
    weights = [
        0.5 + random.uniform(seed, random.MATRIX, 0, k) for k in range(out.shape.size)
    ]
    out.grad = weights
    graph.backward()

    def loss() -> float:
        with Graph(recording=False):
            return dot(weights, function(*matrices).value)

    def central(m: Matrix, k: int, h: float) -> float:
        x = m.value[k]
        try:
            m.value[k] = x + h
            above = loss()
            m.value[k] = x - h
            below = loss()
        finally:
            m.value[k] = x
        return (above - below) / (2.0 * h)

    worst = 0.0
    for number, m in enumerate(matrices):
        recorded = m.grad
        numeric = [
            (4.0 * central(m, k, step / 2.0) - central(m, k, step)) / 3.0
            for k in range(m.shape.size)
        ]
        scale = max([1.0, *map(abs, numeric)])
        for k, (a, b) in enumerate(zip(recorded, numeric, strict=True)):
            error = abs(a - b) / scale
            # Not `error > tolerance`: an error that is no number must fail too.
            if not error <= tolerance:
                raise AssertionError(
                    f"gradcheck: gradient of matrix {number} at "
                    f"({k % m.rows}, {k // m.rows}) is {a!r} but differences give {b!r}"
                )
            worst = max(worst, error)
    return worst
