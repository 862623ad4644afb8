"""Which number went bad first."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from recurrentnn._recurrentnn import Model
from recurrentnn.state import State
from recurrentnn.training.tasks import AnyBatch


def bad_input(batch: AnyBatch) -> str | None:
    """The first number of the input that is infinite or NaN, if there is one."""
    return _first("the input", batch.x, ("row", "tick", "feature"))


def bad_weights(model: Model) -> str | None:
    """The first parameter with a number that is infinite or NaN, if there is one."""
    for name, matrix in model.parameters().items():
        found = _first(name, matrix.value, ("row", "column"))
        if found:
            return found
    return None


def blame(
    model: Model, batch: AnyBatch, state: State | None, outputs: ArrayLike
) -> str:
    """The first tensor, in the order of computing, with a bad number in it.

    Inputs, parameters, the state before, then state and gates tick by tick, layer by
    layer, the output, and last the targets.
    """
    before = {} if state is None else {"hidden": state.hidden, "cell": state.cell}
    found = bad_input(batch) or bad_weights(model)
    if found:
        return found
    checks: list[tuple[str, ArrayLike, tuple[str, ...]]] = [
        (f"the state before, {name} of layer {layer},", np.asarray(vector), ("row",))
        for name, vectors in before.items()
        for layer, vector in enumerate(vectors)
    ]
    found = _first_of(checks)
    if found:
        return found
    inside = model.activations(batch.x, state)
    order = sorted(inside.items(), key=lambda item: _first_tick(item[1]))
    checks = [(name, array, ("row", "tick", "unit")) for name, array in order]
    checks += [
        ("the output", outputs, ("unit", "column")),
        ("the targets", batch.targets, ("row",)),
    ]
    return _first_of(checks) or "the loss, though all that goes into it is finite"


def _first_of(checks: list[tuple[str, ArrayLike, tuple[str, ...]]]) -> str | None:
    texts = (_first(*check) for check in checks)
    return next((text for text in texts if text), None)


def _first(name: str, array: ArrayLike, axes: tuple[str, ...]) -> str | None:
    """Name, value and place of the first bad number."""
    numbers = np.asarray(array)
    if numbers.dtype.kind != "f":
        return None
    bad = ~np.isfinite(numbers)
    if not bad.any():
        return None
    at = np.unravel_index(int(bad.argmax()), bad.shape)
    place = ", ".join(f"{a} {i}" for a, i in zip(axes, at, strict=False))
    return f"{name} is {numbers[at]} at {place}"


def _first_tick(array: NDArray[Any]) -> int:
    """The first tick with a bad number; arrays are (batch, time, units)."""
    bad = ~np.isfinite(array)
    ticks = bad.any(axis=(0, 2)) if array.ndim == 3 else bad.any(axis=-1)
    return int(ticks.argmax()) if ticks.any() else ticks.size
