"""Where a command's settings come from, and the names that other programs have."""

import json
import tomllib
from pathlib import Path
from typing import TypedDict, Unpack

import pytest

import recurrentnn as rnn
from recurrentnn import grammar
from recurrentnn.cli import main
from recurrentnn.cli.classes import known_options


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty folder with a text, in which the test runs."""
    monkeypatch.chdir(tmp_path)
    Path("input.txt").write_text(grammar.text(60), encoding="utf-8")
    return tmp_path


def steps_of(*arguments: str) -> int:
    quick = ["--hidden-sizes", "4", "--quiet"]
    assert main(["train", "input.txt", *quick, *arguments]) == 0
    return rnn.CharModel.load("model.safetensors").steps


def test_flag_before_environment_before_file_before_default(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("run.toml").write_text("steps = 2\nbatch_size = 3\n")
    assert steps_of("--config", "run.toml") == 2
    monkeypatch.setenv("RECURRENTNN_TRAIN_STEPS", "3")
    assert steps_of("--config", "run.toml") == 3
    assert steps_of("--config", "run.toml", "--steps", "4") == 4
    capsys.readouterr()
    assert main(["config", "run.toml"]) == 0
    shown = tomllib.loads(capsys.readouterr().out)
    assert (shown["steps"], shown["batch_size"], shown["seed"]) == (3, 3, 0)


def test_tables_of_a_file_and_set() -> None:
    Path("run.toml").write_text(
        "[set.model]\nforget_bias = 0.25\n[set.optimizer]\nmomentum = 0.5\n"
    )
    options = ["--config", "run.toml", "--set", "optimizer.momentum=0.75"]
    steps_of("--steps", "1", *options, "--write-settings", "used.toml")
    used = tomllib.loads(Path("used.toml").read_text())["set"]
    assert used == {"model": {"forget_bias": 0.25}, "optimizer": {"momentum": 0.75}}
    config = rnn.load("model.safetensors").config()
    assert config["forget_bias"] == 0.25


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("hiden_sizes = [8]", "did you mean hidden_sizes?"),
        ("[sett.model]\ninit = 'normal'", "did you mean set?"),
        ("[set.modle]\ninit = 'normal'", "did you mean model?"),
        ("[set.model]\nforgetbias = 1", "did you mean forget_bias?"),
        ("[set.optimizer]\nmomentun = 1", "did you mean momentum?"),
        ("[set.optimizer]\nlearning_rate = 1", "use --learning-rate"),
        ("[set.optimizer]\nmomentum = 'much'", "momentum"),
        ("[set.optimizer.groups]\nx = 1", "only in Python"),
        ("[set.model]\nbidirectional = true", "what it is to predict"),
        ("[set.schedule]\nend = 1", "there is no --schedule"),
        ("set = 3", "must have tables"),
        ("cell = 'lsmt'", "lstm"),
    ],
)
def test_what_a_file_may_not_say(
    content: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("run.toml").write_text(content)
    assert main(["train", "input.txt", "--config", "run.toml", "--steps", "1"]) == 2
    assert words in capsys.readouterr().err
    assert not Path("model.safetensors").exists()


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("momentum=1", "TABLE.KEY=VALUE"),
        ("optimizer.momentum", "TABLE.KEY=VALUE"),
        ("optimiser.momentum=1", "did you mean optimizer?"),
    ],
)
def test_what_set_may_not_say(
    override: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["train", "input.txt", "--set", override]) == 2
    assert words in capsys.readouterr().err


def test_options_that_a_class_takes_as_a_dictionary_are_known() -> None:
    class Options(TypedDict, total=False):
        zoneout: float

    def kind(size: int, *, seed: int = 0, **options: Unpack[Options]) -> None:
        """A class, as `known_options` sees it."""

    assert known_options(kind) == ["size", "seed", "zoneout"]


def test_all_settings_with_comments_are_a_settings_file(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["config", "--default"]) == 0
    text = capsys.readouterr().out
    assert "# Stop after so many updates.\n# steps =\n" in text
    assert "momentum_decay" in text
    Path("default.toml").write_text(text)
    for arguments in (["config"], ["config", "default.toml"]):
        assert main(arguments) == 0
    once, again = capsys.readouterr().out.split("output = ")[1:]
    assert once == again


def test_names_of_char_rnn_and_torch_rnn(capsys: pytest.CaptureFixture[str]) -> None:
    theirs = "-rnn_size 6 --num_layers 2 -model gru --seq_length 20 -batch_size 4"
    theirs += " -learning_rate 2e-3 --grad_clip 5 -max_epochs 1 --wordvec_size 3"
    theirs += " -eval_val_every 9 --checkpoint_every 9 -print_every 1 -val_frac 0.1"
    arguments = ["train", "input.txt", "--quiet", *theirs.split()]
    assert main([*arguments, "--write-settings", "used.toml"]) == 0
    config = rnn.load("model.safetensors").config()
    assert (config["cell"], list(config["hidden_sizes"])) == ("gru", [6, 6])
    assert config["embedding_size"] == 3
    used = tomllib.loads(Path("used.toml").read_text())
    assert (used["seq_length"], used["batch_size"], used["epochs"]) == (20, 4, 1)
    assert used["learning_rate"] == 2e-3
    capsys.readouterr()
    sample = ["sample", "model.safetensors", "-length", "9", "-temperature", "0.5"]
    assert main([*sample, "-primetext", "the", "-sample", "0"]) == 0
    greedy = rnn.CharModel.load("model.safetensors").greedy("the", 9)
    assert capsys.readouterr().out == greedy + "\n"


def test_grad_clip_is_of_a_sum_over_time() -> None:
    """5 over 50 steps of theirs is 0.1 of ours."""
    base = ["train", "input.txt", "--quiet", "--steps", "4", "--seq-length", "50"]
    for name, clip in (("a", ["--grad_clip", "5"]), ("b", ["--clip-value", "0.1"])):
        output = f"{name}.safetensors"
        assert main([*base, "--hidden-sizes", "4", *clip, "-o", output]) == 0
    for name, matrix in rnn.load("a.safetensors").parameters().items():
        other = rnn.load("b.safetensors").parameters()[name]
        assert (matrix.value == other.value).all()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["train", "-gpuid", "0"], "no GPU"),
        (["train", "--data_dir=x"], "recurrentnn train input.txt"),
        (["train", "-learning_rate_decay", "0.97"], "--schedule step"),
        (["sample", "-checkpoint", "x"], "recurrentnn sample MODEL"),
        (["train", "--batch-siez", "3"], "--batch-size"),
    ],
)
def test_flags_that_are_not_ours_say_why(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    assert words in capsys.readouterr().err


def test_hidden_names_are_hidden(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "--hiden-sizes", "3"]) == 2
    assert "Did you mean '--hidden-sizes'?" in capsys.readouterr().err
    assert main(["train", "--help"]) == 0
    shown = capsys.readouterr().out
    assert "rnn" not in shown.replace("recurrentnn", "").replace("gfrnn", "").replace(
        "rnn|", ""
    )
    assert "grad-clip" not in shown


def test_find_lr_takes_a_runs_settings(capsys: pytest.CaptureFixture[str]) -> None:
    steps_of("--steps", "1", "--write-settings", "used.toml")
    capsys.readouterr()
    arguments = ["find-lr", "--config", "used.toml", "--updates", "30", "--json"]
    assert main(arguments) == 0
    *table, end = map(json.loads, capsys.readouterr().out.splitlines())
    assert len(table) <= 30
    assert end["suggestion"] in [row["learning_rate"] for row in table]
    assert main(arguments[:-1]) == 0
    out, err = capsys.readouterr()
    assert float(out) == pytest.approx(end["suggestion"], rel=0.05)
    assert "recurrentnn train" in err
