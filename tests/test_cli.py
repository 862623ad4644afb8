"""The command: results on stdout, progress on stderr, and its exit codes."""

import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import recurrentnn as rnn
from recurrentnn import grammar
from recurrentnn.cli import main

TEXT = grammar.text(40)
QUICK = ["--steps", "3", "--hidden-sizes", "8", "--quiet"]


@pytest.fixture
def text(tmp_path: Path) -> str:
    path = tmp_path / "text.txt"
    path.write_text(TEXT, encoding="utf-8")
    return str(path)


@pytest.fixture
def model(tmp_path: Path) -> str:
    path = tmp_path / "model.safetensors"
    rnn.CharModel.train(TEXT, lines=True, hidden_sizes=8, steps=3).save(path)
    return str(path)


def stdin_of(monkeypatch: pytest.MonkeyPatch, raw: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(raw)))


def test_train_writes_a_model_and_tells_of_it(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = str(tmp_path / "out.safetensors")
    options = [
        "--lines",
        "--steps",
        "4",
        "--hidden-sizes",
        "8,6",
        "--sample-every",
        "2",
    ]
    assert main(["train", text, "-o", output, *options]) == 0
    out, err = capsys.readouterr()
    for words in ("loss", "bits/char", "perplexity", "chars/s", "step 4"):
        assert words in err
    assert out.startswith(f"wrote {output}")
    assert err.count("step 4 ") == 1
    assert "sample, step 4:" in err
    assert "greedy, step 4:" in err
    assert "\r" not in err
    loaded = rnn.CharModel.load(output)
    assert loaded.lines
    assert loaded.net.hidden_sizes == (8, 6)


def test_train_without_text_learns_the_built_in_one_as_lines(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = str(tmp_path / "out.safetensors")
    assert main(["train", "-o", output, "--steps", "1", "--hidden-sizes", "4"]) == 0
    assert "sentences" in capsys.readouterr().err
    assert rnn.CharModel.load(output).lines


def test_train_reads_stdin_and_drops_a_byte_order_mark(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stdin_of(monkeypatch, b"\xef\xbb\xbfab\r\nab\r\n")
    output = str(tmp_path / "out.safetensors")
    assert main(["train", "-", "-o", output, *QUICK]) == 0
    assert rnn.CharModel.load(output).vocabulary.symbols == ("\n", "a", "b")


def test_quiet_is_quiet(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["train", text, "-o", str(tmp_path / "out"), *QUICK]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert out.startswith("step 3 ")
    assert "\nwrote " in out


@pytest.mark.parametrize("quiet", [[], ["--quiet"]])
def test_a_run_that_diverges_says_so_in_short_numbers(
    quiet: list[str], text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = str(tmp_path / "out.safetensors")
    options = ["--hidden-sizes", "8", "--steps", "5", "--learning-rate", "1e25"]
    main(["train", text, "-o", output, *options, *quiet])
    out, err = capsys.readouterr()
    assert "diverged: lower --learning-rate 1e+25" in err
    assert "e+" in (out if quiet else err).replace("1e+25", "")
    assert not re.search(r"\d{8}", out + err)


def test_a_text_too_short_to_hold_out_is_learnt_unless_asked_to(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, output = tmp_path / "text.txt", str(tmp_path / "out.safetensors")
    path.write_text("abcab", encoding="utf-8")
    arguments = ["train", str(path), "-o", output, *QUICK]
    assert main(arguments) == 0
    assert main([*arguments, "--validation-fraction", "0.05"]) == 1
    assert "validation_fraction must hold out" in capsys.readouterr().err


def test_train_goes_on_from_a_model(text: str, model: str, tmp_path: Path) -> None:
    output = str(tmp_path / "out.safetensors")
    arguments = ["train", text, "--init-from", model, "-o", output]
    assert main([*arguments, "--steps", "2", "--quiet"]) == 0
    assert rnn.CharModel.load(output).steps == 5
    assert main([*arguments, "--cell", "gru"]) == 2


def test_sample_writes_what_the_model_does(
    model: str, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--prompt", "the ", "-n", "30", "--temperature", "0.7", "--seed", "5"]
    assert main(["sample", model, *options, "--count", "2"]) == 0
    loaded = rnn.CharModel.load(model)
    expected = [loaded.sample("the ", 30, 0.7, seed) for seed in (5, 6)]
    assert capsys.readouterr().out == "\n".join(expected) + "\n"
    assert main(["sample", model, "--greedy", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"text": loaded.greedy()}


def test_sample_takes_its_prompt_from_stdin(
    model: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stdin_of(monkeypatch, b"the dog")
    assert main(["sample", model, "--prompt", "-", "-n", "0"]) == 0
    assert capsys.readouterr().out == "the dog\n"


def test_eval_measures(
    text: str, model: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["eval", model, text, "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    accuracy = result.pop("accuracy")
    expected = rnn.CharModel.load(model).evaluate(TEXT)._asdict()
    assert result | {"metrics": {}} == expected
    assert 0 < accuracy < 1
    assert main(["eval", model, text]) == 0
    assert f"{result['loss']:.4f} nats" in capsys.readouterr().out


def test_info_tells_versions(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["recurrentnn"] == rnn.__version__
    assert main(["info"]) == 0
    assert "gflstm" in capsys.readouterr().out


COMMANDS = [
    "train",
    "sample",
    "eval",
    "inspect",
    "convert",
    "find-lr",
    "config",
    "info",
]


@pytest.mark.parametrize("command", [[], *([name] for name in COMMANDS)])
def test_help_has_an_example_and_defaults(
    command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*command, "--help"]) == 0
    shown = capsys.readouterr().out
    assert "Example:\n    recurrentnn " in shown
    if command in (["train"], ["sample"], ["find-lr"]):
        assert "[default: " in shown


@pytest.mark.parametrize(
    "arguments",
    [
        ["nonsense"],
        ["train", "--nonsense"],
        ["train", "--cell", "nonsense"],
        ["train", "--hidden-sizes", "8,x"],
        ["train", "--steps", "0"],
        ["train", "--minutes", "0"],
        ["sample"],
        ["sample", "MODEL", "--temperature", "0"],
    ],
)
def test_wrong_usage_is_2(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "Error: " in err


@pytest.mark.parametrize("command", ["train", "sample", "eval"])
def test_a_file_that_cannot_be_used_is_3(
    command: str, tmp_path: Path, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    latin = tmp_path / "latin.txt"
    latin.write_bytes("é".encode("latin-1"))
    more = [text] if command == "eval" else []
    for path in (str(tmp_path / "missing"), str(tmp_path), str(latin)):
        assert main([command, path, *more]) == 3
        out, err = capsys.readouterr()
        assert out == ""
        assert err.startswith("recurrentnn: ")
        assert err.count("\n") == 1


def test_a_failure_is_1(model: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sample", model, "--prompt", "?"]) == 1
    assert "'?'" in capsys.readouterr().err


def test_the_module_is_the_command() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "recurrentnn", "--version"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert rnn.__version__ in done.stdout


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_ctrl_c_keeps_what_is_learnt_and_is_130(text: str, tmp_path: Path) -> None:
    output = tmp_path / "out.safetensors"
    arguments = ["train", text, "-o", str(output), "--minutes", "5", "--lines"]
    # A shell that runs the tests in its background has them ignore Ctrl-C.
    heeding = (
        "import signal, sys; from recurrentnn.cli import main;"
        "signal.signal(signal.SIGINT, signal.default_int_handler); sys.exit(main())"
    )
    with subprocess.Popen(
        [sys.executable, "-c", heeding, *arguments],
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stderr is not None
            for line in process.stderr:
                if line.startswith("step "):
                    break
            time.sleep(0.2)
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=30)
        finally:
            process.kill()
    assert process.returncode == 130
    assert f"wrote {output}" in out
    assert "Traceback" not in err
    assert rnn.CharModel.load(output).steps >= 1
    assert [path.name for path in tmp_path.iterdir() if ".tmp" in path.name] == []


@pytest.mark.skipif(os.name != "posix", reason="pipes of POSIX")
def test_a_closed_pipe_is_no_traceback(model: str) -> None:
    """`recurrentnn sample ... | head` ends when head has seen enough."""
    read_end, write_end = os.pipe()
    os.close(read_end)
    done = subprocess.run(
        [sys.executable, "-m", "recurrentnn", "sample", model],
        stdout=write_end,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(write_end)
    assert (done.returncode, done.stderr) == (1, "")


def test_settings_are_written_and_read_and_flags_go_before_them(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, again = str(tmp_path / "first.toml"), str(tmp_path / "again.toml")
    one, two = str(tmp_path / "one.safetensors"), str(tmp_path / "two.safetensors")
    options = ["--hidden-sizes", "8,6", "--steps", "3", "--quiet", "-o", one]
    assert main(["train", text, *options, "--write-settings", first]) == 0
    again_options = ["--settings", first, "-o", two, "--write-settings", again]
    assert main(["train", text, *again_options]) == 0
    models = [rnn.load(path).parameters() for path in (one, two)]
    for name, matrix in models[0].items():
        np.testing.assert_array_equal(matrix.value, models[1][name].value)
    before, after = Path(first).read_text(), Path(again).read_text()
    assert after == before.replace("one.safetensors", "two.safetensors")
    assert main(["train", text, "--settings", first, "--steps", "2", "-o", two]) == 0
    assert "step 2" in capsys.readouterr().out


def test_settings_that_name_no_option_are_refused(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "bad.toml"
    for content, words in (
        ("hiden_sizes = [8]", "did you mean hidden_sizes?"),
        ("steps = ", "bad.toml"),
        ("steps = 'many'", "steps"),
    ):
        path.write_text(content, encoding="utf-8")
        assert main(["train", text, "--settings", str(path)]) == 2
        assert words in capsys.readouterr().err
    assert main(["train", text, "--settings", str(tmp_path / "none.toml")]) == 2


def test_train_learns_the_grammar_and_tells_its_entropy(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = str(tmp_path / "out.safetensors")
    options = ["--built-in", "grammar", "--steps", "2", "--hidden-sizes", "8"]
    assert main(["train", *options, "-o", output]) == 0
    assert grammar.description() in capsys.readouterr().err
