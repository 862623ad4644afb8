"""A plain net as ONNX's own RNN, LSTM and GRU, one node a layer.

The ops take (time, batch, features) and states (directions, batch, units). A layer's
weights are W (directions, G*H, inputs), R (directions, G*H, H) and B, the two biases
one behind the other, (directions, 2*G*H).
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from recurrentnn._recurrentnn import Model
from recurrentnn.convert.gates import ONNX, Stack
from recurrentnn.convert.nets import Parts, take_apart
from recurrentnn.convert.onnx.builder import Builder
from recurrentnn.errors import ArgumentError

_ACTIVATIONS = {"tanh": "Tanh", "relu": "Relu"}


def plain(net: Model) -> Parts | None:
    """The net's parts if ONNX has an op that computes what its layers do.

    onnxruntime has these ops for float32 alone.
    """
    try:
        parts = take_apart("to_onnx", net, ONNX, ("activation", "reset"))
    except ArgumentError:
        return None
    projected = any(stack.projection is not None for stack in parts.layers[0])
    return None if projected or net.dtype != np.float32 else parts


def write_layers(
    builder: Builder, parts: Parts, x: str, states: Mapping[str, Sequence[str]]
) -> tuple[str, dict[str, list[str]]]:
    """Write all layers and the decoder.

    Parameters
    ----------
    x
        (batch, time, features)
    states
        By name, "hidden" and "cell", (batch, units) for each layer and direction.

    Returns
    -------
    output, states
        (batch, time, outputs), and the new states likewise.
    """
    b = builder
    y = b.node("Transpose", x, perm=[1, 0, 2])
    after: dict[str, list[str]] = {name: [] for name in states}
    at = 0
    for j, layer in enumerate(parts.layers):
        count = len(layer)
        before = {
            name: _joined(b, vectors[at : at + count])
            for name, vectors in states.items()
        }
        weights = [
            b.constant(array, f"layers.{j}.{letter}")
            for letter, array in zip("WRB", _weights(layer), strict=True)
        ]
        inputs = [y, *weights, "", *before.values()]
        outputs = b.nodes_of(
            parts.cell.upper(), inputs, 1 + len(before), **_attributes(parts, layer)
        )
        # (time, directions, batch, units) to (time, batch, directions * units)
        turned = b.node("Transpose", outputs[0], perm=[0, 2, 1, 3])
        y = b.node("Reshape", turned, b.integers(0, 0, -1))
        for name, joined in zip(before, outputs[1:], strict=True):
            after[name] += _apart(b, joined, count)
        at += count
    if parts.decoder is not None:
        weight, bias = parts.decoder
        product = b.node("MatMul", y, b.constant(weight.T, "decoder.weight"))
        y = b.node("Add", product, b.constant(bias, "decoder.bias"))
    return b.node("Transpose", y, perm=[1, 0, 2]), after


def _weights(layer: Sequence[Stack]) -> tuple[Any, Any, Any]:
    return (
        np.stack([stack.weight_x for stack in layer]),
        np.stack([stack.weight_h for stack in layer]),
        np.stack([np.concatenate([stack.bias_x, stack.bias_h]) for stack in layer]),
    )


def _attributes(parts: Parts, layer: Sequence[Stack]) -> dict[str, Any]:
    both = len(layer) == 2
    attributes: dict[str, Any] = {
        "hidden_size": layer[0].weight_h.shape[1],
        "direction": "bidirectional" if both else "forward",
    }
    if parts.cell == "rnn":
        attributes["activations"] = [
            _ACTIVATIONS[parts.options["activation"]] for _ in layer
        ]
    elif parts.cell == "gru":
        attributes["linear_before_reset"] = int(parts.options["reset"] == "after")
    return attributes


def _joined(b: Builder, vectors: Sequence[str]) -> str:
    """(batch, units) for each direction as (directions, batch, units)."""
    raised = [b.node("Unsqueeze", vector, b.integers(0)) for vector in vectors]
    return raised[0] if len(raised) == 1 else b.node("Concat", *raised, axis=0)


def _apart(b: Builder, joined: str, count: int) -> list[str]:
    return [
        b.node("Gather", joined, b.constant(np.array(i, np.int64)), axis=0)
        for i in range(count)
    ]
