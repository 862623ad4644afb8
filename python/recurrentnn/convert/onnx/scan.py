"""Any net as a Scan over time, whose body is one tick of the net.

The library's cells are traced from `recurrentnn.reference`, the equations that the
compiled ones are tested against; a cell of a user's own from its `step`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from onnx import helper

from recurrentnn import reference
from recurrentnn._recurrentnn import Model
from recurrentnn.cell import Cell, record
from recurrentnn.convert.nets import arrays, refuse, refuse_options
from recurrentnn.convert.onnx.builder import Builder
from recurrentnn.convert.onnx.traced import Traced, Tracer
from recurrentnn.reference.matrix import Matrix
from recurrentnn.reference.state import State

_CALLER = "to_onnx"


def write_scan(
    builder: Builder,
    net: Model,
    x: str,
    states: Mapping[str, Sequence[str]],
    sizes: Mapping[str, Sequence[int]],
) -> tuple[str, dict[str, list[str]]]:
    """Write the net; what comes in and goes out is as for `write_layers`.

    `sizes` are the sizes of the state vectors.

    Raises
    ------
    ArgumentError
        If the step has an op or the net an option that is not exported, or a parameter
        would be left out.
    """
    b = builder
    body = b.body()
    values = arrays(net)
    tracer = Tracer(body, values)
    config = net.config()
    if config.get("bidirectional"):
        refuse(
            _CALLER, "a net that goes both ways is exported as float32 and plain only"
        )
    own = not isinstance(config["cell"], str)
    width = config["embedding_size"] or config["input_size"]
    column = tracer.column(b.fresh("x"), width)
    before = {
        name: [tracer.column(b.fresh(name), size) for size in sizes[name]]
        for name in states
    }
    with tracer:
        tick = _own_tick if own else _tick
        output, after = tick(net, tracer, column, before)
    if left := values.keys() - tracer.used - {"embedding.weight"}:
        refuse(_CALLER, f"the step does not read {', '.join(sorted(left))}")
    inputs = [*_all(before), column]
    outputs = [*_all(after), output]
    # A state that stays as it was is an input, which no output may be.
    named = [body.node("Identity", m.name) for m in outputs]
    graph = helper.make_graph(
        body.nodes,
        "tick",
        [_info(b, m.name, m) for m in inputs],
        [_info(b, name, m) for name, m in zip(named, outputs, strict=True)],
    )
    given = [
        b.node("Transpose", vector, perm=[1, 0])
        for vectors in states.values()
        for vector in vectors
    ]
    ticks = b.node("Transpose", x, perm=[1, 2, 0])
    *last, ys = b.nodes_of(
        "Scan", [*given, ticks], len(outputs), body=graph, num_scan_inputs=1
    )
    turned = iter([b.node("Transpose", name, perm=[1, 0]) for name in last])
    ends = {name: [next(turned) for _ in vectors] for name, vectors in states.items()}
    return b.node("Transpose", ys, perm=[2, 0, 1]), ends


def _all(vectors: Mapping[str, list[Traced]]) -> list[Traced]:
    return [m for same in vectors.values() for m in same]


def _info(b: Builder, name: str, m: Traced) -> Any:  # noqa: ANN401
    return helper.make_tensor_value_info(name, b.element, [m.rows, "batch"])


class _Net(reference.Model):
    """The reference's net with names for parameters."""

    def __init__(self, tracer: Tracer, config: Mapping[str, Any]) -> None:
        self._tracer = tracer
        super().__init__(**{k: v for k, v in config.items() if k != "dtype"})

    def _declare(self, name: str, rows: int, cols: int) -> Matrix:
        return self._tracer.parameter(name, rows, cols)


def _tick(
    net: Model, tracer: Tracer, x: Traced, before: Mapping[str, list[Traced]]
) -> tuple[Traced, dict[str, list[Traced]]]:
    """One tick of a net of the library's cells."""
    state = State(**{name: tuple(vectors) for name, vectors in before.items()})
    given: Matrix | list[int] = x
    if net.embedding_size is not None:
        # Any symbol will do: what its row of the table would be is x.
        tracer.row, given = x, [0]
    step = _Net(tracer, net.config()).forward(tracer, given, state)
    after = {name: [_traced(m) for m in getattr(step, name)] for name in before}
    return _traced(step.output), after


def _traced(m: Matrix) -> Traced:
    if not isinstance(m, Traced):
        refuse(_CALLER, "the step gives a constant")
    return m


class _Sketch:
    """Stands where a layer's sketch does while a cell of a user's own is recorded."""

    def __init__(
        self, tracer: Tracer, layer: int, x: Traced, states: Mapping[str, Traced]
    ) -> None:
        self._tracer, self._prefix = tracer, f"layers.{layer}."
        self._x, self._states = x, states

    def x(self) -> Traced:
        return self._x

    def state(self, name: str) -> Traced:
        return self._states[name]

    def add(
        self, name: str, rows: int, cols: int, role: object, init: object
    ) -> Traced:
        del role, init
        return self._tracer.parameter(self._prefix + name, rows, cols)


def _own_tick(
    net: Model, tracer: Tracer, x: Traced, before: Mapping[str, list[Traced]]
) -> tuple[Traced, dict[str, list[Traced]]]:
    """One tick of a net of a user's own cells."""
    refuse_options(_CALLER, net, ["input_to_all", "all_to_output"])
    config = net.config()
    cell: Cell = (
        config["cell"]() if isinstance(config["cell"], type) else config["cell"]
    )
    after: dict[str, list[Traced]] = {name: [] for name in before}
    hidden: list[Traced] = []
    for j, size in enumerate(net.hidden_sizes):
        below = hidden[-1] if hidden else x
        if hidden and config["input_to_all"]:
            below = tracer.apply("concat", below, x)
        states = {name: vectors[j] for name, vectors in before.items()}
        sketch: Any = _Sketch(tracer, j, below, states)
        new: list[Any] = list(record(cell, sketch, below.rows, size))
        for name, vector in zip(cell.state, new, strict=True):
            after[name].append(vector)
        hidden.append(new[0])
    top = hidden[-1]
    if config["all_to_output"]:
        top = tracer.apply("concat", *hidden)
    if net.output_size is not None:
        weight = tracer.parameter("decoder.weight", net.output_size, top.rows)
        bias = tracer.parameter("decoder.bias", net.output_size, 1)
        top = tracer.apply("add", tracer.apply("matmul", weight, top), bias)
    return top, after
