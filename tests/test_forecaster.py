"""A forecaster: learning, roll-out, covariates, units, and its file."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import recurrentnn as rnn
from recurrentnn.data.forecasts import Blocks, inputs
from recurrentnn.models import read_model
from support import assert_close

T = np.arange(260)
SERIES = np.stack(
    [np.sin(T / 4) + 0.3 * np.cos(T / 11), 50 + 20 * np.cos(T / 7)], axis=1
)
KNOWN = np.stack([np.cos(T / 3), T % 7, T % 2], axis=1)
PAST = np.sin(T / 5)[:, None]
SMALL: dict[str, Any] = {"horizon": 4, "length": 12, "hidden_sizes": 8, "epochs": 2}


@pytest.fixture(scope="module")
def model() -> rnn.Forecaster:
    return rnn.Forecaster.train(SERIES, **SMALL, season=5, dtype="float64")


@pytest.mark.parametrize("joint", [True, False])
def test_targets_are_the_rows_behind_each_tick_less_the_naive_forecast(
    joint: bool,
) -> None:
    series, season, horizon = SERIES[:40], 3, 4
    blocks = Blocks(
        series,
        PAST[:40],
        KNOWN[:40],
        length=6,
        horizon=horizon,
        season=season,
        batch_size=5,
        seed=1,
        stride=2,
        joint=joint,
        dtype="float64",
    )
    batches = list(blocks.in_order())
    x = np.concatenate([batch.x for batch in batches])
    targets = np.concatenate([batch.targets for batch in batches])
    assert blocks.symbols == (40 - 2 - 6 - 4) // 2 + 1
    together = [[0, 1]] if joint else [[0], [1]]
    assert len(x) == blocks.symbols * len(together)
    for sample in range(len(x)):
        window, which = divmod(sample, len(together))
        some = series[:, together[which]]
        for step in range(6):
            first = 2 + 2 * window
            row = first + step
            wanted = some[row + 1 : row + 5] - rnn.data.seasonal(
                some[: row + 1], horizon, season
            )
            assert_close(targets[sample, step], wanted.ravel(), 1e-12)
            ahead = KNOWN[row + 1 : row + 5].ravel()
            read = [some[row] - some[first], PAST[row], ahead]
            assert x[sample, step].tolist() == np.concatenate(read).tolist()
    epoch = [batch.x.tolist() for batch in blocks.epoch(3)]
    assert sorted(row for batch in epoch for row in batch) == sorted(x.tolist())
    assert epoch != [batch.x.tolist() for batch in blocks.epoch(4)]
    for start in range(len(epoch) + 1):
        rest = blocks.epoch(3, start=start)
        assert [batch.x.tolist() for batch in rest] == epoch[start:]


def test_it_beats_persistence_where_there_is_something_to_learn() -> None:
    model = rnn.Forecaster.train(
        SERIES[:200], horizon=4, length=16, hidden_sizes=24, epochs=40, stride=1
    )
    result = model.evaluate(SERIES, start=200)
    assert result.windows == 57
    assert result.forecast.mse < 0.5 * result.persistence.mse
    assert result.forecast.mase < result.persistence.mase
    training, validation = map(model.history.column, ("loss", "validation_loss"))
    assert training[-1] < training[0]
    assert np.nanmin(validation) < validation[~np.isnan(validation)][0]


@pytest.mark.parametrize("joint", [True, False])
def test_the_weights_kept_are_those_of_the_best_epoch(joint: bool) -> None:
    """Bit for bit those of a run that ends there, and what is judged are forecasts."""
    options: dict[str, Any] = {**SMALL, "season": 5, "joint": joint, "patience": 2}
    options |= {"learning_rate": 0.3, "known": KNOWN, "past": PAST}
    model = rnn.Forecaster.train(SERIES, **{**options, "epochs": 9})
    errors = [r.validation_loss for r in model.history if r.validation_loss is not None]
    best = errors.index(min(errors))
    assert best == len(errors) - 3
    ended = rnn.Forecaster.train(SERIES, **{**options, "epochs": best + 1})
    for name, weights in ended.net.parameters().items():
        kept = model.net.parameters()[name]
        np.testing.assert_array_equal(kept.value, weights.value)
    start = len(SERIES) - int(len(SERIES) * 0.2)
    judged = model.evaluate(SERIES, start=start, known=KNOWN, past=PAST)
    assert_close(judged.forecast.mse, errors[best], 1e-5)


def test_without_validation_it_learns_to_the_last_epoch() -> None:
    model = rnn.Forecaster.train(SERIES, **SMALL, validation_fraction=0.0)
    assert model.history[-1].epoch == SMALL["epochs"]
    assert {record.validation_loss for record in model.history} == {None}


def test_it_learns_in_the_trainer(capsys: pytest.CaptureFixture[str]) -> None:
    """What ends a `Trainer` ends it, and its progress is shown."""
    rnn.Forecaster.train(SERIES, **SMALL, progress=True)
    assert "loss" in capsys.readouterr().err
    with pytest.raises(rnn.NonFiniteError, match="update 2: the loss is"):
        rnn.Forecaster.train(SERIES, **SMALL, learning_rate=1e29)


@pytest.mark.parametrize("joint", [True, False])
def test_further_steps_follow_from_the_forecasts(joint: bool) -> None:
    """As if what was forecast had come true, the state carried."""
    model = rnn.Forecaster.train(
        SERIES, **SMALL, season=5, joint=joint, dtype="float64"
    )
    steps = model.forecast(SERIES[:40], 10)
    assert steps.shape == (10, 2)
    assert_close(model.forecast(SERIES[:40]), steps[:4], 1e-12)
    scaled = model.scaling.apply(SERIES[28:40])
    found = []
    for z in [scaled] if joint else np.split(scaled, 2, axis=1):
        for _ in range(3):
            out, _ = model.net(z - z[0])
            naive = rnn.data.seasonal(z, 4, 5)
            z = np.concatenate([z, naive + np.asarray(out)[-1].reshape(naive.shape)])
        found.append(z[12:22])
    expected = model.scaling.invert(np.concatenate(found, axis=1))
    assert_close(steps, expected, 1e-10)


def test_a_batch_is_its_histories_one_by_one(model: rnn.Forecaster) -> None:
    batch = np.stack([SERIES[k : k + 30] for k in range(5)])
    together = model.forecast(batch, 6)
    for one, history in zip(together, batch, strict=True):
        np.testing.assert_array_equal(one, model.forecast(history, 6))


def test_covariates_are_read() -> None:
    model = rnn.Forecaster.train(SERIES, **SMALL, joint=True, known=KNOWN, past=PAST)
    assert (model.net.input_size, model.net.output_size) == (2 + 1 + 4 * 3, 8)
    plain = model.forecast(SERIES[:50], past=PAST[:50], known=KNOWN[:54])
    changed = KNOWN[:54].copy()
    changed[53] += 1
    other = model.forecast(SERIES[:50], past=PAST[:50], known=changed)
    assert abs(plain - other).max() > 1e-4
    other = model.forecast(SERIES[:50], past=PAST[:50] + 1, known=KNOWN[:54])
    assert abs(plain - other).max() > 1e-4
    assert model.evaluate(SERIES, past=PAST, known=KNOWN).windows == 260 - 12 - 4 + 1
    with pytest.raises(rnn.ArgumentError, match="steps must be at most horizon 4"):
        model.forecast(SERIES[:50], 5, past=PAST[:50], known=KNOWN[:58])
    with pytest.raises(rnn.ShapeError, match="known must be 1 times 54 rows"):
        model.forecast(SERIES[:50], past=PAST[:50], known=KNOWN[:50])
    with pytest.raises(rnn.ArgumentError, match="known must be 3 covariates"):
        model.forecast(SERIES[:50], past=PAST[:50])
    ahead = rnn.Forecaster.train(SERIES, **SMALL, known=KNOWN)
    assert (ahead.net.input_size, ahead.net.output_size) == (1 + 4 * 3, 4)
    rolled = ahead.forecast(SERIES[:50], 9, known=KNOWN[:62])
    assert_close(ahead.forecast(SERIES[:50], known=KNOWN[:54]), rolled[:4], 1e-6)


def test_units_make_no_difference() -> None:
    """A series times 1e6 plus 1e9 has the same forecast, scaled alike."""
    plain = rnn.Forecaster.train(SERIES, **SMALL, dtype="float64")
    other = rnn.Forecaster.train(SERIES * 1e6 + 1e9, **SMALL, dtype="float64")
    found = (other.forecast(SERIES[:30] * 1e6 + 1e9) - 1e9) / 1e6
    assert_close(found, plain.forecast(SERIES[:30]), 1e-5)
    errors = other.evaluate(SERIES * 1e6 + 1e9, scaled=False).persistence
    expected = plain.evaluate(SERIES, scaled=False).persistence
    assert_close([errors.mae / 1e6, errors.mase], [expected.mae, expected.mase], 1e-6)


def test_a_forecaster_comes_back_from_its_file(
    model: rnn.Forecaster, tmp_path: Path
) -> None:
    path = tmp_path / "model.safetensors"
    model.save(path)
    loaded = rnn.Forecaster.load(path)
    np.testing.assert_array_equal(loaded.forecast(SERIES, 9), model.forecast(SERIES, 9))
    assert loaded.evaluate(SERIES) == model.evaluate(SERIES)
    assert repr(loaded) == repr(model)
    net, metadata, _ = read_model(path)
    notes = json.loads(metadata["forecaster"])
    for change in (
        {"horizon": 0},
        {"joint": True},
        {"season": 13},
        {"naive": [1]},
        {"past": 3},
        None,
    ):
        changed = None if change is None else {**notes, **change}
        text = json.dumps(changed)
        net.save(path, {"kind": "forecaster", "forecaster": text})
        with pytest.raises(rnn.FormatError, match=r"model\.safetensors"):
            rnn.Forecaster.load(path)
    net.save(path)
    with pytest.raises(rnn.FormatError, match="no forecaster"):
        rnn.Forecaster.load(path)


def test_inputs_without_covariates_are_the_series() -> None:
    nothing = np.zeros((260, 0))
    np.testing.assert_array_equal(inputs(SERIES, nothing, nothing, 4), SERIES)


def test_mistakes_are_named(model: rnn.Forecaster) -> None:
    train: Any = rnn.Forecaster.train
    with pytest.raises(rnn.ShapeError, match="must have 16 rows to train on and 4"):
        train(SERIES[:17], **SMALL)
    with pytest.raises(rnn.ArgumentError, match="season must be at most length 12"):
        train(SERIES, **SMALL, season=13)
    with pytest.raises(rnn.ArgumentError, match="cell must be one of rnn, lstm"):
        train(SERIES, **SMALL, cell="tcn")
    with pytest.raises(rnn.ShapeError, match="known must have the 260 rows"):
        train(SERIES, **SMALL, known=KNOWN[:-1])
    with pytest.raises(rnn.ShapeError, match="history must have at least 12 rows"):
        model.forecast(SERIES[:11])
    with pytest.raises(rnn.ArgumentError, match="known must be None"):
        model.forecast(SERIES, known=KNOWN)
    with pytest.raises(rnn.ShapeError, match=r"expected \(.., 2\)"):
        model.forecast(SERIES[:, :1])
    with pytest.raises(rnn.ArgumentError, match="start must be at least 12"):
        model.evaluate(SERIES, start=3)
