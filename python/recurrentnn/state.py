"""The values that go into a net and come out of it: tick, state, update statistics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, Self, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

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
        return State(
            _arrays(self.hidden),
            _arrays(self.cell),
            {name: _arrays(vectors) for name, vectors in self.more.items()},
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


def _arrays(vectors: tuple[Vector, ...]) -> tuple[NDArray[Any], ...]:
    return tuple(_array(vector) for vector in vectors)


def _array(vector: Vector) -> NDArray[Any]:
    if isinstance(vector, np.ndarray):
        return vector.copy()
    # A Matrix keeps samples in columns, arrays keep them in rows.
    return vector.value.T.copy()
