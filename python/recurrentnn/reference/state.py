"""The values that go into a net and come out of it: tick, state, update statistics."""

from dataclasses import dataclass
from typing import NamedTuple

from .matrix import Matrix


class Step(NamedTuple):
    """What one tick of `Model.forward` gives, and what the next tick takes.

    Attributes
    ----------
    hidden
        The new hidden vectors, one (size, batch) matrix per layer.
    cell
        The new cell vectors of an LSTM or GFLSTM, likewise; empty for other cells.
    output
        The decoder's output, or without a decoder what it would have read. It comes
        last: `prev[-1]` is the output, as in the ancestors.
    """

    hidden: tuple[Matrix, ...]
    cell: tuple[Matrix, ...]
    output: Matrix


@dataclass(frozen=True)
class State:
    """The state of a net between two sequences: a plain value, hidden in no layer.

    Here it always holds matrices, (size, batch) per layer; the compiled library holds
    arrays (batch, size) outside a graph.
    """

    hidden: tuple[Matrix, ...]
    cell: tuple[Matrix, ...] = ()


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
