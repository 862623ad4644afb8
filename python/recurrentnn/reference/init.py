"""Initial values of parameters.

A parameter's numbers are addressed by the seed, its number in the model's order
(`step`) and the column-major index: they depend on nothing that was drawn before.
"""

import math

from .ieee import dot
from .matrix import Matrix
from .random import INIT
from .random import normal as draw_normal
from .random import uniform as draw_uniform


def constant(rows: int, cols: int, x: float) -> Matrix:
    """Make every element x."""
    return Matrix.from_flat(rows, cols, [x] * (rows * cols))


def uniform(
    rows: int, cols: int, low: float, high: float, *, seed: int, step: int
) -> Matrix:
    """Draw low + (high - low) u, u uniform in [0, 1)."""
    draw = (draw_uniform(seed, INIT, step, k) for k in range(rows * cols))
    return Matrix.from_flat(rows, cols, [low + (high - low) * u for u in draw])


def normal(
    rows: int, cols: int, mean: float, std: float, *, seed: int, step: int
) -> Matrix:
    """Draw mean + std z, z standard normal."""
    draw = (draw_normal(seed, INIT, step, k) for k in range(rows * cols))
    return Matrix.from_flat(rows, cols, [mean + std * z for z in draw])


def glorot_uniform(rows: int, cols: int, *, seed: int, step: int) -> Matrix:
    """Draw uniformly in +-sqrt(6 / (rows + cols)) (Glorot and Bengio 2010)."""
    limit = math.sqrt(6.0 / (rows + cols))
    return uniform(rows, cols, -limit, limit, seed=seed, step=step)


def orthogonal(rows: int, cols: int, *, seed: int, step: int) -> Matrix:
    """Draw orthonormal columns, or rows if those are fewer (Saxe et al. 2014).

    A tall matrix of normal numbers, orthonormalised column by column (Gram and Schmidt,
    classical); each column is projected twice, because once leaves an error that grows
    with the condition number ("twice is enough", Giraud et al. 2005).
    """
    m, n = max(rows, cols), min(rows, cols)
    a = normal(m, n, 0.0, 1.0, seed=seed, step=step)
    columns = [a.column(j) for j in range(n)]
    for j in range(n):
        for _ in range(2):
            overlaps = [dot(columns[i], columns[j]) for i in range(j)]
            for q, overlap in zip(columns[:j], overlaps, strict=True):
                columns[j] = [
                    x - overlap * y for x, y in zip(columns[j], q, strict=True)
                ]
        length = math.sqrt(dot(columns[j], columns[j]))
        columns[j] = [x / length for x in columns[j]]
    if rows < cols:
        return Matrix.from_flat(
            rows, cols, [columns[i][j] for j in range(cols) for i in range(rows)]
        )
    return Matrix.from_flat(rows, cols, [x for column in columns for x in column])
