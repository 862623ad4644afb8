"""Matrices: a shape, a value, and a gradient that comes into being when touched."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeAlias

from . import random
from .shape import SCALAR, Shape, expect

if TYPE_CHECKING:
    from .graph import Recording

Row: TypeAlias = Sequence[float]
Operand: TypeAlias = "Matrix | Sequence[Row] | Row | float"


class Matrix:
    """A rows x cols matrix of floats.

    `value` and `grad` are flat lists in column-major order: element (i, j) is at
    j*rows + i, so a column, which is one sample, lies together. `w` and `dw` are the
    ancestors' names of the two.

    Every op but concat, concat_columns and where is a method; `+ - * / @ ** .T` are
    add, sub, mul, div, matmul, pow, transpose.

    Parameters
    ----------
    data
        Rows of numbers; one flat row of numbers is one column; a number is 1x1.

    Raises
    ------
    ValueError
        If the rows differ in length.
    TypeError
        If an element is not a real number.
    """

    def __init__(self, data: Sequence[Row] | Row | float) -> None:
        rows = _as_rows(data)
        cols = len(rows[0]) if rows else 1
        expect(
            all(len(row) == cols for row in rows),
            f"Matrix: rows must be of one length but are {[len(row) for row in rows]}",
        )
        self._shape = Shape(len(rows), cols)
        self._value = [_as_float(row[j]) for j in range(cols) for row in rows]
        self._grad: list[float] | None = None
        # The recording that made it; None for a leaf. Weak: a matrix does not keep
        # a graph alive, and one whose graph is gone counts as a plain value.
        self.made_by: weakref.ref[Recording] | None = None
        # The recordings that use it as a leaf.
        self.used_by: weakref.WeakSet[Recording] = weakref.WeakSet()

    @staticmethod
    def from_flat(rows: int, cols: int, value: Sequence[float]) -> Matrix:
        """Make a matrix of the numbers given column by column."""
        expect(rows >= 0 and cols >= 0, f"Matrix: no matrix can be {rows}x{cols}")
        m = Matrix([])
        m._shape = Shape(rows, cols)
        m.value = value
        return m

    @staticmethod
    def zeros(rows: int, cols: int) -> Matrix:
        """Make every element 0."""
        return Matrix.from_flat(rows, cols, [0.0] * (rows * cols))

    @staticmethod
    def ones(rows: int, cols: int) -> Matrix:
        """Make every element 1."""
        return Matrix.from_flat(rows, cols, [1.0] * (rows * cols))

    @staticmethod
    def uniform(
        rows: int, cols: int, low: float = 0.0, high: float = 1.0, *, seed: int = 0
    ) -> Matrix:
        """Draw every element uniformly from [low, high)."""
        draw = (random.uniform(seed, random.MATRIX, 0, k) for k in range(rows * cols))
        return Matrix.from_flat(rows, cols, [low + (high - low) * u for u in draw])

    @staticmethod
    def normal(
        rows: int, cols: int, mean: float = 0.0, std: float = 1.0, *, seed: int = 0
    ) -> Matrix:
        """Draw every element from the normal distribution."""
        draw = (random.normal(seed, random.MATRIX, 0, k) for k in range(rows * cols))
        return Matrix.from_flat(rows, cols, [mean + std * z for z in draw])

    @property
    def shape(self) -> Shape:
        """Rows and columns."""
        return self._shape

    @property
    def rows(self) -> int:
        """Number of rows: the features of a sample."""
        return self.shape.rows

    @property
    def cols(self) -> int:
        """Number of columns: the samples."""
        return self.shape.cols

    @property
    def value(self) -> list[float]:
        """The elements, column by column; assignment copies."""
        return self._value

    @value.setter
    def value(self, value: Sequence[float]) -> None:
        self._value = self._checked("value", value)

    @property
    def grad(self) -> list[float]:
        """The derivative of the loss by each element; zeros when first touched."""
        if self._grad is None:
            self._grad = [0.0] * self.shape.size
        return self._grad

    @grad.setter
    def grad(self, grad: Sequence[float]) -> None:
        self._grad = self._checked("grad", grad)

    w, dw = value, grad

    @property
    def has_grad(self) -> bool:
        """Whether anything touched the gradient."""
        return self._grad is not None

    def _checked(self, what: str, numbers: Sequence[float]) -> list[float]:
        expect(
            len(numbers) == self.shape.size,
            f"{what}: {self.shape} needs {self.shape.size} numbers "
            f"but {len(numbers)} came",
        )
        return [_as_float(x) for x in numbers]

    def zero_grad(self) -> None:
        """Set the gradient to zero."""
        if self._grad is not None:
            self._grad[:] = [0.0] * self.shape.size

    def forget_grad(self) -> None:
        """Be as if nothing had touched the gradient."""
        self._grad = None

    def copy(self) -> Matrix:
        """Return a leaf with the same value and no gradient."""
        return Matrix.from_flat(self.rows, self.cols, self.value)

    def row(self, i: int) -> list[float]:
        """Return the elements of row i."""
        return self.value[i :: self.rows]

    def column(self, j: int) -> list[float]:
        """Return the elements of column j."""
        return self.value[j * self.rows : (j + 1) * self.rows]

    def tolist(self) -> list[list[float]]:
        """Return the value as nested rows."""
        return [self.row(i) for i in range(self.rows)]

    def item(self) -> float:
        """Return the only element of a 1x1 matrix."""
        expect(self.shape == SCALAR, f"item: expected 1x1 but matrix is {self.shape}")
        return self.value[0]

    __float__ = item

    def __bool__(self) -> bool:
        raise TypeError("bool: a matrix is neither true nor false")

    def __repr__(self) -> str:
        return f"Matrix({self.tolist()})"

    if TYPE_CHECKING:
        # The matrix names no op: `graph` gives it a method for each in the table.
        def __getattr__(self, name: str) -> Callable[..., Matrix]: ...

    @property
    def T(self) -> Matrix:
        """The transpose."""
        return _apply("transpose", self)

    def __matmul__(self, other: Operand) -> Matrix:
        return _apply("matmul", self, other)

    def __rmatmul__(self, other: Operand) -> Matrix:
        return _apply("matmul", other, self)

    def __add__(self, other: Operand) -> Matrix:
        return _apply("add", self, other)

    def __radd__(self, other: Operand) -> Matrix:
        return _apply("add", other, self)

    def __sub__(self, other: Operand) -> Matrix:
        return _apply("sub", self, other)

    def __rsub__(self, other: Operand) -> Matrix:
        return _apply("sub", other, self)

    def __mul__(self, other: Operand) -> Matrix:
        return _apply("mul", self, other)

    def __rmul__(self, other: Operand) -> Matrix:
        return _apply("mul", other, self)

    def __truediv__(self, other: Operand) -> Matrix:
        return _apply("div", self, other)

    def __rtruediv__(self, other: Operand) -> Matrix:
        return _apply("div", other, self)

    def __pow__(self, exponent: float) -> Matrix:
        return _apply("pow", self, exponent)

    def __neg__(self) -> Matrix:
        return _apply("neg", self)


def _apply(name: str, *operands: object, **attributes: object) -> Matrix:
    # Imported late: a graph is made of matrices, and their operators record in it.
    from .graph import apply

    return apply(name, *operands, **attributes)


def _as_rows(data: Sequence[Row] | Row | float) -> list[Row]:
    if not isinstance(data, Sequence):
        return [[data]]
    return [row if isinstance(row, Sequence) else [row] for row in data]


def _as_float(x: object) -> float:
    if isinstance(x, (int, float)):
        return float(x)
    raise TypeError(f"Matrix: expected real numbers, got {type(x).__name__}")
