"""Keras: the lists that `get_weights` gives and `set_weights` takes.

A recurrent layer is kernel (inputs, G*H), recurrent kernel (H, G*H) and bias: (G*H,),
or (2, G*H) in a GRU with reset_after, whose rows are added to the input's and to the
state's product. An Embedding is one array, a Dense layer a kernel (top, outputs) and a
bias. A model's list has all its layers' arrays in order. No Keras is needed.
"""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import DTypeLike

from recurrentnn._recurrentnn import Model
from recurrentnn.convert.arrays import as_array
from recurrentnn.convert.gates import KERAS, Array, Stack
from recurrentnn.convert.nets import (
    Parts,
    build,
    cell_of,
    expect_shape,
    refuse,
    take_apart,
)
from recurrentnn.errors import ArgumentTypeError

_FROM, _TO = "from_keras", "to_keras"


def from_keras(
    weights: Sequence[Any],
    *,
    embedding: bool = False,
    decoder: bool = False,
    bias: bool = True,
    bidirectional: bool = False,
    reset: Literal["after", "before"] = "after",
    activation: Literal["tanh", "relu"] = "tanh",
    dtype: DTypeLike | None = None,
) -> Model:
    """The net of a Keras model: an `RNN`, `LSTM` or `GRU`.

    Parameters
    ----------
    weights
        `model.get_weights()` of SimpleRNN, LSTM or GRU layers one upon the other.
    embedding, decoder
        Whether an Embedding comes first and a Dense layer last.
    bias
        False for recurrent layers with use_bias=False.
    bidirectional
        Whether each layer is in a Bidirectional (merge_mode "concat").
    reset
        "after" for a GRU with reset_after=True, Keras's default. Only without bias does
        it matter: the bias's shape tells.
    activation
        A SimpleRNN's, which the arrays do not tell.
    dtype
        float32 or float64; that of the arrays unless told.

    Raises
    ------
    ArgumentError
        If there are more or fewer arrays than such layers have.
    ShapeError
        Naming the array whose shape does not fit.
    FormatError
        If a number is not finite.
    """
    if isinstance(weights, str | bytes) or not isinstance(weights, Sequence):
        kind = type(weights).__name__
        raise ArgumentTypeError(
            f"{_FROM}: weights must be a list of arrays but is {kind}"
        )
    left = [as_array(_FROM, f"weights[{i}]", w) for i, w in enumerate(weights)]
    count = len(left)
    dense = _decoder(left) if decoder else None
    table = _embedding(left) if embedding else None
    each = (3 if bias else 2) * (2 if bidirectional else 1)
    if not left or len(left) % each:
        around = 2 * decoder + embedding
        refuse(
            _FROM,
            f"expected {each} arrays a layer and {around} around them but there are "
            f"{count}; see embedding, decoder, bias and bidirectional",
        )
    start = 1 if embedding else 0
    cell = cell_of(_FROM, f"weights[{start + 1}].T", left[1].T)
    options: dict[str, Any] = {}
    if cell == "gru":
        options["reset"] = _reset(left, reset) if bias else reset
    elif cell == "rnn":
        options["activation"] = activation
    stacks = [
        _stack(cell, left[i : i + each // (1 + bidirectional)], start + i, options)
        for i in range(0, len(left), each // (1 + bidirectional))
    ]
    pairs = 2 if bidirectional else 1
    layers = [stacks[i : i + pairs] for i in range(0, len(stacks), pairs)]
    return build(_FROM, Parts(cell, layers, table, dense, options), KERAS, dtype)


def to_keras(net: Model, *, bias: bool = True) -> list[Array]:
    """The arrays that `set_weights` of such a Keras model takes, in order.

    A GRU's layers need reset_after=True if the net resets after the product and False
    if before it.

    Parameters
    ----------
    bias
        False for recurrent layers with use_bias=False; the net's must then all be 0.
    """
    parts = take_apart(_TO, net, KERAS, ("activation", "reset"))
    two_biases = parts.cell == "gru" and parts.options["reset"] == "after"
    found: list[Array] = [] if parts.embedding is None else [parts.embedding]
    for j, layer in enumerate(parts.layers):
        for stack in layer:
            if stack.projection is not None:
                refuse(_TO, "Keras has no projection_size")
            found += [np.ascontiguousarray(w.T) for w in stack[:2]]
            if bias and two_biases:
                found.append(np.stack([stack.bias_x, stack.bias_h]))
            elif bias:
                found.append(stack.bias_x)
            elif stack.bias_x.any() or stack.bias_h.any():
                refuse(_TO, f"bias=False, but the biases of layer {j} are not 0")
    if parts.decoder is not None:
        weight, dense_bias = parts.decoder
        found += [np.ascontiguousarray(weight.T), dense_bias]
    return found


def _embedding(left: list[Array]) -> Array:
    if not left:
        refuse(_FROM, "there is no array for the embedding")
    table = left.pop(0)
    expect_shape(_FROM, "weights[0], the embedding,", table, (None, None))
    return table


def _decoder(left: list[Array]) -> tuple[Array, Array]:
    if len(left) < 2:
        refuse(_FROM, "there are no arrays for the decoder")
    last = len(left) - 1
    bias, kernel = left.pop(), left.pop()
    expect_shape(_FROM, f"weights[{last - 1}], a kernel,", kernel, (None, None))
    expect_shape(_FROM, f"weights[{last}], a bias,", bias, kernel.shape[1:])
    return kernel.T, bias


def _reset(left: list[Array], given: str) -> str:
    """Whether the first layer's bias is one row or two."""
    if left[2].ndim == 2:
        return "after"
    if left[2].ndim == 1:
        return "before"
    return given


def _stack(cell: str, given: list[Array], at: int, options: dict[str, Any]) -> Stack:
    """One layer of arrays, checked; `at` is the place of the first in the list."""
    kernel, recurrent, *biases = given
    gates = len(KERAS[cell])
    expect_shape(
        _FROM, f"weights[{at + 1}], a recurrent kernel,", recurrent, (None,) * 2
    )
    units = recurrent.shape[0]
    wide = (gates * units,)
    name = f"weights[{at + 1}], a recurrent kernel,"
    expect_shape(_FROM, name, recurrent, (units, *wide))
    expect_shape(_FROM, f"weights[{at}], a kernel,", kernel, (None, *wide))
    bias_x = bias_h = np.zeros(wide, kernel.dtype)
    if biases:
        two = options.get("reset") == "after"
        name = f"weights[{at + 2}], a bias,"
        expect_shape(_FROM, name, biases[0], (2, *wide) if two else wide)
        bias_x, bias_h = biases[0] if two else (biases[0], bias_h)
    return Stack(kernel.T, recurrent.T, bias_x, bias_h)
