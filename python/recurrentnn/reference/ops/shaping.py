"""Ops that move elements and compute nothing.

Each only says from which element of which operand every element of its output comes;
the value is read from there, and the gradient is added there.
"""

from collections.abc import Iterable, Sequence
from operator import index as as_index

from recurrentnn.reference.matrix import Matrix
from recurrentnn.reference.shape import expect

from .rule import Backward, op

# An element of a matrix: (matrix, column-major index).
Source = tuple[Matrix, int]


def _move(rows: int, cols: int, sources: Iterable[Source]) -> tuple[Matrix, Backward]:
    """Copy: Y[k] = M[s], dM[s] += dY[k] for every k and its source (M, s)."""
    sources = list(sources)
    out = Matrix.from_flat(rows, cols, [m.value[s] for m, s in sources])

    def backward() -> None:
        for k, (m, s) in enumerate(sources):
            m.grad[s] += out.grad[k]

    return out, backward


def _at(m: Matrix, i: int, j: int) -> Source:
    return m, j * m.rows + i


def _expect_range(name: str, start: int, stop: int, count: int, what: str) -> None:
    expect(
        0 <= start <= stop <= count,
        f"{name}: expected 0 <= start <= stop <= {count} {what}, "
        f"got {start} and {stop}",
        IndexError,
    )


def _checked(name: str, indices: Sequence[int], count: int, what: str) -> list[int]:
    for index in indices:
        expect(
            0 <= index < count,
            f"{name}: index {index} is not below the {count} {what}",
            IndexError,
        )
    return [as_index(index) for index in indices]


@op(operands=None)
def concat(*matrices: Matrix) -> tuple[Matrix, Backward]:
    """Put matrices below one another; columns must agree."""
    expect(len(matrices) > 0, "concat: takes at least one matrix")
    cols = matrices[0].cols
    for m in matrices:
        expect(
            m.cols == cols,
            f"concat: first has {cols} columns but another is {m.shape}",
        )
    return _move(
        sum(m.rows for m in matrices),
        cols,
        (_at(m, i, j) for j in range(cols) for m in matrices for i in range(m.rows)),
    )


@op(operands=None)
def concat_columns(*matrices: Matrix) -> tuple[Matrix, Backward]:
    """Put matrices beside one another; rows must agree."""
    expect(len(matrices) > 0, "concat_columns: takes at least one matrix")
    rows = matrices[0].rows
    for m in matrices:
        expect(
            m.rows == rows,
            f"concat_columns: first has {rows} rows but another is {m.shape}",
        )
    return _move(
        rows,
        sum(m.cols for m in matrices),
        ((m, k) for m in matrices for k in range(m.shape.size)),
    )


@op()
def slice_rows(m: Matrix, start: int, stop: int) -> tuple[Matrix, Backward]:
    """Take the rows from start up to, not including, stop."""
    _expect_range("slice_rows", start, stop, m.rows, "rows")
    sources = (_at(m, i, j) for j in range(m.cols) for i in range(start, stop))
    return _move(stop - start, m.cols, sources)


@op()
def slice_columns(m: Matrix, start: int, stop: int) -> tuple[Matrix, Backward]:
    """Take the columns from start up to, not including, stop."""
    _expect_range("slice_columns", start, stop, m.cols, "columns")
    sources = (_at(m, i, j) for j in range(start, stop) for i in range(m.rows))
    return _move(m.rows, stop - start, sources)


@op()
def select_rows(m: Matrix, indices: Sequence[int]) -> tuple[Matrix, Backward]:
    """Take row indices[k] as column k: (rows, cols) gives (cols, len(indices)).

    The look-up of embeddings, one row per symbol; a row may be taken many times.
    """
    rows = _checked("select_rows", indices, m.rows, "rows")
    return _move(m.cols, len(rows), (_at(m, i, j) for i in rows for j in range(m.cols)))


@op()
def select_columns(m: Matrix, indices: Sequence[int]) -> tuple[Matrix, Backward]:
    """Take column indices[k] as column k; a column may be taken many times."""
    columns = _checked("select_columns", indices, m.cols, "columns")
    return _move(
        m.rows, len(columns), (_at(m, i, j) for j in columns for i in range(m.rows))
    )


@op()
def reshape(m: Matrix, rows: int, cols: int) -> tuple[Matrix, Backward]:
    """Give the elements, in their column-major order, another shape."""
    expect(
        rows >= 0 and cols >= 0 and rows * cols == m.shape.size,
        f"reshape: {m.shape} has {m.shape.size} elements, {rows}x{cols} has not",
    )
    return _move(rows, cols, ((m, k) for k in range(m.shape.size)))


@op()
def transpose(m: Matrix) -> tuple[Matrix, Backward]:
    """Turn rows into columns."""
    sources = (_at(m, i, j) for i in range(m.rows) for j in range(m.cols))
    return _move(m.cols, m.rows, sources)
