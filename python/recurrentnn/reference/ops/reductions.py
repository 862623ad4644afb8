"""Ops that make one number of many.

Axis None reduces all elements to 1x1, axis 0 the rows to 1 x cols (one number per
column, that is per sample), axis 1 the columns to rows x 1.
"""

import math

from recurrentnn.reference.ieee import total
from recurrentnn.reference.matrix import Matrix
from recurrentnn.reference.shape import Shape, expect

from .rule import Backward, op

# The column-major indices that one output element is made of.
Group = list[int]


def _groups(name: str, m: Matrix, axis: int | None) -> tuple[Shape, list[Group]]:
    if axis is None:
        return Shape(1, 1), [list(range(m.shape.size))]
    expect(axis in (0, 1), f"{name}: axis must be 0, 1 or None but is {axis!r}")
    columns = [[j * m.rows + i for i in range(m.rows)] for j in range(m.cols)]
    if axis == 0:
        return Shape(1, m.cols), columns
    return Shape(m.rows, 1), [
        [j * m.rows + i for j in range(m.cols)] for i in range(m.rows)
    ]


def expect_some(name: str, m: Matrix, axis: int | None) -> None:
    """Raise if there is nothing along the axis."""
    count = m.shape.size if axis is None else m.shape[axis]
    expect(count > 0, f"{name}: nothing to reduce in {m.shape} along axis {axis}")


@op()
def sum_(m: Matrix, axis: int | None = None) -> tuple[Matrix, Backward]:
    """Sum: y = sum of x, dy/dx = 1; y = 0 for no elements."""
    shape, groups = _groups("sum", m, axis)
    sums = [total(m.value[k] for k in group) for group in groups]
    out = Matrix.from_flat(*shape, sums)

    def backward() -> None:
        for g, group in zip(out.grad, groups, strict=True):
            for k in group:
                m.grad[k] += g

    return out, backward


@op()
def mean(m: Matrix, axis: int | None = None) -> tuple[Matrix, Backward]:
    """Average: y = (sum of the n x) / n, dy/dx = 1/n."""
    shape, groups = _groups("mean", m, axis)
    expect_some("mean", m, axis)
    means = [total(m.value[k] for k in group) / len(group) for group in groups]
    out = Matrix.from_flat(*shape, means)

    def backward() -> None:
        for g, group in zip(out.grad, groups, strict=True):
            for k in group:
                m.grad[k] += g / len(group)

    return out, backward


@op()
def max_(m: Matrix, axis: int) -> tuple[Matrix, Backward]:
    """Take the largest x, nan if there is one; dy = 1 to the first such."""
    expect(axis in (0, 1), f"max: axis must be 0 or 1 but is {axis!r}")
    shape, groups = _groups("max", m, axis)
    expect_some("max", m, axis)
    firsts = [group[first_maximum([m.value[k] for k in group])] for group in groups]
    out = Matrix.from_flat(*shape, [m.value[k] for k in firsts])

    def backward() -> None:
        for g, k in zip(out.grad, firsts, strict=True):
            m.grad[k] += g

    return out, backward


def first_maximum(numbers: list[float]) -> int:
    """Return the index of the first nan, else of the first of the largest."""
    for k, x in enumerate(numbers):
        if math.isnan(x):
            return k
    return numbers.index(max(numbers))
