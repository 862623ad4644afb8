"""Nets taken apart into stacks of gates and put together from them."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, NoReturn

import numpy as np
from numpy.typing import DTypeLike

from recurrentnn._recurrentnn import Model
from recurrentnn.convert.gates import CELL_OF, Array, Order, Stack, restack, unstack
from recurrentnn.errors import ArgumentError, ArgumentTypeError, DTypeError, ShapeError
from recurrentnn.models import MODELS

# They say how a net began or what a derivative is, not what the net computes.
_OF_NO_CONSEQUENCE = {
    *("cell", "input_size", "hidden_sizes", "output_size", "embedding_size"),
    *("seed", "dtype", "init", "std", "forget_bias", "slope_at_zero"),
    # In training only, where they scale what they keep.
    *("dropout", "recurrent_dropout", "embedding_dropout", "weight_drop"),
    "variational",
}


class Parts(NamedTuple):
    """What a plain net is made of.

    Attributes
    ----------
    cell
        "rnn", "lstm" or "gru".
    layers
        From the bottom up; each has one stack, or two: forward and reverse.
    embedding
        (symbols, size), or None.
    decoder
        Weight (outputs, top) and bias (outputs,), or None.
    options
        Further options of the net's class: `activation`, `reset`.
    """

    cell: str
    layers: Sequence[Sequence[Stack]]
    embedding: Array | None = None
    decoder: tuple[Array, Array] | None = None
    options: Mapping[str, Any] = {}


def refuse(caller: str, what: str) -> NoReturn:
    """Raise the ArgumentError of a conversion that cannot be."""
    raise ArgumentError(f"{caller}: {what}")


def expect_shape(
    caller: str, name: str, array: Array, shape: tuple[int | None, ...]
) -> None:
    """Raise unless the array has this shape; None stands for any size above 0."""
    fits = array.ndim == len(shape) and all(
        found == wanted if wanted is not None else found > 0
        for found, wanted in zip(array.shape, shape, strict=True)
    )
    if not fits:
        wanted = ", ".join("any" if size is None else str(size) for size in shape)
        raise ShapeError(
            f"{caller}: {name} must be ({wanted}) but is {_shown(array.shape)}"
        )


def _shown(shape: tuple[int, ...]) -> str:
    return f"({', '.join(map(str, shape))})"


def cell_of(caller: str, name: str, weight_h: Array, units: int | None = None) -> str:
    """The cell whose number of gates a recurrent weight, (G*H, H), has.

    `units` is H where the state is projected and so has another size.
    """
    expect_shape(caller, name, weight_h, (None, None))
    size = weight_h.shape[1] if units is None else units
    gates, rest = divmod(weight_h.shape[0], size)
    if rest or gates not in CELL_OF:
        refuse(
            caller,
            f"{name} has {weight_h.shape[0]} rows for {size} units, "
            "and must have 1, 3 or 4 times as many (RNN, GRU, LSTM)",
        )
    return CELL_OF[gates]


def expect_option(caller: str, cell: str, option: str, why: str) -> None:
    """Raise if nets of this version have no such option."""
    if option not in Model(cell, 1, 1, None).config():
        refuse(caller, f"{why}, but {MODELS[cell].__name__} has no {option} yet")


def build(caller: str, parts: Parts, order: Order, dtype: DTypeLike | None) -> Model:
    """Make the net, of the class of its cell, whose layers are stacked in this order.

    Shapes are checked before: each stack is consistent in itself. Here they are checked
    against each other.
    """
    cell, gates = parts.cell, order[parts.cell]
    options = dict(parts.options)
    if len(parts.layers[0]) == 2:
        expect_option(caller, cell, "bidirectional", "the layers go both ways")
        options["bidirectional"] = True
    projection = parts.layers[0][0].projection
    if projection is not None:
        expect_option(caller, cell, "projection_size", "the state is projected")
        options["projection_size"] = projection.shape[0]
    _check_chain(caller, parts)
    first = parts.layers[0][0].weight_x
    symbols, size = (None, None) if parts.embedding is None else parts.embedding.shape
    net = Model.__new__(
        MODELS[cell],
        cell,
        first.shape[1] if symbols is None else symbols,
        [layer[0].weight_h.shape[0] // len(gates) for layer in parts.layers],
        None if parts.decoder is None else parts.decoder[0].shape[0],
        embedding_size=size,
        # The cheapest of the initialisers; every value is replaced.
        init="uniform",
        dtype=_dtype(caller, parts, dtype),
        **options,
    )
    keeps_bias_h = cell == "gru" and options.get("reset") == "after"
    values: dict[str, Array] = {}
    for j, layer in enumerate(parts.layers):
        for stack, prefix in zip(layer, directions(j), strict=False):
            for name, array in unstack(stack, gates, keeps_bias_h).items():
                values[prefix + name] = array
    if parts.embedding is not None:
        values["embedding.weight"] = parts.embedding
    if parts.decoder is not None:
        values["decoder.weight"] = parts.decoder[0]
        values["decoder.bias"] = parts.decoder[1][:, None]
    fill(net, values)
    return net


def fill(net: Model, values: Mapping[str, Array]) -> None:
    """Give each parameter its value; none may be missing and none left over."""
    parameters = net.parameters()
    assert parameters.keys() == values.keys(), parameters.keys() ^ values.keys()
    for name, matrix in parameters.items():
        matrix.value = np.ascontiguousarray(values[name], dtype=net.dtype)


def directions(layer: int) -> tuple[str, str]:
    """What the names of a layer's parameters begin with, forward and reverse."""
    return f"layers.{layer}.", f"layers.{layer}.reverse."


def take_apart(
    caller: str, net: object, order: Order, allowed: Sequence[str] = ()
) -> Parts:
    """The parts of a plain net, or an error that names what the format lacks.

    Parameters
    ----------
    allowed
        Options that the format has, whatever their value; they come back in `options`.
    """
    model = expect_net(caller, net)
    cell = model.cell
    if cell not in order:
        refuse(caller, f"the format has no cell {cell}, only {', '.join(order)}")
    config = model.config()
    refuse_options(caller, model, [*allowed, "bidirectional", "projection_size"])
    values = arrays(model)
    left = dict(values)
    layers = []
    for j in range(len(model.hidden_sizes)):
        names = directions(j)[: 2 if config.get("bidirectional") else 1]
        # The reverse first: what its names begin with begins with the forward prefix.
        layer: list[Stack] = []
        for prefix in reversed(names):
            part = _named_from(left, prefix)
            layer.insert(0, restack(part, order[cell]))
            left |= {prefix + name: part[name] for name in _unknown(part, order[cell])}
        layers.append(layer)
    embedding = left.pop("embedding.weight", None)
    decoder = None
    if "decoder.bias" in left and "decoder.weight" in left:
        decoder = left.pop("decoder.weight"), left.pop("decoder.bias").ravel()
    if left:
        refuse(caller, f"the format has no place for {', '.join(left)}")
    options = {key: config[key] for key in allowed if key in config}
    return Parts(cell, layers, embedding, decoder, options)


def _named_from(left: dict[str, Array], prefix: str) -> dict[str, Array]:
    """Move what begins with the prefix out of `left`, without the prefix."""
    names = [name for name in left if name.startswith(prefix)]
    return {name.removeprefix(prefix): left.pop(name) for name in names}


def _unknown(part: Mapping[str, Array], gates: tuple[str, ...]) -> list[str]:
    """The parameters of a layer that are not in its stack."""
    ends = ("weight_x", "weight_h", "bias")
    known = {f"{gate}.{end}" for gate in gates for end in ends}
    return [*(part.keys() - known - {"candidate.bias_h", "projection.weight"})]


def arrays(net: Model) -> dict[str, Array]:
    """The parameters' values by name, as copies."""
    return {name: np.array(m.value, order="C") for name, m in net.parameters().items()}


def expect_net(caller: str, net: object) -> Model:
    """Return the net, which must be one of ours."""
    if not isinstance(net, Model):
        kind = type(net).__name__
        hint = "; give its net, .net" if hasattr(net, "net") else ""
        raise ArgumentTypeError(f"{caller}: net must be a Model but is {kind}{hint}")
    return net


def refuse_options(caller: str, net: Model, allowed: Sequence[str]) -> None:
    """Raise if the net has an option that the format cannot express."""
    config = net.config()
    # A cell of a user's own need not work in any size.
    known = config["cell"] if isinstance(config["cell"], str) else "rnn"
    plain = Model(known, 1, 1, None).config()
    for option, value in config.items():
        if option in _OF_NO_CONSEQUENCE or option in allowed:
            continue
        if value != plain[option]:
            refuse(caller, f"the format has no {option}={value!r}")


def _check_chain(caller: str, parts: Parts) -> None:
    """Raise unless every layer reads as many numbers as come from below."""
    below = None if parts.embedding is None else parts.embedding.shape[1]
    for j, layer in enumerate(parts.layers):
        for stack in layer:
            inputs = stack.weight_x.shape[1]
            if below is not None and inputs != below:
                raise ShapeError(
                    f"{caller}: layer {j} reads {inputs} numbers, "
                    f"but {below} come from below"
                )
        below = sum(stack.weight_h.shape[1] for stack in layer)
    if parts.decoder is not None and parts.decoder[0].shape[1] != below:
        raise ShapeError(
            f"{caller}: the decoder reads {parts.decoder[0].shape[1]} numbers, "
            f"but the top layer gives {below}"
        )


def _dtype(caller: str, parts: Parts, dtype: DTypeLike | None) -> np.dtype[Any]:
    """The element type asked for, or that of the arrays; half precision widens."""
    if dtype is not None:
        return np.dtype(dtype)
    given = {stack.weight_x.dtype for layer in parts.layers for stack in layer}
    if len(given) > 1:
        names = ", ".join(sorted(map(str, given)))
        raise DTypeError(f"{caller}: layers of several types, {names}: give dtype")
    return np.dtype("float64" if given == {np.dtype("float64")} else "float32")
