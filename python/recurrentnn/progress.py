"""Progress on stderr while a net learns: a bar, or plain lines."""

from __future__ import annotations

import contextlib
import math
import sys
from typing import TYPE_CHECKING, Any, Protocol, TextIO, runtime_checkable

if TYPE_CHECKING:
    from recurrentnn.training.records import Record


@runtime_checkable
class Writer(Protocol):
    """What can be asked for samples: a `CharModel`."""

    def sample(
        self,
        prompt: str = "",
        length: int = 200,
        temperature: float = 1.0,
        seed: int = 0,
    ) -> str:
        """Some text."""

    def greedy(self, prompt: str = "", length: int = 200) -> str:
        """The most probable text."""


class Progress:
    """Shows each record and, every so often, what the model writes.

    Parameters
    ----------
    sample_every
        Updates between two samples, each with the greedy text beside it; 0: none.
    temperature
        Of the samples.
    stream
        Where to write; None: stderr. A bar if it is a terminal, else a line a record.
    """

    def __init__(
        self,
        sample_every: int = 0,
        temperature: float = 0.8,
        stream: TextIO | None = None,
    ) -> None:
        self._stream = stream or sys.stderr
        self._sample_every = sample_every
        self._temperature = temperature
        self._next_sample = sample_every
        self._bar: Any = None
        if self._stream.isatty():
            from tqdm import tqdm  # 0.1 s: only when there is a bar to draw

            self._bar = tqdm(
                total=100,
                file=self._stream,
                bar_format="{percentage:3.0f}% {bar:20} {postfix}",
            )

    def __call__(self, model: object, record: Record) -> None:
        """Show a record, and a sample when one is due and the model can write."""
        line = describe(record)
        if self._bar is None:
            self._print(line)
        else:
            self._bar.set_postfix_str(line, refresh=False)
            self._bar.update(100 * record.done - self._bar.n)
        due = self._sample_every if record.step >= self._next_sample else 0
        if due and isinstance(model, Writer):
            # The next multiple: a record between two of them does not put it off.
            self._next_sample = (record.step // due + 1) * due
            self._show_samples(model, record)
        if record.done == 1.0:
            self.close()

    def note(self, text: str) -> None:
        """Write lines of one's own above the bar."""
        self._print(text)

    def close(self) -> None:
        """Leave the bar where it is; what follows starts on a line of its own."""
        if self._bar is not None:
            self._bar.close()

    def _show_samples(self, model: Writer, record: Record) -> None:
        sample = model.sample(
            length=100, temperature=self._temperature, seed=record.step
        )
        self._print(f"  sample, step {record.step}: {on_one_line(sample)}")
        self._print(
            f"  greedy, step {record.step}: {on_one_line(model.greedy(length=100))}"
        )

    def _print(self, line: str) -> None:
        # Whoever cannot be told of progress must not be able to end it.
        with contextlib.suppress(OSError):
            if self._bar is None:
                print(line, file=self._stream, flush=True)
            else:
                self._bar.write(line, file=self._stream)


def describe(record: Record) -> str:
    """A record as one line."""
    parts = [f"step {record.step}", f"epoch {record.epoch:.2f}"]
    if math.isnan(record.perplexity):
        parts.append(f"loss {_number(record.loss, 4)}")
    else:
        parts += [
            f"loss {_number(record.loss, 3)} nats",
            f"{_number(record.bits_per_char, 3)} bits/char",
            f"perplexity {_number(record.perplexity, 2)}",
        ]
    unit = "sequences/s" if math.isnan(record.perplexity) else "chars/s"
    parts.append(f"{record.chars_per_second:,.0f} {unit}")
    if record.validation_loss is not None:
        nats = "" if math.isnan(record.perplexity) else " nats"
        parts.append(f"validation {_number(record.validation_loss, 3)}{nats}")
    parts += [f"{name} {_number(v, 4)}" for name, v in record.metrics.items()]
    parts.append(f"gradient {record.grad_norm:.3g}")
    if record.clipped_fraction:
        parts.append(f"clipped {record.clipped_fraction:.1%}")
    if not math.isnan(record.learning_rate):
        parts.append(f"rate {record.learning_rate:g}")
    if not math.isnan(record.remaining):
        parts.append(f"{_time(record.remaining)} left")
    return "  ".join(parts)


def diverged(record: Record, symbols: int) -> bool:
    """Whether the loss is far above a uniform guess's, ln(symbols), or not finite."""
    return not record.loss <= 10 * math.log(max(symbols, 2))


def on_one_line(text: str) -> str:
    """The text with its line ends visible and nothing that could steer a terminal."""
    return "".join(
        char if char.isprintable() else "⏎" if char == "\n" else "�" for char in text
    )


def _number(value: float, decimals: int) -> str:
    """With so many decimals, or in few digits if it is huge or not finite."""
    return f"{value:.{decimals}f}" if abs(value) < 1e6 else f"{value:.3g}"


def _time(seconds: float) -> str:
    """As hours, minutes and seconds, without leading zeros."""
    minutes, seconds = divmod(round(min(seconds, 1e9)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
