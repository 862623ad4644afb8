"""`from_recurrentjs`: a model that the RecurrentJS demo saved, as a model of ours.

The document is an object with `generator` ("lstm" or "rnn"), `hidden_sizes`,
`letter_size`, `model` {name: {n, d, w}}, and, not in every file, `solver` and the
vocabulary (`letterToIndex`, `indexToLetter`, `vocab`). Nothing in it is evaluated, and
nothing is allocated for a size that the document does not fill with numbers.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from recurrentnn._recurrentnn import Model, Solver, Vocabulary
from recurrentnn.compat.recurrentjs import json_text
from recurrentnn.compat.recurrentjs.json_text import fail
from recurrentnn.compat.recurrentjs.layout import Entry, layout
from recurrentnn.compat.recurrentjs.vocabulary import read_vocabulary
from recurrentnn.models import LSTM, RNN


class SolverState(NamedTuple):
    """What the ancestor's solver remembers; `step_cache` has our parameters' names."""

    decay_rate: float
    smooth_eps: float
    step_cache: dict[str, NDArray[np.float64]]

    def start(self, model: Model) -> Solver:
        """A `recurrentnn.compat.Solver` that goes on with `model` where this left off.

        Parameters that no step has reached begin at 0, as in the ancestor.
        """
        solver = Solver(self.decay_rate, self.smooth_eps)
        state: dict[str, Any] = {"optimizer": "solver"}
        for name, squares in self.step_cache.items():
            # The rule does not ask for the number of steps, which no file tells.
            state |= {f"square.{name}": squares, f"steps.{name}": 1}
        solver.restore(model, state)
        return solver


class Imported(NamedTuple):
    """A RecurrentJS file: `model`, and what else the document held."""

    model: LSTM | RNN
    vocabulary: Vocabulary | None
    solver: SolverState | None


def from_recurrentjs(document: Mapping[str, Any] | str | bytes) -> Imported:
    """Read a model saved by RecurrentJS.

    The model is float64 with the file's letter vectors as its embedding, symbol 0 the
    START and END of a sentence, and relu units in an RNN. The vocabulary keeps the
    file's order and has that boundary.

    Parameters
    ----------
    document
        JSON text, or the object it stands for.

    Raises
    ------
    FormatError
        Naming the place, if the text is no JSON (cut off, say), a matrix is missing,
        unknown, of another size or not finite, or the vocabulary's tables disagree.
    ArgumentTypeError
        If `document` is neither text nor a mapping.
    """
    fields = json_text.parse(document)
    generator = json_text.member(fields, "generator", "document")
    if generator not in ("lstm", "rnn"):
        fail("generator", f"must be 'lstm' or 'rnn', got {generator!r}")
    hidden_sizes = json_text.sizes(
        json_text.member(fields, "hidden_sizes", "document"), "hidden_sizes"
    )
    stored = json_text.mapping(json_text.member(fields, "model", "document"), "model")
    matrices = {
        name: json_text.matrix(m, f"model.{name}") for name, m in stored.items()
    }
    symbols, letter_size = json_text.member(matrices, "Wil", "model").shape
    outputs = json_text.member(matrices, "Whd", "model").shape[0]
    if fields.get("letter_size", letter_size) != letter_size:
        given = fields["letter_size"]
        fail("letter_size", f"is {given!r}, but Wil has {letter_size} columns")
    entries = [
        Entry("Wil", "embedding.weight", symbols, letter_size),
        *layout(generator, letter_size, hidden_sizes, outputs),
    ]
    _check_matrices(matrices, entries)
    vocabulary = read_vocabulary(fields, symbols)
    solver = _solver(fields.get("solver"), entries)

    model = _empty_model(generator, symbols, letter_size, hidden_sizes, outputs)
    for entry in entries:
        model[entry.parameter].value = matrices[entry.name]
    return Imported(model, vocabulary, solver)


def _empty_model(
    generator: str,
    symbols: int,
    letter_size: int,
    hidden_sizes: Sequence[int],
    outputs: int,
) -> LSTM | RNN:
    # "uniform" is the cheapest of the initialisers, and every value is replaced.
    shared: dict[str, Any] = {
        "embedding_size": letter_size,
        "dtype": "float64",
        "init": "uniform",
    }
    if generator == "rnn":
        return RNN(symbols, hidden_sizes, outputs, activation="relu", **shared)
    return LSTM(symbols, hidden_sizes, outputs, **shared)


def _check_matrices(
    matrices: Mapping[str, NDArray[np.float64]], entries: Sequence[Entry]
) -> None:
    for entry in entries:
        array = json_text.member(matrices, entry.name, "model")
        _check_shape(array, entry, f"model.{entry.name}")
    unknown = sorted(set(matrices) - {entry.name for entry in entries})
    if unknown:
        fail("model", f"has matrices that no such model has: {', '.join(unknown)}")


def _check_shape(array: NDArray[np.float64], entry: Entry, where: str) -> None:
    if array.shape != (entry.rows, entry.cols):
        found = "x".join(map(str, array.shape))
        fail(where, f"must be {entry.rows}x{entry.cols} in this model, got {found}")


def _solver(value: object, entries: Sequence[Entry]) -> SolverState | None:
    """Return the solver's state; files from before it was saved have none."""
    if value is None:
        return None
    fields = json_text.mapping(value, "solver")
    decay_rate = json_text.member(fields, "decay_rate", "solver")
    smooth_eps = json_text.member(fields, "smooth_eps", "solver")
    caches = json_text.mapping(
        json_text.member(fields, "step_cache", "solver"), "solver.step_cache"
    )
    known = {entry.name: entry for entry in entries}
    step_cache = {}
    for name, stored in caches.items():
        where = f"solver.step_cache.{name}"
        if name not in known:
            fail(where, "the model has no such matrix")
        array = json_text.matrix(stored, where)
        _check_shape(array, known[name], where)
        if array.min() < 0:
            fail(where, "a mean of squares is negative")
        step_cache[known[name].parameter] = array
    return SolverState(
        json_text.number(decay_rate, "solver.decay_rate"),
        json_text.number(smooth_eps, "solver.smooth_eps"),
        step_cache,
    )
