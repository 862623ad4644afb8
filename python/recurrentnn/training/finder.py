"""Which learning rate to begin with."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from recurrentnn._recurrentnn import Graph, Model
from recurrentnn.arguments import integer, real
from recurrentnn.errors import ArgumentError, NonFiniteError
from recurrentnn.training.batches import Batches
from recurrentnn.training.evaluate import measure
from recurrentnn.training.optimizers import Optimizer
from recurrentnn.training.snapshot import Snapshot
from recurrentnn.training.svg import Line, chart
from recurrentnn.training.tasks import Task

# How much of the running mean of the losses stays at each update.
_SMOOTHING = 0.9
# A running mean of so many times the least one is divergence.
_DIVERGED = 4.0


class RateSweep(NamedTuple):
    """What the losses were while the rate rose.

    Attributes
    ----------
    rates, losses
        Of each update, until `smooth` was 4 times its least or a loss not finite.
    smooth
        Running means of the losses, unbiased: their exponential window is 10 updates.
    suggestion
        The rate at which `smooth` fell fastest over the logarithm of the rate.
    """

    rates: NDArray[np.float64]
    losses: NDArray[np.float64]
    smooth: NDArray[np.float64]
    suggestion: float

    def _repr_html_(self) -> str:
        x = np.log10(self.rates).tolist()
        lines = [Line("loss", x, self.smooth.tolist())]
        return chart(lines, x_label="log10 of the rate", y_label="loss")


def sweep(
    model: Model,
    task: Task,
    optimizer: Optimizer,
    train: Batches,
    *,
    low: float,
    high: float,
    steps: int,
) -> RateSweep:
    """Make updates at rates that rise from low to high, then undo them all."""
    call = "find_learning_rate"
    low, high = real(call, "low", low), real(call, "high", high, below=1e30)
    steps = integer(call, "steps", steps, least=3)
    if not low < high:
        raise ArgumentError(f"{call}: high must be above low, {low:g}, got {high:g}")
    before = Snapshot(model, optimizer)
    rates: list[float] = []
    losses: list[float] = []
    smooth = np.empty(0)
    try:
        model.zero_grad()
        for rate, (loss, step) in zip(
            np.geomspace(low, high, steps),
            _updates(model, task, optimizer, train),
            strict=False,
        ):
            if not math.isfinite(loss):
                break
            rates.append(float(rate))
            losses.append(loss)
            smooth = smoothed(losses)
            if smooth[-1] > _DIVERGED * smooth.min():
                break
            optimizer.learning_rate, optimizer.rate_factor = float(rate), 1.0
            try:
                step()
            except NonFiniteError:
                break
    finally:
        before.restore()
    if len(rates) < 3:
        raise NonFiniteError(f"{call}: the loss diverges at once, at {low:g}")
    return RateSweep(
        np.array(rates), np.array(losses), smooth, suggested(rates, smooth)
    )


def smoothed(losses: list[float]) -> NDArray[np.float64]:
    """S = 0.9 s + 0.1 loss, divided by the sum of its weights, 1 - 0.9^n."""
    mean, result = 0.0, []
    for number, loss in enumerate(losses, start=1):
        mean = _SMOOTHING * mean + (1 - _SMOOTHING) * loss
        result.append(mean / (1 - _SMOOTHING**number))
    return np.array(result)


def suggested(rates: list[float], smooth: NDArray[np.float64]) -> float:
    """The rate of the steepest descent before the least value."""
    end = max(int(smooth.argmin()) + 1, 2)
    slopes = np.gradient(smooth[:end], np.log(rates[:end]))
    return float(rates[int(slopes.argmin())])


def _updates(
    model: Model, task: Task, optimizer: Optimizer, train: Batches
) -> Iterator[tuple[float, Callable[[], object]]]:
    """Losses, each with its gradients ready and the step that uses them."""
    epoch = 0
    while True:
        state = None
        for batch in train.epoch(epoch):
            with Graph() as graph:
                mean, _, state, numbers = measure(graph, model, task, batch, state)
            if math.isfinite(numbers.loss):
                graph.backward(mean)
            state = state.detach()
            yield numbers.loss, lambda: optimizer.step(model)
        epoch += 1
