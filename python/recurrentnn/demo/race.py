"""A race of this net and RecurrentJS, on the old demo's default set-up.

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

from recurrentnn.demo.form import effective
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
    # The old demo clips at 5 the gradient of a sum over some 62 characters.
    "clip_value": 0.08,
    "optimizer.decay_rate": 0.999,
    "optimizer.weight_decay": 1e-4,
    "model.init": "uniform",
    "model.std": 0.08,
    "model.forget_bias": 0.0,
}
"""Its weight decay of 1e-6 is not multiplied by the rate there, as it is here."""

SECONDS_PER_CHARACTER = (180e-6, 285e-6)
"""Of RecurrentJS: medians in two states of the machine."""

RECORDED = {
    "seconds_per_character": list(SECONDS_PER_CHARACTER),
    "cpu": "AMD EPYC, one core, 101 GFLOP/s of fused multiply-adds",
    "source": "RecurrentJS under node, LSTM [20,20], 51 symbols, sentences of some 62 "
    "characters",
}
"""Where these figures are from."""

_FREE = ("seed", "validation_fraction", "dtype")

TARGETS = (30.0, 20.0, 15.0, 12.0, 10.0, 9.0, 8.0, 7.0, 6.0, 5.5, 5.0, 4.5)
"""Perplexities of the smoothed loss."""


class Race:
    """How long the perplexities took."""

    def __init__(self) -> None:
        self._symbols = 0
        self._seconds = 0.0
        self._reached: list[dict[str, Any]] = []
        self._left = list(TARGETS)

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
            "theirs": [self._symbols * each for each in SECONDS_PER_CHARACTER],
        }


def is_set_up(settings: Mapping[str, Any]) -> bool:
    """Whether these are the settings of the race; what is not learning is free."""
    given, wanted = effective(settings), effective(SETTINGS)
    return all(given.get(name) == wanted[name] for name in wanted if name not in _FREE)


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
