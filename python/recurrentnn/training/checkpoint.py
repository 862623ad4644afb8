"""A run as text and tensors beside its model, in one file; and back.

The model's file (`io/safetensors.rs`) has the parameters, the configuration, the
version and the checksum. Here stands what is added: metadata `training`, a JSON object,
and tensors `training/...`, by what they belong to::

    training/optimizer.NAME     arrays of `optimizer.state()`
    training/schedule.NAME      likewise
    training/state.hidden.0     the state that is carried on, by its own names
    training/history.COLUMN     one number a record
    training/best.PARAMETER     the weights of the best validation
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from recurrentnn._recurrentnn import Model
from recurrentnn.errors import FormatError
from recurrentnn.state import State
from recurrentnn.training.history import History
from recurrentnn.training.notes import Notes
from recurrentnn.training.optimizers import Saved
from recurrentnn.training.records import Sums, Totals
from recurrentnn.training.run import Best, Place, Run
from recurrentnn.training.tensors import Parts, from_parts, to_parts

Values: TypeAlias = Mapping[str, Any]
"""The state of an optimizer or a schedule: arrays, numbers and strings by name."""

KEY = "training"
_PREFIX = KEY + "/"


def describe(
    run: Run, optimizer: Saved, schedule: Values
) -> tuple[dict[str, str], dict[str, Parts]]:
    """Metadata and tensors that stand for a run."""
    arrays: dict[str, NDArray[Any]] = {}
    sums = run.totals.sums
    notes = {
        "step": run.step,
        "epochs": run.epochs,
        "seconds": run.seconds,
        "reported": run.reported,
        "dropout_step": run.dropout_step,
        "place": {
            "plan": run.place.plan,
            "epoch": run.place.epoch,
            "batches": run.place.batches,
            "symbols": run.place.symbols,
            "state": _take_state(run.place.state, arrays),
        },
        "totals": {
            "updates": run.totals.updates,
            "grad_norm": run.totals.grad_norm,
            "clipped_fraction": run.totals.clipped_fraction,
            "seconds": run.totals.seconds,
            "symbols": sums.symbols,
            "chars": sums.chars,
            "loss": sums.loss,
            "weight": sums.weight,
            "metrics": sums.metrics,
        },
        "best": {
            "loss": None if math.isinf(run.best.loss) else run.best.loss,
            "step": run.best.step,
            "waited": run.best.waited,
        },
        "optimizer": {"class": optimizer.rule}
        | _take("optimizer", optimizer.state, arrays),
        "optimizer_options": optimizer.options,
        "schedule": _take("schedule", schedule, arrays),
    }
    for name, column in run.history.columns().items():
        arrays[f"history.{name}"] = column
    for name, weights in run.best.weights.items():
        arrays[f"best.{name}"] = weights
    tensors = {_PREFIX + name: to_parts(array) for name, array in arrays.items()}
    return {KEY: json.dumps(notes)}, tensors


def understand(
    metadata: Mapping[str, str], tensors: Mapping[str, Parts], model: Model
) -> tuple[Run, Saved, dict[str, Any]]:
    """What `describe` was given, of a file whose model this is.

    Raises
    ------
    FormatError
        Unless it is all there, of the right types and shapes, and nothing else is.
    """
    if KEY not in metadata:
        raise FormatError("a model but no checkpoint: it has no record of training")
    notes = Notes.parse(metadata[KEY], KEY)
    arrays = _Arrays(tensors)
    place, totals, best = (notes.inner(key) for key in ("place", "totals", "best"))
    measured = totals.inner("metrics")
    sums = Sums(
        symbols=totals.whole("symbols"),
        chars=totals.whole("chars"),
        loss=totals.real("loss"),
        weight=totals.real("weight"),
        metrics={name: measured.real(name) for name in measured.names()},
    )
    dropout_step = notes.whole("dropout_step") if notes.has("dropout_step") else None
    run = Run(
        step=notes.whole("step"),
        epochs=notes.whole("epochs"),
        seconds=notes.real("seconds"),
        reported=notes.flag("reported"),
        dropout_step=dropout_step,
        place=Place(
            plan=place.text("plan") if place.has("plan") else None,
            epoch=place.whole("epoch"),
            batches=place.whole("batches"),
            symbols=place.whole("symbols"),
            state=_give_state(place.inner("state"), arrays)
            if place.has("state")
            else None,
        ),
        totals=Totals(
            sums=sums,
            updates=totals.whole("updates"),
            grad_norm=totals.real("grad_norm"),
            clipped_fraction=totals.real("clipped_fraction"),
            seconds=totals.real("seconds"),
        ),
        history=History.from_columns(arrays.of("history")),
        best=Best(
            loss=best.real("loss") if best.has("loss") else math.inf,
            step=best.whole("step"),
            waited=best.whole("waited"),
            weights=_weights(arrays.of("best"), model),
        ),
    )
    state = notes.inner("optimizer").plain() | arrays.of("optimizer")
    rule = state.pop("class", None)
    if not isinstance(rule, str):
        raise FormatError(f"{KEY}.optimizer: class must be a string")
    options: dict[str, Any] | None = None
    if notes.has("optimizer_options"):  # since some files of version 2
        found = notes.inner("optimizer_options")
        options = {name: found.value(name) for name in found.names()}
    schedule = notes.inner("schedule").plain() | arrays.of("schedule")
    arrays.expect_none_left()
    return run, Saved(rule, state, options), schedule


class _Arrays:
    """The tensors of a file, each taken once."""

    def __init__(self, tensors: Mapping[str, Parts]) -> None:
        self._left = dict(tensors)

    def of(self, owner: str) -> dict[str, NDArray[Any]]:
        """Those of an owner, by the rest of their names."""
        prefix = f"{_PREFIX}{owner}."
        names = [name for name in self._left if name.startswith(prefix)]
        return {n.removeprefix(prefix): from_parts(self._left.pop(n)) for n in names}

    def expect_none_left(self) -> None:
        if self._left:
            raise FormatError(f"{KEY}: no tensor {min(self._left)} is known")


def _take(
    owner: str, values: Values, arrays: dict[str, NDArray[Any]]
) -> dict[str, float | str]:
    """Put the arrays of a state among the others; numbers and strings are left."""
    plain: dict[str, float | str] = {}
    for name, value in values.items():
        if isinstance(value, np.ndarray):
            arrays[f"{owner}.{name}"] = value
        else:
            plain[name] = value.item() if isinstance(value, np.generic) else value
    return plain


def _take_state(
    state: State | None, arrays: dict[str, NDArray[Any]]
) -> dict[str, int] | None:
    """Put a state's arrays among the others; how many of each name are left."""
    if state is None:
        return None
    counts = {}
    for name, vectors in _vectors(state).items():
        counts[name] = len(vectors)
        for layer, vector in enumerate(vectors):
            arrays[f"state.{name}.{layer}"] = np.asarray(vector)
    return counts


def _give_state(counts: Notes, arrays: _Arrays) -> State:
    """The state, whose shapes the model checks when it is called."""
    found = arrays.of("state")
    vectors: dict[str, tuple[NDArray[Any], ...]] = {}
    for name in counts.names():
        keys = [f"{name}.{layer}" for layer in range(min(counts.whole(name), 1024))]
        if not all(key in found for key in keys):
            raise FormatError(f"{KEY}.place.state: a tensor of {name} is missing")
        vectors[name] = tuple(found.pop(key) for key in keys)
    if found or any(v.ndim != 2 for all_ in vectors.values() for v in all_):
        raise FormatError(f"{KEY}.place.state: the tensors are not those of a state")
    hidden, cell = vectors.pop("hidden", ()), vectors.pop("cell", ())
    return State(hidden, cell, vectors)


def _vectors(state: State) -> dict[str, tuple[Any, ...]]:
    return {"hidden": state.hidden, "cell": state.cell, **state.more}


def _weights(found: dict[str, NDArray[Any]], model: Model) -> dict[str, NDArray[Any]]:
    """Weights of exactly the model's parameters, or none at all."""
    if not found:
        return {}
    expected = {n: (m.shape, m.dtype) for n, m in model.parameters().items()}
    if {n: (array.shape, array.dtype) for n, array in found.items()} != expected:
        raise FormatError(f"{KEY}: the best weights are not those of the model")
    return found
