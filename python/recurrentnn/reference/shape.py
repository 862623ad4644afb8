"""Shapes, and the rule by which two of them broadcast."""

from typing import NamedTuple


class Shape(NamedTuple):
    """rows x cols; a column is one sample, so cols is the batch."""

    rows: int
    cols: int

    @property
    def size(self) -> int:
        """Number of elements."""
        return self.rows * self.cols

    def __str__(self) -> str:
        return f"{self.rows}x{self.cols}"

    def broadcast(self, other: "Shape") -> "Shape | None":
        """Return the shape both broadcast to, or None: a dimension is equal or 1."""
        rows = _broadcast(self.rows, other.rows)
        cols = _broadcast(self.cols, other.cols)
        return None if rows is None or cols is None else Shape(rows, cols)


SCALAR = Shape(1, 1)


def _broadcast(a: int, b: int) -> int | None:
    if a == b or b == 1:
        return a
    return b if a == 1 else None


def expect(condition: bool, message: str, error: type[Exception] = ValueError) -> None:
    """Raise `error(message)` unless the condition holds."""
    if not condition:
        raise error(message)
