"""The values that go into a net and come out of it: tick, state, update statistics."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from recurrentnn._recurrentnn import Matrix

    Vector: TypeAlias = Matrix | NDArray[Any]


class Step(NamedTuple):
    """What one tick of `Model.forward` gives, and what the next tick takes.

    The output comes last, so that `prev[-1]` is the output for every cell, as in the
    ancestors.

    Attributes
    ----------
    hidden
        The new hidden vectors, one (size, batch) matrix per layer.
    cell
        The new cell vectors of an LSTM or GFLSTM, likewise; empty for other cells.
    output
        The decoder's output, (output_size, batch); without a decoder what it would
        read, the hidden vector of the top layer, or of all with `all_to_output`.
    """

    hidden: tuple[Matrix, ...]
    cell: tuple[Matrix, ...]
    output: Matrix


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
        Likewise for LSTM and GFLSTM; empty for other cells.
    """

    hidden: tuple[Vector, ...]
    cell: tuple[Vector, ...] = ()

    def detach(self) -> State:
        """The same numbers as arrays of their own, (batch, size), without a graph."""
        return State(
            tuple(_array(vector) for vector in self.hidden),
            tuple(_array(vector) for vector in self.cell),
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


def _array(vector: Vector) -> NDArray[Any]:
    if isinstance(vector, np.ndarray):
        return vector.copy()
    # A Matrix keeps samples in columns, arrays keep them in rows.
    return vector.value.T.copy()
