"""Model, optimizer and run as they are, in memory, to come back to."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from recurrentnn._recurrentnn import Model
from recurrentnn.training.optimizers import Optimizer, restore, saved


def weights_of(model: Model) -> dict[str, NDArray[Any]]:
    """Copies of all parameters, by name."""
    return {name: m.value.copy() for name, m in model.parameters().items()}


def set_weights(model: Model, weights: dict[str, NDArray[Any]]) -> None:
    """The numbers of `weights_of`, and no gradients."""
    for name, matrix in model.parameters().items():
        matrix.value = weights[name]
    model.zero_grad()


class Snapshot:
    """Weights, the optimizer's memory and rate, and the model's stream of masks."""

    def __init__(self, model: Model, optimizer: Optimizer) -> None:
        self._model, self._optimizer = model, optimizer
        self._weights = weights_of(model)
        self._saved = saved(optimizer, model)
        self._rate = optimizer.learning_rate
        self._dropout_step = getattr(model, "dropout_step", None)

    def restore(self) -> None:
        """All of it as it was, bit for bit."""
        set_weights(self._model, self._weights)
        restore(self._optimizer, self._saved, self._model)
        self._optimizer.learning_rate = self._rate
        set_dropout_step(self._model, self._dropout_step)


class Ended:
    """What a run that has ended made of its model's weights, to be undone.

    Parameters
    ----------
    last, best
        Those of the last update, and those that the model was given in their place.
    """

    def __init__(
        self,
        last: dict[str, NDArray[Any]] | None = None,
        best: dict[str, NDArray[Any]] | None = None,
    ) -> None:
        self._last, self._best = last or {}, best or {}

    def undo(self, model: Model) -> None:
        """Put the last weights back, if the model still has the best ones."""
        parameters = model.parameters()
        same = all(
            np.array_equal(parameters[name].value, value)
            for name, value in self._best.items()
        )
        if self._last and same:
            set_weights(model, self._last)


def set_dropout_step(model: Model, step: int | None) -> None:
    """A model's place in its stream of masks, if it has one."""
    if step is not None and hasattr(model, "dropout_step"):
        model.dropout_step = step
