"""The rows of a batch, each alone: lengths, masks and resets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .shape import expect

# Booleans, (batch, time) or (time,); with `time_major` (time, batch).
Flags = Sequence[Sequence[bool]] | Sequence[bool]


@dataclass(frozen=True)
class Piece:
    """Steps of a row without a reset between them, and what they begin with."""

    steps: list[int]
    # Whether with the initial state rather than with what was before.
    anew: bool


def pieces(length: int, mask: Sequence[bool], reset: Sequence[bool]) -> list[Piece]:
    """Cut a row before every reset; steps that the mask leaves out are in no piece."""
    found = [Piece([], anew=False)]
    for step in range(length):
        if reset[step]:
            found.append(Piece([], anew=True))
        if mask[step]:
            found[-1].steps.append(step)
    return found


def cut(
    batch: int,
    time: int,
    lengths: Sequence[int] | None,
    mask: list[list[bool]] | None,
    reset: list[list[bool]] | None,
) -> list[list[Piece]]:
    """Cut every row.

    Raises
    ------
    ValueError
        For a length, or a number of lengths, that there is not; lengths beside a mask.
    """
    expect(
        lengths is None or mask is None,
        "forward: lengths and mask must not both be given",
    )
    if lengths is None:
        lengths = [time] * batch
    expect(len(lengths) == batch, f"forward: lengths must be {batch}")
    for length in lengths:
        expect(0 <= length <= time, f"forward: lengths must be from 0 to {time}")
    all_, none = [[True] * time] * batch, [[False] * time] * batch
    rows = zip(lengths, mask or all_, reset or none, strict=True)
    return [pieces(*row) for row in rows]
