"""RecurrentJS: the JSON of its demo's "save model", read and written.

`compat.from_recurrentjs` reads it, with or without solver, weights as lists or as the
objects that `JSON.stringify` makes of typed arrays. Written are lists, which the
ancestor reads likewise.
"""

import json
import os
from typing import Any

import numpy as np

from recurrentnn._recurrentnn import Model, Solver, Vocabulary, write_file
from recurrentnn.compat.recurrentjs.document import Imported, SolverState
from recurrentnn.compat.recurrentjs.document import from_recurrentjs as from_document
from recurrentnn.compat.recurrentjs.layout import Entry, layout
from recurrentnn.convert.gates import Array
from recurrentnn.convert.nets import arrays, expect_net, refuse, refuse_options
from recurrentnn.errors import ArgumentTypeError, NonFiniteError

__all__ = ["Imported", "SolverState", "from_recurrentjs", "to_recurrentjs"]

from_recurrentjs = from_document

_TO = "to_recurrentjs"


def to_recurrentjs(
    net: Model,
    path: str | os.PathLike[str] | None = None,
    *,
    vocabulary: Vocabulary | None = None,
    solver: Solver | SolverState | None = None,
) -> dict[str, Any]:
    """The document of an `LSTM` or a relu `RNN` with embedding and decoder.

    JSON keeps every bit of a float64, and so of a float32.

    Parameters
    ----------
    path
        A `.json` file to write.
    vocabulary
        With a boundary, which is the ancestor's symbol 0; without it a program has to
        know the letters.
    solver
        The ancestors' solver that trains the net, or what `from_recurrentjs` gave.

    Raises
    ------
    ArgumentError
        Naming what the net has that the ancestor has not, or lacks.
    NonFiniteError
        Naming matrix and index: JSON has no NaN.
    """
    generator = expect_net(_TO, net).cell
    if generator not in ("lstm", "rnn"):
        refuse(_TO, f"RecurrentJS has no cell {generator}, only lstm and rnn")
    refuse_options(_TO, net, ["activation"])
    if generator == "rnn" and net.config()["activation"] != "relu":
        refuse(_TO, "RecurrentJS's rnn is one of relu units, this is one of tanh")
    size, outputs = net.embedding_size, net.output_size
    if size is None or outputs is None:
        missing, how = (
            ("an embedding", "embedding_size=N makes one")
            if size is None
            else ("a decoder", "output_size=N makes one")
        )
        refuse(_TO, f"RecurrentJS's nets have {missing}, this one has none; {how}")
    entries = [
        Entry("Wil", "embedding.weight", net.input_size, size),
        *layout(generator, size, net.hidden_sizes, outputs),
    ]
    values = arrays(net)
    document: dict[str, Any] = {
        "hidden_sizes": list(net.hidden_sizes),
        "generator": generator,
        "letter_size": size,
        "model": {
            e.name: _matrix(f"model.{e.name}", values[e.parameter]) for e in entries
        },
    }
    if solver is not None:
        document["solver"] = _solver(net, solver, entries)
    if vocabulary is not None:
        document |= _vocabulary(net, vocabulary)
    if path is not None:
        write_file(path, json.dumps(document, allow_nan=False).encode())
    return document


def _matrix(where: str, array: Array) -> dict[str, Any]:
    rows, cols = array.shape
    numbers = array.astype(np.float64).ravel()
    if not np.isfinite(numbers).all():
        at = int(np.flatnonzero(~np.isfinite(numbers))[0])
        raise NonFiniteError(f"{_TO}: {where}.w[{at}] is {numbers[at]}")
    return {"n": rows, "d": cols, "w": numbers.tolist()}


def _solver(
    net: Model, solver: Solver | SolverState, entries: list[Entry]
) -> dict[str, Any]:
    if isinstance(solver, Solver):
        prefix = "square."
        squares: dict[str, Any] = {
            name.removeprefix(prefix): square
            for name, square in solver.state(net).items()
            if name.startswith(prefix)
        }
        solver = SolverState(solver.decay_rate, solver.eps, squares)
    elif not isinstance(solver, SolverState):
        kind = type(solver).__name__
        raise ArgumentTypeError(f"{_TO}: solver must be a Solver but is {kind}")
    cache = solver.step_cache
    return {
        "decay_rate": solver.decay_rate,
        "smooth_eps": solver.smooth_eps,
        "step_cache": {
            e.name: _matrix(
                f"solver.step_cache.{e.name}", np.asarray(cache[e.parameter])
            )
            for e in entries
            if e.parameter in cache
        },
    }


def _vocabulary(net: Model, vocabulary: Vocabulary) -> dict[str, Any]:
    if not isinstance(vocabulary, Vocabulary):
        kind = type(vocabulary).__name__
        raise ArgumentTypeError(f"{_TO}: vocabulary must be a Vocabulary but is {kind}")
    if not vocabulary.boundary:
        refuse(_TO, "the vocabulary needs a boundary: RecurrentJS's symbol 0 is none")
    if len(vocabulary) != net.input_size:
        refuse(
            _TO,
            f"the vocabulary has {len(vocabulary)} symbols, the net {net.input_size}",
        )
    wide = next((s for s in vocabulary.symbols if ord(s) > 0xFFFF), None)
    if wide is not None:
        refuse(_TO, f"{wide!r} is two characters in JavaScript")
    letters = list(vocabulary.symbols)
    return {
        "letterToIndex": {letter: i for i, letter in enumerate(letters, 1)},
        "indexToLetter": {str(i): letter for i, letter in enumerate(letters, 1)},
        "vocab": letters,
    }
