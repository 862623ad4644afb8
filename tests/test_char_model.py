"""CharModel: what it counts, what it learns from, what it refuses, what it keeps."""

import contextlib
import io
import math
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import recurrentnn as rnn
from recurrentnn import grammar
from recurrentnn.progress import Progress
from recurrentnn.training import Record
from support import assert_close

TEXT = grammar.text(60)


def small(text: str = TEXT, *, lines: bool = True, **options: Any) -> rnn.CharModel:
    return rnn.CharModel.create(text, lines=lines, hidden_sizes=16, **options)


def uniform(text: str, *, lines: bool) -> rnn.CharModel:
    """Return a model that finds every symbol equally probable."""
    model = small(text, lines=lines)
    for matrix in model.net.parameters().values():
        matrix.value = np.zeros(matrix.shape)
    return model


def loss_by_hand(model: rnn.CharModel, symbols: list[int], targets: list[int]) -> float:
    logits, _ = model.net(np.array(symbols))
    rows = np.asarray(logits, dtype=np.float64)
    shifted = rows - rows.max(axis=1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return float(-log_p[np.arange(len(targets)), targets].sum())


def test_a_uniform_model_of_lines_has_perplexity_v_and_pays_for_each_end() -> None:
    """n+1 predictions for n code points: both ancestors counted otherwise."""
    text = "abc\n\nab\r\nd\n"
    result = uniform(text, lines=True).evaluate(text)
    assert (result.symbols, result.chars) == (9, 6)
    assert result.loss == pytest.approx(math.log(5), rel=1e-6)
    assert result.perplexity == pytest.approx(5, rel=1e-6)
    assert result.bits_per_char == pytest.approx(math.log2(5) * 9 / 6, rel=1e-6)


def test_a_uniform_model_of_running_text_predicts_all_but_the_first() -> None:
    result = uniform("abcd\n", lines=False).evaluate("ab\r\ncd")
    assert (result.symbols, result.chars) == (4, 4)
    assert result.perplexity == pytest.approx(5, rel=1e-6)
    assert result.bits_per_char == pytest.approx(math.log2(5), rel=1e-6)


def test_evaluation_is_the_sum_over_single_lines() -> None:
    model = small(dtype="float64")
    lines = TEXT.split("\n")
    total = 0.0
    for line in lines:
        symbols = model.vocabulary.encode(line).tolist()
        total += loss_by_hand(model, [0, *symbols], [*symbols, 0])
    result = model.evaluate(TEXT)
    assert result.symbols == sum(len(line) + 1 for line in lines)
    assert_close(result.loss, total / result.symbols, 1e-12)
    assert_close(model.evaluate(TEXT, batch_size=7).loss, result.loss, 1e-12)


def test_evaluation_of_running_text_carries_the_state() -> None:
    model = small(lines=False, dtype="float64")
    symbols = model.vocabulary.encode(TEXT).tolist()
    total = loss_by_hand(model, symbols[:-1], symbols[1:])
    assert_close(model.evaluate(TEXT).loss, total / (len(symbols) - 1), 1e-12)


@pytest.mark.parametrize("lines", [True, False])
def test_learning_lowers_the_loss_and_writes_history(lines: bool) -> None:
    model = small(lines=lines)
    before = model.evaluate(TEXT).loss
    model.learn(TEXT, steps=60, batch_size=8, learning_rate=1e-2, report_every=25)
    assert model.evaluate(TEXT).loss < 0.8 * before
    assert [record.step for record in model.history] == [1, 25, 50, 60]
    first, last = model.history[0], model.history[-1]
    assert first.loss == pytest.approx(math.log(len(model.vocabulary)), rel=0.1)
    assert last.perplexity == pytest.approx(math.exp(last.loss))
    assert last.done == 1.0
    assert model.steps == 60


def test_learning_from_running_text_carries_the_state() -> None:
    """At a rate too small to change a weight, learning sees what evaluation sees."""
    text = TEXT[:161]
    model = small(text, lines=False, dtype="float64")
    expected = model.evaluate(text).loss
    model.learn(
        text,
        epochs=1,
        batch_size=1,
        seq_length=16,
        learning_rate=1e-30,
        report_every=1,
    )
    losses = [record.loss for record in model.history]
    assert len(losses) == 10
    assert_close(np.mean(losses), expected, 1e-12)


def test_gradients_that_an_interrupt_left_behind_are_not_used() -> None:
    fresh, interrupted = small(), small()
    interrupted.net["decoder.bias"].grad = np.full((len(fresh.vocabulary), 1), 9.0)
    for model in (fresh, interrupted):
        model.learn(TEXT, steps=1)
    np.testing.assert_array_equal(
        interrupted.net["decoder.bias"].value, fresh.net["decoder.bias"].value
    )


def test_an_epoch_counts_every_symbol_once() -> None:
    model = small()
    model.learn(TEXT, epochs=3, batch_size=16, report_every=1)
    assert model.epochs == 3
    assert model.history[-1].epoch == 3.0
    assert model.steps == 3 * math.ceil(60 / 16)


def test_limits_end_learning_whichever_comes_first() -> None:
    model = small()
    model.learn(TEXT, steps=3, epochs=100, minutes=100)
    assert model.steps == 3
    model.learn(TEXT, minutes=1e-6, epochs=100)
    assert model.steps == 4


def test_a_callback_sees_each_record_and_can_stop() -> None:
    seen: list[int] = []

    def stop_at_3(model: rnn.CharModel, record: Record) -> bool:
        assert model.steps == record.step
        seen.append(record.step)
        return record.step == 3

    model = small()
    model.learn(TEXT, steps=100, report_every=1, callback=stop_at_3)
    assert seen == [1, 2, 3]
    assert model.steps == 3


def test_learning_goes_on_where_it_was() -> None:
    """Two calls are one: optimizer, step and epoch counts carry over."""
    options: dict[str, Any] = {"batch_size": 60, "seed": 4, "report_every": 1}
    once, twice = small(), small()
    once.learn(TEXT, epochs=4, **options)
    twice.learn(TEXT, epochs=2, **options)
    twice.learn(TEXT, epochs=2, **options)
    assert [r.loss for r in once.history] == [r.loss for r in twice.history]
    assert twice.history[-1].epoch == 4.0


@pytest.mark.parametrize("lines", [True, False])
@pytest.mark.parametrize("parts", [(2, 2), (1, 3), (9, 1, 11)])
def test_learning_goes_on_within_an_epoch(lines: bool, parts: tuple[int, ...]) -> None:
    """Calls that end in mid-epoch are one call, and so are long lines cut by them."""
    options: dict[str, Any] = {"batch_size": 8, "seq_length": 20, "report_every": 1}
    once, often = small(lines=lines), small(lines=lines)
    once.learn(TEXT, steps=sum(parts), **options)
    for part in parts:
        often.learn(TEXT, steps=part, **options)
    for name, matrix in once.net.parameters().items():
        np.testing.assert_array_equal(often.net[name].value, matrix.value)
    assert [r[4] for r in often.history] == [r[4] for r in once.history]
    assert [r.epoch for r in often.history] == [r.epoch for r in once.history]
    assert often.epochs == once.epochs


@pytest.mark.parametrize("lines", [True, False])
def test_an_epoch_of_a_call_may_begin_within_one(lines: bool) -> None:
    model = small(lines=lines)
    model.learn(TEXT, steps=1, batch_size=1)
    begun = model.history[-1].epoch
    assert 0 < begun < 1
    model.learn(TEXT, epochs=2, batch_size=1, report_every=1)
    assert model.epochs == 2
    assert model.history[-1].epoch == pytest.approx(2 + begun, abs=0.1)
    assert max(np.diff([record.epoch for record in model.history])) < 0.5


@pytest.mark.parametrize(
    "change",
    [
        {"text": TEXT + "\nthe"},
        {"batch_size": 7},
        {"seq_length": 19},
        {"seed": 1},
        {"validation_fraction": 0.3},
    ],
)
def test_an_epoch_of_other_batches_begins_anew(change: dict[str, Any]) -> None:
    options: dict[str, Any] = {"batch_size": 8, "seq_length": 20, "text": TEXT}
    model = small(lines=False)
    model.learn(**options, steps=3)
    assert model.history[-1].epoch > 0.1
    model.learn(**{**options, **change}, steps=1)
    share = 20 * 8 / len(TEXT)
    assert model.history[-1].epoch < 2 * share
    assert model.epochs == 0


def test_the_text_held_out_is_measured_after_each_epoch() -> None:
    model = small()
    model.learn(TEXT, epochs=2, batch_size=60, validation_fraction=0.2, report_every=1)
    losses = [record.validation_loss for record in model.history]
    assert len(losses) == 2
    assert all(loss is not None and 0 < loss < 5 for loss in losses)
    model.learn(TEXT, steps=1, validation_fraction=0.0)
    assert model.history[-1].validation_loss is None


@pytest.mark.parametrize("text", ["ab", "abc", "a" * 65, "ab\ncd"])
def test_texts_shorter_than_a_batch_are_learnt(text: str) -> None:
    model = rnn.CharModel.train(text, hidden_sizes=8, epochs=2, batch_size=50)
    assert model.epochs == 2
    assert all(math.isfinite(record.loss) for record in model.history)


def test_code_points_beyond_ascii_are_learnt_and_written() -> None:
    text = "Größe 🦀 日本\nnaïve 🦀\n"
    model = rnn.CharModel.train(
        text, lines=True, hidden_sizes=24, steps=200, learning_rate=1e-2
    )
    assert model.greedy("Grö") == "Größe 🦀 日本"
    assert set(model.sample(temperature=5.0, seed=1)) <= set(text)


def test_line_ends_of_all_systems_are_the_same() -> None:
    texts = [TEXT, TEXT.replace("\n", "\r\n"), TEXT.replace("\n", "\r")]
    for lines in (True, False):
        models = [small(text, lines=lines) for text in texts]
        assert len({model.vocabulary.symbols for model in models}) == 1
        assert (
            len({model.evaluate(text).loss for model in models for text in texts}) == 1
        )


def test_a_sample_is_reproducible_and_begins_with_its_prompt() -> None:
    model = small()
    sample = model.sample("the ", length=20, seed=3)
    assert sample.startswith("the ")
    assert len(sample) <= 24
    assert sample == model.sample("the ", length=20, seed=3)
    assert len({model.sample(length=30, seed=seed) for seed in range(5)}) > 1
    assert model.sample("the ", length=0) == "the "
    assert "\n" not in model.sample(length=500, temperature=3.0)


def test_running_text_can_begin_without_prompt_or_newline() -> None:
    assert len(small("abab", lines=False).sample(length=9)) == 9
    assert len(small(TEXT, lines=False).greedy(length=9)) == 9


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: small(""), rnn.ArgumentError, "empty"),
        (lambda: small().learn(" \n\n"), rnn.ArgumentError, "not blank"),
        (lambda: small(lines=False).learn("a"), rnn.ArgumentError, "at least 2"),
        (lambda: small(lines=False).evaluate(""), rnn.ArgumentError, "at least 2"),
        (lambda: small().learn("the\nt?"), rnn.VocabularyError, "line 2.*'\\?'"),
        (lambda: small().sample("the?"), rnn.VocabularyError, "'\\?'"),
        (lambda: small().sample("a\nb"), rnn.VocabularyError, "n"),
        (lambda: small().sample(temperature=0.0), rnn.ArgumentError, "temperature"),
        (lambda: small(cell="lstmm"), rnn.ArgumentError, "lstmm"),
        (lambda: small().learn(TEXT, batch_size=0), rnn.ArgumentError, "batch_size"),
        (lambda: small().learn(TEXT, seq_length=0), rnn.ArgumentError, "seq_length"),
        (lambda: small().learn(TEXT, steps=0), rnn.ArgumentError, "steps"),
        (lambda: small().learn(TEXT, minutes=-1), rnn.ArgumentError, "minutes"),
        (lambda: small().learn(TEXT, learning_rate=-1), rnn.ArgumentError, "rate"),
        (
            lambda: small().learn(TEXT, validation_fraction=1.0),
            rnn.ArgumentError,
            "validation_fraction",
        ),
    ],
)
def test_a_mistake_is_named(call: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        call()


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        *((name, 1.5) for name in ("steps", "epochs", "batch_size", "seq_length")),
        *((name, True) for name in ("steps", "epochs", "batch_size", "seq_length")),
        *((name, "2") for name in ("report_every", "seed", "minutes", "clip_value")),
        *((name, True) for name in ("report_every", "seed", "minutes", "clip_value")),
        *((name, True) for name in ("validation_fraction", "learning_rate")),
        *((name, None) for name in ("validation_fraction", "learning_rate")),
        ("callback", 3),
        ("callback", 0),
        ("progress", 1),
    ],
)
def test_an_option_of_the_wrong_type_changes_nothing(name: str, wrong: Any) -> None:
    model = small()
    model.learn(TEXT, steps=1, learning_rate=0.25, clip_value=0.5)
    options: dict[str, Any] = {"learning_rate": 1e-3, "clip_value": 1e-3, name: wrong}
    with pytest.raises(rnn.ArgumentTypeError, match=f"^learn: {name} must be "):
        model.learn(TEXT, **options)
    rule = model._optimizer
    assert (model.steps, rule.learning_rate, rule.clip_value) == (1, 0.25, 0.5)


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("seed", -1),
        ("seed", 2**64),
        ("minutes", math.nan),
        ("learning_rate", math.inf),
        ("clip_value", 0),
        ("clip_value", 10**400),
        ("validation_fraction", math.nan),
        ("validation_fraction", 0.01),
    ],
)
def test_an_option_out_of_range_changes_nothing(name: str, wrong: Any) -> None:
    model = small()
    model.learn(TEXT, steps=1, learning_rate=0.25, clip_value=0.5)
    options: dict[str, Any] = {"learning_rate": 1e-3, "clip_value": 1e-3, name: wrong}
    with pytest.raises(rnn.ArgumentError, match=f"^learn: {name} must "):
        model.learn(TEXT, **options)
    rule = model._optimizer
    assert (model.steps, rule.learning_rate, rule.clip_value) == (1, 0.25, 0.5)


def test_a_wrong_option_is_told_as_it_was_given() -> None:
    with pytest.raises(rnn.ArgumentTypeError) as caught:
        small().learn(TEXT, steps=1.5)  # type: ignore[arg-type]
    assert str(caught.value) == "learn: steps must be an integer, got 1.5"


def test_numbers_of_numpy_are_numbers() -> None:
    counts = ("steps", "epochs", "batch_size", "seq_length", "report_every", "seed")
    reals = ("minutes", "learning_rate", "clip_value", "validation_fraction")
    options: dict[str, Any] = {name: np.int32(3) for name in counts}
    options |= {name: np.float32(0.5) for name in reals}
    model = small()
    model.learn(TEXT, **options)
    assert model.steps == 3
    assert type(model.steps) is int


@pytest.mark.parametrize("lines", [True, False])
def test_holding_nothing_out_is_no_validation(lines: bool) -> None:
    text = "ab\nab"
    with pytest.raises(rnn.ArgumentError, match=r"hold out .* got 0\.1 of "):
        small(text, lines=lines).learn(text, validation_fraction=0.1)


def test_what_is_no_net_or_no_vocabulary_is_refused() -> None:
    model = small()
    with pytest.raises(rnn.ArgumentTypeError, match="net must be a Model, got 3"):
        rnn.CharModel(3, model.vocabulary)  # type: ignore[arg-type]
    with pytest.raises(rnn.ArgumentTypeError, match=r"vocabulary .* got str"):
        rnn.CharModel(model.net, "abc")  # type: ignore[arg-type]
    with pytest.raises(rnn.ArgumentTypeError, match="steps must be an integer"):
        rnn.CharModel(model.net, model.vocabulary, steps=True)
    with pytest.raises(rnn.ArgumentTypeError, match="lines must be a bool, got 1"):
        small(lines=1)  # type: ignore[arg-type]


@pytest.mark.parametrize("option", ["gate", "no_such", "seed", "dtype"])
def test_an_option_that_a_cell_does_not_have_is_refused(option: str) -> None:
    with pytest.raises(rnn.ArgumentError, match=f"cell_options of lstm.*'{option}'"):
        small(cell_options={option: 1})


class Terminal(io.StringIO):
    """A stream that gets a progress bar."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("error", [None, KeyboardInterrupt, ValueError])
def test_a_progress_bar_is_closed_however_learning_ends(
    error: type[BaseException] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    bars: list[Any] = []  # kept, lest being forgotten be what closes them
    drawn = Progress.__call__

    def draw(self: Progress, model: rnn.CharModel, record: Record) -> None:
        bars.append(self)
        drawn(self, model, record)

    def stop(_model: rnn.CharModel, _record: Record) -> bool:
        if error:
            raise error
        return True

    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setattr(Progress, "__call__", draw)
    with pytest.raises(error) if error else contextlib.nullcontext():
        small().learn(TEXT, steps=9, progress=True, callback=stop)
    assert len(bars) == 1
    assert "step 1 " in terminal.getvalue()
    assert terminal.getvalue().endswith("\n")


def test_a_model_tells_what_it_is() -> None:
    model = small()
    model.learn(TEXT, steps=2)
    symbols = len(model.vocabulary)
    assert repr(model) == f"CharModel(lstm [16], {symbols} symbols, lines, 2 steps)"
    assert "running text, 0 steps" in repr(small(lines=False))


def test_options_of_a_cell_reach_it() -> None:
    model = small(cell="gflstm", cell_options={"gate": "vector", "paper": True})
    assert isinstance(model.net, rnn.GFLSTM)
    gate = model.net["layers.0.feedback.0.gate.weight_h"]
    assert gate.shape == (16, 16)


def test_a_gradient_that_is_not_finite_stops_learning_and_keeps_the_weights() -> None:
    model = small()
    model.learn(TEXT, steps=2)
    bias = model.net["decoder.bias"]
    bias.value[0, 0] = np.inf
    before = {name: m.value.copy() for name, m in model.net.parameters().items()}
    with pytest.raises(rnn.NonFiniteError):
        model.learn(TEXT, steps=1)
    for name, matrix in model.net.parameters().items():
        np.testing.assert_array_equal(matrix.value, before[name])
    assert model.steps == 2


@pytest.mark.parametrize("lines", [True, False])
def test_a_saved_model_is_the_same_model(tmp_path: Path, lines: bool) -> None:
    model = small(lines=lines, embedding_size=5)
    model.learn(TEXT, epochs=1)
    model.save(tmp_path / "model.safetensors")
    copy = rnn.CharModel.load(str(tmp_path / "model.safetensors"))
    assert type(copy.net) is rnn.LSTM
    assert copy.lines == lines
    assert (copy.steps, copy.epochs) == (model.steps, model.epochs)
    assert copy.vocabulary.symbols == model.vocabulary.symbols
    assert copy.evaluate(TEXT) == model.evaluate(TEXT)
    assert copy.sample(length=50, seed=1) == model.sample(length=50, seed=1)
    copy.learn(TEXT, steps=1)
    assert copy.steps == model.steps + 1
