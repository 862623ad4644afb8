"""Cost against time, batch, size, layers and threads, one of them at a time."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from peers.contest import Contest, Entry
from peers.work import Work

BASE = Work("lstm", (128,), 16, 50)
CURVES: dict[str, list[dict[str, Any]]] = {
    "time": [{"time": n} for n in (1, 2, 5, 10, 20, 50, 100, 200)],
    "batch": [{"batch": n} for n in (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 128)],
    "hidden": [{"hidden": (n,)} for n in (8, 16, 20, 32, 64, 100, 128, 256, 512, 1024)],
    "layers": [{"hidden": (128,) * n} for n in (1, 2, 3, 4)],
}


def contests(threads: int) -> list[Contest]:
    """All points of all curves, ours and PyTorch, training."""
    found = []
    for axis, points in CURVES.items():
        for point in points:
            work = replace(BASE, **point)
            sides = (Entry(side, side, work, threads) for side in ("ours", "torch"))
            found.append(Contest(f"curve of {axis}", tuple(sides)))
    return found


def position(axis: str, work: dict[str, Any]) -> int:
    """Where on its curve a recorded work stands."""
    if axis == "layers":
        return len(work["hidden"])
    value = work[axis]
    return int(value[0] if axis == "hidden" else value)
