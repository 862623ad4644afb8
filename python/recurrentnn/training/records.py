"""What is told of a run: a record now and then, made of sums over updates."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from recurrentnn import metrics as units

if TYPE_CHECKING:
    from recurrentnn.state import StepStats


class Record(NamedTuple):
    """What happened since the record before.

    Attributes
    ----------
    step, epoch
        Updates made and epochs read so far; `epoch` has a fraction.
    seconds
        Time spent learning: of a `CharModel` in this call, of a `Trainer` in the run.
    done
        The share of the nearest limit that is used up, in [0, 1].
    loss, bits_per_char, perplexity
        Means over the targets, in nats, bits and symbols; NaN where the loss is not one
        of symbols.
    grad_norm, clipped_fraction
        Means over the updates.
    chars_per_second
        Code points learnt per second, the time of validation not counted; of other
        tasks what their batches count.
    validation_loss
        Mean over what is held out, if it was measured; else None.
    learning_rate
        Of the last update.
    remaining
        Seconds until the nearest limit at this pace; NaN without a limit.
    metrics
        What the task measures beside the loss, by name; `validation_NAME` likewise.
    """

    step: int
    epoch: float
    seconds: float
    done: float
    loss: float
    bits_per_char: float
    perplexity: float
    grad_norm: float
    clipped_fraction: float
    chars_per_second: float
    validation_loss: float | None
    learning_rate: float = math.nan
    remaining: float = math.nan
    metrics: Mapping[str, float] = {}


class Evaluation(NamedTuple):
    """How well something is predicted.

    Attributes
    ----------
    loss
        Mean over the targets; of symbols the cross-entropy, in nats.
    bits_per_char
        All bits, those of each END included, over the predicted code points.
    perplexity
        exp(loss).
    symbols, chars
        Predicted symbols, and those of them that are code points and not an END.
    metrics
        What the task measures beside the loss.
    """

    loss: float
    bits_per_char: float
    perplexity: float
    symbols: int
    chars: int
    metrics: Mapping[str, float] = {}


class Update(NamedTuple):
    """What one update was.

    Attributes
    ----------
    loss
        Mean over its targets, before the update.
    symbols
        How many it learnt from.
    grad_norm, clipped_fraction
        As `StepStats` has them.
    seconds
        It took.
    """

    loss: float
    symbols: int
    grad_norm: float
    clipped_fraction: float
    seconds: float


class Measured(NamedTuple):
    """What one batch gave: its loss and metrics are means over `weight` targets."""

    loss: float
    weight: float
    metrics: Mapping[str, float]


@dataclass
class Sums:
    """Sums over batches, each with the weight of its targets."""

    symbols: int = 0
    chars: int = 0
    loss: float = 0.0
    weight: float = 0.0
    metrics: dict[str, float] = field(default_factory=dict)

    def add(self, symbols: int, chars: int, measured: Measured) -> None:
        """Count one batch."""
        self.symbols += symbols
        self.chars += chars
        self.loss += measured.loss * measured.weight
        self.weight += measured.weight
        for name, value in measured.metrics.items():
            total = self.metrics.get(name, 0.0)
            self.metrics[name] = total + value * measured.weight

    def evaluation(self, *, in_nats: bool) -> Evaluation:
        """The means; bits and perplexity are those of a loss in nats."""
        loss = self.loss / self.weight if self.weight else math.nan
        bits = units.bits_per_char(self.loss, self.chars) if in_nats else math.nan
        return Evaluation(
            loss=loss,
            bits_per_char=bits,
            perplexity=units.perplexity(loss) if in_nats else math.nan,
            symbols=self.symbols,
            chars=self.chars,
            metrics={name: value / self.weight for name, value in self.metrics.items()},
        )


@dataclass
class Totals:
    """Sums over the updates since the last record."""

    sums: Sums = field(default_factory=Sums)
    updates: int = 0
    grad_norm: float = 0.0
    clipped_fraction: float = 0.0
    seconds: float = 0.0

    def add(self, stats: StepStats, seconds: float) -> None:
        """Count one update, whose batches are in `sums`."""
        self.updates += 1
        self.grad_norm += stats.grad_norm
        self.clipped_fraction += stats.clipped_fraction
        self.seconds += seconds
