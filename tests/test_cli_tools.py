"""What is done with a model from the shell: look, convert, write, complete."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import recurrentnn as rnn
from recurrentnn import grammar
from recurrentnn.cli import main
from support import ROOT

TEXT = grammar.text(60)


@pytest.fixture(autouse=True)
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> rnn.CharModel:
    """Return a model that is in `m.safetensors`, in whose folder the test runs."""
    monkeypatch.chdir(tmp_path)
    lm = rnn.CharModel.train(TEXT, hidden_sizes=[8, 6], steps=30, learning_rate=0.02)
    lm.save("m.safetensors")
    return lm


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    capsys.readouterr()
    assert main(list(arguments)) == 0
    return capsys.readouterr().out


def test_inspect_tells_what_a_model_is(
    model: rnn.CharModel, capsys: pytest.CaptureFixture[str]
) -> None:
    facts = json.loads(said(capsys, "inspect", "m.safetensors", "--json", "--tensors"))
    parameters = model.net.parameters()
    assert facts["parameters"] == sum(m.value.size for m in parameters.values())
    assert (facts["cell"], facts["hidden sizes"]) == ("lstm", [8, 6])
    assert (facts["steps"], facts["symbols"]) == (30, len(model.vocabulary))
    assert facts["last loss"] == model.history[-1].loss
    assert facts["tensors"].keys() == parameters.keys()
    assert "slope_at_zero" not in facts["options"]
    text = said(capsys, "inspect", "m.safetensors", "--tensors", "--verify")
    assert "decoder.weight" in text
    assert "1 of 1 files" in text


def test_inspect_reads_a_net_without_symbols(
    capsys: pytest.CaptureFixture[str],
) -> None:
    rnn.GRU(3, 4, 2).save("net.safetensors")
    assert "a net without symbols" in said(capsys, "inspect", "net.safetensors")
    raw = bytearray(Path("net.safetensors").read_bytes())
    raw[-3] ^= 4
    Path("net.safetensors").write_bytes(raw)
    assert main(["inspect", "net.safetensors"]) == 3


def test_convert_keeps_the_vocabulary_in_our_own_files(
    model: rnn.CharModel, capsys: pytest.CaptureFixture[str]
) -> None:
    said(capsys, "convert", "m.safetensors", "copy.safetensors")
    copy = rnn.CharModel.load("copy.safetensors")
    assert copy.vocabulary.symbols == model.vocabulary.symbols
    assert copy.greedy("the ", 20) == model.greedy("the ", 20)


def test_convert_reads_what_recurrentjs_saved(
    capsys: pytest.CaptureFixture[str],
) -> None:
    golden = json.loads((ROOT / "tests/golden/recurrentjs.json").read_text())
    Path("demo.json").write_text(json.dumps(golden["saved"]["lstm"]["document"]))
    said(capsys, "convert", "demo.json", "demo.safetensors")
    lm = rnn.CharModel.load("demo.safetensors")
    assert lm.lines
    assert lm.net.cell == "lstm"
    Path("cut.json").write_text(Path("demo.json").read_text()[:100])
    assert main(["convert", "cut.json", "x.safetensors"]) == 3
    assert not Path("x.safetensors").exists()


def test_convert_writes_and_reads_by_suffix(
    model: rnn.CharModel, capsys: pytest.CaptureFixture[str]
) -> None:
    out = said(capsys, "convert", "m.safetensors", "m.npz")
    assert "vocabulary is not part of it" in out
    said(capsys, "convert", "m.npz", "back.safetensors")
    back = rnn.load("back.safetensors").parameters()
    for name, matrix in model.net.parameters().items():
        np.testing.assert_array_equal(matrix.value, back[name].value)
    assert main(["convert", "m.safetensors", "m.nonsense"]) == 1


def test_convert_writes_a_state_dict(capsys: pytest.CaptureFixture[str]) -> None:
    model = rnn.CharModel.create(TEXT, hidden_sizes=[5, 5])
    model.save("even.safetensors")
    out = said(capsys, "convert", "even.safetensors", "t.safetensors", "--pytorch")
    assert "vocabulary is not part of it" in out
    tensors = pytest.importorskip("safetensors.numpy").load_file("t.safetensors")
    expected = rnn.convert.to_torch(model.net)
    assert tensors.keys() == expected.keys()
    for name, array in expected.items():
        np.testing.assert_array_equal(tensors[name], array)
    assert main(["convert", "m.safetensors", "t.npz", "--pytorch"]) == 2


def test_convert_keeps_the_letters_of_lines_in_json(
    capsys: pytest.CaptureFixture[str],
) -> None:
    lm = rnn.CharModel.create(TEXT, lines=True, hidden_sizes=5, embedding_size=3)
    lm.save("lines.safetensors")
    out = said(capsys, "convert", "lines.safetensors", "lines.json")
    assert "vocabulary" not in out
    said(capsys, "convert", "lines.json", "back.safetensors")
    back = rnn.CharModel.load("back.safetensors")
    assert back.vocabulary.symbols == lm.vocabulary.symbols
    assert back.greedy("the ", 20) == lm.greedy("the ", 20)
    assert main(["convert", "m.safetensors", "m.json"]) == 1
    assert "embedding_size=N makes one" in capsys.readouterr().err


def test_inspect_tells_what_is_unusual_and_what_is_no_text_model(
    capsys: pytest.CaptureFixture[str],
) -> None:
    rnn.GRU(3, [4, 4], 2, dropout=0.25).save("net.safetensors")
    shown = said(capsys, "inspect", "net.safetensors")
    assert "input_size=3, output_size=2, dtype=float32, dropout=0.25\n" in shown
    series = np.sin(np.arange(60.0))
    rnn.Forecaster.train(series, horizon=2, hidden_sizes=3, epochs=1).save("f")
    assert "Forecaster(lstm [3], 1 series, 8 rows" in said(capsys, "inspect", "f")
    assert main(["sample", "f"]) == 3
    assert "no text model; recurrentnn.load reads it" in capsys.readouterr().err


def test_sample_has_the_options_of_sampling(
    model: rnn.CharModel, capsys: pytest.CaptureFixture[str]
) -> None:
    options = "--top-k 5 --top-p 0.9 --min-p 0.01 --repetition-penalty 1.2"
    options += " --repetition-window 9 --banned z --temperature 0.8 --seed 3 -n 40"
    out = said(capsys, "sample", "m.safetensors", *options.split())
    expected = model.sample(
        "",
        40,
        0.8,
        3,
        top_k=5,
        top_p=0.9,
        min_p=0.01,
        repetition_penalty=1.2,
        repetition_window=9,
        banned="z",
    )
    assert out == expected + "\n"
    stopped = said(capsys, "sample", "m.safetensors", "-n", "40", "--stop", "e")
    assert "e" not in stopped


def test_sample_streams_the_same_text(
    model: rnn.CharModel, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = said(capsys, "sample", "m.safetensors", "--prompt", "the ", "-n", "50")
    streamed = said(
        capsys, "sample", "m.safetensors", "--prompt", "the ", "-n", "50", "--stream"
    )
    assert streamed == whole == model.sample("the ", 50) + "\n"
    assert main(["sample", "m.safetensors", "--stream", "--count", "2"]) == 2


def test_sample_searches(
    model: rnn.CharModel, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [
        "sample",
        "m.safetensors",
        "--prompt",
        "the ",
        "-n",
        "8",
        "--beam",
        "3",
    ]
    found = model.beam("the ", 8, width=3)
    assert said(capsys, *arguments) == found[0].text + "\n"
    told = [json.loads(x) for x in said(capsys, *arguments, "--json").splitlines()]
    assert told == [one._asdict() for one in found]


def test_prompts_come_from_files_and_stdin(
    model: rnn.CharModel,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    Path("prompt.txt").write_bytes(b"the dog\r\n")
    arguments = ["sample", "m.safetensors", "-n", "5", "--prompt"]
    expected = model.sample("the dog\n", 5) + "\n"
    assert said(capsys, *arguments, "@prompt.txt") == expected
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"the dog\n")))
    assert said(capsys, *arguments, "-") == expected
    assert main([*arguments, "@none.txt"]) == 3


def test_eval_reads_stdin(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("other.txt").write_text(TEXT)
    from_file = said(capsys, "eval", "m.safetensors", "other.txt", "--json")
    raw = io.BytesIO(TEXT.encode())
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(raw))
    assert said(capsys, "eval", "m.safetensors", "-", "--json") == from_file


def test_threads_are_those_of_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    Path("other.txt").write_text(TEXT)
    before = rnn.get_num_threads()
    said(capsys, "eval", "m.safetensors", "other.txt", "--threads", "1")
    assert rnn.get_num_threads() == before


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "recurrentnn", *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_shell_completes() -> None:
    words = {"COMP_WORDS": "recurrentnn tr", "COMP_CWORD": "1"}
    done = run(_RECURRENTNN_COMPLETE="bash_complete", **words)
    assert "train" in done.stdout
    done = run(_RECURRENTNN_COMPLETE="bash_source")
    assert "_RECURRENTNN_COMPLETE=bash_complete" in done.stdout


def test_nothing_steers_a_terminal_that_is_none() -> None:
    for arguments in (
        ["train", "-o", "r", "--steps", "2", "--hidden-sizes", "4"],
        ["sample", "r", "-n", "20"],
        ["inspect", "r"],
        ["--help"],
    ):
        done = run(*arguments, NO_COLOR="1")
        assert done.returncode == 0, done.stderr
        assert "\x1b" not in done.stdout + done.stderr
        assert "\r" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["sample", "m.safetensors", "-n", "1"], 0),
        (["sample", "m.safetensors", "--prompt", "☃"], 1),
        (["sample", "m.safetensors", "--top-p", "2"], 2),
        (["sample", "none.safetensors"], 3),
        (["sample", "."], 3),
    ],
)
def test_exit_codes_of_the_process(arguments: list[str], code: int) -> None:
    done = run(*arguments)
    assert done.returncode == code
    assert bool(done.stdout) == (code == 0)
    assert bool(done.stderr) == (code != 0)
    assert "Traceback" not in done.stderr
