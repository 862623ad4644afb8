"""Several sides against each other: the same numbers first, then the time, in turns."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from peers.work import Arrays, Missing, Work
from peers.worker import Worker

# Of the largest element of a tensor; float32 sums of 10^4 terms in another order
# keep four digits, float64 ten.
BOUNDS = {"float32": 2e-3, "float64": 1e-8}
# A tensor whose gradient is nothing but rounding is compared with the others' size.
FLOOR = 1e-6
# RMSProp's first step has a gradient's sign: that of rounding where it is nearly 0.
FALL = "fall by an update"
ROUNDS = 5
FEWEST_ROUNDS = 3
MOST_RUNS = 2000


@dataclass(frozen=True)
class Entry:
    """One side of a contest; its first entry is what the others are held to."""

    label: str
    side: str
    work: Work
    threads: int = 1


@dataclass(frozen=True)
class Contest:
    """A line of a table."""

    name: str
    entries: tuple[Entry, ...]
    goal: str = ""

    @property
    def key(self) -> str:
        """Name in a record: another size or thread is another contest."""
        first = self.entries[0]
        labels = "/".join(f"{entry.label}@{entry.threads}" for entry in self.entries)
        return f"{self.name}: {first.work.key}: {labels}"


@dataclass
class Workers:
    """Processes kept from one contest to the next: libraries are slow to load."""

    running: dict[tuple[str, int, int], Worker] = field(default_factory=dict)

    def get(self, side: str, threads: int, number: int) -> Worker:
        """Return the `number`-th worker of this side and these threads."""
        key = (side, threads, number)
        if key not in self.running:
            self.running[key] = Worker(side, threads)
        return self.running[key]

    def close(self) -> None:
        """End all processes."""
        for worker in self.running.values():
            worker.close()
        self.running.clear()


class Disagreement(Exception):
    """Two sides compute different things; timing them would mean nothing."""


def hold(contest: Contest, workers: Workers, budget: float) -> dict[str, Any]:
    """Compare, then time.

    Parameters
    ----------
    budget
        Seconds to spend on timing, about; three rounds are made in any case.

    Returns
    -------
    dict
        "times": label to the median seconds of a run; "ratios": label to the median,
        over the rounds, of its time over the first entry's, with the least and the
        greatest; "left_out": label to the reason.

    Raises
    ------
    Missing
        One of ours cannot be had.
    Disagreement
        The numbers differ.
    """
    ready, left_out = _prepare(contest, workers)
    rounds = _rounds(ready, budget)
    first = contest.entries[0].label
    ratios = {}
    for label, medians in rounds.items():
        each = [a / b for a, b in zip(medians, rounds[first], strict=True)]
        ratios[label] = [statistics.median(each), min(each), max(each)]
    times = {label: statistics.median(medians) for label, medians in rounds.items()}
    return {"times": times, "ratios": ratios, "left_out": left_out}


def _prepare(
    contest: Contest, workers: Workers
) -> tuple[dict[str, tuple[Worker, int]], dict[str, str]]:
    """Build all sides from the same parameters and compare what they compute."""
    ready: dict[str, tuple[Worker, int]] = {}
    left_out: dict[str, str] = {}
    parameters: dict[str, Arrays] = {}
    expected: dict[str, Arrays] = {}
    count: dict[tuple[str, int], int] = {}
    for entry in contest.entries:
        number = count.get((entry.side, entry.threads), 0)
        count[entry.side, entry.threads] = number + 1
        worker = workers.get(entry.side, entry.threads, number)
        same = entry.work.equations
        try:
            worker.build(entry.work, parameters.get(same))
            if same not in parameters:
                parameters[same] = worker.parameters()
            answer = worker.answer()
        except Missing as reason:
            if entry.side == "ours":
                raise
            left_out[entry.label] = str(reason)
            continue
        check(answer, expected.setdefault(same, answer), entry)
        ready[entry.label] = (worker, entry.threads)
    return ready, left_out


def check(answer: Arrays, expected: Arrays, entry: Entry) -> None:
    """Raise `Disagreement` if an array is missing, misshapen or differs."""
    where = f"{entry.label}, {entry.work.key}"
    if answer.keys() != expected.keys():
        odd = sorted(answer.keys() ^ expected.keys())
        raise Disagreement(f"{where}: {', '.join(odd)} on one side only")
    largest = max(float(np.abs(value).max()) for value in expected.values())
    for name, value in answer.items():
        if value.shape != expected[name].shape:
            raise Disagreement(
                f"{where}: {name} is {value.shape}, ours {expected[name].shape}"
            )
        size = float(np.abs(expected[name]).max())
        bound = BOUNDS[entry.work.dtype] * (10 if name == FALL else 1)
        allowed = bound * max(size, FLOOR * largest)
        difference = float(np.abs(value - expected[name]).max())
        # Written so that NaN fails.
        if not difference <= allowed:
            raise Disagreement(
                f"{where}: {name} differs by {difference:.3g}, allowed {allowed:.3g}"
            )


def _rounds(
    ready: dict[str, tuple[Worker, int]], budget: float
) -> dict[str, list[float]]:
    """Medians of the blocks of runs, one a round, of each entry."""
    share = budget / len(ready)
    # The first runs only warm up, and tell how many make a block.
    once = {label: min(worker.time(2)) for label, (worker, _) in ready.items()}
    rounds = ROUNDS if max(once.values()) * ROUNDS <= share else FEWEST_ROUNDS
    medians: dict[str, list[float]] = {label: [] for label in ready}
    for _ in range(rounds):
        for label, (worker, threads) in ready.items():
            runs = int(share / rounds / max(once[label], 1e-9))
            if threads > 1:
                time.sleep(0.01)  # idle pools of the others spin for a while
            block = worker.time(min(max(runs, 1), MOST_RUNS))
            medians[label].append(statistics.median(block))
    return medians
