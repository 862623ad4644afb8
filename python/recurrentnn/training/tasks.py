"""What a net is to learn: its loss on a batch, and what else is measured.

A net's output is outputs x (batch*time), column b*time + t being tick t of row b. A
task that answers at every tick (`LanguageModel`, `Tagging`) reads all columns; one that
answers once (`Classification`, `Regression`) the last tick of each row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, Protocol, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from recurrentnn._recurrentnn import Graph, Matrix
from recurrentnn.arguments import integer, real
from recurrentnn.errors import ArgumentError, ShapeError
from recurrentnn.training.losses import Loss, cross_entropy, pointwise

PointwiseLoss = Literal["squared", "absolute", "huber"]


class AnyBatch(Protocol):
    """Sequences side by side with their targets, as tasks and trainer read them.

    `recurrentnn.data.Batch` is one. One with sequences of several lengths also has
    `lengths`, one for each row.
    """

    @property
    def x(self) -> NDArray[Any]:
        """(batch, time) symbols or (batch, time, features)."""

    @property
    def targets(self) -> NDArray[Any]:
        """What the task wants."""

    @property
    def mask(self) -> NDArray[np.bool_] | None:
        """Which ticks count, (batch, time); None: all."""

    @property
    def first(self) -> bool:
        """Whether the sequences begin here; else the state is carried on."""

    @property
    def symbols(self) -> int:
        """How much of an epoch it is."""

    @property
    def chars(self) -> int:
        """What is counted per second."""


class Task:
    """The base: override `loss`, and `metrics` if there is more to tell."""

    in_nats = True
    """Whether the loss is a cross-entropy of symbols, so that bits make sense."""

    def loss(self, graph: Graph, outputs: Matrix, batch: AnyBatch) -> Loss:
        """The loss on a batch, recorded in `graph`."""
        raise NotImplementedError

    def metrics(self, outputs: NDArray[Any], batch: AnyBatch) -> Mapping[str, float]:
        """Further means over the targets of a batch; outputs x (batch*time)."""
        del outputs, batch
        return {}


class _Symbols(Task):
    """Right classes among others, with weights, smoothing and targets left out."""

    def __init__(
        self,
        *,
        class_weights: ArrayLike | None = None,
        label_smoothing: float = 0.0,
        ignore: int | None = None,
    ) -> None:
        name = type(self).__name__
        self.class_weights: NDArray[np.float64] | None = None
        if class_weights is not None:
            weights = np.asarray(class_weights, dtype=np.float64)
            if weights.ndim != 1 or not (np.isfinite(weights) & (weights >= 0)).all():
                raise ArgumentError(
                    f"{name}: class_weights must be numbers from 0, one a class"
                )
            self.class_weights = weights
        self.label_smoothing = real(
            name, "label_smoothing", label_smoothing, zero=True, below=1
        )
        self.ignore = (
            None if ignore is None else integer(name, "ignore", ignore, least=-(2**62))
        )

    def _columns(
        self, batch: AnyBatch
    ) -> tuple[NDArray[np.intp] | None, NDArray[np.int64], NDArray[np.bool_]]:
        """Columns that answer (None: all), the class of each, whether it counts."""
        targets = np.asarray(batch.targets).ravel()
        counts = np.ones(targets.shape, dtype=np.bool_)
        if batch.mask is not None:
            counts &= np.asarray(batch.mask).ravel()
        if self.ignore is not None:
            counts &= targets != self.ignore
        return None, targets, counts

    def loss(self, graph: Graph, outputs: Matrix, batch: AnyBatch) -> Loss:
        """Mean cross-entropy, in nats."""
        columns, targets, counts = self._columns(batch)
        if columns is not None:
            outputs = graph.select_columns(outputs, columns)
        return cross_entropy(
            graph, outputs, targets, counts, self.class_weights, self.label_smoothing
        )

    def _accuracy(self, outputs: NDArray[Any], batch: AnyBatch) -> Mapping[str, float]:
        columns, targets, counts = self._columns(batch)
        answers = (outputs if columns is None else outputs[:, columns]).argmax(axis=0)
        right = answers[counts] == targets[counts]
        return {"accuracy": float(right.mean())}


class LanguageModel(_Symbols):
    """The next symbol at every tick: targets are (batch, time), as those of a corpus.

    Parameters
    ----------
    class_weights
        One for each symbol; a mean is then one with weights. None: all count alike.
    label_smoothing
        The share of each target that is spread over all symbols, in [0, 1).
    ignore
        A target that does not count, such as -100.
    """


class Tagging(_Symbols):
    """A class for every tick: targets are (batch, time); parameters as `LanguageModel`.

    `accuracy` is measured.
    """

    in_nats = False

    def metrics(self, outputs: NDArray[Any], batch: AnyBatch) -> Mapping[str, float]:
        """The share of ticks whose class is the most probable."""
        return self._accuracy(outputs, batch)


class Classification(_Symbols):
    """A class for every sequence: targets are (batch,), answered at its last tick.

    Parameters as `LanguageModel`; `accuracy` is measured.
    """

    in_nats = False

    def _columns(
        self, batch: AnyBatch
    ) -> tuple[NDArray[np.intp] | None, NDArray[np.int64], NDArray[np.bool_]]:
        targets = np.asarray(batch.targets)
        rows = len(batch.x)
        if targets.shape != (rows,):
            raise ShapeError(
                f"Classification: targets must be one class for each of {rows} "
                f"sequences, got {targets.shape}"
            )
        counts = np.ones(targets.shape, dtype=np.bool_)
        if self.ignore is not None:
            counts &= targets != self.ignore
        return last_ticks(batch), targets, counts

    def metrics(self, outputs: NDArray[Any], batch: AnyBatch) -> Mapping[str, float]:
        """The share of sequences whose class is the most probable."""
        return self._accuracy(outputs, batch)


class Regression(Task):
    """Numbers: for every sequence at its last tick, or `at="ticks"` for every tick.

    Parameters
    ----------
    loss
        "squared", "absolute" or "huber".
    at
        "end": targets are (batch, outputs), or any shape with as many numbers a row,
        such as (batch, horizon, series) for a forecast of all of it at once;
        "ticks": (batch, time, outputs).
    delta
        Of "huber".

    Notes
    -----
    A target that is NaN does not count. `mse` and `mae` are measured.
    """

    in_nats = False

    def __init__(
        self,
        loss: PointwiseLoss = "squared",
        *,
        at: Literal["end", "ticks"] = "end",
        delta: float = 1.0,
    ) -> None:
        name = type(self).__name__
        for argument, value, known in (
            ("loss", loss, get_args(PointwiseLoss)),
            ("at", at, ("end", "ticks")),
        ):
            if value not in known:
                raise ArgumentError(
                    f"{name}: {argument} must be one of {', '.join(known)}, "
                    f"got {value!r}"
                )
        self.kind, self.at = loss, at
        self.delta = real(name, "delta", delta)

    def loss(self, graph: Graph, outputs: Matrix, batch: AnyBatch) -> Loss:
        """The mean over all numbers that are to be predicted."""
        target = self._target(batch, outputs.rows)
        if self.at == "end":
            outputs = graph.select_columns(outputs, last_ticks(batch))
        return pointwise(graph, self.kind, outputs, target, self.delta)

    def metrics(self, outputs: NDArray[Any], batch: AnyBatch) -> Mapping[str, float]:
        """Mean squared and mean absolute error."""
        target = self._target(batch, len(outputs))
        if self.at == "end":
            outputs = outputs[:, last_ticks(batch)]
        error = (outputs - target)[~np.isnan(target)].astype(np.float64)
        return {"mse": float((error**2).mean()), "mae": float(np.abs(error).mean())}

    def _target(self, batch: AnyBatch, outputs: int) -> NDArray[np.float64]:
        """(outputs, columns), NaN where nothing counts."""
        given = np.asarray(batch.targets, dtype=np.float64)
        rows, time = batch.x.shape[:2]
        columns = rows if self.at == "end" else rows * time
        if given.size != columns * outputs or len(given) != rows:
            place = f"{rows} sequences" + (f" of {time} ticks" * (self.at == "ticks"))
            raise ShapeError(
                f"Regression: targets must be {outputs} numbers for each of {place}, "
                f"got {given.shape}"
            )
        target = given.reshape(columns, outputs)
        if self.at == "ticks" and batch.mask is not None:
            target = np.where(np.asarray(batch.mask).reshape(-1, 1), target, np.nan)
        return target.T


class Forecasting(Regression):
    """What follows each window: targets are (batch, horizon, series), all at once.

    The decoder has horizon*series outputs. Parameters as `Regression`.
    """

    def __init__(self, loss: PointwiseLoss = "squared", *, delta: float = 1.0) -> None:
        super().__init__(loss, at="end", delta=delta)


def last_ticks(batch: AnyBatch) -> NDArray[np.intp]:
    """The column of each row's last tick."""
    rows, time = batch.x.shape[:2]
    lengths: Sequence[int] | NDArray[Any] | None = getattr(batch, "lengths", None)
    ends = np.full(rows, time) if lengths is None else np.asarray(lengths)
    if ends.shape != (rows,) or ends.min(initial=1) < 1 or ends.max(initial=1) > time:
        raise ArgumentError(
            f"lengths: must be one from 1 to {time} for each of {rows} sequences"
        )
    columns: NDArray[np.intp] = (np.arange(rows) * time + ends - 1).astype(np.intp)
    return columns
