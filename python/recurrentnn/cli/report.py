"""What a run tells while it learns: lines for people, or objects for programs."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

import click

from recurrentnn.progress import Progress, describe, diverged
from recurrentnn.text_model import TextLanguage
from recurrentnn.training import Callback, Record, Trainer


class Report(Callback):
    """Progress on stderr and, for `--json`, each record on stdout.

    Parameters
    ----------
    language
        Writes the samples.
    sample_every
        Updates between them; 0: none.
    quiet, as_json
        Whether nothing goes to stderr; whether records go to stdout.
    """

    def __init__(
        self, language: TextLanguage, sample_every: int, *, quiet: bool, as_json: bool
    ) -> None:
        self._language = language
        self._progress = None if quiet else Progress(sample_every)
        self._json = as_json
        self.last: Record | None = None

    def note(self, text: str) -> None:
        """A line for people."""
        if self._progress is not None:
            self._progress.note(text)

    def on_record(self, trainer: Trainer, record: Record) -> None:
        """Show it."""
        del trainer
        self.last = record
        if self._json:
            say(record._asdict())
        if self._progress is not None:
            self._progress(self._language, record)

    def close(self) -> None:
        """Leave the bar where it is."""
        if self._progress is not None:
            self._progress.close()

    def end(self, rate: float, *, overflowed: bool) -> None:
        """The last record of a quiet run, and what to do about one that diverged."""
        self.close()
        last = self.last
        symbols = len(self._language.vocabulary)
        if overflowed or (last is not None and diverged(last, symbols)):
            click.echo(f"learning diverged: lower --learning-rate {rate:g}", err=True)
        if last is not None and self._progress is None and not self._json:
            click.echo(describe(last))


def say(values: Mapping[str, Any]) -> None:
    """One JSON object on a line of stdout; numbers that are none are null."""
    click.echo(json.dumps({name: _known(value) for name, value in values.items()}))


def _known(value: object) -> object:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, Mapping):
        return {name: _known(inner) for name, inner in value.items()}
    return value
