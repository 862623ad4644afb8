"""Inside a net: its activations over a text, its weights, what it expects next."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recurrentnn._recurrentnn import Model, Vocabulary
from recurrentnn.errors import ArgumentError, NonFiniteError
from recurrentnn.pieces import Unknown, encode_prompt, symbols_of
from recurrentnn.text_model import TextLanguage

MOST_SYMBOLS = 1000
"""Of a text that is looked into."""

MOST_VALUES = 100_000
"""In an answer: of many units, as many as fit."""

MOST_BLOCKS = 128
"""Rows and columns of a heat map."""

_STRONGEST = 5
_DECIMALS = 3

Activations = dict[str, NDArray[Any]]


def described(net: Model) -> dict[str, Any]:
    """Cell and sizes of a net, as a page's settings name them."""
    return {
        "cell": net.cell,
        "hidden_sizes": ",".join(map(str, net.hidden_sizes)),
        "embedding_size": net.embedding_size,
        "dtype": str(net.dtype),
    }


def parameters(net: Model) -> list[dict[str, Any]]:
    """Name and shape of each."""
    return [
        {"name": name, "shape": list(matrix.value.shape)}
        for name, matrix in net.parameters().items()
    ]


def signals(net: Model) -> list[list[dict[str, Any]]]:
    """For each layer the names and sizes of what goes on in it."""
    layers: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for name, values in net.activations([0]).items():
        layer, signal = _parts(name)
        if layer is not None:
            layers[layer].append({"name": signal, "units": values.shape[-1]})
    return [layers[layer] for layer in sorted(layers)]


def look(
    language: TextLanguage, text: str, layer: int, signal: str, first: int = 0
) -> dict[str, Any]:
    """What a signal of a layer does while the net reads a text.

    Parameters
    ----------
    text
        See `unknown` for characters that the net does not know.
    layer, signal
        One of `signals`.
    first
        The first unit that is wanted.

    Returns
    -------
    dict
        `text`, its symbols as shown; `signal`, `layer`; `units`, how many there are;
        `first`; `values`, for each symbol those of the units from `first` on, as many
        as fit; `strongest`, for each symbol the pairs of unit and value that are
        largest in magnitude; `next`, the pairs of symbol and probability that come
        next; `gates`, of gated feedback for each symbol a matrix, into row from column.

    Raises
    ------
    ArgumentError
        There is no such signal or unit, or the text is empty or too long.
    NonFiniteError
        The net has numbers that are none.
    """
    shown, found = activations(language, text)
    values = found.get(f"layers.{layer}.{signal}")
    if values is None:
        raise ArgumentError(f"look: layer {layer} has no signal {signal!r}")
    units = values.shape[1]
    if not 0 <= first < units:
        raise ArgumentError(f"look: first must be from 0 to {units - 1}, got {first}")
    if not all(np.isfinite(array).all() for array in found.values()):
        raise NonFiniteError("look: the net has numbers that are infinite or NaN")
    last = first + max(1, MOST_VALUES // len(shown))
    return {
        "text": shown,
        "signal": signal,
        "layer": layer,
        "units": units,
        "first": first,
        "values": _rounded(values[:, first:last]),
        "strongest": [_largest(row) for row in values],
        "next": _next(language, found["output"]),
        "gates": _gates(found, len(shown)),
    }


def activations(language: TextLanguage, text: str) -> tuple[list[str], Activations]:
    """The symbols of a text as shown, and what goes on in the net, (symbols, units).

    Of a model of lines each line is read by itself, behind its START.
    """
    shown: list[str] = []
    parts: list[Activations] = []
    for symbols in _read(language, text):
        shown += [_shown(language, symbol) for symbol in symbols]
        if len(shown) > MOST_SYMBOLS:
            raise ArgumentError(f"look: text must have at most {MOST_SYMBOLS} symbols")
        parts.append(language.net.activations(symbols))
    if not shown:
        raise ArgumentError("look: text must not be empty")
    whole = {name: np.concatenate([p[name] for p in parts]) for name in parts[0]}
    return shown, whole


def weigh(net: Model, name: str) -> dict[str, Any]:
    """A parameter as a heat map: means of blocks, if it is large.

    Returns
    -------
    dict
        `name`; `rows`, `columns` of the parameter; `values`, at most 128 x 128; `low`,
        `high` of the parameter itself.
    """
    found = net.parameters().get(name)
    if found is None:
        raise ArgumentError(f"weights: there is no parameter {name!r}")
    values = np.asarray(found.value, dtype=np.float64)
    if not np.isfinite(values).all():
        raise NonFiniteError(f"weights: {name} has numbers that are infinite or NaN")
    rows, columns = values.shape
    return {
        "name": name,
        "rows": rows,
        "columns": columns,
        "values": np.round(_blocks(_blocks(values).T).T, 4).tolist(),
        "low": float(values.min()),
        "high": float(values.max()),
    }


def unknown(language: TextLanguage) -> Unknown:
    """What happens to characters that the net does not know: as near to none as can be.

    They are read as its symbol for unknown ones or as a space, or else not at all.
    """
    code = language.vocabulary
    known = getattr(code, "unknown", False) or symbols_of(code, " ") is not None
    return "replace" if known else "skip"


def _read(language: TextLanguage, text: str) -> list[list[int]]:
    """The symbols that go into the net, line by line if it knows lines."""
    code, how = language.vocabulary, unknown(language)
    if not language.lines:
        symbols = encode_prompt(code, text, how)
        return [symbols] if symbols else []
    return [
        [Vocabulary.BOUNDARY, *encode_prompt(code, line, how)]
        for line in text.split("\n")
        if line
    ]


def _shown(language: TextLanguage, symbol: int) -> str:
    """A symbol as text; START and END are a line's end."""
    if language.lines and symbol == Vocabulary.BOUNDARY:
        return "\n"
    text: str | bytes = language.vocabulary.decode([symbol])
    return text.decode("utf-8", "replace") if isinstance(text, bytes) else text


def _next(language: TextLanguage, logits: NDArray[Any]) -> list[list[list[Any]]]:
    """For each symbol the most probable next ones."""
    scaled = logits.astype(np.float64)
    scaled -= scaled.max(axis=1, keepdims=True)
    shares = np.exp(scaled)
    shares /= shares.sum(axis=1, keepdims=True)
    order = np.argsort(-shares, axis=1, kind="stable")[:, :_STRONGEST]
    return [
        [[_shown(language, s), round(float(row[s]), _DECIMALS)] for s in best.tolist()]
        for row, best in zip(shares, order, strict=True)
    ]


def _largest(row: NDArray[Any]) -> list[list[Any]]:
    order = np.argsort(-np.abs(row), kind="stable")[:_STRONGEST]
    return [[int(unit), round(float(row[unit]), _DECIMALS)] for unit in order]


def _gates(found: Activations, symbols: int) -> list[Any] | None:
    """How far each layer listens to each: the mean of the gate's units."""
    gates: dict[tuple[int, int], NDArray[Any]] = {}
    for name, values in found.items():
        layer, signal = _parts(name)
        if layer is not None and signal.startswith("feedback."):
            gates[layer, int(signal.split(".")[1])] = values.mean(axis=1)
    if not gates:
        return None
    layers = 1 + max(layer for layer, _ in gates)
    matrix = np.zeros((symbols, layers, layers))
    for (into, source), values in gates.items():
        matrix[:, into, source] = values
    return _rounded(matrix)


def _parts(name: str) -> tuple[int | None, str]:
    """Layer and signal of an activation's name; the net's output has no layer."""
    head, _, rest = name.partition(".")
    if head != "layers":
        return None, name
    layer, _, signal = rest.partition(".")
    return int(layer), signal


def _blocks(values: NDArray[Any]) -> NDArray[Any]:
    """At most so many rows: means of neighbours."""
    rows = len(values)
    if rows <= MOST_BLOCKS:
        return values
    starts = np.arange(MOST_BLOCKS) * rows // MOST_BLOCKS
    counts = np.diff(np.append(starts, rows))
    return np.asarray(np.add.reduceat(values, starts) / counts[:, None])


def _rounded(values: NDArray[Any]) -> list[Any]:
    rounded: list[Any] = np.round(values.astype(np.float64), _DECIMALS).tolist()
    return rounded
