"""How well batches are predicted, without learning."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from recurrentnn._recurrentnn import Graph, Matrix, Model
from recurrentnn.state import State
from recurrentnn.training.records import Evaluation, Measured, Sums
from recurrentnn.training.tasks import AnyBatch, Task


def measure(
    graph: Graph, model: Model, task: Task, batch: AnyBatch, state: State | None
) -> tuple[Matrix, Any, State, Measured]:
    """Loss, output and state of one batch in a graph, and the numbers to add up."""
    before = None if batch.first else state
    lengths, reset = getattr(batch, "lengths", None), getattr(batch, "reset", None)
    outputs, state = model(batch.x, before, lengths=lengths, reset=reset)
    assert isinstance(outputs, Matrix)
    carry: int | None = getattr(batch, "carry", None)
    if carry is not None:
        state = _after(model, batch, before, carry)
    mean, weight = task.loss(graph, outputs, batch)
    measured = Measured(mean.item(), weight, task.metrics(outputs.value, batch))
    return mean, outputs, state, measured


def _after(model: Model, batch: AnyBatch, before: State | None, steps: int) -> State:
    """The state after the first steps of a batch, for one that overlaps it.

    They are computed once more, since a call gives the state after its last step alone.
    """
    reset = getattr(batch, "reset", None)
    first = None if reset is None else reset[:, :steps]
    with Graph(recording=False):
        _, state = model(batch.x[:, :steps], before, reset=first)
    return state


def evaluate(model: Model, task: Task, batches: Iterable[AnyBatch]) -> Evaluation:
    """The means over some batches, each state carried to the next where it goes on."""
    sums = Sums()
    state: State | None = None
    for batch in batches:
        # Metrics of what is infinite may be no number, which is then what is told.
        with Graph(recording=False) as graph, np.errstate(all="ignore"):
            _, _, state, measured = measure(graph, model, task, batch, state)
        sums.add(batch.symbols, batch.chars, measured)
    return sums.evaluation(in_nats=task.in_nats)
