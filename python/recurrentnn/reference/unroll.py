"""Sequences through a model: the state carried from tick to tick."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .graph import Graph, apply
from .matrix import Matrix
from .rows import Flags, Piece
from .shape import expect
from .state import State, Step

if TYPE_CHECKING:
    from .masks import Call
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
    return one_way(model, graph, ticks, prev, model.call(graph))


def one_way(
    model: Model,
    graph: Graph,
    ticks: Sequence[Tick],
    prev: Step | State | None,
    call: Call | None,
) -> list[Step]:
    """Run tick after tick, as a part of a call."""
    steps: list[Step] = []
    for number, x in enumerate(ticks):
        prev = model.tick(graph, x, prev, call, number)
        steps.append(prev)
    return steps


def both_ways(
    model: Model, graph: Graph, ticks: Sequence[Tick], state: State, call: Call | None
) -> tuple[list[Matrix], State]:
    """Run a sequence through a bidirectional net, layer by layer.

    Returns
    -------
    outputs, state
        The output of every tick; every layer's state at the end of its direction.
    """
    with graph:
        inputs = [model.columns(x, call) for x in ticks]
        # Of every tick, what the layers so far hand up.
        up: list[list[Matrix]] = [[] for _ in inputs]
        ends: list[State] = []
        for layer in range(len(model.hidden_sizes)):
            below = [
                model.below(x, tops, model.drop(call, 2 * layer, t))
                for t, (x, tops) in enumerate(zip(inputs, up, strict=True))
            ]
            hidden: list[list[Matrix]] = []
            for way in (0, 1):
                # What the cell reads are the states of all layers of its direction.
                now = State(state.hidden[way::2], state.cell[way::2])
                outputs = []
                numbers = range(len(below))
                for t in numbers if way == 0 else reversed(numbers):
                    drop = model.drop(call, 2 * layer + way, t)
                    now = model.step_of(layer, way, below[t], now, drop)
                    outputs.append(now.hidden[layer])
                hidden.append(outputs if way == 0 else outputs[::-1])
                ends.append(State(now.hidden[layer : layer + 1], _at(now.cell, layer)))
            for tops, pair in zip(up, zip(*hidden, strict=True), strict=True):
                tops.append(model.hand_up(model.merge(*pair), tops))
        end = State(
            tuple(h for s in ends for h in s.hidden),
            tuple(c for s in ends for c in s.cell),
        )
        return [model.decode(tops) for tops in up], end


def _at(cell: tuple[Matrix, ...], layer: int) -> tuple[Matrix, ...]:
    return cell[layer : layer + 1]


def row_by_row(
    model: Model,
    graph: Graph,
    ticks: Sequence[Tick],
    state: State | None,
    rows: Sequence[Sequence[Piece]],
) -> tuple[list[Matrix], State]:
    """Run every row alone, piece by piece; the output where no step is taken is 0."""
    anew, call = model.initial_state(1), model.call(graph)
    zeros = Matrix.zeros(model.output_rows, 1)
    outputs = [[zeros] * len(rows) for _ in ticks]
    ends: list[State] = []
    for b, row in enumerate(rows):
        now = anew if state is None else _columns_of(state, b)
        for piece in row:
            now = anew if piece.anew else now
            alone = [_sample(ticks[t], b) for t in piece.steps]
            part = None if call is None else call.part(b, piece.steps)
            found, now = model.run(graph, alone, now, part)
            for t, output in zip(piece.steps, found, strict=True):
                outputs[t][b] = output
        ends.append(now)
    with graph:
        columns = [apply("concat_columns", *output) for output in outputs]
        end = State(
            *(
                tuple(
                    apply("concat_columns", *vectors)
                    for vectors in zip(*all_, strict=True)
                )
                for all_ in ([s.hidden for s in ends], [s.cell for s in ends])
            )
        )
    return columns, end


def _columns_of(state: State, b: int) -> State:
    def one(vectors: Sequence[Matrix]) -> tuple[Matrix, ...]:
        return tuple(apply("select_columns", m, indices=[b]) for m in vectors)

    return State(one(state.hidden), one(state.cell))


def _sample(x: Tick, b: int) -> Tick:
    return apply("select_columns", x, indices=[b]) if isinstance(x, Matrix) else [x[b]]


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

    def flags(self, name: str, given: Flags | None) -> list[list[bool]] | None:
        """Lay booleans out as (batch, time), which are laid out as the input was."""
        if given is None:
            return None
        rows: list[Any] = [given] if self.single else list(given)
        if self.time_major and not self.single:
            rows = list(zip(*rows, strict=True))
        rows = [list(row) for row in rows]
        time = len(self.ticks)
        expect(
            len(rows) == self.batch and all(len(row) == time for row in rows),
            f"forward: {name} must be as the steps of x, {self.batch} rows of {time}",
        )
        return rows

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
