"""Numbers that are not finite end a run by the name of the first bad tensor."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import recurrentnn as rnn
import runs
from recurrentnn.training import Regression, Sequences, Trainer


def bits(model: rnn.Model) -> list[bytes]:
    return [matrix.value.tobytes() for matrix in model.parameters().values()]


def data(**bad: Any) -> Sequences:
    x, y = np.ones((4, 5, 2)), np.ones((4, 1))
    if "x" in bad:
        x[2, 3, 1] = bad["x"]
    if "y" in bad:
        y[1, 0] = bad["y"]
    return Sequences(x, y, batch_size=4)


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        ({"x": np.inf}, r"update 1: .*the input is inf at row \d, tick 3, feature 1"),
        ({"x": np.nan}, r"the input is nan at row \d, tick 3, feature 1"),
        ({"y": np.inf}, r"the targets is inf at row \d"),
    ],
)
def test_bad_data_is_named(bad: dict[str, float], words: str) -> None:
    trainer = Trainer(rnn.LSTM(2, 3, 1, seed=1), Regression())
    before = bits(trainer.model)
    with pytest.raises(rnn.NonFiniteError, match=words):
        trainer.fit(data(**bad), epochs=2)
    assert bits(trainer.model) == before


def test_an_overflow_inside_names_layer_row_and_tick() -> None:
    model = rnn.RNN(2, [3, 3], 1, activation="relu", seed=1)
    model["layers.1.hidden.weight_x"].value[:] = 3e38
    trainer = Trainer(model, Regression())
    with pytest.raises(
        rnn.NonFiniteError, match=r"layers\.1\.hidden is \S+ at row \d, tick 0"
    ):
        trainer.fit(data(), epochs=1)


def test_a_weight_gone_bad_is_named_and_the_last_good_ones_come_back() -> None:
    """A huge rate makes weights infinite at once: those of the last record are back."""
    trainer = runs.trainer(optimizer=rnn.SGD(0.1), report_every=1)
    trainer.fit(runs.text_batches(), steps=3)
    good = bits(trainer.model)

    def poison(trainer: Trainer, _record: Any) -> None:
        if trainer.run.step == 4:
            trainer.model["decoder.bias"].value[1] = np.inf

    trainer = runs.trainer(optimizer=rnn.SGD(0.1), report_every=1, callbacks=[poison])
    trainer.fit(runs.text_batches(), steps=3)
    assert bits(trainer.model) == good
    with pytest.raises(rnn.NonFiniteError, match=r"update 5: .*decoder\.bias is inf"):
        trainer.fit(runs.text_batches(), steps=9)
    assert trainer.run.step == 4
    assert all(np.isfinite(m.value).all() for m in trainer.model.parameters().values())


def test_rollback_goes_to_the_last_checkpoint(tmp_path: Path) -> None:
    def poison(trainer: Trainer, _record: Any) -> None:
        if trainer.run.step == 8:
            trainer.model["decoder.bias"].value[1] = 3e38
            trainer.model["decoder.weight"].value[:] = 3e38

    def make(**options: Any) -> Trainer:
        return runs.trainer(
            report_every=1, save_every=5, validate_every=None, **options
        )

    plain = make()
    plain.fit(runs.text_batches(), steps=5)
    trainer = make(folder=tmp_path, callbacks=[poison], on_nonfinite="rollback")
    with pytest.raises(rnn.NonFiniteError, match="update 9"):
        trainer.fit(runs.text_batches(), steps=20)
    assert trainer.run.step == 5
    assert bits(trainer.model) == bits(plain.model)


def test_a_gradient_that_overflows_is_named_and_changes_nothing() -> None:
    model = rnn.RNN(1, 2, 1, activation="relu", seed=1)
    for name, value in (("decoder.weight", 1e19), ("decoder.bias", 0.0)):
        model[name].value[:] = value
    model["layers.0.hidden.weight_x"].value[:] = 1.0
    trainer = Trainer(model, Regression("absolute"), rnn.RMSProp())
    before = bits(model)
    x = np.full((2, 3, 1), 3e19)
    with pytest.raises(rnn.NonFiniteError, match=r"update 1: .*gradient of \S+ "):
        trainer.fit(Sequences(x, np.zeros((2, 1))), epochs=1)
    assert bits(model) == before
