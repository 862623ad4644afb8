"""Cells of your own: parameters named once, one step written like the paper.

A step is *recorded* once a layer, with `Symbol` objects that stand for matrices to
come, and then run as the cells of this library are. So it may compute, call functions
and loop over what is known in advance, but not look at a number: there is none yet.

>>> from recurrentnn import Model
>>> class MGU(Cell):  # minimal gated unit (Zhou et al. 2016)
...     def build(self, p, inputs, size):
...         p.gate("forget", inputs, size)
...         p.gate("candidate", inputs, size)
...
...     def step(self, p, x, s):
...         f = p.forget(x, s.hidden).sigmoid()
...         n = p.candidate(x, f * s.hidden).tanh()
...         return s.replace(hidden=(1 - f) * s.hidden + f * n)
>>> net = Model(MGU, 65, [128, 128], 65, embedding_size=64)
>>> list(net.parameters())[1:3]
['layers.0.forget.weight_x', 'layers.0.forget.weight_h']
"""

from __future__ import annotations

import keyword
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeAlias

from recurrentnn._recurrentnn import Symbol
from recurrentnn.errors import ArgumentError, ArgumentTypeError, GraphError
from recurrentnn.state import State, Step

if TYPE_CHECKING:
    from recurrentnn._recurrentnn import Sketch

Role: TypeAlias = Literal["input", "recurrent", "embedding", "bias"]
First: TypeAlias = (
    Literal["zeros", "ones", "glorot", "orthogonal"] | float | tuple[float, float]
)


class Cell:
    """A cell of your own: subclass it, give it `build` and `step`.

    The class, or an object of it where it has options, then stands where the name of a
    cell does: ``Model(MGU, 65, [128], 65)``, ``Model(Leaky(0.3), ...)``. A file holds
    the class's name but no code: ``load(path, cells=[MGU])``.

    Attributes
    ----------
    state
        The names of the vectors that go from step to step, each (size, batch) and zero
        at first. The first is "hidden", which goes up to the next layer.
    """

    state: ClassVar[tuple[str, ...]] = ("hidden",)

    def build(self, p: Parameters, inputs: int, size: int) -> None:
        """Name the parameters of a layer with `inputs` inputs and `size` units.

        ``p.gate(name, inputs, size)`` registers a weight for the input, one for the
        state and a bias; ``p.add(name, rows, cols, role)`` any one matrix.
        """
        raise NotImplementedError

    def step(self, p: Parameters, x: Symbol, s: CellState) -> CellState:
        """Give the new state, ``s.replace(hidden=...)``.

        `p` are the parameters, `x` is the input, `s` the state after the step before.
        Runs once a layer, when the model is made; every column is one sample.
        """
        raise NotImplementedError

    def __repr__(self) -> str:
        options = ", ".join(f"{name}={value!r}" for name, value in vars(self).items())
        return f"{type(self).__name__}({options})"


class Parameters:
    """The parameters of a layer: registered in `build`, attributes in `step`."""

    __slots__ = ("_book", "_known", "_prefix")

    def __init__(self, book: _Book, prefix: str = "") -> None:
        self._book = book
        self._prefix = prefix
        self._known: dict[str, Symbol | Parameters] = {}

    def add(
        self,
        name: str,
        rows: int,
        cols: int,
        role: Role = "input",
        init: First | None = None,
    ) -> Symbol:
        """Register a parameter, (rows, cols).

        Parameters
        ----------
        name
            In `step` it is ``p.name``, in the model ``layers.0.name`` and so on.
            Optimizers take what begins with ``bias`` for a bias.
        role
            The model's `init` goes by it: "input" reads an input, "recurrent" the
            state, "embedding" has one row a symbol, "bias" is added (and begins at 0).
        init
            How it begins, whatever the model's `init`: a number for all elements,
            (low, high) for a uniform distribution, "zeros", "ones", "glorot" or
            "orthogonal".
        """
        self._expect_free(name)
        symbol = self._book.sketch.add(self._prefix + name, rows, cols, role, init)
        self._known[name] = symbol
        return symbol

    def gate(
        self,
        name: str,
        inputs: int,
        size: int,
        *,
        state: int | None = None,
        bias: float | None = None,
    ) -> Gate:
        """Register ``name.weight_x``, ``name.weight_h`` and ``name.bias``.

        Parameters
        ----------
        inputs, size
            Numbers that come from the input, and that the gate gives.
        state
            Numbers that come from the state; as many as `size` unless told.
        bias
            Where the bias begins; 0 unless told.
        """
        self._expect_free(name)
        gate = Gate(self._book, f"{self._prefix}{name}.")
        gate.add("weight_x", size, inputs, "input")
        gate.add("weight_h", size, size if state is None else state, "recurrent")
        gate.add("bias", size, 1, "bias", bias)
        self._known[name] = gate
        return gate

    def scope(self, name: str) -> Parameters:
        """Parameters under a name: ``p.scope("memory").add("decay", size, 1)``."""
        self._expect_free(name)
        inner = Parameters(self._book, f"{self._prefix}{name}.")
        self._known[name] = inner
        return inner

    def _expect_free(self, name: str) -> None:
        cell, full = self._book.cell, f"{self._prefix}{name}"
        if not self._book.is_open:
            raise GraphError(f"step: {cell} registers {full}, which is for build to do")
        if not isinstance(name, str):
            kind = type(name).__name__
            raise ArgumentTypeError(f"build: name must be a string but is {kind}")
        if not _is_name(name) or hasattr(Parameters, name):
            raise ArgumentError(f"build: {full!r} cannot be a parameter's name")
        if name in self._known:
            raise ArgumentError(f"build: {cell} registers {full} twice")

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        """A parameter, or the parameters under a name."""
        if name.startswith("_"):
            raise AttributeError(name)
        if name not in self._known:
            where = f"under {self._prefix[:-1]} " if self._prefix else ""
            raise AttributeError(
                f"step: {self._book.cell} has no parameter {self._prefix}{name}; "
                f"build registered {where}{_listed(self._known)}",
                name=name,
                obj=self,
            )
        return self._known[name]

    def __dir__(self) -> Iterable[str]:
        return [*super().__dir__(), *self._known]

    def __repr__(self) -> str:
        return f"Parameters({', '.join(self._known)})"


class Gate(Parameters):
    """Two weights and a bias: called with input and state it is W x + U h + b."""

    __slots__ = ()

    def __call__(self, x: Symbol, h: Symbol) -> Symbol:
        """W x + U h + b, before the nonlinearity."""
        total: Symbol = (self.weight_x @ x).add(self.weight_h @ h, self.bias)
        return total


class CellState:
    """The state of a layer in a step; `replace` makes the next."""

    __slots__ = ("_cell", "_vectors")

    def __init__(self, cell: str, vectors: dict[str, Symbol]) -> None:
        self._cell = cell
        self._vectors = vectors

    def replace(self, **vectors: Symbol) -> CellState:
        """The state with some vectors new; those not named stay as they are."""
        for name, vector in vectors.items():
            if name not in self._vectors:
                raise ArgumentError(
                    f"step: {self._cell} has no state {name}; "
                    f"it carries {_listed(self._vectors)}"
                )
            # Of the kind of what it replaces: the ONNX export has its own symbols.
            if not isinstance(vector, type(self._vectors[name])):
                kind = type(vector).__name__
                raise ArgumentTypeError(f"step: {name} must be a Symbol but is {kind}")
        return CellState(self._cell, {**self._vectors, **vectors})

    def __getattr__(self, name: str) -> Symbol:
        """A vector after the step before, (size, batch)."""
        if name.startswith("_"):
            raise AttributeError(name)
        if name not in self._vectors:
            raise AttributeError(
                f"step: {self._cell} has no state {name}; "
                f"it carries {_listed(self._vectors)}",
                name=name,
                obj=self,
            )
        return self._vectors[name]

    def __dir__(self) -> Iterable[str]:
        return [*super().__dir__(), *self._vectors]

    def __repr__(self) -> str:
        return f"CellState({_listed(self._vectors)})"


@dataclass(slots=True)
class _Book:
    """What the parameters of one layer share."""

    cell: str
    sketch: Sketch
    is_open: bool = True


def definition(given: object) -> tuple[Cell, str, tuple[str, ...], str]:
    """A cell that was given to `Model` or `load`: object, name, states, options."""
    cell = _object(given)
    kind = type(cell)
    if kind.build is Cell.build:
        raise _undefined(cell, "build(self, p, inputs, size)")
    if kind.step is Cell.step:
        raise _undefined(cell, "step(self, p, x, s)")
    states: object = cell.state
    if not isinstance(states, tuple) or not all(isinstance(s, str) for s in states):
        raise ArgumentTypeError(
            f"Model: state of {kind.__name__} must be a tuple of names, "
            f'("hidden",), but is {states!r}'
        )
    for name in states:
        taken = any(hasattr(holder, name) for holder in (CellState, State, Step))
        if not _is_name(name) or (taken and name not in ("hidden", "cell")):
            raise ArgumentError(
                f"Model: {name!r} cannot be the name of a state of {kind.__name__}"
            )
    # What is no plain value has no words that would be the same tomorrow.
    plain = {k: v for k, v in vars(cell).items() if isinstance(v, int | float | str)}
    options = ", ".join(f"{name}={value!r}" for name, value in plain.items())
    return cell, kind.__name__, states, options


def _object(given: object) -> Cell:
    if isinstance(given, Cell):
        return given
    if isinstance(given, type) and issubclass(given, Cell):
        try:
            return given()
        except TypeError as error:
            name = given.__name__
            raise ArgumentTypeError(
                f"Model: cell {name} has options: give an object, {name}(...): {error}"
            ) from error
    kind = given if isinstance(given, type) else type(given)
    raise ArgumentTypeError(
        "Model: cell must be the name of a cell, a subclass of Cell or an object of "
        f"one but is {kind.__name__}"
    )


def record(cell: Cell, sketch: Sketch, inputs: int, size: int) -> list[Symbol]:
    """Run `build` and `step` of one layer; the new state vectors, in order."""
    name = type(cell).__name__
    book = _Book(name, sketch)
    p = Parameters(book)
    cell.build(p, inputs, size)
    book.is_open = False
    before = CellState(name, {state: sketch.state(state) for state in cell.state})
    after = cell.step(p, sketch.x(), before)
    if not isinstance(after, CellState):
        kind = "None" if after is None else type(after).__name__
        raise ArgumentTypeError(
            f"step: {name} must return s.replace(hidden=...) but returned {kind}"
        )
    return [getattr(after, state) for state in cell.state]


def _undefined(cell: Cell, method: str) -> ArgumentError:
    return ArgumentError(f"Model: {type(cell).__name__} must define {method}")


def _is_name(name: str) -> bool:
    return name.isidentifier() and not keyword.iskeyword(name) and name[0] != "_"


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names) or "nothing"
