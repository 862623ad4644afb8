"""Texts learnt from their files: the bits of those in memory, and little memory."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import recurrentnn as rnn
from recurrentnn import grammar
from recurrentnn.cli import main
from recurrentnn.data import Streams
from recurrentnn.data.streams import _PIECE

TEXT = "Ünï🙂\r\n" + grammar.text(60).replace("\n", "\r\n")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty folder with a text, in which the test runs."""
    monkeypatch.chdir(tmp_path)
    Path("book.txt").write_bytes(b"\xef\xbb\xbf" + TEXT.encode())
    return tmp_path


def expect_same(one: rnn.CharModel, two: rnn.CharModel) -> None:
    first, second = one.net.parameters(), two.net.parameters()
    for name, matrix in first.items():
        np.testing.assert_array_equal(matrix.value, second[name].value)


@pytest.mark.parametrize("lines", [False, True])
def test_a_text_and_its_file_are_learnt_alike(lines: bool) -> None:
    """From the middle of an epoch on, too, where a run goes on with the other one."""
    models = []
    for first, then in ((TEXT, TEXT), (Path("book.txt"), Path("book.txt"))):
        lm = rnn.CharModel.create(first, lines=lines, hidden_sizes=8)
        lm.learn(first, steps=3, validation_fraction=0.1)
        lm.learn(then, steps=3, validation_fraction=0.1)
        models.append(lm)
    mixed = rnn.CharModel.create(TEXT, lines=lines, hidden_sizes=8)
    mixed.learn(TEXT, steps=3, validation_fraction=0.1)
    mixed.learn(Path("book.txt"), steps=3, validation_fraction=0.1)
    assert models[0].vocabulary.symbols == models[1].vocabulary.symbols
    for lm in (models[1], mixed):
        expect_same(models[0], lm)
        assert lm.evaluate(Path("book.txt")) == models[0].evaluate(TEXT)
    assert [path.name for path in Path().iterdir()] == ["book.txt"]


def test_a_model_file_of_the_command_is_what_python_learns(folder: Path) -> None:
    """And nobody sees the file of symbols."""
    command = ["train", "book.txt", "-o", "m.safetensors", "--hidden-sizes", "8"]
    assert main([*command, "--steps", "4", "--val-frac", "0.1", "--quiet"]) == 0
    lm = rnn.CharModel.load("m.safetensors")
    again = rnn.CharModel.train(TEXT, hidden_sizes=8, steps=4, validation_fraction=0.1)
    expect_same(again, lm)
    # The place in the epoch is that in the same text.
    assert lm._run.place.plan == again._run.place.plan
    assert {path.name for path in folder.iterdir()} == {"book.txt", "m.safetensors"}


def test_pieces_of_a_long_string_make_no_difference() -> None:
    text = "abc" * (_PIECE // 3 + 5)
    vocabulary = rnn.Vocabulary.from_text("abc")
    [batch] = Streams.of(text, vocabulary).in_order(1, len(text))
    np.testing.assert_array_equal(batch.x[0], vocabulary.encode(text)[:-1])
    assert vars(Streams.of(text, vocabulary))["_text"].nbytes == len(text)
    with pytest.raises(rnn.VocabularyError, match=f"'x' at position {len(text)} "):
        Streams.of(text + "x", vocabulary)


_MORE = "--val-frac 0.0001 --steps 3 --quiet"
_QUIET = f"--hidden-sizes 8 {_MORE}"
_LONGER = "--steps 6 --override --quiet"
_COMMAND = """
import resource, sys
from recurrentnn.cli import main
code = main(sys.argv[1:])
print(code, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""
_PYTHON = """
import resource, sys
from pathlib import Path
import recurrentnn as rnn
rnn.CharModel.train(Path(sys.argv[1]), steps=3, validation_fraction=1e-4)
print(0, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="counts memory as Linux does")
def test_no_way_of_learning_has_a_large_text_in_memory() -> None:
    """A text of 50 MB takes less than half of that more than a short one."""
    some = "".join(f"line {n}, für 中文 🙂\n" for n in range(40_000)).encode()
    Path("small").write_bytes(some)
    with Path("large").open("wb") as file:
        while file.tell() < 50_000_000:
            file.write(some)

    def peaks(name: str) -> list[int]:
        file, run = ["-o", f"{name}.safetensors"], ["-o", f"run-{name}"]
        calls = [
            [_COMMAND, "train", name, *file, *_QUIET.split()],
            [_COMMAND, "train", name, *file, "--init-from", file[1], *_MORE.split()],
            [_COMMAND, "train", name, *run, *_QUIET.split()],
            [_COMMAND, "train", *run, "--resume", *_LONGER.split()],
            [_PYTHON, name],
        ]
        found = []
        for call in calls:
            command = [sys.executable, "-c", *call]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            code, peak = map(int, done.stdout.split()[-2:])
            assert code == 0, done.stderr
            found.append(peak * 1024)
        return found

    small, large = peaks("small"), peaks("large")
    assert [
        many - few < 25_000_000 for few, many in zip(small, large, strict=True)
    ] == [True] * len(small)
