"""When a run ends."""

from __future__ import annotations

import math
from dataclasses import dataclass

from recurrentnn.arguments import integer, real


@dataclass(frozen=True)
class Used:
    """What a run has used up: updates, targets read, seconds."""

    steps: int = 0
    symbols: int = 0
    seconds: float = 0.0


@dataclass(frozen=True)
class Limits:
    """When to stop: at so much of anything used up in all, whichever comes first.

    Attributes
    ----------
    steps, symbols, seconds
        Limits; None: none.
    start
        What was used up before, of which `done` is not a share.
    """

    steps: int | None = None
    symbols: int | None = None
    seconds: float | None = None
    start: Used = Used()

    @classmethod
    def of(
        cls,
        call: str,
        epoch: int,
        steps: int | None,
        epochs: int | None,
        minutes: float | None,
        start: Used = Used(),
    ) -> Limits:
        """Limits of what comes behind a start; none at all are 10 epochs.

        Parameters
        ----------
        call
            What errors are to name.
        epoch
            How many targets it has.
        """
        if steps is None and epochs is None and minutes is None:
            epochs = 10
        return cls(
            None if steps is None else start.steps + integer(call, "steps", steps),
            None
            if epochs is None
            else start.symbols + integer(call, "epochs", epochs) * epoch,
            None
            if minutes is None
            else start.seconds + 60 * real(call, "minutes", minutes),
            start,
        )

    def done(self, used: Used) -> float:
        """The share of the nearest limit that is used up, in [0, 1]; 1: the end."""
        pairs = (
            (self.steps, used.steps, self.start.steps),
            (self.symbols, used.symbols, self.start.symbols),
            (self.seconds, used.seconds, self.start.seconds),
        )
        shares = [
            1.0 if now >= limit else (now - start) / (limit - start)
            for limit, now, start in pairs
            if limit is not None
        ]
        return max(shares, default=0.0)

    def remaining(self, used: Used) -> float:
        """Seconds until the end, if all goes on as since the start; NaN: unknown."""
        share = self.done(used)
        if not share:
            return math.nan
        return (used.seconds - self.start.seconds) * (1 - share) / share
