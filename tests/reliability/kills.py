"""Processes that train are killed at random instants, within saves too."""

import os
import random
import re
import signal
import time
import warnings
from pathlib import Path

import runs
from recurrentnn.training import Callback, Trainer
from reliability import Figures

# A run ends at so many updates, and the next begins in a new folder.
STEPS = 120
_TEMPORARY = re.compile(r".*\.tmp")


class Acknowledge(Callback):
    """Says which checkpoints are on the disk, in single writes to a pipe."""

    def __init__(self, pipe: int) -> None:
        self._pipe = pipe

    def on_checkpoint(self, trainer: Trainer, path: Path) -> None:
        del path
        os.write(self._pipe, trainer.run.step.to_bytes(4, "little"))


def learn(folder: Path, pipe: int) -> None:
    """Resume and learn, with a checkpoint after every update."""
    trainer = runs.trainer(
        folder, save_every=1, restore_best=False, callbacks=[Acknowledge(pipe)]
    )
    trainer.resume()
    os.write(pipe, (0).to_bytes(4, "little"))
    trainer.fit(runs.text_batches(), runs.held_out(), steps=STEPS)


def check(folder: Path, count: int, rng: random.Random) -> Figures:
    """Kill so many; after each the next start is looked at."""
    figures = dict.fromkeys(
        (
            "kills",
            "checkpoints acknowledged",
            "stray files that a start swept",
            "whole runs",
            "bad: checkpoints corrupt",
            "bad: acknowledged but lost",
            "bad: stray files after a start",
            "bad: runs with other bits",
            "bad: processes that failed",
        ),
        0,
    )
    whole = runs.trainer(restore_best=False)
    whole.fit(runs.text_batches(), runs.held_out(), steps=STEPS)
    expected = runs.digest(whole)
    number, highest = 0, 0
    while figures["kills"] < count:
        place = folder / str(number)
        steps, status = _one(place, rng.uniform(0, 0.3))
        figures["kills"] += os.WIFSIGNALED(status)
        figures["bad: processes that failed"] += status not in (0, signal.SIGKILL)
        if figures["bad: processes that failed"]:
            break  # the next would fail, too
        figures["checkpoints acknowledged"] += len(steps)
        highest = max([highest, *steps])
        figures["stray files that a start swept"] += len(_stray(place))
        trainer = runs.trainer(place, restore_best=False)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            trainer.resume()
        figures["bad: checkpoints corrupt"] += len(caught)
        figures["bad: acknowledged but lost"] += trainer.run.step < highest
        figures["bad: stray files after a start"] += len(_stray(place))
        if trainer.run.step == STEPS:
            figures["whole runs"] += 1
            figures["bad: runs with other bits"] += runs.digest(trainer) != expected
            number, highest = number + 1, 0
    return figures


def _one(folder: Path, delay: float) -> tuple[list[int], int]:
    """The steps that one process acknowledged, and how it ended."""
    read, write = os.pipe()
    with warnings.catch_warnings():
        # Of threads that are not there after a fork; the library works without.
        warnings.simplefilter("ignore", DeprecationWarning)
        process = os.fork()
    if not process:
        os.close(read)
        status = 1
        try:
            learn(folder, write)
            status = 0
        finally:
            os._exit(status)
    os.close(write)
    with os.fdopen(read, "rb") as pipe:
        pipe.read(4)  # it has begun
        time.sleep(delay)
        os.kill(process, signal.SIGKILL)
        _, status = os.waitpid(process, 0)
        data = pipe.read()
    steps = [
        int.from_bytes(data[i : i + 4], "little") for i in range(0, len(data) - 3, 4)
    ]
    return steps, status


def _stray(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if _TEMPORARY.fullmatch(path.name)]
