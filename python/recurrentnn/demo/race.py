"""This net beside RecurrentJS, on the old demo's default set-up.

Both make the same updates: one sentence each, LSTM of 20 and 20 units, letters in 5
numbers, RMSProp at 0.01. So a perplexity is reached after as many characters by both,
and RecurrentJS's time for it is that number times its recorded time for a character.
"""

from __future__ import annotations

import functools
import math
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from recurrentnn.builtin_text import Text
from recurrentnn.demo.snapshot import Board
from recurrentnn.training import Update

SETTINGS: dict[str, Any] = {
    "lines": True,
    "cell": "lstm",
    "hidden_sizes": "20,20",
    "embedding_size": 5,
    "batch_size": 1,
    "seq_length": 256,
    "optimizer": "rmsprop",
    "learning_rate": 0.01,
    # The old demo clips the gradient of a sum over a sentence of some 62 characters at 5.
    "clip_value": 0.08,
    "optimizer.decay_rate": 0.999,
    "optimizer.weight_decay": 1e-4,
    "model.init": "uniform",
    "model.std": 0.08,
    "model.forget_bias": 0.0,
}
"""Its weight decay of 1e-6 is not multiplied by the rate there, as it is here."""

RECORDED = {
    "seconds_per_character": [180e-6, 285e-6],
    "cpu": "AMD EPYC, one core, 101 GFLOP/s of fused multiply-adds",
    "source": "RecurrentJS under node, LSTM [20,20], 51 symbols, sentences of some 62 "
    "characters",
}
"""Median times of two machines' states; slower ones are the higher figure."""

TARGETS = (30.0, 20.0, 15.0, 12.0, 10.0, 9.0, 8.0, 7.0, 6.0)
"""Perplexities of the smoothed loss."""


class Race:
    """How long the perplexities took."""

    def __init__(self) -> None:
        self._symbols = 0
        self._seconds = 0.0
        self._reached: list[dict[str, Any]] = []
        self._left = list(TARGETS)

    @classmethod
    def of(cls, settings: Mapping[str, Any], text: Text) -> Race | None:
        """A race, if the settings are those of the old demo."""
        del text
        return cls() if is_set_up(settings) else None

    def update(self, board: Board, update: Update) -> None:
        """One more update."""
        self._symbols += update.symbols
        self._seconds += update.seconds
        perplexity = math.exp(min(board.smoothed, 700.0))
        while board.step >= 50 and self._left and perplexity <= self._left[0]:
            self._reached.append({"perplexity": self._left.pop(0), **self._times()})
        board.race = {
            "perplexity": perplexity,
            **self._times(),
            "reached": list(self._reached),
        }

    def _times(self) -> dict[str, Any]:
        return {
            "seconds": self._seconds,
            "symbols": self._symbols,
            "theirs": [
                self._symbols * each for each in RECORDED["seconds_per_character"]
            ],
        }


def is_set_up(settings: Mapping[str, Any]) -> bool:
    """Whether these are the settings of the race; seed and share held out are free."""
    free = ("seed", "validation_fraction", "dtype")
    given = {k: v for k, v in settings.items() if k not in free and v is not None}
    return all(_same(given.get(name), value) for name, value in SETTINGS.items())


def described() -> dict[str, Any]:
    """What a page is told of it."""
    return {
        "settings": SETTINGS,
        "recorded": RECORDED,
        "targets": list(TARGETS),
        "cpu": cpu(),
    }


@functools.cache
def cpu() -> str:
    """The name of this machine's processor."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if "model name" in line)
    return next(names, "") or platform.processor() or platform.machine()


def _same(given: object, wanted: object) -> bool:
    if isinstance(given, (int, float)) and isinstance(wanted, (int, float)):
        return float(given) == float(wanted)
    return given == wanted
