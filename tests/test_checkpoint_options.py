"""Checkpoints know the optimizer's options: others are refused by name, or taken."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import recurrentnn as rnn
import runs
from optimizer_cases import OPTIMIZER_CLASSES
from recurrentnn.models import read_model
from recurrentnn.training import Trainer
from support import ROOT

FIXTURES = ROOT / "tests" / "fixtures"
GROUPS = {"decoder.*": {"learning_rate": 0.5}, "*": {"weight_decay": 0.25}}
OPTIONS: dict[str, Any] = {
    "learning_rate": 0.25,
    "decay_rate": 0.5,
    "clip_value": 0.5,
    "clip_norm": 2.0,
    "weight_decay": 0.125,
    "decay_all": True,
    "groups": GROUPS,
}


def begun(folder: Path, optimizer: Any) -> Trainer:
    trainer = runs.trainer(folder, optimizer=optimizer)
    trainer.fit(runs.text_batches(), steps=3)
    return trainer


@pytest.mark.parametrize("name", OPTIONS)
def test_another_option_is_refused_by_its_name(name: str, tmp_path: Path) -> None:
    first = begun(tmp_path, rnn.RMSProp(1e-2))
    other = runs.trainer(
        tmp_path, optimizer=rnn.RMSProp(**{"learning_rate": 1e-2, name: OPTIONS[name]})
    )
    before = runs.digest(other)
    was = first.optimizer.config()[name]  # type: ignore[attr-defined]
    with pytest.raises(rnn.ArgumentError) as refused:
        other.resume()
    message = str(refused.value)
    assert f"optimizer: {name} was {was}, is {OPTIONS[name]}: override" in message
    assert runs.digest(other) == before
    assert other.resume(override=True)
    assert runs.same_bits(first, other)
    assert other.optimizer.config()[name] == OPTIONS[name]  # type: ignore[attr-defined]


def test_the_order_of_groups_is_an_option(tmp_path: Path) -> None:
    begun(tmp_path, rnn.Adam(groups=GROUPS))
    assert runs.trainer(tmp_path, optimizer=rnn.Adam(groups=GROUPS)).resume()
    turned = dict(reversed(GROUPS.items()))
    with pytest.raises(rnn.ArgumentError, match="optimizer: groups was"):
        runs.trainer(tmp_path, optimizer=rnn.Adam(groups=turned)).resume()


@pytest.mark.parametrize("name", sorted(set(OPTIMIZER_CLASSES.values())))
def test_another_rule_is_refused_and_with_override_begins_anew(
    name: str, tmp_path: Path
) -> None:
    first = begun(tmp_path, rnn.RMSProp(1e-2))
    kind = getattr(rnn, name, None) or getattr(rnn.compat, name)
    other = runs.trainer(tmp_path, optimizer=kind())
    if name == "RMSProp":
        with pytest.raises(rnn.ArgumentError, match="learning_rate was"):
            other.resume()
        return
    fresh = other.optimizer.state(other.model)
    with pytest.raises(rnn.ArgumentError, match=f"rule was RMSProp, is {name}: "):
        other.resume()
    assert other.run.step == 0
    assert other.resume(override=True)
    assert other.run.step == 3
    for parameter, matrix in first.model.parameters().items():
        np.testing.assert_array_equal(matrix.value, other.model[parameter].value)
    assert other.optimizer.state(other.model).keys() == fresh.keys()


def test_an_option_that_remembers_more_begins_anew(tmp_path: Path) -> None:
    begun(tmp_path, rnn.RMSProp(1e-2))
    other = runs.trainer(tmp_path, optimizer=rnn.RMSProp(1e-2, momentum=0.5))
    assert other.resume(override=True)
    other.fit(runs.text_batches(), steps=5)
    assert other.run.step == 5


def test_a_rollback_takes_the_options_that_a_callback_has_changed(
    tmp_path: Path,
) -> None:
    def change(trainer: Trainer, _: object) -> None:
        optimizer.clip_norm = 0.5
        trainer.model["decoder.bias"].value[1] = 3e38
        trainer.model["decoder.weight"].value[:] = 3e38

    first, optimizer = begun(tmp_path, rnn.RMSProp(1e-2)), rnn.RMSProp(1e-2)
    more: dict[str, Any] = {
        "callbacks": [change],
        "on_nonfinite": "rollback",
        "save_every": 99,
    }
    trainer = runs.trainer(tmp_path, optimizer=optimizer, **more)
    assert trainer.resume()
    with pytest.raises(rnn.NonFiniteError):
        trainer.fit(runs.text_batches(), steps=50)
    assert runs.same_bits(first, trainer)


def test_an_optimizer_without_options_of_its_own_goes_on(tmp_path: Path) -> None:
    class Plain:
        """What the loop asks for, and no `config`."""

        def __init__(self, rate: float) -> None:
            self.learning_rate, self.rate_factor = rate, 1.0
            self._rule = rnn.SGD(rate)
            self.step, self.state = self._rule.step, self._rule.state
            self.restore = self._rule.restore

    first = begun(tmp_path, Plain(1e-2))
    other = runs.trainer(tmp_path, optimizer=Plain(0.5))
    assert other.resume()
    assert runs.same_bits(first, other)


def test_an_old_checkpoint_has_no_options_to_compare() -> None:
    path = FIXTURES / "checkpoint-2.safetensors"
    net, metadata, _ = read_model(path)
    assert "optimizer_options" not in json.loads(metadata["training"])
    trainer = Trainer(net, None, rnn.RMSProp(0.123, clip_norm=3.0))
    trainer.load(path)
    steps = json.loads(path.with_suffix(".json").read_text())["steps"]
    assert trainer.run.step == steps
    with pytest.raises(rnn.ArgumentError, match="rule was RMSProp, is Adam"):
        Trainer(net, None, rnn.Adam()).load(path)


def test_a_checkpoint_with_options_is_read_for_ever() -> None:
    path = FIXTURES / "checkpoint-2-options.safetensors"
    options = json.loads(path.with_suffix(".json").read_text())["options"]
    net, _, _ = read_model(path)
    Trainer(net, None, rnn.RMSProp(**options)).load(path)
    with pytest.raises(rnn.ArgumentError, match="clip_norm was"):
        Trainer(net, None, rnn.RMSProp(**{**options, "clip_norm": None})).load(path)


@pytest.mark.parametrize("forged", [3, "rate", [1], {"learning_rate": [[]]}])
def test_options_that_are_none_are_refused(forged: Any, tmp_path: Path) -> None:
    trainer = begun(tmp_path, rnn.RMSProp(1e-2))
    path = tmp_path / "forged.safetensors"
    net, metadata, tensors = read_model(tmp_path / "ckpt/step-00000003.safetensors")
    notes = json.loads(metadata["training"]) | {"optimizer_options": forged}
    raw = net.to_bytes({**metadata, "training": json.dumps(notes)}, tensors)
    path.write_bytes(raw)
    with pytest.raises((rnn.FormatError, rnn.ArgumentError), match="optim"):
        trainer.load(path)
