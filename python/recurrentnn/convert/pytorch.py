"""PyTorch: the `state_dict` of nn.RNN, nn.LSTM or nn.GRU, with what stands around it.

Names are `weight_ih_l0`, `weight_hh_l0`, `bias_ih_l0`, `bias_hh_l0`, then `..._l1`; the
reverse direction adds `_reverse`, a projection is `weight_hr_l0`. In a module they come
after the attribute's name, `rnn.weight_ih_l0`; a Linear has `weight` and `bias`, an
Embedding `weight`. No torch is needed but to read `.pt`.
"""

import os
from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
from numpy.typing import DTypeLike

from recurrentnn._recurrentnn import Model, write_file
from recurrentnn.convert import tensors
from recurrentnn.convert.arrays import as_array
from recurrentnn.convert.gates import TORCH, Array, Stack
from recurrentnn.convert.nets import (
    Parts,
    build,
    cell_of,
    expect_shape,
    refuse,
    take_apart,
)
from recurrentnn.errors import ArgumentError, ArgumentTypeError, FormatError

_FROM, _TO = "from_torch", "to_torch"


def from_torch(
    source: Mapping[str, Any] | str | os.PathLike[str],
    *,
    rnn: str | None = None,
    decoder: str | None = None,
    embedding: str | None = None,
    activation: Literal["tanh", "relu"] = "tanh",
    dtype: DTypeLike | None = None,
) -> Model:
    """The net of a PyTorch state_dict: an `RNN`, `LSTM` or `GRU`.

    Parameters
    ----------
    source
        The state_dict, of tensors or arrays; or a `.safetensors` file, for which no
        torch is needed; or a `.pt` or `.pth` file, for which torch >= 2.6 is.
    rnn
        The name of the recurrent module within the state_dict, "encoder.lstm"; found by
        itself where there is one.
    decoder
        The name of the Linear that reads the top layer.
    embedding
        The name of the Embedding that the first layer reads.
    activation
        An nn.RNN's `nonlinearity`, which a state_dict does not tell.
    dtype
        float32 or float64; that of the weights unless told.

    Raises
    ------
    ArgumentError
        If there is no or more than one recurrent module, a name is missing, or tensors
        are left that nobody named: nothing is dropped in silence.
    ShapeError
        Naming the tensor whose shape does not fit.
    FormatError
        If a file is not of its format, or a number is not finite.
    """
    given = read_state_dict(source)
    names = [name.removesuffix("weight_ih_l0") for name in given if _is_first(name)]
    prefix = _chosen(rnn, names)
    left = {name: as_array(_FROM, name, given[name]) for name in given}
    layers: list[list[Stack]] = []
    while f"{prefix}weight_ih_l{len(layers)}" in left:
        j = len(layers)
        layer = [_take(left, prefix, f"_l{j}")]
        if f"{prefix}weight_ih_l{j}_reverse" in left:
            layer.append(_take(left, prefix, f"_l{j}_reverse"))
        layers.append(layer)
    first = layers[0][0]
    units = None if first.projection is None else first.projection.shape[1]
    cell = cell_of(_FROM, f"{prefix}weight_hh_l0", first.weight_h, units)
    _check(prefix, cell, layers)
    options: dict[str, dict[str, Any]] = {
        "rnn": {"activation": activation},
        "gru": {"reset": "after"},
    }
    parts = Parts(
        cell,
        layers,
        None if embedding is None else _embedding(left, embedding),
        None if decoder is None else _decoder(left, decoder),
        options.get(cell, {}),
    )
    if left:
        refuse(
            _FROM,
            f"nothing was said about {', '.join(left)}; name the modules with "
            "decoder= and embedding=, or leave the tensors out",
        )
    return build(_FROM, parts, TORCH, dtype)


def to_torch(
    net: Model,
    path: str | os.PathLike[str] | None = None,
    *,
    rnn: str | None = None,
    decoder: str = "decoder",
    embedding: str = "embedding",
    bias: bool = True,
) -> dict[str, Array]:
    """The state_dict of an `RNN`, `LSTM` or `GRU` as arrays, and as a file if told.

    Layers must be of one size, and a GRU must reset after the product. The biases are
    `bias_ih`, and `bias_hh` is 0 save in a GRU's candidate.

    Parameters
    ----------
    path
        A `.safetensors` file to write.
    rnn, decoder, embedding
        The attributes' names in the module. The first is "rnn" if the net has an
        embedding or a decoder, and else "", as in the state_dict of a bare nn.LSTM.
    bias
        False for modules with bias=False; the net's must then all be 0.
    """
    parts = take_apart(_TO, net, TORCH, ("activation", "reset"))
    if parts.options["reset"] != "after" and parts.cell == "gru":
        refuse(_TO, "PyTorch's GRU resets after the product, this one before it")
    sizes = set(net.hidden_sizes)
    if len(sizes) > 1:
        refuse(_TO, f"PyTorch's layers are of one size, these of {net.hidden_sizes}")
    if rnn is None:
        rnn = "rnn" if parts.embedding is not None or parts.decoder is not None else ""
    prefix = f"{rnn}." if rnn else ""
    found: dict[str, Array] = {}
    if parts.embedding is not None:
        found[f"{embedding}.weight"] = parts.embedding
    for j, layer in enumerate(parts.layers):
        for stack, direction in zip(layer, ("", "_reverse"), strict=False):
            _put(found, prefix, f"_l{j}{direction}", stack, bias)
    if parts.decoder is not None:
        found[f"{decoder}.weight"], found[f"{decoder}.bias"] = parts.decoder
    if path is not None:
        write_file(path, tensors.dump(found, {"format": "pt"}))
    return found


def _is_first(name: object) -> bool:
    return isinstance(name, str) and name.rpartition(".")[2] == "weight_ih_l0"


def _chosen(rnn: str | None, prefixes: list[str]) -> str:
    if rnn is not None:
        prefix = f"{rnn}." if rnn else ""
        if prefix not in prefixes:
            refuse(_FROM, f"the state_dict has no {prefix}weight_ih_l0")
        return prefix
    if len(prefixes) != 1:
        found = ", ".join(repr(prefix.rstrip(".")) for prefix in prefixes) or "none"
        refuse(_FROM, f"expected one recurrent module but there are {found}: give rnn")
    return prefixes[0]


def _take(left: dict[str, Array], prefix: str, suffix: str) -> Stack:
    """Move one direction of one layer out of `left`, its shapes as yet unchecked."""
    weight_x, weight_h = (
        _pop(left, f"{prefix}weight_{kind}{suffix}") for kind in ("ih", "hh")
    )
    biases = [f"{prefix}bias_{kind}{suffix}" for kind in ("ih", "hh")]
    if any(name in left for name in biases):
        bias_x, bias_h = (_pop(left, name) for name in biases)
    else:
        bias_x = bias_h = np.zeros(weight_h.shape[0], weight_h.dtype)
    projection = left.pop(f"{prefix}weight_hr{suffix}", None)
    return Stack(weight_x, weight_h, bias_x, bias_h, projection)


def _pop(left: dict[str, Array], name: str) -> Array:
    if name not in left:
        refuse(_FROM, f"{name} is missing")
    return left.pop(name)


def _check(prefix: str, cell: str, layers: list[list[Stack]]) -> None:
    """Raise unless all layers are like the first; what they read is `build`'s."""
    first = layers[0][0]
    rows, state = first.weight_h.shape
    units = rows // len(TORCH[cell])
    for j, layer in enumerate(layers):
        for stack, direction in zip(layer, ("", "_reverse"), strict=False):
            suffix = f"_l{j}{direction}"
            shapes: tuple[tuple[int | None, ...], ...] = (
                (rows, None),
                (rows, state),
                (rows,),
                (rows,),
            )
            kinds = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
            for kind, array, shape in zip(kinds, stack[:4], shapes, strict=True):
                expect_shape(_FROM, f"{prefix}{kind}{suffix}", array, shape)
            if (stack.projection is None) != (first.projection is None):
                refuse(_FROM, f"{prefix}weight_hr: some layers have it and some do not")
            if stack.projection is not None:
                name = f"{prefix}weight_hr{suffix}"
                expect_shape(_FROM, name, stack.projection, (state, units))
        if len(layer) != len(layers[0]):
            refuse(_FROM, f"layer {j} has {len(layer)} directions, not as layer 0")


def _embedding(left: dict[str, Array], name: str) -> Array:
    weight = _pop(left, f"{name}.weight")
    expect_shape(_FROM, f"{name}.weight", weight, (None, None))
    return weight


def _decoder(left: dict[str, Array], name: str) -> tuple[Array, Array]:
    weight = _pop(left, f"{name}.weight")
    expect_shape(_FROM, f"{name}.weight", weight, (None, None))
    bias = left.pop(f"{name}.bias", np.zeros(weight.shape[0], weight.dtype))
    expect_shape(_FROM, f"{name}.bias", bias, weight.shape[:1])
    return weight, bias


def _put(
    found: dict[str, Array], prefix: str, suffix: str, stack: Stack, bias: bool
) -> None:
    found[f"{prefix}weight_ih{suffix}"] = stack.weight_x
    found[f"{prefix}weight_hh{suffix}"] = stack.weight_h
    if bias:
        found[f"{prefix}bias_ih{suffix}"] = stack.bias_x
        found[f"{prefix}bias_hh{suffix}"] = stack.bias_h
    elif stack.bias_x.any() or stack.bias_h.any():
        refuse(_TO, f"bias=False, but the biases of layer{suffix} are not 0")
    if stack.projection is not None:
        found[f"{prefix}weight_hr{suffix}"] = stack.projection


def read_state_dict(source: object) -> Mapping[str, Any]:
    """The state_dict itself, or of a file, its tensors unchecked."""
    if isinstance(source, Mapping):
        return source
    if not isinstance(source, str | os.PathLike):
        kind = type(source).__name__
        raise ArgumentTypeError(
            f"{_FROM}: source must be a state_dict or the path of a file but is {kind}"
            + ("; give its state_dict()" if hasattr(source, "state_dict") else "")
        )
    name = os.fspath(source)
    if name.endswith(".safetensors"):
        return tensors.read(source)[0]
    if name.endswith((".pt", ".pth")):
        return _read_pt(name)
    raise ArgumentError(
        f"{_FROM}: {name} must end in .safetensors, .pt or .pth; "
        "other files hold no state_dict that can be read without running code"
    )


def _read_pt(name: str) -> Mapping[str, Any]:
    try:
        import torch
    except ModuleNotFoundError:
        refuse(_FROM, f"{name} needs torch >= 2.6; a .safetensors file does not")
    # Before 2.6 even weights_only=True could be made to run code (CVE-2025-32434).
    version = tuple(int(part) for part in torch.__version__.split(".")[:2])
    if version < (2, 6):
        refuse(_FROM, f"{name} needs torch >= 2.6 but this is {torch.__version__}")
    try:
        found = torch.load(name, map_location="cpu", weights_only=True)
    except OSError:
        raise
    except Exception as error:
        # torch raises what the unpickler or the zip reader raises, each of its own.
        line = str(error).partition("\n")[0]
        raise FormatError(
            f"{_FROM}: {name}: no file of weights alone: {line}"
        ) from None
    if not isinstance(found, Mapping):
        kind = type(found).__name__
        raise FormatError(f"{_FROM}: {name}: must hold a state_dict but holds {kind}")
    return found
