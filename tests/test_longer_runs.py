"""A trainer's run that has ended goes on as if its limits had been higher at once."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import recurrentnn as rnn
import runs
from recurrentnn.training import Trainer


def make(folder: Path | None = None) -> Trainer:
    return runs.trainer(folder, optimizer=rnn.RMSProp(0.3), patience=50)


def learn(trainer: Trainer, **limits: Any) -> Trainer:
    trainer.fit(runs.text_batches(), runs.held_out(), **limits)
    return trainer


def best_is_not_last(trainer: Trainer) -> bool:
    return 0 < trainer.run.best.step < trainer.run.step


def learnt_past_its_best() -> Trainer:
    """Fewer than 60 updates; how many it takes depends on rounding."""
    for steps in range(50, 30, -1):
        trainer = learn(make(), steps=steps)
        if best_is_not_last(trainer):
            return trainer
    raise AssertionError("every one was the best so far")


@pytest.mark.parametrize("limits", [{"steps": 11}, {"epochs": 1}, {"minutes": 1e-4}])
def test_it_goes_on_from_its_folder(limits: Any, tmp_path: Path) -> None:
    whole = learn(make(tmp_path / "whole"), steps=60)
    learn(make(tmp_path / "parts"), **limits)
    longer = make(tmp_path / "parts")
    assert longer.resume()
    assert longer.run.step < 60
    learn(longer, steps=60)
    assert best_is_not_last(whole)
    for one in ("whole", "parts"):
        assert (tmp_path / one / "last").read_text() == "step-00000060.safetensors"
    first, second = (
        rnn.load(tmp_path / one / "ckpt" / "step-00000060.safetensors")
        for one in ("whole", "parts")
    )
    for name, matrix in first.parameters().items():
        np.testing.assert_array_equal(matrix.value, second[name].value)


def test_the_same_trainer_goes_on_from_its_last_update() -> None:
    """Not from the best weights, which its model has been given at the end."""
    whole, parts = make(), learnt_past_its_best()
    whole.restore_best = False
    learn(whole, steps=60)
    parts.restore_best = False
    learn(parts, steps=60)
    for name, matrix in whole.model.parameters().items():
        np.testing.assert_array_equal(matrix.value, parts.model[name].value)


def test_weights_assigned_since_are_gone_on_from() -> None:
    parts = learnt_past_its_best()
    parts.restore_best = False
    parts.model["decoder.bias"].value[:] = 700.0
    assert (
        learn(parts, steps=parts.run.step + 1).model["decoder.bias"].value.min() > 600
    )
