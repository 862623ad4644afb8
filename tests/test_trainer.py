"""The trainer: what it learns, when it ends, whom it tells, what it writes."""

import csv
import math
import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import recurrentnn as rnn
import runs
from recurrentnn import data, schedules
from recurrentnn import reference as ref
from recurrentnn.progress import describe
from recurrentnn.training import (
    Callback,
    Classification,
    Forecasting,
    LanguageModel,
    Record,
    Regression,
    Sequences,
    Tagging,
    TextBatches,
    Trainer,
)
from recurrentnn.training.evaluate import evaluate

rng = np.random.default_rng(7)


def wrong(value: Any) -> Any:
    return value


def weights(model: rnn.Model) -> list[Any]:
    return [matrix.value.copy() for matrix in model.parameters().values()]


def assert_equal(one: list[Any], other: list[Any]) -> None:
    for a, b in zip(one, other, strict=True):
        np.testing.assert_array_equal(a, b)


# --- tasks -------------------------------------------------------------------


def test_sequences_of_several_lengths_are_classified() -> None:
    """The sign of the sum, read at each row's own last tick."""
    x = [rng.normal(size=(n, 1)) for n in rng.integers(3, 9, 96)]
    y = [int(one.sum() > 0) for one in x]
    trainer = Trainer(
        rnn.GRU(1, 8, 2, seed=1), Classification(), rnn.Adam(2e-2), restore_best=False
    )
    train, held_out = Sequences(x, y, batch_size=16).split(0.25)
    trainer.fit(train, held_out, epochs=25)
    assert trainer.evaluate(held_out).metrics["accuracy"] > 0.85
    record = trainer.run.history[-1]
    assert math.isnan(record.perplexity)
    assert set(record.metrics) == {"accuracy", "validation_accuracy"}


def test_padding_does_not_count() -> None:
    """A batch of several lengths has the loss of its rows alone, weighted."""
    x = [rng.integers(0, 5, n) for n in (3, 7, 4)]
    tags = [one % 3 for one in x]
    trainer = Trainer(rnn.LSTM(5, 6, 3, dtype="float64"), Tagging())
    together = trainer.evaluate(Sequences(x, tags))
    alone = [
        trainer.evaluate(Sequences([a], [b])).loss for a, b in zip(x, tags, strict=True)
    ]
    expected = np.average(alone, weights=[3, 7, 4])
    assert together.loss == pytest.approx(expected, rel=1e-12)


def test_tags_are_learnt() -> None:
    x = rng.integers(0, 4, (48, 10))
    tags = np.roll(x, 1, axis=1) % 2
    tags[:, 0] = -100
    trainer = Trainer(rnn.LSTM(4, 12, 2, seed=2), Tagging(ignore=-100), rnn.Adam(2e-2))
    trainer.fit(Sequences(x, tags, batch_size=16), epochs=30)
    assert trainer.run.history[-1].metrics["accuracy"] > 0.95


def test_a_forecast_of_several_steps_and_series_at_once() -> None:
    """Phase-shifted sines: two series, three steps ahead; NaN does not count."""
    time = np.arange(300)[:, None] * 0.3 + np.array([0.0, 1.0])
    series = np.sin(time)
    windows = np.stack([series[i : i + 12] for i in range(200)])
    ahead = np.stack([series[i + 12 : i + 15] for i in range(200)])
    ahead[::7, 1, 0] = np.nan
    model = rnn.GRU(2, 16, 6, seed=3)
    trainer = Trainer(model, Forecasting(), rnn.Adam(1e-2), report_every=10)
    trainer.fit(Sequences(windows, ahead, batch_size=20), epochs=20)
    assert trainer.run.history[-1].loss < 0.05
    assert trainer.run.history[-1].metrics["mse"] == pytest.approx(
        trainer.run.history[-1].loss, rel=1e-4
    )


@pytest.mark.parametrize("kind", ["squared", "absolute", "huber"])
def test_regression_at_every_tick_has_the_loss_of_its_formula(kind: Any) -> None:
    x = rng.normal(size=(3, 4, 2))
    y = rng.normal(size=(3, 4, 2)) * 3
    y[0, 1, 1] = np.nan
    model = rnn.RNN(2, 5, 2, dtype="float64")
    task = Regression(kind, at="ticks", delta=0.7)
    loss = Trainer(model, task).evaluate(Sequences(x, y)).loss
    error = np.abs(np.asarray(model(x)[0]) - y)
    huber = np.where(error < 0.7, error**2 / 2, 0.7 * (error - 0.35))
    formula = {"squared": error**2, "absolute": error, "huber": huber}[kind]
    assert loss == pytest.approx(np.nanmean(formula), rel=1e-12)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: Trainer(wrong(3)), rnn.ArgumentTypeError, "model must be a Model"),
        (lambda: Trainer(runs.net(), wrong("text")), rnn.ArgumentTypeError, "task"),
        (lambda: runs.trainer(patience=0), rnn.ArgumentError, "patience"),
        (lambda: runs.trainer(min_delta=-1), rnn.ArgumentError, "min_delta"),
        (lambda: runs.trainer(callbacks=[3]), rnn.ArgumentTypeError, "callbacks"),
        (lambda: runs.trainer(on_nonfinite="go"), rnn.ArgumentError, "rollback"),
        (lambda: runs.trainer().save(), rnn.ArgumentError, "no folder"),
        (lambda: Regression(wrong("cubed")), rnn.ArgumentError, "squared, absolute"),
        (lambda: Tagging(label_smoothing=1.0), rnn.ArgumentError, "label_smoothing"),
        (lambda: Tagging(class_weights=[-1]), rnn.ArgumentError, "class_weights"),
        (lambda: Sequences([], []), rnn.ShapeError, "at least 1"),
        (lambda: Sequences([[1]], [1]).split(0.5), rnn.ArgumentError, "each part"),
        (
            lambda: runs.trainer().fit(runs.text_batches(), steps=0),
            rnn.ArgumentError,
            "fit: steps",
        ),
        (
            lambda: Trainer(rnn.RNN(1, 2, 2), Classification()).fit(
                Sequences(np.zeros((2, 3, 1)), np.zeros((2, 3), int))
            ),
            rnn.ShapeError,
            "one class for each",
        ),
    ],
)
def test_a_mistake_is_named(call: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        call()


# --- data --------------------------------------------------------------------


def test_an_epoch_has_each_sequence_once_in_an_order_of_its_own() -> None:
    source = Sequences(np.arange(20).reshape(20, 1), np.arange(20), batch_size=6)
    first, again, second = (
        np.concatenate([batch.targets for batch in source.epoch(n)]) for n in (0, 0, 1)
    )
    assert sorted(first) == list(range(20))
    assert first.tolist() == again.tolist() != second.tolist()


def test_a_split_has_each_sequence_in_one_part() -> None:
    source = Sequences(np.zeros((20, 3, 1)), np.arange(20))
    parts = source.split(0.2, 0.1)
    found = [np.concatenate([b.targets for b in part.in_order()]) for part in parts]
    assert [len(part) for part in found] == [14, 4, 2]
    assert sorted(np.concatenate(found)) == list(range(20))


def test_batches_accumulated_are_one_large_batch() -> None:
    x = rng.normal(size=(12, 5, 2))
    y = rng.integers(0, 3, 12)
    made = []
    for size, accumulate in ((12, 1), (4, 3), (5, 3)):
        model = rnn.GRU(2, 4, 3, dtype="float64", seed=5)
        trainer = Trainer(model, Classification(), rnn.SGD(0.1), accumulate=accumulate)
        trainer.fit(Sequences(x, y, batch_size=size), epochs=1)
        assert trainer.run.step == 1
        made.append(weights(model))
    for other in made[1:]:
        for a, b in zip(made[0], other, strict=True):
            np.testing.assert_allclose(a, b, rtol=0, atol=1e-13)


# --- the end -----------------------------------------------------------------


def test_early_stopping_waits_and_gives_the_best_weights_back() -> None:
    best: list[Any] = []

    class Keep(Callback):
        def on_record(self, trainer: Trainer, record: Record) -> None:
            if record.validation_loss == trainer.run.best.loss:
                best[:] = weights(trainer.model)

    trainer = runs.trainer(
        optimizer=rnn.RMSProp(0.1), patience=3, validate_every=2, callbacks=[Keep()]
    )
    history = trainer.fit(runs.text_batches(), runs.held_out(), epochs=200)
    validated = [r for r in history if r.validation_loss is not None]
    losses = [r.validation_loss or 0.0 for r in validated]
    assert ref.early_stop(losses, 3) == (len(losses) - 4, len(losses) - 1)
    assert trainer.run.best.step == validated[-4].step
    assert_equal(weights(trainer.model), best)
    assert trainer.evaluate(runs.held_out()).loss == min(losses)


def test_limits_are_of_the_whole_run_and_a_target_ends_it() -> None:
    trainer = runs.trainer()
    trainer.fit(runs.text_batches(), steps=4)
    trainer.fit(runs.text_batches(), steps=4)
    assert trainer.run.step == 4
    trainer.fit(runs.text_batches(), epochs=1)
    assert trainer.run.epochs == 1
    assert trainer.run.place.symbols == runs.text_batches().symbols
    steps = trainer.run.step
    trainer.fit(runs.text_batches(), minutes=1e-9)
    assert trainer.run.step == steps
    trainer.fit(runs.text_batches(), epochs=400, target_loss=2.5)
    assert 2.0 < trainer.run.history[-1].loss <= 2.5


def test_a_schedule_sets_the_rate_of_each_update() -> None:
    trainer = runs.trainer(
        optimizer=rnn.SGD(0.5), schedule=schedules.Linear(4), report_every=1
    )
    history = trainer.fit(runs.text_batches(), steps=3)
    expected = [0.5 * schedules.Linear(4)(step) for step in range(3)]
    assert [record.learning_rate for record in history] == expected


# --- who is told -------------------------------------------------------------


def test_callbacks_are_told_in_order_and_a_true_result_ends(tmp_path: Path) -> None:
    told: list[str] = []

    class Tell(Callback):
        def on_start(self, _trainer: Trainer) -> None:
            told.append("start")

        def on_record(self, trainer: Trainer, record: Record) -> bool:
            assert trainer.run.history[-1] is record
            told.append(f"record {record.step}")
            return record.step == 3

        def on_checkpoint(self, trainer: Trainer, path: Path) -> None:
            assert path.exists()
            told.append(f"checkpoint {trainer.run.step}")

        def on_end(self, _trainer: Trainer) -> None:
            told.append("end")

    trainer = runs.trainer(tmp_path, callbacks=[Tell()], save_every=2)
    trainer.fit(runs.text_batches(), epochs=9)
    assert told == [
        "start",
        "record 1",
        "checkpoint 2",
        "record 3",
        "checkpoint 3",
        "end",
    ]


def test_an_exception_of_a_callback_goes_through_and_loses_nothing(
    tmp_path: Path,
) -> None:
    def fail(_trainer: Trainer, record: Record) -> None:
        if record.step == 3:
            raise ZeroDivisionError

    seen: list[BaseException] = []

    class See(Callback):
        def on_exception(self, _trainer: Trainer, error: BaseException) -> None:
            seen.append(error)

    trainer = runs.trainer(tmp_path, callbacks=[fail, See()])
    with pytest.raises(ZeroDivisionError):
        trainer.fit(runs.text_batches(), epochs=9)
    assert isinstance(seen[0], ZeroDivisionError)
    resumed = runs.trainer(tmp_path)
    assert resumed.resume()
    assert runs.same_bits(trainer, resumed)


def test_the_table_has_every_record_once_also_after_resuming(tmp_path: Path) -> None:
    for steps in (4, 9):
        trainer = runs.trainer(tmp_path)
        trainer.resume()
        trainer.fit(runs.text_batches(), runs.held_out(), steps=steps)
    text = (tmp_path / "metrics.csv").read_text()
    assert text == trainer.run.history.to_csv()
    rows = list(csv.DictReader(text.splitlines()))
    assert [int(row["step"]) for row in rows] == [1, 3, 4, 6, 8, 9]
    assert float(rows[1]["loss"]) == trainer.run.history[1].loss
    assert rows[1]["validation_loss"] == ""


def test_tensorboard_is_refused_where_it_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    with pytest.raises(ImportError, match=r"pip install 'recurrentnn\[tensorboard\]'"):
        runs.trainer(tmp_path, tensorboard=True)
    with pytest.raises(rnn.ArgumentError, match="folder"):
        runs.trainer(tensorboard=True)


def test_tensorboard_gets_each_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[tuple[str, float, int]] = []

    class Writer:
        def __init__(self, folder: str) -> None:
            assert folder == str(tmp_path)

        def add_scalar(self, tag: str, value: float, step: int) -> None:
            written.append((tag, value, step))

        def flush(self) -> None:
            pass

    module = types.ModuleType("tensorboardX")
    module.SummaryWriter = Writer  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "tensorboardX", module)
    trainer = runs.trainer(tmp_path, tensorboard=True)
    history = trainer.fit(runs.text_batches(), runs.held_out(), steps=3)
    assert ("loss/train", history[0].loss, 1) in written
    assert ("loss/validation", history[-1].validation_loss, 3) in written


def test_progress_tells_loss_bits_speed_gradient_rate_and_what_is_left() -> None:
    record = Record(7, 0.5, 3.0, 0.25, 2.0, 2.9, 7.4, 0.12, 0.031, 5e4, 2.1, 5e-3, 75.0)
    assert describe(record) == (
        "step 7  epoch 0.50  loss 2.000 nats  2.900 bits/char  perplexity 7.40  "
        "50,000 chars/s  validation 2.100 nats  gradient 0.12  clipped 3.1%  "
        "rate 0.005  1:15 left"
    )


def test_documents_begin_with_the_zero_state() -> None:
    """Two documents in one stream are learnt from as two batches would be."""
    documents = [np.array([1, 0, 2, 2, 1]), np.array([2, 0, 1, 1])]
    text = np.concatenate(documents)
    borders = np.array([[0, 5], [5, 9]])
    batches = TextBatches(
        data.Streams(text, borders, shuffle=False), batch_size=1, seq_length=8
    )
    net = rnn.GRU(3, [4], 3, seed=1, dtype="float64")
    alone = []
    for document in documents:
        with rnn.Graph(recording=False) as graph:
            logits, _ = net(document[None, :-1])
            loss = graph.softmax_cross_entropy(logits, document[None, 1:])
        alone.append((loss.item(), len(document) - 1))
    expected = sum(loss * n for loss, n in alone) / sum(n for _, n in alone)
    found = evaluate(net, LanguageModel(), batches.in_order())
    assert found.loss == pytest.approx(expected, rel=1e-12)


def test_gradients_flow_back_further_than_the_last_update() -> None:
    """Overlapping batches see the losses of all ticks, each once, in their context."""
    text = data.Streams(np.array([1, 0, 2, 2, 1, 0, 1, 2, 0, 1]))
    net = rnn.GRU(3, [4], 3, seed=1, dtype="float64")
    plain, further = (
        evaluate(
            net,
            LanguageModel(),
            TextBatches(text, batch_size=1, seq_length=2, back=back).epoch(0),
        )
        for back in (None, 5)
    )
    assert further.loss == pytest.approx(plain.loss, rel=1e-12)
    with pytest.raises(rnn.ArgumentError, match="back"):
        TextBatches(text, seq_length=8, back=4)


def test_padding_takes_no_time_and_no_state() -> None:
    """What stands behind a row's end is not computed."""
    batches = Sequences([np.ones((3, 2)), np.ones((5, 2))], [0, 1], batch_size=2)
    (batch,) = batches.in_order()
    bad = batch._replace(x=np.where(batch.x == 0, np.nan, batch.x))
    net = rnn.LSTM(2, [3], 2, seed=1)
    found = evaluate(net, Classification(), [bad])
    assert found.loss == evaluate(net, Classification(), [batch]).loss
