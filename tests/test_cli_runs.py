"""Runs of the command: a folder that is resumed, changed knowingly, and run again."""

import json
import math
import os
import re
import signal
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import recurrentnn as rnn
from recurrentnn import grammar
from recurrentnn.cli import main
from recurrentnn.cli.report import say
from recurrentnn.models import read_model
from recurrentnn.text_model import TextModel

QUICK = ["--hidden-sizes", "8", "--report-every", "5", "--quiet"]
# Signals are heeded even if the tests run in a shell's background.
HEEDING = (
    "import signal, sys; from recurrentnn.cli import main;"
    "signal.signal(signal.SIGINT, signal.default_int_handler); sys.exit(main())"
)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty folder with a text, in which the test runs."""
    monkeypatch.chdir(tmp_path)
    Path("book.txt").write_text(grammar.text(120), encoding="utf-8")
    return tmp_path


def train(*options: str) -> int:
    return main(["train", "book.txt", *QUICK, *options])


def resume(run: str, *options: str) -> int:
    return main(["train", "-o", run, "--resume", "--quiet", *options])


def last(run: str) -> Path:
    return Path(run, "ckpt", Path(run, "last").read_text())


def weights(run: str) -> dict[str, np.ndarray]:
    return {n: m.value.copy() for n, m in rnn.load(last(run)).parameters().items()}


def expect_same(one: str, two: str) -> None:
    first, second = weights(one), weights(two)
    assert first.keys() == second.keys()
    for name, value in first.items():
        np.testing.assert_array_equal(value, second[name])


def test_a_run_leaves_settings_checkpoints_and_a_table(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert train("-o", "runs/a", "--steps", "12", "--save-every", "4") == 0
    out = capsys.readouterr().out
    settings = tomllib.loads(Path("runs/a/run.toml").read_text())
    assert (settings["steps"], settings["hidden_sizes"]) == (12, [8])
    rows = Path("runs/a/metrics.csv").read_text().splitlines()
    assert rows[0].startswith("step,epoch,")
    assert rows[-1].startswith("12,")
    assert len(list(Path("runs/a/ckpt").iterdir())) <= 4
    assert "recurrentnn sample runs/a" in out
    lm = rnn.CharModel.load(last("runs/a"))
    assert (lm.steps, len(lm.history)) == (12, len(rows) - 1)


@pytest.mark.parametrize(
    "options",
    [
        [],
        ["--lines", "--optimizer", "adam", "--set", "optimizer.beta2=0.9"],
        [
            "--unit",
            "words",
            "--schedule",
            "cosine",
            "--warm-up",
            "3",
            "--patience",
            "9",
        ],
        ["--unit", "bytes", "--optimizer", "sgd", "--set", "optimizer.momentum=0.9"],
    ],
)
def test_a_resumed_run_has_the_bits_of_one_never_interrupted(
    options: list[str],
) -> None:
    more = [*options, "--save-every", "4", "--keep", "9"]
    assert train("-o", "whole", "--steps", "20", *more) == 0
    assert train("-o", "parts", "--steps", "20", *more) == 0
    # As a kill -9 after step 8 would have left it.
    for file in Path("parts", "ckpt").iterdir():
        if int(file.stem.removeprefix("step-")) > 8:
            file.unlink()
    assert resume("parts") == 0
    expect_same("whole", "parts")


def test_a_run_is_run_again_from_its_settings() -> None:
    assert train("-o", "a", "--steps", "6", "--set", "model.forget_bias=0.5") == 0
    assert main(["train", "--config", "a/run.toml", "-o", "b"]) == 0
    expect_same("a", "b")
    assert rnn.load(last("b")).config()["forget_bias"] == 0.5


def test_changed_settings_are_named_and_taken_with_override(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert train("-o", "a", "--steps", "6") == 0
    before = Path("a/run.toml").read_text()
    for options, words in (
        (["--seq-length", "9"], "seq_length was not set, is 9"),
        (["--batch-size", "3"], "batch_size was 16, is 3"),
        (["--set", "optimizer.eps=1e-6"], "optimizer.eps was not set, is 1e-06"),
    ):
        assert resume("a", *options) == 2
        assert words in capsys.readouterr().err
    assert resume("a", "--hidden-sizes", "9", "--override") == 2
    assert "hidden_sizes was (8,), is (9,)" in capsys.readouterr().err
    assert Path("a/run.toml").read_text() == before
    # The same values, and what nothing learnt follows from, are no change.
    assert resume("a", "--steps", "6", "--keep", "2") == 0
    assert resume("a", "--steps", "9", "--batch-size", "3", "--override") == 0
    assert tomllib.loads(Path("a/run.toml").read_text())["batch_size"] == 3
    assert rnn.CharModel.load(last("a")).steps == 9


def test_another_text_under_the_same_settings_is_noticed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert train("-o", "a", "--steps", "6") == 0
    Path("book.txt").write_text(grammar.text(90), encoding="utf-8")
    assert resume("a", "--steps", "6") == 1
    assert "text is not the one" in capsys.readouterr().err
    assert resume("a", "--steps", "8", "--override") == 0


def test_folders_that_are_no_place_for_a_new_run(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert train("-o", "a", "--steps", "2") == 0
    assert train("-o", "a", "--steps", "2") == 2
    assert "--resume goes on with it" in capsys.readouterr().err
    assert resume("none") == 3
    assert resume("m.safetensors") == 2
    assert train("-o", "rate0.01", "--steps", "2") == 2
    assert "the folder of a run has no dot in its name" in capsys.readouterr().err
    Path("mine").mkdir()
    Path("mine/notes.txt").write_text("")
    assert train("-o", "mine") == 2
    assert main(["train", "none.txt", "-o", "new"]) == 3
    assert not Path("new").exists()


def test_a_start_that_failed_can_be_made_again(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    assert train("-o", "a", "--steps", "3", "--log", "csv,tensorboard") == 1
    assert "pip install 'recurrentnn[tensorboard]'" in capsys.readouterr().err
    assert train("-o", "a", "--steps", "3", "--set", "optimizer.eps=-1") == 2
    assert train("-o", "a", "--steps", "3") == 0


def test_a_run_without_a_checkpoint_begins_anew() -> None:
    for run in ("a", "b"):
        assert train("-o", run, "--steps", "3") == 0
    for file in Path("a", "ckpt").iterdir():
        file.unlink()
    assert resume("a") == 0
    expect_same("a", "b")


def test_a_damaged_checkpoint_is_skipped_and_said(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for run in ("a", "b"):
        assert train("-o", run, "--steps", "8", "--save-every", "4") == 0
    raw = bytearray(last("a").read_bytes())
    raw[-1] ^= 1
    last("a").write_bytes(raw)
    capsys.readouterr()
    assert main(["inspect", "a", "--verify"]) == 3
    assert resume("a") == 0
    assert "step-00000008.safetensors is skipped" in capsys.readouterr().err
    expect_same("a", "b")


def test_a_damaged_folder_is_an_unusable_file(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert train("-o", "a", "--steps", "2") == 0
    settings = Path("a/run.toml").read_text()
    for content, words in (
        ("steps = ", "run.toml"),
        ("stepps = 2", "did you mean steps?"),
        (settings.replace("steps = 2", "steps = 'many'"), "many"),
    ):
        Path("a/run.toml").write_text(content)
        assert resume("a") == 3
        assert words in capsys.readouterr().err
    Path("a/best").write_text("../run.toml")
    assert main(["sample", "a"]) == 3
    assert "must name a checkpoint" in capsys.readouterr().err


def test_verify_reads_the_checkpoints_that_are_not_shown(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert train("-o", "a", "--steps", "8", "--save-every", "4") == 0
    first = min(Path("a", "ckpt").iterdir())
    raw = bytearray(first.read_bytes())
    raw[-1] ^= 1
    first.write_bytes(raw)
    assert main(["inspect", "a"]) == 0
    assert main(["inspect", "a", "--verify"]) == 3
    assert first.name in capsys.readouterr().err


def test_a_schedule_ends_with_the_steps() -> None:
    options = ["--schedule", "cosine", "--report-every", "1", "--learning-rate", "0.01"]
    assert train("-o", "a", "--steps", "10", *options, "--warm-up", "2") == 0
    rates = rnn.CharModel.load(last("a")).history.column("learning_rate")
    share = np.maximum(np.arange(10) - 2, 0) / 8
    cosine = 0.01 * (1 + np.cos(np.pi * share)) / 2
    np.testing.assert_allclose(rates, cosine * np.minimum(np.arange(10) / 2, 1))


def test_a_text_too_short_to_hold_out_is_learnt_again() -> None:
    Path("book.txt").write_text("abcab", encoding="utf-8")
    assert train("-o", "a", "--steps", "3") == 0
    assert main(["train", "--config", "a/run.toml", "-o", "b"]) == 0
    expect_same("a", "b")


def test_the_last_weights_are_the_models_without_patience() -> None:
    options = ["--steps", "6", "--validate-every", "2", "-o"]
    assert train(*options, "m.safetensors") == 0
    _, _, beside = read_model("m.safetensors")
    assert "training/history.loss" in beside
    assert not any(name.startswith("training/best.") for name in beside)


def test_what_is_no_number_is_null(capsys: pytest.CaptureFixture[str]) -> None:
    say({"loss": math.nan, "more": {"rate": math.inf, "step": 3}})
    told = json.loads(capsys.readouterr().out)
    assert told == {"loss": None, "more": {"rate": None, "step": 3}}


def test_records_are_json_lines(capsys: pytest.CaptureFixture[str]) -> None:
    assert train("-o", "a", "--steps", "6", "--json") == 0
    out, err = capsys.readouterr()
    records = [json.loads(line) for line in out.splitlines()]
    assert [r["step"] for r in records] == [1, 3, 5, 6, 6]
    assert records[0]["validation_loss"] is None
    assert Path(records[-1]["model"]) == last("a")
    assert err == ""
    # Nothing is left to learn, and the model is told all the same.
    assert resume("a", "--json") == 0
    assert json.loads(capsys.readouterr().out) == records[-1]


def test_a_new_run_begins_with_a_models_net() -> None:
    assert train("-o", "a", "--steps", "6") == 0
    more = ["--init-from", "a", "--steps", "3", "--schedule", "cosine"]
    quiet = ["train", "book.txt", "--quiet"]
    assert main([*quiet, "-o", "m.safetensors", *more]) == 2
    assert main([*quiet, "-o", "b", *more]) == 0
    lm = rnn.CharModel.load(last("b"))
    assert (lm.steps, lm.net.hidden_sizes) == (3, (8,))


def test_patience_ends_and_leaves_the_best(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert train("-o", "m.safetensors", "--patience", "2", "--val-frac", "0") == 2
    options = ["--learning-rate", "0.3", "--validate-every", "2", "--patience", "2"]
    assert train("-o", "a", "--steps", "500", *options) == 0
    run = rnn.CharModel.load(last("a"))
    assert run.steps < 500
    best = Path("a", "best").read_text()
    losses = run.history.column("validation_loss")
    step = run.history.column("step")[int(np.nanargmin(losses))]
    assert best == f"step-{int(step):08}.safetensors"
    # The best is what a run's name means.
    assert f"; the best is {best}" in capsys.readouterr().out
    for name, file in (("a", best), ("a/best", best), ("a/last", last("a").name)):
        assert main(["inspect", name]) == 0
        assert f"ckpt/{file}\n" in capsys.readouterr().out


def test_python_goes_on_with_a_model_of_any_optimizer() -> None:
    options = ["--steps", "4", "--optimizer", "adam"]
    assert train("-o", "m.safetensors", *options) == 0
    lm = rnn.CharModel.load("m.safetensors")
    lm.learn(Path("book.txt").read_text(), steps=2)
    assert lm.steps == 6


def test_a_model_file_goes_on_as_if_it_had_been_one_call() -> None:
    options = ["--optimizer", "adam", "-o"]
    assert train(*options, "whole.safetensors", "--steps", "7") == 0
    assert train(*options, "m.safetensors", "--steps", "4") == 0
    quiet = ["train", "book.txt", "--quiet", "--init-from", "m.safetensors"]
    assert main([*quiet, *options, "m.safetensors", "--steps", "3"]) == 0
    whole, parts = rnn.load("whole.safetensors"), rnn.load("m.safetensors")
    for name, matrix in whole.parameters().items():
        np.testing.assert_array_equal(matrix.value, parts.parameters()[name].value)


def test_a_text_model_is_saved_and_loaded() -> None:
    alphabet = rnn.data.Alphabet("words", ["a", " b"], unknown=True)
    lm = TextModel(rnn.GRU(3, 4, 3), alphabet)
    lm.save("m.safetensors")
    again = TextModel.load("m.safetensors")
    assert again.vocabulary.tokens == alphabet.tokens
    assert again.greedy("a b", 5) == lm.greedy("a b", 5)
    assert repr(again) == "TextModel(gru [4], 3 words)"
    with pytest.raises(rnn.ArgumentError, match="must map 3 symbols to 3 logits"):
        TextModel(rnn.GRU(2, 4, 2), alphabet)
    rnn.GRU(3, 4, 3).save("net.safetensors")
    with pytest.raises(rnn.FormatError, match="no text model"):
        TextModel.load("net.safetensors")


@pytest.mark.parametrize("unit", ["bytes", "words"])
def test_models_of_bytes_and_words(
    unit: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train("-o", "a", "--steps", "6", "--unit", unit, "--max-symbols", "20") == 0
    lm = TextModel.load(last("a"))
    assert (lm.vocabulary.unit, len(lm.vocabulary)) == (unit, 20)
    capsys.readouterr()
    assert main(["eval", "a", "book.txt", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    text = Path("book.txt").read_text()
    assert 0 < len(text) - told["chars"] < 10
    nats = told["bits_per_char"] * told["chars"] * np.log(2)
    assert nats == pytest.approx(told["loss"] * told["symbols"])
    assert main(["sample", "a", "-n", "30"]) == 0
    assert "�" not in capsys.readouterr().out


def test_the_dispensable_is_refused_early(capsys: pytest.CaptureFixture[str]) -> None:
    for options, words in (
        (["--log", "tensorboard"], "needs a run"),
        (["--log", "paper"], "neither csv nor tensorboard"),
        (["--unit", "words", "--lines"], "--lines are of chars"),
        (["--layers", "2", "--hidden-sizes", "8,8"], "--layers repeats one"),
        (["--schedule", "cosine"], "needs --steps"),
        (["--schedule", "exponential"], "--set schedule.factor=VALUE"),
    ):
        assert train(*options) == 2
        assert words in capsys.readouterr().err


def start(*options: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", HEEDING, "train", "book.txt", *options]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def interrupted(
    process: subprocess.Popen[str], number: int, when: Callable[[str], object]
) -> tuple[int, str, str]:
    """Send a signal when a line of progress says so; exit code and output."""
    with process:
        try:
            assert process.stderr is not None
            for line in process.stderr:
                if when(line):
                    break
            process.send_signal(number)
            out, err = process.communicate(timeout=60)
        finally:
            process.kill()
    return process.returncode, out, err


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)]
)
def test_an_interrupted_run_has_a_last_checkpoint_and_goes_on(
    number: int, code: int
) -> None:
    size = ["--hidden-sizes", "8", "--report-every", "5"]
    limit = ["--steps", "3000"]
    process = start("-o", "a", *size, *limit)
    found, out, err = interrupted(
        process, number, lambda line: re.match(r"step (\d\d+) ", line)
    )
    assert found == code, err
    assert "Traceback" not in err
    assert "wrote a/ckpt/" in out
    assert "go on: recurrentnn train -o a --resume" in err
    steps = rnn.CharModel.load(last("a")).steps
    assert 10 <= steps < 3000
    assert last("a").name == f"step-{steps:08}.safetensors"
    assert not list(Path("a").rglob("*.tmp"))
    # Shortly behind where it was stopped; the reference was never interrupted.
    limit = ["--steps", str(steps + 7)]
    assert resume("a", *limit, "--override") == 0
    assert train("-o", "whole", *limit) == 0
    expect_same("a", "whole")
