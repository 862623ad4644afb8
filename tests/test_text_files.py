"""Texts in files: pieces, documents, encodings, and the file of symbols."""

import hashlib
import json
import os
import random
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import recurrentnn as rnn
from recurrentnn import reference as ref
from recurrentnn.data import Alphabet, Text, cache, open_text
from recurrentnn.data.documents import pieces
from recurrentnn.data.units import UNITS

MIXED = "\ufeffÜn🙂, e\u0301\r\n中文\r a-b\n\r\nc_9 the  end"


def _documents(text: Text) -> list[Any]:
    """What an evaluation reads of each document, decoded."""
    found: list[list[int]] = []
    for batch in text.in_order(1, 5):
        for t, (x, target) in enumerate(zip(batch.x[0], batch.targets[0], strict=True)):
            if (batch.first and t == 0) or (
                batch.reset is not None and batch.reset[0, t]
            ):
                found.append([x])
            found[-1].append(target)
    return [text.alphabet.decode(document) for document in found]


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 7, 1000])
@pytest.mark.parametrize("unit", UNITS)
def test_the_pieces_of_a_file_make_no_difference(
    tmp_path: Path, size: int, unit: str
) -> None:
    """Code points, line ends, words and separators across borders are seen whole."""
    file = tmp_path / "text"
    file.write_bytes(MIXED.encode())
    whole: Any = MIXED.encode()
    if unit != "bytes":
        whole = MIXED[1:].replace("\r\n", "\n").replace("\r", "\n")
    found = list(pieces(file, UNITS[unit], None, size))
    assert [token for p in found for token in UNITS[unit].tokens(p.text)] == list(
        UNITS[unit].tokens(whole)
    )
    assert [p.ends for p in found] == [False] * (len(found) - 1) + [True]


@pytest.mark.parametrize("separator", ["\n", "\n\n", "aba"])
@pytest.mark.parametrize("unit", UNITS)
def test_documents_end_behind_separators(
    tmp_path: Path, unit: str, separator: str
) -> None:
    file, draw = tmp_path / "text", random.Random(7)
    for length in range(30):
        text = "".join(draw.choices("ab\n", k=length))
        file.write_text(text, encoding="utf-8")
        for size in (1, 2, 3, 100):
            found: list[Any] = [b"" if unit == "bytes" else ""]
            for piece in pieces(file, UNITS[unit], separator, size):
                found[-1] += piece.text
                if piece.ends:
                    found.append(found[0][:0])
            expected: list[Any] = ref.documents(text, separator)
            if unit == "bytes":
                expected = [document.encode() for document in expected]
            assert found[:-1] == expected


@pytest.mark.parametrize(
    ("raw", "offset"),
    [
        (b"ab\xffcd", 2),
        ("äö".encode() + b"\xc3", 4),
        ("äö".encode() + b"\xf0\x9f\x99", 4),
        (b"\xef\xbb\xbfabc\xc0\x80", 6),
        (b"abcdef\xed\xa0\x80", 6),
    ],
)
@pytest.mark.parametrize("size", [1, 3, 4, 100])
def test_what_is_not_utf8_is_named_by_its_byte(
    tmp_path: Path, raw: bytes, offset: int, size: int
) -> None:
    file = tmp_path / "text"
    file.write_bytes(raw)
    with pytest.raises(rnn.FormatError, match=rf"not UTF-8 at byte {offset}\b"):
        list(pieces(file, UNITS["chars"], None, size))
    with pytest.raises(rnn.FormatError, match=rf"not UTF-8 at byte {offset}\b"):
        open_text(file)
    assert list(tmp_path.iterdir()) == [file]


def test_a_folder_is_its_files_in_order(tmp_path: Path) -> None:
    folder = tmp_path / "texts"
    (folder / "b").mkdir(parents=True)
    (folder / "b" / "one.txt").write_text("12\n\n34")
    (folder / "a.txt").write_text("abc\n\n")
    (folder / ".hidden").write_text("???")
    text = open_text(folder, separator="\n\n", cache=tmp_path)
    assert _documents(text) == ["abc\n\n", "12\n\n", "34"]
    assert text.documents == 3
    files = [folder / "b" / "one.txt", folder / "a.txt"]
    assert _documents(open_text(files)) == ["12\n\n34", "abc\n\n"]
    assert _documents(open_text(files, "bytes")) == [b"12\n\n34", b"abc\n\n"]


@pytest.mark.parametrize("size", [200, 256, 257, 65536, 65537])
def test_symbols_take_as_few_bytes_as_they_can(tmp_path: Path, size: int) -> None:
    file = tmp_path / "text"
    text = "".join(map(chr, range(0x20000, 0x20000 + size)))
    file.write_text(text, encoding="utf-8")
    opened = open_text(file)
    width = 1 if size <= 256 else 2 if size <= 65536 else 4
    config = len(json.dumps(opened.alphabet.config()))
    assert abs(opened.cache.stat().st_size - size * width - config) < 500
    [batch] = opened.in_order(1, size)
    assert opened.alphabet.decode(batch.targets[0]) == text[1:]


def test_an_alphabet_serves_another_text(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_text("abcabc")
    two.write_text("cabbage")
    alphabet = open_text(one).alphabet
    with pytest.raises(rnn.VocabularyError, match=r"two: .*'g' at position 5"):
        open_text(two, alphabet=alphabet)
    alphabet = open_text(one, min_count=2).alphabet
    assert _documents(open_text(two, alphabet=alphabet)) == ["cabba\ufffd\ufffd"]


def test_symbols_are_made_once_and_again_when_something_changed(tmp_path: Path) -> None:
    file = tmp_path / "text"
    file.write_text("to be or not")

    def made() -> tuple[Path, int]:
        opened = open_text(file)
        assert _documents(opened) == [file.read_text()]
        return opened.cache, opened.cache.stat().st_ino

    first = made()
    assert made() == first
    os.utime(file, ns=(1, 1))
    assert made() == first  # of another time, and the same text
    file.write_text("to be or not, no")
    changed = made()
    assert changed[0] == first[0]
    assert changed[1] != first[1]
    assert open_text(file, "bytes").cache != first[0]
    assert {p.name for p in tmp_path.iterdir() if p.suffix == ".tmp"} == set()


@pytest.mark.parametrize("place", [0, 1_000_003, 2_999_999])
def test_one_letter_is_noticed_though_size_and_times_are_the_same(
    tmp_path: Path, place: int
) -> None:
    file = tmp_path / "text"
    raw = bytearray(b"abc" * 1_000_000)
    file.write_bytes(raw)
    before = file.stat()
    first = open_text(file, cache=tmp_path)
    raw[place] = ord("b" if place == 0 else "a")
    with file.open("r+b") as same:
        same.write(raw)
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    after = file.stat()
    assert (after.st_ino, after.st_size) == (before.st_ino, before.st_size)
    assert after.st_mtime_ns == before.st_mtime_ns
    second = open_text(file, cache=tmp_path)
    assert second.sha256 != first.sha256
    assert second._text[np.array([place])] == (1 if place == 0 else 0)


def test_a_damaged_file_of_symbols_is_made_anew(tmp_path: Path) -> None:
    file = tmp_path / "text"
    file.write_text("to be or not", encoding="utf-8")
    path = open_text(file).cache
    whole = path.read_bytes()
    key = re.findall(rb'"key": "(\w+)"', whole)[0].decode()
    assert cache.read(path, key).ends.tolist() == [12]
    flipped = [
        whole[:at] + bytes([whole[at] ^ 1 << at % 8]) + whole[at + 1 :]
        for at in range(len(whole))
    ]
    truncated = [whole[:n] for n in range(len(whole))]
    for number, damaged in enumerate([*truncated, *flipped, whole + b"x"]):
        path.write_bytes(damaged)
        with pytest.raises(rnn.FormatError):
            cache.read(path, key)
        if number % 50 == 0:
            assert _documents(open_text(file)) == ["to be or not"]
            assert path.read_bytes() == whole


@pytest.mark.parametrize(
    "change",
    [
        {"dtype": "object"},
        {"symbols": 1 << 62},
        {"symbols": -1},
        {"documents": 1 << 60},
        {"documents": 0, "symbols": 20},
        {"alphabet": {"unit": "chars", "tokens": ["a"], "unknown": False}},
        {"alphabet": None},
        {"key": 3},
        {"sha256": "0" * 64},
    ],
    ids=str,
)
def test_a_forged_description_is_refused(tmp_path: Path, change: Any) -> None:
    """Its checksum is right, and yet nothing is believed or allocated on its word."""
    path = tmp_path / "forged"
    documents = [(np.array([0, 1, 1]), True), (np.array([1, 0]), True)]
    cache.write(path, "key", Alphabet.of("ab"), documents)
    assert cache.read(path, "key").ends.tolist() == [3, 5]
    raw = path.read_bytes()
    length = int.from_bytes(raw[-16:-8], "little")
    header = json.loads(raw[-48 - length : -48])
    text = json.dumps({**header, **change}).encode()
    tail = hashlib.sha256(text).digest() + len(text).to_bytes(8, "little") + raw[-8:]
    path.write_bytes(raw[: -48 - length] + text + tail)
    with pytest.raises(rnn.FormatError, match=r"forged|alphabet"):
        cache.read(path, "key")


def test_a_failed_write_leaves_the_old_file_and_no_other(tmp_path: Path) -> None:
    path = tmp_path / "symbols"
    alphabet = Alphabet.of("ab")
    cache.write(path, "old", alphabet, [(np.array([0, 1]), True)])

    def failing() -> Any:
        yield np.array([1, 0]), False
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cache.write(path, "new", alphabet, failing())
    assert list(tmp_path.iterdir()) == [path]
    assert cache.read(path, "old").ends.tolist() == [2]
    stray = tmp_path / ".symbols.old.tmp"
    stray.touch()
    os.utime(stray, (0, 0))
    cache.write(path, "new", alphabet, [(np.array([0, 1]), True)])
    assert list(tmp_path.iterdir()) == [path]


def test_mistakes_are_named(tmp_path: Path) -> None:
    file = tmp_path / "text"
    file.write_text("a")
    with pytest.raises(rnn.ArgumentError, match="at least 2 chars"):
        open_text(file)
    (tmp_path / "empty").touch()
    with pytest.raises(rnn.ArgumentError, match="files are empty"):
        open_text(tmp_path / "empty")
    with pytest.raises(FileNotFoundError):
        open_text(tmp_path / "none")
    (tmp_path / "folder").mkdir()
    nothing: list[Any] = [tmp_path / "folder", []]
    for paths in nothing:
        with pytest.raises(rnn.ArgumentError, match="needs a file"):
            open_text(paths)
    wrong: Any = 3
    with pytest.raises(rnn.ArgumentTypeError, match="path must be a string, got int"):
        open_text([wrong])
    with pytest.raises(rnn.ArgumentError, match="alphabet must be of bytes"):
        open_text(file, "bytes", alphabet=Alphabet.of("a"))
    with pytest.raises(rnn.ArgumentError, match="for a new alphabet"):
        open_text(file, alphabet=Alphabet.of("a"), min_count=2)
    with pytest.raises(rnn.ArgumentTypeError, match="alphabet must be an Alphabet"):
        open_text(file, alphabet=wrong)
    with pytest.raises(rnn.ArgumentError, match="separator must not be empty"):
        open_text(file, separator="")
    with pytest.raises(rnn.ArgumentTypeError, match="separator must be a string"):
        open_text(file, separator=wrong)


_MEMORY = """
import resource, sys
import recurrentnn as rnn
from recurrentnn.data import open_text
unit = sys.argv[2]
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
open_text(sys.argv[3], unit)
before = peak()
text = open_text(sys.argv[1], unit)
read = 0
for batch in text.epoch(0, 32, 4096, seed=0):
    read += batch.symbols
assert read == text.symbols
print((peak() - before) * 1024)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="counts memory as Linux does")
@pytest.mark.parametrize("unit", ["bytes", "chars"])
def test_a_large_text_is_never_in_memory(tmp_path: Path, unit: str) -> None:
    """Encoding and reading 50 MB takes less than half of that."""
    small, large = tmp_path / "small", tmp_path / "large"
    some = "".join(f"line {n}, für 中文 🙂\n" for n in range(40_000)).encode()
    small.write_bytes(some)
    with large.open("wb") as file:
        while file.tell() < 50_000_000:
            file.write(some)
    command = [sys.executable, "-c", _MEMORY, str(large), unit, str(small)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert int(done.stdout) < 25_000_000
