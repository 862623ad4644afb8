"""Teaching a net the next symbol: epochs of batches, limits, a record now and then."""

from __future__ import annotations

import math
import numbers
import operator
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple, TypeAlias, TypedDict

from recurrentnn import metrics
from recurrentnn._recurrentnn import Graph, Model
from recurrentnn.corpus import Batch
from recurrentnn.errors import ArgumentError, ArgumentTypeError
from recurrentnn.optimizers import RMSProp

if TYPE_CHECKING:
    from recurrentnn.char_model import CharModel
    from recurrentnn.state import State, StepStats


class Record(NamedTuple):
    """What happened since the record before.

    Attributes
    ----------
    step, epoch
        Updates made and texts read so far; `epoch` has a fraction.
    seconds
        Time spent learning in this call.
    done
        The share of the nearest limit that is used up, in [0, 1].
    loss, bits_per_char, perplexity
        Means over the targets, in nats, bits and symbols.
    grad_norm, clipped_fraction
        Means over the updates.
    chars_per_second
        Code points learnt per second, the time of validation not counted.
    validation_loss
        Mean in nats over the text held out, measured after each epoch and at the end;
        else None.
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


Callback: TypeAlias = "Callable[[CharModel, Record], object]"


class Training(TypedDict, total=False):
    """The options of `CharModel.learn` beside the seed, to be passed on."""

    batch_size: int
    seq_length: int | None
    steps: int | None
    epochs: int | None
    minutes: float | None
    learning_rate: float
    clip_value: float | None
    validation_fraction: float
    report_every: int
    progress: bool
    callback: Callback | None


@dataclass(frozen=True)
class Limits:
    """When to stop: after so many updates, epochs or minutes, whichever comes first."""

    steps: int | None
    epochs: int | None
    minutes: float | None

    def done(self, steps: int, epochs: float, seconds: float) -> float:
        """The share of the nearest limit that is used up, in [0, 1]."""
        shares = [
            spent / limit
            for spent, limit in (
                (steps, self.steps),
                (epochs, self.epochs),
                (seconds / 60, self.minutes),
            )
            if limit is not None
        ]
        return min(1.0, max(shares, default=0.0))


class Place(NamedTuple):
    """How far an epoch is read, for the next call of `learn` to go on from.

    Attributes
    ----------
    plan, epoch
        What its batches follow from; with others an epoch starts anew.
    batches, symbols
        How much of it is read.
    state
        Of the net after that, to be carried on.
    """

    plan: object
    epoch: int
    batches: int = 0
    symbols: int = 0
    state: State | None = None

    def after(self, batch: Batch, state: State) -> Place:
        """The place behind one more batch."""
        return self._replace(
            batches=self.batches + 1,
            symbols=self.symbols + batch.symbols,
            state=state.detach(),
        )


class Evaluation(NamedTuple):
    """How well a text is predicted.

    Attributes
    ----------
    loss
        Mean cross-entropy per predicted symbol, in nats.
    bits_per_char
        All bits, those of each END included, over the predicted code points.
    perplexity
        exp(loss).
    symbols, chars
        Predicted symbols, and those of them that are code points and not an END.
    """

    loss: float
    bits_per_char: float
    perplexity: float
    symbols: int
    chars: int


class Totals:
    """Sums over the updates since the last record."""

    def __init__(self) -> None:
        self.updates = self.symbols = self.chars = 0
        self.nats = self.grad_norm = self.clipped_fraction = 0.0
        self.seconds = 0.0

    def add(self, batch: Batch, loss: float, stats: StepStats, seconds: float) -> None:
        """Count one update."""
        self.seconds += seconds
        self.updates += 1
        self.symbols += batch.symbols
        self.chars += batch.chars
        self.nats += loss * batch.symbols
        self.grad_norm += stats.grad_norm
        self.clipped_fraction += stats.clipped_fraction

    def record(self, step: int, epoch: float, seconds: float, done: float) -> Record:
        """Turn the sums into means; `validation_loss` stays open."""
        loss = self.nats / self.symbols
        return Record(
            step=step,
            epoch=epoch,
            seconds=seconds,
            done=done,
            loss=loss,
            bits_per_char=metrics.bits_per_char(self.nats, self.chars),
            perplexity=metrics.perplexity(loss),
            grad_norm=self.grad_norm / self.updates,
            clipped_fraction=self.clipped_fraction / self.updates,
            chars_per_second=self.chars / self.seconds,
            validation_loss=None,
        )


def run(
    model: CharModel,
    optimizer: RMSProp,
    epoch_batches: Callable[[int], Iterable[Batch]],
    epoch_symbols: int,
    plan: object,
    validate: Callable[[], float] | None,
    limits: Limits,
    report_every: int,
) -> Iterator[Record]:
    """Learn until a limit is reached or the iterator is dropped.

    Parameters
    ----------
    model
        Whose net learns, and whose `steps`, `epochs` and place in an epoch go on.
    optimizer
        Makes the updates.
    epoch_batches, epoch_symbols
        The batches of the epoch with a given number, and their targets in all.
    plan
        What the batches follow from, beside the epoch's number.
    validate
        Gives the loss over the text held out, in nats.
    limits
        When to stop.
    report_every
        Updates between two records.
    """
    model.net.zero_grad()  # an interrupted update may have left gradients behind
    start = time.perf_counter()
    steps = read = 0
    totals = Totals()
    validation_loss: float | None = None
    while True:
        place = model._place
        begun = place.plan == plan and place.epoch == model.epochs
        if not begun or place.symbols == epoch_symbols:
            place = Place(plan, model.epochs)
        for batch in islice(epoch_batches(place.epoch), place.batches, None):
            before = time.perf_counter()
            with Graph() as graph:
                logits, state = model.net(batch.x, None if batch.first else place.state)
                loss = graph.softmax_cross_entropy(logits, batch.targets, batch.mask)
            graph.backward(loss)
            stats = optimizer.step(model.net)
            totals.add(batch, loss.item(), stats, time.perf_counter() - before)
            # At once, lest Ctrl-C leave half of a place.
            model._place = place = place.after(batch, state)
            model.steps += 1
            steps += 1
            read += batch.symbols
            whole = place.symbols == epoch_symbols
            if whole:
                model.epochs += 1
            epoch = place.epoch + place.symbols / epoch_symbols
            seconds = time.perf_counter() - start
            done = limits.done(steps, read / epoch_symbols, seconds)
            if validate and (whole or done == 1.0):
                validation_loss = validate()
            if steps == 1 or steps % report_every == 0 or done == 1.0:
                record = totals.record(model.steps, epoch, seconds, done)
                yield record._replace(validation_loss=validation_loss)
                totals, validation_loss = Totals(), None
            if done == 1.0:
                return


def evaluate(net: Model, batches: Iterable[Batch]) -> Evaluation:
    """The loss over some batches, without learning."""
    nats, symbols, chars = 0.0, 0, 0
    state: State | None = None
    for batch in batches:
        with Graph(recording=False) as graph:
            logits, state = net(batch.x, None if batch.first else state)
            loss = graph.softmax_cross_entropy(logits, batch.targets, batch.mask)
        nats += loss.item() * batch.symbols
        symbols += batch.symbols
        chars += batch.chars
    loss_mean = nats / symbols
    return Evaluation(
        loss=loss_mean,
        bits_per_char=metrics.bits_per_char(nats, chars),
        perplexity=metrics.perplexity(loss_mean),
        symbols=symbols,
        chars=chars,
    )


def integer(
    call: str, name: str, value: object, *, least: int = 1, most: float = math.inf
) -> int:
    """An argument as an int, be it NumPy's; a bool is none."""
    try:
        number = operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        number = None
    if number is None or isinstance(value, bool):
        raise wrong_type(call, name, "an integer", value)
    if not least <= number <= most:
        expected = f"at least {least}" if number < least else f"at most {most}"
        raise ArgumentError(f"{call}: {name} must be {expected}, got {number}")
    return number


def real(
    name: str, value: object, *, zero: bool = False, below: float = math.inf
) -> float:
    """An argument of `learn` as a float from 0, allowed or not, to below a limit."""
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise wrong_type("learn", name, "a real number", value)
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not 0 <= number < below or (number == 0 and not zero):
        expected = f"in {'[' if zero else '('}0, {below:g})"
        raise ArgumentError(f"learn: {name} must be {expected}, got {number:g}")
    return number


def wrong_type(call: str, name: str, expected: str, value: object) -> ArgumentTypeError:
    """The exception for an argument of the wrong type."""
    given = value if isinstance(value, numbers.Number) else type(value).__name__
    return ArgumentTypeError(f"{call}: {name} must be {expected}, got {given}")
