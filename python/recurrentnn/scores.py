"""How probable a text is, symbol by symbol."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recurrentnn._recurrentnn import Model
from recurrentnn.metrics import bits_per_symbol, perplexity

# Ticks computed at once: their logits are what takes memory.
_TICKS = 1024


@dataclass(frozen=True, slots=True, eq=False)
class Score:
    """The probability of each symbol of a text, given all before it.

    Attributes
    ----------
    symbols
        The text of each symbol that was predicted; an END is a newline.
    log_probabilities
        ln P of each, in nats, float64.
    """

    symbols: tuple[str | bytes, ...]
    log_probabilities: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.symbols)

    @property
    def total(self) -> float:
        """The sum: ln P of the text, in nats."""
        return float(self.log_probabilities.sum())

    @property
    def bits(self) -> float:
        """Minus log2 P of the text: its length, were it compressed by the model."""
        return bits_per_symbol(-self.total)

    @property
    def bits_per_symbol(self) -> float:
        """Bits of a symbol on average; NaN of none."""
        return self.bits / len(self) if len(self) else math.nan

    @property
    def perplexity(self) -> float:
        """E^(mean surprise); a uniform guess among V symbols has V."""
        return perplexity(-self.total / len(self)) if len(self) else math.nan


def score_symbols(net: Model, symbols: NDArray[np.int64]) -> NDArray[np.float64]:
    """The ln P of every symbol but the first, x - ln(sum exp(x))."""
    parts, state = [np.empty(0)], None
    for start in range(0, len(symbols) - 1, _TICKS):
        part = symbols[start : start + _TICKS + 1]
        output, state = net(part[None, :-1], state)
        x = np.asarray(output, dtype=np.float64)[0]
        largest = x.max(axis=1)
        norm = largest + np.log(np.exp(x - largest[:, None]).sum(axis=1))
        parts.append(x[np.arange(len(x)), part[1:]] - norm)
    return np.concatenate(parts)
