"""Ops that combine matrices element by element, and the matrix product."""

import math
from collections.abc import Callable

from recurrentnn.reference.ieee import divide, dot
from recurrentnn.reference.matrix import Matrix
from recurrentnn.reference.shape import expect

from .rule import (
    Backward,
    Op,
    broadcast_indices,
    broadcast_shape,
    expect_equal_shapes,
    op,
)

# a, b -> y, dy/da, dy/db
Formula = Callable[[float, float], tuple[float, float, float]]


def _pair(
    name: str, left: Matrix, right: Matrix, formula: Formula
) -> tuple[Matrix, Backward]:
    shape = broadcast_shape(name, left, right)
    from_left = broadcast_indices(left, shape)
    from_right = broadcast_indices(right, shape)
    triples = [
        formula(left.value[i], right.value[j])
        for i, j in zip(from_left, from_right, strict=True)
    ]
    out = Matrix.from_flat(shape.rows, shape.cols, [y for y, _, _ in triples])

    def backward() -> None:
        # An element that was broadcast collects the gradients of all its copies.
        for k, (_, by_left, by_right) in enumerate(triples):
            left.grad[from_left[k]] += out.grad[k] * by_left
            right.grad[from_right[k]] += out.grad[k] * by_right

    return out, backward


def _broadcasting(formula: Formula) -> Op:
    """Make an op of two operands that broadcast."""
    name = formula.__name__

    def rule(left: Matrix, right: Matrix) -> tuple[Matrix, Backward]:
        return _pair(name, left, right, formula)

    rule.__doc__ = formula.__doc__
    return Op(name, 2, rule)


def _same_shape(formula: Formula) -> Op:
    """Make an op of two operands of one shape."""
    name = formula.__name__

    def rule(left: Matrix, right: Matrix) -> tuple[Matrix, Backward]:
        expect_equal_shapes(name, left, right)
        return _pair(name, left, right, formula)

    rule.__doc__ = formula.__doc__
    return Op(name, 2, rule)


@op(operands=None)
def add(*matrices: Matrix) -> tuple[Matrix, Backward]:
    """Sum from left to right, broadcasting: y = a + b + ..., dy/da = dy/db = 1."""
    expect(len(matrices) > 0, "add: takes at least one matrix")
    shape = broadcast_shape("add", *matrices)
    sources = [(m, broadcast_indices(m, shape)) for m in matrices]
    first, first_source = sources[0]
    values = [first.value[k] for k in first_source]
    for m, source in sources[1:]:
        values = [y + m.value[k] for y, k in zip(values, source, strict=True)]
    out = Matrix.from_flat(shape.rows, shape.cols, values)

    def backward() -> None:
        for m, source in sources:
            for k, index in enumerate(source):
                m.grad[index] += out.grad[k]

    return out, backward


@_broadcasting
def sub(a: float, b: float) -> tuple[float, float, float]:
    """Subtract: y = a - b, dy/da = 1, dy/db = -1."""
    return a - b, 1.0, -1.0


@_broadcasting
def mul(a: float, b: float) -> tuple[float, float, float]:
    """Multiply elementwise: y = a b, dy/da = b, dy/db = a."""
    return a * b, b, a


@_broadcasting
def div(a: float, b: float) -> tuple[float, float, float]:
    """Divide: y = a / b, dy/da = 1/b, dy/db = -y/b."""
    y = divide(a, b)
    return y, divide(1.0, b), -divide(y, b)


def _share(a: float, b: float) -> float:
    """Return what a > b gets of the gradient: all, or half of it at a tie."""
    return 0.5 if a == b else float(a > b)


@_same_shape
def maximum(a: float, b: float) -> tuple[float, float, float]:
    """Take the larger, nan if either is; dy = 1 to it, 1/2 to each at a tie."""
    y = math.nan if a != a or b != b else max(a, b)
    return y, _share(a, b), _share(b, a)


@_same_shape
def minimum(a: float, b: float) -> tuple[float, float, float]:
    """Take the smaller, nan if either is; dy = 1 to it, 1/2 to each at a tie."""
    y = math.nan if a != a or b != b else min(a, b)
    return y, _share(b, a), _share(a, b)


@op(operands=3)
def where(condition: Matrix, a: Matrix, b: Matrix) -> tuple[Matrix, Backward]:
    """Take a where the condition is not 0, else b; dy = 1 to the one taken."""
    expect_equal_shapes("where", condition, a, b)
    sources = [a if c != 0.0 else b for c in condition.value]
    out = Matrix.from_flat(a.rows, a.cols, [m.value[k] for k, m in enumerate(sources)])

    def backward() -> None:
        for k, m in enumerate(sources):
            m.grad[k] += out.grad[k]

    return out, backward


@op(operands=2)
def matmul(left: Matrix, right: Matrix) -> tuple[Matrix, Backward]:
    """Multiply matrices: Y = L R, dL = dY R', dR = L' dY; sums ascend in k.

    (m, k) by (k, n) gives (m, n).
    """
    expect(
        left.cols == right.rows,
        f"matmul: left is {left.shape} but right has {right.rows} rows",
    )
    rows = [left.row(i) for i in range(left.rows)]
    columns = [right.column(j) for j in range(right.cols)]
    out = Matrix.from_flat(
        left.rows, right.cols, [dot(row, column) for column in columns for row in rows]
    )

    def backward() -> None:
        dy = Matrix.from_flat(out.rows, out.cols, out.grad)
        dy_rows = [dy.row(i) for i in range(dy.rows)]
        dy_columns = [dy.column(j) for j in range(dy.cols)]
        right_rows = [right.row(k) for k in range(right.rows)]
        left_columns = [left.column(k) for k in range(left.cols)]
        by_left = [dot(a, b) for b in right_rows for a in dy_rows]
        by_right = [dot(a, b) for b in dy_columns for a in left_columns]
        for k, g in enumerate(by_left):
            left.grad[k] += g
        for k, g in enumerate(by_right):
            right.grad[k] += g

    return out, backward
