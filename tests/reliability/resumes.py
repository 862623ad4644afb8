"""Runs interrupted at random updates, of any cell and rule, end with the same bits."""

import contextlib
import random
from pathlib import Path
from typing import Any

import runs
from recurrentnn import schedules
from recurrentnn.optimizers import OPTIMIZERS
from recurrentnn.training import Trainer
from reliability import Figures

STEPS = 30


class _Stop(Exception):
    """Ends a run between two updates."""


def check(folder: Path, count: int, rng: random.Random) -> Figures:
    """Hold so many runs, each interrupted up to four times, against whole ones."""
    figures = {"runs": 0, "interruptions": 0, "bad: runs with other bits": 0}
    cells, rules = sorted(runs.CELLS), sorted(OPTIMIZERS)
    for number in range(count):
        options: dict[str, Any] = {
            "cell": cells[number % len(cells)],
            "accumulate": rng.choice([1, 1, 3]),
            "save_every": rng.choice([1, 4, None]),
        }
        rule = OPTIMIZERS[rules[number % len(rules)]]
        stops = sorted(rng.sample(range(1, STEPS), rng.randint(1, 4)))

        def make(
            place: Path | None,
            rule: Any = rule,
            options: dict[str, Any] = options,
        ) -> Trainer:
            return runs.trainer(
                place,
                optimizer=rule(learning_rate=3e-3),
                schedule=schedules.Plateau(factor=0.7, patience=1),
                patience=10**6,
                **options,
            )

        whole = make(None)
        _learn(whole, STEPS)
        for stop in [*stops, STEPS]:
            trainer = make(folder / str(number))
            trainer.resume()
            _learn(trainer, stop)
        figures["runs"] += 1
        figures["interruptions"] += len(stops)
        figures["bad: runs with other bits"] += not runs.same_bits(whole, trainer)
    return figures


def _learn(trainer: Trainer, step: int) -> None:
    """Learn up to a step, and be interrupted there."""
    save = trainer.save_if_due

    def stop_or_save(*, improved: bool) -> None:
        save(improved=improved)
        if trainer.run.step == step:
            raise _Stop

    trainer.save_if_due = stop_or_save  # type: ignore[method-assign]
    with contextlib.suppress(_Stop):
        trainer.fit(runs.text_batches(), runs.held_out(), steps=10**6)
