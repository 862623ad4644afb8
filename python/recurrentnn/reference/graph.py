"""Define-by-run: ops are carried out at once and written down for the backward pass.

The backward loop knows no op: it calls what each op handed over with its output, last
op first. No matrix refers to what made it, so a recording of any length is dropped
without recursion.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple, Self

from .matrix import Matrix
from .ops import OPS, Op
from .shape import SCALAR, expect

# Their first operand is no more special than the others: methods of `Graph` only.
_NO_METHOD_OF_MATRIX = frozenset({"concat", "concat_columns", "where"})


class Entry(NamedTuple):
    """One op that was carried out."""

    name: str
    inputs: tuple[Matrix, ...]
    output: Matrix
    backward: Callable[[], None]


class Recording:
    """The ops between two clean slates of a graph."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        # Until its backward pass, a clear or the end of its graph.
        self.open = True
        # A backward pass ran over the entries and its gradients are still in place.
        self.differentiated = False


class Graph:
    """A recording of ops on matrices, differentiated in reverse.

    Every op of the table is a method: operands first, then attributes. Arrays and
    numbers among the operands are constants. Inside `with graph:` operators and methods
    of matrices record here too.

    An operand made by this graph is a node; one made by no graph is a leaf and gets a
    gradient; one whose graph is finished (differentiated, cleared, gone or without
    recording) enters by its value alone.

    Parameters
    ----------
    recording
        False: compute only, keep nothing, give no gradients.
    """

    def __init__(self, recording: bool = True) -> None:
        self.recording = recording
        self._recording = Recording()
        self._consumed = False

    def __enter__(self) -> Self:
        _active.graphs.append(self)
        return self

    def __exit__(self, *exc: object) -> None:
        _active.graphs.pop()

    def __len__(self) -> int:
        return len(self._recording.entries)

    def __bool__(self) -> bool:
        # An empty graph is a graph.
        return True

    if TYPE_CHECKING:
        # The graph names no op: `_install` gives it a method for each in the table.
        def __getattr__(self, name: str) -> Callable[..., Matrix]: ...

    def apply(self, name: str, *arguments: object, **attributes: object) -> Matrix:
        """Carry out the op of that name and write it down.

        Raises
        ------
        RuntimeError
            If an operand belongs to another graph that is still open, or this one was
            consumed by `backward`.
        """
        op, operands, rest = _split(name, arguments)
        if not self.recording:
            output, _ = op.rule(*operands, *rest, **attributes)
            output.made_by = _FINISHED
            return output
        expect(
            not self._consumed,
            f"{name}: the recording was consumed by backward; "
            "call clear() or use a new graph",
            RuntimeError,
        )
        inputs = tuple(self._admit(name, m) for m in operands)
        output, backward = op.rule(*inputs, *rest, **attributes)
        output.made_by = weakref.ref(self._recording)
        for m in inputs:
            if m.made_by is None:
                m.used_by.add(self._recording)
        self._recording.entries.append(Entry(name, inputs, output, backward))
        return output

    def _admit(self, name: str, m: Matrix) -> Matrix:
        """Return the matrix itself if gradients may flow into it, else its value."""
        if m.made_by is None:
            return m
        made_by = m.made_by()
        if made_by is self._recording:
            return m
        expect(
            made_by is None or not made_by.open,
            f"{name}: an operand belongs to another graph that is still open; "
            "run its backward or clear it first",
            RuntimeError,
        )
        return m.copy()

    def backward(self, loss: Matrix | None = None, *, retain: bool = False) -> None:
        """Run the recording backwards; gradients of leaves accumulate.

        Parameters
        ----------
        loss
            A 1x1 matrix of this graph, whose gradient is set to 1. None: gradients
            were put into `grad` by hand.
        retain
            Keep the recording, so that `backward` can run again: from a loss, which
            first zeroes the gradients of everything recorded, or after `zero_grad()`
            and new seeds. Otherwise the recording is consumed.

        Raises
        ------
        ValueError
            If the loss is not 1x1.
        RuntimeError
            If the loss is not of this graph, nothing is recorded, the recording was
            consumed, or it holds the gradients of an earlier pass.
        """
        recording = self._recording
        expect(
            self.recording,
            "backward: expected a recording but this graph has recording off",
            RuntimeError,
        )
        expect(
            not self._consumed,
            "backward: the recording was consumed by an earlier backward; "
            "pass retain=True there to run it again",
            RuntimeError,
        )
        if loss is None:
            expect(
                not recording.differentiated,
                "backward: expected new seeds after the last backward; "
                "call zero_grad() on the graph, then seed again",
                RuntimeError,
            )
        else:
            expect(
                loss.shape == SCALAR,
                f"backward: loss must be 1x1 but is {loss.shape}",
            )
            expect(
                loss.made_by is not None and loss.made_by() is recording,
                "backward: loss must be computed by this graph "
                "but was not recorded in it",
                RuntimeError,
            )
            if recording.differentiated:
                self.zero_grad()
            loss.grad[0] = 1.0
        for entry in reversed(recording.entries):
            # Nothing flowed into an output whose gradient was never touched.
            if entry.output.has_grad:
                entry.backward()
        recording.differentiated = True
        if not retain:
            self.clear()
            self._consumed = True

    def zero_grad(self) -> None:
        """Zero the gradients of everything recorded, not those of the leaves."""
        for entry in self._recording.entries:
            entry.output.zero_grad()
        self._recording.differentiated = False

    def clear(self) -> None:
        """Forget the recording; what it made enters later recordings by value."""
        self._recording.open = False
        self._recording = Recording()
        self._consumed = False

    def to_dot(self) -> str:
        """Return the recording in Graphviz' language: matrices are boxes."""
        numbers: dict[int, int] = {}
        lines = ["digraph {", "  rankdir=LR;", "  node [shape=box];"]
        for name, inputs, output, _ in self._recording.entries:
            for m in inputs:
                if id(m) not in numbers:
                    numbers[id(m)] = len(numbers)
                    label = f"leaf {m.shape}"
                    lines.append(
                        f'  m{numbers[id(m)]} [label="{label}" style=rounded];'
                    )
            to = numbers[id(output)] = len(numbers)
            lines.append(f'  m{to} [label="{name} {output.shape}"];')
            lines += [f"  m{numbers[id(m)]} -> m{to};" for m in inputs]
        return "\n".join([*lines, "}"]) + "\n"


class _Active(threading.local):
    """The graphs whose `with` this thread is in, innermost last."""

    def __init__(self) -> None:
        self.graphs: list[Graph] = []


_active = _Active()

# What came out of a graph without recording: made by a recording that is gone.
_FINISHED: weakref.ref[Recording] = weakref.ref(Recording())


def active_graph() -> Graph | None:
    """Return the innermost graph whose `with` this thread is in."""
    return _active.graphs[-1] if _active.graphs else None


def apply(name: str, *arguments: object, **attributes: object) -> Matrix:
    """Carry out an op in the active graph, or unrecorded where there is none."""
    graph = active_graph()
    if graph is not None:
        return graph.apply(name, *arguments, **attributes)
    op, operands, rest = _split(name, arguments)
    output, _ = op.rule(*operands, *rest, **attributes)
    return output


def _split(
    name: str, arguments: tuple[object, ...]
) -> tuple[Op, list[Matrix], tuple[object, ...]]:
    """Return the op, its operands as matrices, and the attributes by position."""
    op = OPS[name]
    count = len(arguments) if op.operands is None else op.operands
    expect(
        len(arguments) >= count,
        f"{name}: takes {count} matrices but {len(arguments)} came",
        TypeError,
    )
    operands = [
        m if isinstance(m, Matrix) else Matrix(m)  # type: ignore[arg-type]
        for m in arguments[:count]
    ]
    return op, operands, arguments[count:]


def _install(op: Op) -> None:
    """Make an op a method of `Graph` and, with few exceptions, of `Matrix`."""

    def of_graph(self: Graph, *operands: object, **attributes: object) -> Matrix:
        return self.apply(op.name, *operands, **attributes)

    def of_matrix(self: Matrix, *operands: object, **attributes: object) -> Matrix:
        return apply(op.name, self, *operands, **attributes)

    for owner, method in ((Graph, of_graph), (Matrix, of_matrix)):
        method.__name__, method.__doc__ = op.name, op.rule.__doc__
        method.__qualname__ = f"{owner.__name__}.{op.name}"
        if owner is Graph or op.name not in _NO_METHOD_OF_MATRIX:
            setattr(owner, op.name, method)


for _op in OPS.values():
    _install(_op)
