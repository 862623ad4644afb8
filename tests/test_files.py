"""Model files: what is saved comes back, and a hostile file is refused by name."""

import hashlib
import json
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import recurrentnn as rnn

Header = dict[str, Any]
Change = Callable[[Header], object]

CLASSES = [rnn.RNN, rnn.LSTM, rnn.GRU, rnn.GFRNN, rnn.GFGRU, rnn.GFLSTM]


def split(raw: bytes) -> tuple[Header, bytes]:
    """Return header and numbers of a safetensors file, by its definition."""
    (length,) = struct.unpack("<Q", raw[:8])
    header: Header = json.loads(raw[8 : 8 + length])
    return header, raw[8 + length :]


def joined(header: Header, numbers: bytes) -> bytes:
    """Return such a file, whose checksum is right: what is wrong is the rest."""
    metadata = header.get("__metadata__", {})
    if metadata.pop("sha256", None) is not None:
        words = json.dumps(
            header, sort_keys=True, separators=(",", ":"), ensure_ascii=False
        ).encode("utf-8", "surrogatepass")
        metadata["sha256"] = hashlib.sha256(words + numbers).hexdigest()
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + numbers


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    path = tmp_path / "model.safetensors"
    rnn.GRU(3, [4, 2], 3, embedding_size=2, seed=5).save(path)
    return path


@pytest.fixture
def saved_char_model(tmp_path: Path) -> Path:
    path = tmp_path / "char.safetensors"
    rnn.CharModel.create("a cab\nbac", lines=True, hidden_sizes=3).save(path)
    return path


@pytest.mark.parametrize("public", CLASSES)
@pytest.mark.parametrize("output_size", [2, None])
def test_a_net_comes_back_bit_for_bit(
    public: type[rnn.LSTM], output_size: int | None, dtype: str, tmp_path: Path
) -> None:
    net = public(3, [4, 2], output_size, seed=1, dtype=dtype, all_to_output=True)
    path = tmp_path / "net.safetensors"
    net.save(path)
    copy = rnn.load(path)
    assert type(copy) is public
    assert copy.config() == net.config()
    assert list(copy.parameters()) == list(net.parameters())
    for name, matrix in net.parameters().items():
        assert copy[name].value.dtype == np.dtype(dtype)
        np.testing.assert_array_equal(copy[name].value, matrix.value)


def test_tensors_are_named_and_in_rows(saved: Path) -> None:
    net = rnn.load(saved)
    header, numbers = split(saved.read_bytes())
    assert set(header) - {"__metadata__"} == set(net.parameters())
    for name, matrix in net.parameters().items():
        entry = header[name]
        assert entry["shape"] == list(matrix.shape)
        begin, end = entry["data_offsets"]
        stored = np.frombuffer(numbers[begin:end], "<f4").reshape(matrix.shape)
        np.testing.assert_array_equal(stored, matrix.value)


def test_the_peers_reader_reads_it(saved: Path) -> None:
    peer = pytest.importorskip("safetensors.numpy")
    tensors = peer.load_file(saved)
    for name, matrix in rnn.load(saved).parameters().items():
        np.testing.assert_array_equal(tensors[name], matrix.value)


def test_the_net_of_a_character_model_loads_by_itself(saved_char_model: Path) -> None:
    assert type(rnn.load(saved_char_model)) is rnn.LSTM


def test_saving_replaces_and_leaves_nothing_behind(saved: Path) -> None:
    other = rnn.RNN(2, 3, 1, seed=9)
    other.save(saved)
    assert type(rnn.load(saved)) is rnn.RNN
    assert [path.name for path in saved.parent.iterdir()] == [saved.name]


def test_saving_where_it_cannot_be_changes_nothing(saved: Path) -> None:
    before = saved.read_bytes()
    with pytest.raises(OSError, match="missing"):
        rnn.load(saved).save(saved.parent / "missing" / "model")
    with pytest.raises(rnn.ArgumentError, match="config"):
        rnn.load(saved).save(saved, {"config": "{}"})
    assert saved.read_bytes() == before


def test_a_missing_file_is_the_systems_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="nowhere"):
        rnn.load(tmp_path / "nowhere")
    with pytest.raises(IsADirectoryError):
        rnn.load(tmp_path)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\x00" * 7,
        b"\x00" * 8,
        struct.pack("<Q", 2**63) + b"{}",
        struct.pack("<Q", 100) + b"{}",
        struct.pack("<Q", 2) + b"{}",
        struct.pack("<Q", 2) + b"[]",
        struct.pack("<Q", 4) + b"\xff\xfe\xfd\xfc",
        struct.pack("<Q", 100_000) + b'{"a":' * 20_000,
        b"\x80\x04cos\nsystem\n(S'echo pwned'\ntR.",
        b"PK\x03\x04" + b"\x00" * 100,
        b'{"RNN": 1}' * 50,
    ],
)
def test_bytes_that_are_no_safetensors_are_refused(raw: bytes, tmp_path: Path) -> None:
    path = tmp_path / "hostile"
    path.write_bytes(raw)
    for load in (rnn.load, rnn.CharModel.load):
        with pytest.raises(rnn.FormatError):
            load(path)


def test_a_file_cut_anywhere_is_refused(saved: Path, tmp_path: Path) -> None:
    whole = saved.read_bytes()
    path = tmp_path / "cut"
    for length in {*range(0, len(whole), 97), 7, 8, 9, len(whole) - 1}:
        path.write_bytes(whole[:length])
        with pytest.raises(rnn.FormatError):
            rnn.load(path)
    path.write_bytes(whole + b"\x00")
    with pytest.raises(rnn.FormatError):
        rnn.load(path)


def _config(**entries: Any) -> Change:
    def change(header: Header) -> None:
        config = json.loads(header["__metadata__"]["config"])
        header["__metadata__"]["config"] = json.dumps(config | entries)

    return change


def _metadata(**entries: str) -> Change:
    return lambda header: header["__metadata__"].update(entries)


def _tensor(name: str, **entries: Any) -> Change:
    return lambda header: header[name].update(entries)


MISFITS: list[tuple[Change, str]] = [
    (lambda header: header.pop("__metadata__"), "not a recurrentnn model"),
    (lambda header: header["__metadata__"].pop("config"), "config"),
    (_metadata(format="pt"), "pt"),
    (_metadata(version="99"), "99"),
    (_metadata(config="not JSON"), "config"),
    (_metadata(config="[" * 100_000), "config"),
    (_metadata(config="{}"), "config"),
    (_config(cell="transformer"), "transformer"),
    (_config(surprise=1), "surprise"),
    (_config(input_size=4), "embedding.weight"),
    (_config(input_size=2**60), "input_size"),
    (_config(input_size=-1), "config"),
    (_config(hidden_sizes=[]), "hidden_sizes"),
    (_config(hidden_sizes=[2**24, 2**24]), "layers.0"),
    (_config(hidden_sizes=[4] * 10**5), "hidden_sizes"),
    (_config(hidden_sizes=[4, 2, 2]), "parameters"),
    (_config(hidden_sizes=[4, 2] * 30, cell="gflstm"), "parameters"),
    (_config(output_size=7), "decoder.weight"),
    (_config(std="wide"), "config"),
    (lambda header: header.pop("decoder.bias"), "offset"),
    (_tensor("decoder.bias", shape=[1, 3]), "decoder.bias"),
    (_tensor("decoder.bias", shape=[3]), "decoder.bias"),
    (_tensor("decoder.bias", shape=[2**62, 2**62]), "overflow"),
    (_tensor("decoder.bias", shape=[-3, 1]), "JSON in header"),
    (_tensor("decoder.bias", dtype="I32"), "element types"),
    (_tensor("decoder.bias", dtype="F7"), "F7"),
    (_tensor("decoder.bias", data_offsets=[4, 16]), "offset"),
    (_tensor("decoder.bias", data_offsets=[2**63, 2**63 + 12]), "offset"),
]


@pytest.mark.parametrize(("change", "words"), MISFITS)
def test_a_header_that_does_not_fit_is_refused(
    change: Change, words: str, saved: Path
) -> None:
    header, numbers = split(saved.read_bytes())
    change(header)
    saved.write_bytes(joined(header, numbers))
    with pytest.raises(rnn.FormatError, match=words):
        rnn.load(saved)


LOAD_ALL = """
import pathlib, resource, sys
import recurrentnn as rnn

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

start = peak()
for path in sorted(pathlib.Path(sys.argv[1]).iterdir()):
    try:
        rnn.load(path)
    except rnn.FormatError:
        pass
    assert peak() - start < 64, f"{path.name}: {peak() - start:.0f} MiB"
"""


@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss is in KiB on Linux")
def test_whatever_a_header_claims_no_memory_is_taken_on_its_word(
    saved: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "hostile"
    folder.mkdir()
    for number, (change, _) in enumerate(MISFITS):
        header, numbers = split(saved.read_bytes())
        change(header)
        (folder / f"{number:02}").write_bytes(joined(header, numbers))
    done = subprocess.run(
        [sys.executable, "-c", LOAD_ALL, str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_not_finite_are_refused(number: float, saved: Path) -> None:
    header, numbers = split(saved.read_bytes())
    begin, _ = header["decoder.bias"]["data_offsets"]
    poisoned = bytearray(numbers)
    poisoned[begin : begin + 4] = struct.pack("<f", number)
    saved.write_bytes(joined(header, bytes(poisoned)))
    with pytest.raises(rnn.FormatError, match=r"decoder\.bias"):
        rnn.load(saved)


def test_tensors_of_another_order_or_dtype_are_told_apart(saved: Path) -> None:
    header, numbers = split(saved.read_bytes())
    reversed_header = dict(reversed(header.items()))
    saved.write_bytes(joined(reversed_header, numbers))
    assert rnn.load(saved).cell == "gru"
    for name, entry in header.items():
        if name != "__metadata__":
            entry["dtype"] = "F16"
    saved.write_bytes(joined(header, numbers))
    with pytest.raises(rnn.FormatError):
        rnn.load(saved)


GOOD = {"vocabulary": " abc", "mode": "lines", "steps": 0, "epochs": 0}


@pytest.mark.parametrize(
    "notes",
    [
        "",
        "not JSON",
        "[1, 2]",
        "null",
        "[" * 100_000,
        '{"a":' * 50_000,
        json.dumps({"vocabulary": " abc"}),
        json.dumps(GOOD | {"vocabulary": 7}),
        json.dumps(GOOD | {"vocabulary": ""}),
        json.dumps(GOOD | {"vocabulary": " abcd"}),
        json.dumps(GOOD | {"vocabulary": " abb"}),
        json.dumps(GOOD | {"vocabulary": " ab\ud800"}),
        json.dumps(GOOD | {"mode": "running"}),
        json.dumps(GOOD | {"mode": "words"}),
        json.dumps(GOOD | {"mode": ["lines"]}),
        json.dumps(GOOD | {"steps": -1}),
        json.dumps(GOOD | {"steps": "many"}),
        json.dumps(GOOD | {"epochs": 0.5}),
    ],
)
def test_a_damaged_description_of_a_character_model_is_refused(
    notes: str, saved_char_model: Path
) -> None:
    header, numbers = split(saved_char_model.read_bytes())
    assert json.loads(header["__metadata__"]["char_model"]) == GOOD
    header["__metadata__"]["char_model"] = notes
    saved_char_model.write_bytes(joined(header, numbers))
    with pytest.raises(rnn.FormatError, match=r"char\.safetensors"):
        rnn.CharModel.load(saved_char_model)


def test_a_net_alone_is_no_character_model(saved: Path) -> None:
    with pytest.raises(rnn.FormatError, match=r"recurrentnn\.load"):
        rnn.CharModel.load(saved)
