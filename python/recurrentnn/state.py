"""The values that go into a net and come out of it: tick, state, update statistics."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, Self, TypeAlias

import numpy as np

from recurrentnn._recurrentnn import choose
from recurrentnn.errors import DTypeError, OutOfRangeError, ShapeError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from recurrentnn._recurrentnn import Matrix

    Vector: TypeAlias = Matrix | NDArray[Any]


_NOTHING: Mapping[str, Any] = MappingProxyType({})


class _Step(NamedTuple):
    hidden: tuple[Matrix, ...]
    cell: tuple[Matrix, ...]
    output: Matrix


class Step(_Step):
    """What one tick of `Model.forward` gives, and what the next tick takes.

    A named tuple (hidden, cell, output). The output comes last, so that `prev[-1]` is
    the output for every cell, as in the ancestors.

    Attributes
    ----------
    hidden
        The new hidden vectors, one (size, batch) matrix per layer.
    cell
        The new vectors `cell` of a net that has them, as an LSTM or GFLSTM; else empty.
    output
        The decoder's output, (output_size, batch); without a decoder what it would
        read, the hidden vector of the top layer, or of all with `all_to_output`.
    more
        New vectors of any other name that a cell of your own has; each is an attribute,
        too, but no element of the tuple.
    """

    more: Mapping[str, tuple[Matrix, ...]]

    def __new__(
        cls,
        hidden: tuple[Matrix, ...],
        cell: tuple[Matrix, ...],
        output: Matrix,
        more: Mapping[str, tuple[Matrix, ...]] = _NOTHING,
    ) -> Self:
        """One tick's vectors, a tuple with one per layer for each name."""
        self = super().__new__(cls, hidden, cell, output)
        self.more = more
        return self

    def __getattr__(self, name: str) -> tuple[Matrix, ...]:
        """The vectors of a name in `more`."""
        if name != "more" and name in self.more:
            return self.more[name]
        raise _unknown(self, name)


@dataclass(frozen=True, slots=True, eq=False)
class State:
    """The state of a net between two sequences: a plain value, never hidden in a layer.

    From a call outside any graph it holds arrays, (batch, size). From a call inside a
    recording graph it holds matrices, (size, batch): inside the same graph they are
    differentiated across; from a finished graph they enter the next call by value.

    Attributes
    ----------
    hidden
        One array or matrix per layer.
    cell
        Likewise for LSTM, GFLSTM and others that have one; else empty.
    more
        Likewise by name, whatever else a cell of your own carries; each is an attribute
        too: `state.slow` is `state.more["slow"]`.
    """

    hidden: tuple[Vector, ...]
    cell: tuple[Vector, ...] = ()
    more: Mapping[str, tuple[Vector, ...]] = field(default_factory=dict)

    def __getattr__(self, name: str) -> tuple[Vector, ...]:
        """The vectors of a name in `more`."""
        if name != "more" and name in self.more:
            return self.more[name]
        raise _unknown(self, name)

    def detach(self) -> State:
        """The same numbers as arrays of their own, (batch, size), without a graph."""
        return self._map(_array)

    def clone(self) -> State:
        """The same numbers in memory of their own; gradients pass through matrices."""
        return self._map(
            lambda v: v.copy() if isinstance(v, np.ndarray) else v.scale(1.0)
        )

    def select(self, rows: ArrayLike) -> State:
        """Some rows of the batch, in any order, some perhaps more than once.

        Parameters
        ----------
        rows
            Their numbers, (n,).

        Returns
        -------
        State
            Of n rows; gradients pass through matrices.

        Raises
        ------
        DTypeError, ShapeError, OutOfRangeError
            For rows that are no list of numbers of rows.
        """
        chosen = _rows(rows)

        def select(vector: Vector) -> Vector:
            batch = _batch(vector)
            if chosen.size and not 0 <= chosen.min() <= chosen.max() < batch:
                raise OutOfRangeError(
                    f"select: rows must be from 0 to {batch - 1} but are {chosen}"
                )
            if isinstance(vector, np.ndarray):
                return vector[chosen]
            return vector.select_columns(chosen)

        return self._map(select)

    def reset(self, mask: ArrayLike, initial: State | None = None) -> State:
        """The state with some rows set to the initial state.

        Parameters
        ----------
        mask
            Booleans, (batch,): True for the rows that begin anew.
        initial
            What they begin with: a state of as many rows, as `Model.initial_state`
            gives. None are zeros.

        Returns
        -------
        State
            A new one; gradients pass through matrices in the rows that are kept.

        Raises
        ------
        DTypeError, ShapeError
            For a mask that does not say so for every row.
        """
        anew = np.asarray(mask)
        if anew.dtype != np.bool_:
            raise DTypeError(f"reset: mask must be booleans but is {anew.dtype}")

        def reset(vector: Vector, start: Vector | None) -> Vector:
            batch = _batch(vector)
            if anew.shape != (batch,):
                raise ShapeError(
                    f"reset: mask must be ({batch},), one a row, but is {anew.shape}"
                )
            if isinstance(vector, np.ndarray):
                zeros = np.zeros_like(vector)
                new = zeros if start is None else _array(start)
                return np.where(anew[:, np.newaxis], new, vector)
            if start is None:
                start = np.zeros((batch, vector.shape[0]))
            begun = start.T if isinstance(start, np.ndarray) else start
            rows = np.broadcast_to(anew, vector.shape).astype(vector.dtype)
            return choose(rows, begun, vector)

        return self._map(reset, initial)

    def _map(self, change: Callable[..., Vector], *others: State | None) -> State:
        """A state of what `change` makes of each vector, and of those of `others`."""

        def all_of(name: str, vectors: tuple[Vector, ...]) -> tuple[Vector, ...]:
            beside = [
                (None,) * len(vectors) if other is None else getattr(other, name)
                for other in others
            ]
            return tuple(change(*v) for v in zip(vectors, *beside, strict=True))

        return State(
            all_of("hidden", self.hidden),
            all_of("cell", self.cell),
            {name: all_of(name, vectors) for name, vectors in self.more.items()},
        )


class StepStats(NamedTuple):
    """Statistics of one step of an optimizer.

    Attributes
    ----------
    grad_norm
        Euclidean norm of all gradients together, before clipping.
    clipped_fraction
        The share of gradient elements that `clip_value` changed, in [0, 1].
    """

    grad_norm: float
    clipped_fraction: float


def _unknown(holder: Step | State, name: str) -> AttributeError:
    kind = type(holder).__name__
    return AttributeError(f"{kind} has no {name!r}", name=name, obj=holder)


def _rows(rows: ArrayLike) -> NDArray[np.int64]:
    given = np.asarray(rows)
    if given.ndim != 1:
        raise ShapeError(f"select: rows must be (n,) but are {given.shape}")
    if given.size and given.dtype.kind not in "iu":
        raise DTypeError(f"select: rows must be integers but are {given.dtype}")
    return given.astype(np.int64)


def _batch(vector: Vector) -> int:
    # A Matrix keeps samples in columns, arrays keep them in rows.
    return int(vector.shape[0 if isinstance(vector, np.ndarray) else 1])


def _array(vector: Vector) -> NDArray[Any]:
    if isinstance(vector, np.ndarray):
        return vector.copy()
    return vector.value.T.copy()
