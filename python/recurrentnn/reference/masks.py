"""What training drops, and the random masks that say which numbers.

A mask is a function of its address: the net's seed, the mask's number, the number of
the call, and for each of its numbers the sample, the tick and the row. Nothing else
goes into it, so that a sample has the same masks alone and in its batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from .matrix import Matrix
from .random import MASK, words

if TYPE_CHECKING:
    from .config import Config

# What a state's masks are for; the mask's number is 4 * state + use.
BELOW, RECURRENT, HIDDEN, CELL = range(4)
# Numbers of the embedding's mask, and of the first parameter's.
EMBEDDING, WEIGHTS = 1 << 16, 1 << 17


def seed_of(seed: int, number: int, call: int) -> int:
    """Return the seed of a mask's own stream: two words of the net's."""
    low, high, *_ = words(seed, MASK, number, call)
    return high << 32 | low


def keeps(seed: int, rate: float, sample: int, tick: int, row: int) -> bool:
    """Whether a number of a mask stays: its word is not below rate 2^32.

    Of every 32 rows, eight blocks hold the words: row r has word (r // 8) % 4 of block
    r % 8, so that a machine can make eight rows at a time.
    """
    block = 8 * (row // 32) + row % 8
    word = words(seed, MASK, tick, sample << 32 | block)[row // 8 % 4]
    return word >= rate * 2.0**32


def mask(
    seed: int,
    rate: float,
    kept: float,
    rows: int,
    cols: int,
    *,
    tick: int = 0,
    first: int = 0,
) -> Matrix:
    """Return a mask, 0 or `kept`, whose columns are the samples from the first on."""
    numbers = [
        kept if keeps(seed, rate, sample, tick, row) else 0.0
        for sample in range(first, first + cols)
        for row in range(rows)
    ]
    return Matrix.from_flat(rows, cols, numbers)


@dataclass
class Call:
    """One call of a net in training."""

    config: Config
    # Which of the net's calls.
    number: int
    # Number of each parameter in the net's order, by identity.
    numbers: dict[int, int]
    # Number of its first sample, and that of the step of each of its ticks.
    first: int = 0
    steps: Sequence[int] | None = None
    _dropped: dict[int, Matrix] = field(default_factory=dict)

    def part(self, sample: int, steps: Sequence[int]) -> Call:
        """Return what one sample takes of this call in these steps."""
        return replace(self, first=sample, steps=steps)

    def mask(
        self, number: int, rate: float, kept: float, m: Matrix, tick: int | None
    ) -> Matrix:
        """Return a mask for m at a tick; None: the same at all."""
        step = tick if self.steps is None or tick is None else self.steps[tick]
        place = {"tick": step or 0, "first": self.first}
        return mask(self.seed(number), rate, kept, *m.shape, **place)

    def seed(self, number: int) -> int:
        """Return the seed of a mask."""
        return seed_of(self.config.seed, number, self.number)

    def weight(self, m: Matrix) -> Matrix:
        """Return recurrent weights as this call reads them (Merity et al. 2018)."""
        rate = self.config.weight_drop
        if rate == 0.0:
            return m
        if id(m) not in self._dropped:
            seed = self.seed(WEIGHTS + self.numbers[id(m)])
            self._dropped[id(m)] = m * mask(seed, rate, 1 / (1 - rate), *m.shape)
        return self._dropped[id(m)]

    def embedding(self, m: Matrix) -> Matrix:
        """Return the embedding without the symbols that this call drops."""
        rate = self.config.embedding_dropout
        if rate == 0.0:
            return m
        return m * mask(self.seed(EMBEDDING), rate, 1 / (1 - rate), m.rows, 1)


@dataclass(frozen=True)
class Drop:
    """What is dropped at one tick of one layer; without a call nothing is."""

    config: Config
    call: Call | None
    # Of the layer's state: of both directions, forward first.
    state: int
    tick: int

    def weight(self, m: Matrix) -> Matrix:
        """Return recurrent weights as the call reads them."""
        return m if self.call is None else self.call.weight(m)

    def below(self, x: Matrix) -> Matrix:
        """Return what the layer below hands up (Zaremba et al. 2014)."""
        return self._scaled(BELOW, self.config.dropout, x)

    def recurrent(self, m: Matrix) -> Matrix:
        """Return the candidate (Semeniuta et al. 2016), or the h of a simple net."""
        return self._scaled(RECURRENT, self.config.recurrent_dropout, m)

    def hidden(self, old: Matrix, new: Matrix) -> Matrix:
        """Return the hidden vector under zoneout."""
        return self._zoneout(HIDDEN, self.config.zoneout_hidden, old, new)

    def cell(self, old: Matrix, new: Matrix) -> Matrix:
        """Return the memory cell under zoneout."""
        return self._zoneout(CELL, self.config.zoneout_cell, old, new)

    def _scaled(self, use: int, rate: float, m: Matrix) -> Matrix:
        if self.call is None or rate == 0.0:
            return m
        tick = None if self.config.variational else self.tick
        return m * self.call.mask(4 * self.state + use, rate, 1 / (1 - rate), m, tick)

    def _zoneout(self, use: int, rate: float, old: Matrix, new: Matrix) -> Matrix:
        """Return new or, with probability `rate`, old (Krueger et al. 2017)."""
        if rate == 0.0:
            return new
        if self.call is None:
            return (1.0 - rate) * new + rate * old
        taken = self.call.mask(4 * self.state + use, rate, 1.0, new, self.tick)
        return taken * new + (1.0 - taken) * old
