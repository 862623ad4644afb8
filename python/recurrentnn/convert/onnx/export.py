"""`to_onnx`: inputs and outputs of the exported model, and what lies between."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

import numpy as np
from onnx import TensorProto, helper

from recurrentnn._recurrentnn import Model, __version__, write_file
from recurrentnn.convert.nets import refuse
from recurrentnn.convert.onnx.builder import IR_VERSION, OPSET, Builder
from recurrentnn.convert.onnx.layers import plain, write_layers
from recurrentnn.convert.onnx.scan import write_scan


def export(
    net: Model,
    path: str | os.PathLike[str] | None,
    *,
    stateful: bool,
    symbols: bool | None,
) -> bytes:
    """As `recurrentnn.convert.to_onnx`, which says what it does."""
    b = Builder(net.dtype)
    source, x = _input(b, net, symbols)
    states = {
        name: [f"{name}_{j}" for j in range(count)] for name, count in _states(net)
    }
    sizes = _sizes(net)
    given = states if stateful else _starts(b, net, source.name)
    parts = plain(net)
    if parts is None:
        y, after = write_scan(b, net, x, given, sizes)
    else:
        y, after = write_layers(b, parts, x, given)
    inputs, outputs = [source], [_info(b, "output", ("batch", "time", _width(net)))]
    b.node("Identity", y, name="output")
    for name, vectors in states.items() if stateful else ():
        for vector, end, size in zip(vectors, after[name], sizes[name], strict=True):
            inputs.append(_info(b, vector, ("batch", size)))
            outputs.append(_info(b, f"{vector}_next", ("batch", size)))
            b.node("Identity", end, name=f"{vector}_next")
    graph = helper.make_graph(
        b.nodes, "recurrentnn", inputs, outputs, list(b.constants.values())
    )
    model = helper.make_model(
        graph,
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="recurrentnn",
        producer_version=__version__,
    )
    data: bytes = model.SerializeToString()
    if path is not None:
        write_file(path, data)
    return data


def _info(b: Builder, name: str, shape: Iterable[int | str]) -> Any:  # noqa: ANN401
    return helper.make_tensor_value_info(name, b.element, list(shape))


def _input(b: Builder, net: Model, symbols: bool | None) -> tuple[Any, str]:
    """The input, and what the first layer reads, (batch, time, features)."""
    embedded = net.embedding_size is not None
    if symbols is None:
        symbols = embedded
    if not symbols:
        if embedded:
            refuse("to_onnx", "a net with an embedding reads symbols, not features")
        return _info(b, "x", ("batch", "time", net.input_size)), "x"
    info = helper.make_tensor_value_info(
        "symbols", TensorProto.INT64, ["batch", "time"]
    )
    if embedded:
        table = b.constant(net["embedding.weight"].value, "embedding.weight")
        return info, b.node("Gather", table, "symbols", axis=0)
    depth = b.integers(net.input_size)
    values = b.constant(np.array([0.0, 1.0]))
    return info, b.node("OneHot", "symbols", depth, values, axis=-1)


def _start(net: Model) -> Any:  # noqa: ANN401
    """The state after no tick of one sample: it has every vector's name and size."""
    x = np.zeros((1, 0), np.int64)
    return net(x)[1]


def _states(net: Model) -> list[tuple[str, int]]:
    """The names of the state's vectors, the first "hidden", and how many there are."""
    return [(name, len(sizes)) for name, sizes in _sizes(net).items()]


def _sizes(net: Model) -> dict[str, list[int]]:
    state = _start(net)
    named = {"hidden": state.hidden, "cell": state.cell, **state.more}
    return {name: [v.shape[1] for v in vs] for name, vs in named.items() if vs}


def _width(net: Model) -> int:
    return int(net(np.zeros((1, 0), np.int64))[0].shape[-1])


def _starts(b: Builder, net: Model, source: str) -> dict[str, list[str]]:
    """The states that a sequence begins with, for as many samples as come in."""
    shape = b.node("Shape", source)
    batch = b.node("Slice", shape, b.integers(0), b.integers(1))
    learned = net.parameters()
    found: dict[str, list[str]] = {}
    for name, sizes in _sizes(net).items():
        found[name] = []
        for j, size in enumerate(sizes):
            parameter = learned.get(f"layers.{j}.initial_{name}")
            start = np.zeros((size, 1)) if parameter is None else parameter.value
            full = b.node("Concat", batch, b.integers(size), axis=0)
            found[name].append(b.node("Expand", b.constant(start.T), full))
    return found
