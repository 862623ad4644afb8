"""What a run has come to: all that a checkpoint holds beside weights and optimizer."""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from numpy.typing import NDArray

from recurrentnn.state import State
from recurrentnn.training.history import History
from recurrentnn.training.records import Totals
from recurrentnn.training.tasks import AnyBatch


class Place(NamedTuple):
    """How far an epoch is read, to go on from.

    Attributes
    ----------
    plan, epoch
        What its batches follow from; with others an epoch starts anew.
    batches, symbols
        How much of it is read.
    state
        Of the net after that, to be carried on.
    """

    plan: str | None = None
    epoch: int = 0
    batches: int = 0
    symbols: int = 0
    state: State | None = None

    def after(self, batches: Sequence[AnyBatch], state: State) -> Place:
        """The place behind some more batches."""
        return self._replace(
            batches=self.batches + len(batches),
            symbols=self.symbols + sum(batch.symbols for batch in batches),
            state=state,
        )


@dataclass
class Best:
    """The best validation so far.

    Attributes
    ----------
    loss, step
        What it was, and after how many updates; infinite: none yet.
    waited
        Validations since then.
    weights
        Those of then, by parameter; empty unless they are to be restored.
    """

    loss: float = math.inf
    step: int = 0
    waited: int = 0
    weights: dict[str, NDArray[Any]] = field(default_factory=dict)


@dataclass
class Run:
    """What a run has come to.

    Attributes
    ----------
    step, epochs
        Updates made, and whole epochs read.
    seconds
        Spent learning.
    place
        In the epoch that is under way.
    totals
        Since the last record.
    reported
        Whether what is due after the last update is done: validation, record.
    history
        All records.
    best
        The best validation.
    dropout_step
        The model's place in its stream of random masks, if it has one.
    """

    step: int = 0
    epochs: int = 0
    seconds: float = 0.0
    place: Place = field(default_factory=Place)
    totals: Totals = field(default_factory=Totals)
    reported: bool = True
    history: History = field(default_factory=History)
    best: Best = field(default_factory=Best)
    dropout_step: int | None = None

    def copy(self) -> Run:
        """The same, to come back to; the list of records is shared."""
        same = copy.copy(self)
        same.totals = copy.deepcopy(self.totals)
        same.best = copy.copy(self.best)
        return same
