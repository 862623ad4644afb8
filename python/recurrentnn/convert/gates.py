"""Who stacks which gates in which order, and one layer's weights in such a stack.

PyTorch, Keras and ONNX keep all gates of a layer in one matrix for the input, one for
the state and one or two vectors of biases. They differ in the order of the gates:

========  ==============================================  =======================
format    LSTM                                            GRU
========  ==============================================  =======================
PyTorch   input, forget, candidate, output   (i f g o)    reset, update, candidate
Keras     input, forget, candidate, output   (i f c o)    update, reset, candidate
ONNX      input, output, forget, candidate   (i o f c)    update, reset, candidate
========  ==============================================  =======================

Two biases of a gate are only ever added, so ours is their sum, save in the candidate of
a GRU that resets after the product: there the second one is `candidate.bias_h`.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[Any]
Order: TypeAlias = Mapping[str, tuple[str, ...]]

TORCH: Order = {
    "rnn": ("hidden",),
    "lstm": ("input", "forget", "candidate", "output"),
    "gru": ("reset", "update", "candidate"),
}
KERAS: Order = {
    "rnn": ("hidden",),
    "lstm": ("input", "forget", "candidate", "output"),
    "gru": ("update", "reset", "candidate"),
}
ONNX: Order = {
    "rnn": ("hidden",),
    "lstm": ("input", "output", "forget", "candidate"),
    "gru": ("update", "reset", "candidate"),
}

CELL_OF = {len(gates): cell for cell, gates in TORCH.items()}
"""The cell by its number of gates."""


class Stack(NamedTuple):
    """One direction of one layer: G gates of H units, one below the other.

    Attributes
    ----------
    weight_x
        (G*H, inputs)
    weight_h
        (G*H, state); the state is H, or what the projection makes of it.
    bias_x, bias_h
        (G*H,); what is added beside the input's product, and beside the state's.
    projection
        (state, H), or None.
    """

    weight_x: Array
    weight_h: Array
    bias_x: Array
    bias_h: Array
    projection: Array | None = None


def unstack(
    stack: Stack, gates: tuple[str, ...], keeps_bias_h: bool
) -> dict[str, Array]:
    """The stack as our parameters, named from the gate on.

    Parameters
    ----------
    gates
        Their order in the stack.
    keeps_bias_h
        Whether the candidate has a second bias: a GRU that resets after the product.
    """
    found: dict[str, Array] = {}
    parts = [np.split(array, len(gates)) for array in stack[:4]]
    for gate, weight_x, weight_h, bias_x, bias_h in zip(gates, *parts, strict=True):
        found[f"{gate}.weight_x"] = weight_x
        found[f"{gate}.weight_h"] = weight_h
        apart = keeps_bias_h and gate == "candidate"
        found[f"{gate}.bias"] = (bias_x if apart else bias_x + bias_h)[:, None]
        if apart:
            found[f"{gate}.bias_h"] = bias_h[:, None]
    if stack.projection is not None:
        found["projection.weight"] = stack.projection
    return found


def restack(parameters: Mapping[str, Array], gates: tuple[str, ...]) -> Stack:
    """The stack of a layer's parameters; whole biases stand beside the input's product.

    `parameters` are named from the gate on, as `unstack` gives them.
    """
    bias_x = [parameters[f"{gate}.bias"] for gate in gates]
    bias_h = [
        parameters.get(f"{gate}.bias_h", np.zeros_like(bias))
        for gate, bias in zip(gates, bias_x, strict=True)
    ]
    return Stack(
        np.concatenate([parameters[f"{gate}.weight_x"] for gate in gates]),
        np.concatenate([parameters[f"{gate}.weight_h"] for gate in gates]),
        np.concatenate(bias_x).ravel(),
        np.concatenate(bias_h).ravel(),
        parameters.get("projection.weight"),
    )
