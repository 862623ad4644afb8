"""What a page shows: written by the thread that learns, read by all others."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from recurrentnn.demo.curve import Curve, Kept, Seen, plain
from recurrentnn.training import Record, Update

MOST_SAMPLES = 60
MOST_HELD_OUT = 1000
# Seconds over which the speed is measured.
_SPAN = 0.5


class Cursor(NamedTuple):
    """What a page has already.

    Attributes
    ----------
    lesson
        The number of the lesson; of another one it has nothing.
    version
        Of the board.
    points, held_out, samples
        Of the lists.
    """

    lesson: int = -1
    version: int = -1
    points: Seen = Seen()
    held_out: Seen = Seen()
    samples: Seen = Seen()


@dataclass
class Board:
    """The state of a session, as of the last update.

    Attributes
    ----------
    facts
        What is known of the lesson before it begins: parameters, signals, settings.
    lesson
        Its number, from 1.
    """

    lesson: int = 0
    facts: dict[str, Any] = field(default_factory=dict)
    phase: str = "idle"
    error: str | None = None
    step: int = 0
    epoch: float = 0.0
    seconds: float = 0.0
    rate: float = 0.0
    temperature: float = 1.0
    grad_norm: float = 0.0
    clipped_fraction: float = 0.0
    symbols_per_second: float = 0.0
    text: dict[str, Any] = field(default_factory=dict)
    greedy: dict[str, Any] | None = None
    race: dict[str, Any] | None = None

    def __post_init__(self) -> None:
        """No points yet."""
        self.lock = threading.Lock()
        self.version = 0
        self._clear()

    def _clear(self) -> None:
        self._curve = Curve()
        self._held_out: Kept[tuple[int, float]] = Kept(MOST_HELD_OUT)
        self._samples: Kept[dict[str, Any]] = Kept(MOST_SAMPLES)
        self._mark = time.perf_counter(), 0

    def begin(self, facts: dict[str, Any], **values: Any) -> None:  # noqa: ANN401
        """Another lesson."""
        with self.lock:
            self._clear()
            self.lesson += 1
            self.facts = facts
            self.greedy = self.race = self.error = None
            self.grad_norm = self.clipped_fraction = self.symbols_per_second = 0.0
            self._set(values)

    def set(self, **values: Any) -> None:  # noqa: ANN401
        """Change what is shown."""
        with self.lock:
            self._set(values)

    def update(self, step: int, epoch: float, update: Update) -> None:
        """One more update."""
        now = time.perf_counter()
        with self.lock:
            self.step, self.epoch = step, epoch
            self.seconds += update.seconds
            self.grad_norm = update.grad_norm
            self.clipped_fraction = update.clipped_fraction
            self._curve.add(step, update.loss)
            began, symbols = self._mark
            symbols += update.symbols
            if now - began >= _SPAN:
                self.symbols_per_second = symbols / (now - began)
                began, symbols = now, 0
            self._mark = began, symbols
            self.version += 1

    def go_on(self) -> None:
        """Learning begins: the speed is measured from now on."""
        with self.lock:
            self._mark = time.perf_counter(), 0

    @property
    def smoothed(self) -> float:
        """The running mean of the loss."""
        return self._curve.smoothed

    def remember(self, record: Record) -> None:
        """A record of a run that goes on."""
        with self.lock:
            self._curve.recall(record.step, record.loss)
            if record.validation_loss is not None:
                self._held_out.append((record.step, record.validation_loss))
            self.version += 1

    def held_out(self, step: int, loss: float) -> None:
        """The text held out is measured."""
        with self.lock:
            self._held_out.append((step, loss))
            self.version += 1

    def sample(self, step: int, text: str, greedy: str) -> None:
        """The net has written."""
        with self.lock:
            self._samples.append({"step": step, "text": text})
            self.greedy = {"step": step, "text": greedy}
            self.version += 1

    def now(self, cursor: Cursor) -> tuple[dict[str, Any], Cursor]:
        """The message `now` for a page, and what it has then.

        A page that has another lesson stays with it until it has been told.
        """
        with self.lock:
            points, all_points = self._curve.since(cursor.points)
            held_out, all_held_out = self._held_out.since(cursor.held_out)
            samples, all_samples = self._samples.since(cursor.samples)
            whole = {
                "points": all_points,
                "held_out": all_held_out,
                "samples": all_samples,
            }
            message = {
                "type": "now",
                "phase": self.phase,
                "error": self.error,
                "step": self.step,
                "epoch": self.epoch,
                "seconds": self.seconds,
                "loss": self._curve.smoothed if self._curve.entries else None,
                "rate": self.rate,
                "temperature": self.temperature,
                "symbols_per_second": self.symbols_per_second,
                "gradient_norm": self.grad_norm,
                "clipped_fraction": self.clipped_fraction,
                "points": points,
                "held_out": held_out,
                "samples": samples,
                "whole": [name for name, all_of_it in whole.items() if all_of_it],
                "text": self.text,
                "greedy": self.greedy,
                "race": self.race,
            }
            seen = Cursor(
                cursor.lesson,
                self.version,
                self._curve.seen,
                self._held_out.seen,
                self._samples.seen,
            )
        return plain(message), seen

    def _set(self, values: dict[str, Any]) -> None:
        for name, value in values.items():
            setattr(self, name, value)
        self.version += 1
