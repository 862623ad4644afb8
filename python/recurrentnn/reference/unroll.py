"""Sequences through a model: the state carried from tick to tick."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .graph import Graph, apply
from .matrix import Matrix
from .shape import expect
from .state import State, Step

if TYPE_CHECKING:
    from .model import Model

# What one tick reads: symbols, one per sample, or a matrix (features, batch).
Tick = Sequence[int] | Matrix


def unroll(
    model: Model,
    graph: Graph,
    ticks: Sequence[Tick],
    prev: Step | State | None = None,
) -> list[Step]:
    """Run tick after tick in one graph, which is then differentiated through time."""
    steps: list[Step] = []
    call = model.call(graph)
    for number, x in enumerate(ticks):
        prev = model.tick(graph, x, prev, call, number)
        steps.append(prev)
    return steps


def truncated(
    model: Model,
    ticks: Sequence[Tick],
    chunk: int,
    prev: Step | State | None = None,
) -> Iterator[tuple[Graph, list[Step]]]:
    """Run chunk by chunk, each in a graph of its own, the state carried by value.

    Truncated backpropagation through time (Williams and Peng 1990): the caller runs a
    loss over a chunk's steps backwards before asking for the next chunk. Gradients stop
    at the chunk's first tick; values do not.
    """
    expect(chunk > 0, f"truncated: chunk must be >= 1 but is {chunk}")
    for start in range(0, len(ticks), chunk):
        graph = Graph()
        steps = unroll(model, graph, ticks[start : start + chunk], prev)
        yield graph, steps
        # Whatever the caller did, the next chunk gets numbers and not a graph.
        graph.clear()
        prev = steps[-1]


@dataclass(frozen=True)
class Sequences:
    """Nested lists of sequences, cut into ticks."""

    ticks: list[Tick]
    batch: int
    time_major: bool
    # (time, ...) came, without a batch.
    single: bool

    @staticmethod
    def read(x: Sequence[Any], time_major: bool) -> Sequences:
        """Cut (batch, time[, features]) or (time[, features]), time first if major."""
        depth, integers = _inspect(x)
        single = depth == (1 if integers else 2)
        expect(
            single or depth == (2 if integers else 3),
            "sequence: expected (batch, time, features) or (time, features) numbers, "
            f"or (batch, time) or (time,) symbols, got {depth} levels",
        )
        if single:
            by_time = [[moment] for moment in x]
        elif time_major:
            by_time = [list(moment) for moment in x]
        else:
            by_time = [list(moment) for moment in zip(*x, strict=True)]
        batch = 1 if single else len(by_time[0]) if time_major and x else len(x)
        ticks: list[Tick] = [
            samples if integers else Matrix(samples).T for samples in by_time
        ]
        return Sequences(ticks, batch, time_major, single)

    def write(self, outputs: Sequence[Matrix]) -> list[Any]:
        """Lay one output per tick out as the input was."""
        by_time = [[m.column(b) for b in range(self.batch)] for m in outputs]
        if self.single:
            return [samples[0] for samples in by_time]
        if self.time_major:
            return by_time
        return [[samples[b] for samples in by_time] for b in range(self.batch)]

    def join(self, outputs: Sequence[Matrix]) -> Matrix:
        """Make one matrix of all; column b*time + t is sample b at time t."""
        time = len(outputs)
        columns = apply("concat_columns", *outputs)
        order = [t * self.batch + b for b in range(self.batch) for t in range(time)]
        return apply("select_columns", columns, indices=order)


def _inspect(x: object) -> tuple[int, bool]:
    """Return how many levels of lists there are, and whether symbols are inside.

    Integers are symbols unless there are three levels; lists without any element are
    sequences of no ticks.
    """
    depth = 0
    while isinstance(x, Sequence):
        depth += 1
        if not x:
            return depth, True
        x = x[0]
    return depth, isinstance(x, int) and depth < 3
