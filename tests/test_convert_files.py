"""Nets in files: .npz, tables of suffixes, and foreign safetensors; none runs code."""

import io
import json
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import oracle
import recurrentnn as rnn
from recurrentnn import convert
from recurrentnn.convert import npz, tensors
from recurrentnn.errors import ArgumentError, ArgumentTypeError, FormatError


class Own(rnn.Cell):
    def build(self, p: Any, inputs: int, size: int) -> None:
        p.gate("hidden", inputs, size)

    def step(self, p: Any, x: Any, s: Any) -> Any:
        return s.replace(hidden=p.hidden(x, s.hidden).tanh())


NETS: dict[str, Callable[[str], rnn.Model]] = {
    "rnn": lambda dtype: rnn.RNN(3, 4, 2, activation="relu", dtype=dtype),
    "lstm": lambda dtype: rnn.LSTM(5, [4, 3], 2, embedding_size=3, dtype=dtype),
    "gru": lambda dtype: rnn.GRU(3, 4, None, reset="before", dtype=dtype),
    "gfrnn": lambda dtype: rnn.GFRNN(3, [4, 3], 2, dtype=dtype),
    "gfgru": lambda dtype: rnn.GFGRU(3, [4, 3], 2, paper=True, dtype=dtype),
    "gflstm": lambda dtype: rnn.GFLSTM(3, [4, 3], 2, gate="vector", dtype=dtype),
    "own": lambda dtype: rnn.Model(Own, 3, [4, 3], 2, dtype=dtype),
}


def expect_equal(found: rnn.Model, net: rnn.Model) -> None:
    assert type(found) is type(net)
    assert {**found.config(), "cell": 0} == {**net.config(), "cell": 0}
    assert list(found.parameters()) == list(net.parameters())
    for name, m in net.parameters().items():
        np.testing.assert_array_equal(found[name].value, m.value, name)


@pytest.mark.parametrize("name", NETS)
@pytest.mark.parametrize("through", ["functions", "table", "deflated"])
def test_npz_keeps_every_net(
    name: str, through: str, tmp_path: Path, dtype: str
) -> None:
    net, path = NETS[name](dtype), tmp_path / "net.npz"
    oracle.stir(net)
    if through == "table":
        convert.write(net, path)
        found = convert.read(path, [Own])
    else:
        convert.to_npz(net, path)
        if through == "deflated":
            with np.load(path) as file:
                np.savez_compressed(path, **file)
        found = convert.from_npz(path, [Own])
    expect_equal(found, net)


def test_npz_has_the_parameters_names(tmp_path: Path) -> None:
    """In any file name; NumPy alone reads it."""
    net, path = NETS["gflstm"]("float64"), tmp_path / "weights"
    convert.to_npz(net, path)
    with np.load(path, allow_pickle=False) as file:
        assert set(file.files) == {"__metadata__", *net.parameters()}
        np.testing.assert_array_equal(file["decoder.bias"], net["decoder.bias"].value)
    assert sorted(tmp_path.iterdir()) == [path]


def members(path: Path) -> dict[str, Any]:
    with np.load(path, allow_pickle=False) as file:
        return dict(file)


def metadata(**changes: str) -> Callable[[dict[str, Any]], None]:
    def spoil(found: dict[str, Any]) -> None:
        texts = json.loads(found["__metadata__"].tobytes())
        found["__metadata__"] = np.frombuffer(
            json.dumps({**texts, **changes}).encode(), np.uint8
        )

    return spoil


def put(name: str, array: Any) -> Callable[[dict[str, Any]], None]:
    return lambda found: found.update({name: array})


BIAS = "decoder.bias"
SPOILED: dict[str, tuple[Callable[[dict[str, Any]], Any], str]] = {
    "no metadata": (lambda f: f.pop("__metadata__"), "no __metadata__"),
    "text": (put("__metadata__", np.array("{}")), "no __metadata__"),
    "no json": (put("__metadata__", np.frombuffer(b"{", np.uint8)), "is no JSON"),
    "a list": (put("__metadata__", np.frombuffer(b"[]", np.uint8)), "texts by name"),
    "numbers": (
        put("__metadata__", np.frombuffer(b'{"a": 1}', np.uint8)),
        "texts by name",
    ),
    "other format": (metadata(format="x"), 'must be "recurrentnn"'),
    "other version": (metadata(version="99"), "version"),
    "other config": (metadata(config="{}"), "config"),
    "huge config": (
        lambda f: metadata(
            config=json.loads(f["__metadata__"].tobytes())["config"].replace(
                '"hidden_sizes":[4', '"hidden_sizes":[400000000'
            )
        )(f),
        "must be",
    ),
    "missing": (lambda f: f.pop(BIAS), "has 15 parameters but the file 14"),
    "unknown": (put("x", np.zeros((1, 1), np.float32)), "but the file 16"),
    "shape": (put(BIAS, np.zeros((1, 2), np.float32)), "decoder.bias must be [2, 1]"),
    "mixed": (put(BIAS, np.zeros((2, 1))), "several element types"),
    "integers": (put(BIAS, np.zeros((2, 1), int)), "must be float but is int64"),
    "nan": (put(BIAS, np.full((2, 1), np.nan, np.float32)), "decoder.bias holds NaN"),
}


@pytest.mark.parametrize("case", SPOILED)
def test_a_spoiled_npz_is_refused(case: str, tmp_path: Path) -> None:
    spoil, words = SPOILED[case]
    path = tmp_path / "net.npz"
    convert.to_npz(NETS["lstm"]("float32"), path)
    found = members(path)
    if case in ("missing", "unknown"):
        count = len(found) - 1
        words = (
            f"has {count} parameters but the file {count + (case == 'unknown') * 2 - 1}"
        )
    spoil(found)
    np.savez(path, **found)
    with pytest.raises(FormatError) as caught:
        convert.from_npz(path)
    assert words in str(caught.value)
    assert str(path) in str(caught.value)


def test_an_npz_with_objects_runs_nothing(tmp_path: Path) -> None:
    ran, path = tmp_path / "ran", tmp_path / "net.npz"

    class Evil:
        def __reduce__(self) -> Any:
            return Path.touch, (ran,)

    objects: dict[str, Any] = {"decoder.bias": np.array([Evil()], object)}
    np.savez(path, **objects)
    with pytest.raises(FormatError, match=r"no \.npz file"):
        convert.from_npz(path)
    assert not ran.exists()


def test_a_zip_bomb_is_refused_before_it_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "net.npz"
    np.savez_compressed(path, zeros=np.zeros(10**7, np.float32))
    with pytest.raises(FormatError, match=r"zeros\.npy claims .* a zip bomb\?"):
        convert.from_npz(path)
    monkeypatch.setattr(npz, "MAX_BYTES", 1000)
    with pytest.raises(FormatError, match="of which 1000 are allowed"):
        convert.from_npz(path)


def test_members_that_are_no_arrays_or_too_many_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "net.npz"
    for names, words in (
        (["a.txt"], r"not all members are arrays \(\.npy\)"),
        (["a.npy", "b.npy", "c.npy"], "3 arrays, of which 2 are allowed"),
    ):
        with zipfile.ZipFile(path, "w") as file:
            for name in names:
                file.writestr(name, b"")
        monkeypatch.setattr(tensors, "MAX_TENSORS", 2)
        with pytest.raises(FormatError, match=words):
            convert.from_npz(path)


def test_an_npz_cut_anywhere_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "net.npz"
    convert.to_npz(rnn.RNN(1, 1, None), path)
    whole = path.read_bytes()
    for end in range(0, len(whole), 7):
        path.write_bytes(whole[:end])
        with pytest.raises(FormatError):
            convert.from_npz(path)


def test_a_flipped_bit_gives_an_error_or_the_exact_numbers(tmp_path: Path) -> None:
    """Every member has a checksum; what is outside of it is looked at or not used."""
    net, path = rnn.RNN(1, 1, None), tmp_path / "net.npz"
    convert.to_npz(net, path)
    whole = path.read_bytes()
    for at in range(0, 8 * len(whole), 61):
        spoiled = bytearray(whole)
        spoiled[at // 8] ^= 1 << at % 8
        path.write_bytes(spoiled)
        try:
            found = convert.from_npz(path)
        except FormatError:
            continue
        expect_equal(found, net)


def safetensors(
    header: Any, numbers: bytes = b"", *, length: int | None = None
) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + numbers


def entry(**changes: Any) -> dict[str, Any]:
    whole = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}
    return {"a": {**whole, **changes}}


EIGHT = bytes(8)
HOSTILE: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "it has 0 bytes"),
    "short": (b"1234567", "it has 7 bytes"),
    "long header": (safetensors(b"{}", length=1 << 62), "a header of 46116860"),
    "large header": (
        safetensors(b" " * ((1 << 20) + 1)),
        "of which 1048576 are allowed",
    ),
    "no json": (safetensors(b"{"), "the header is no JSON"),
    "no utf-8": (safetensors(b"\xff{}"), "the header is no JSON"),
    "deep": (safetensors(b"[" * 100_000), "the header is no JSON"),
    "digits": (safetensors(b'{"a": ' + b"9" * 5000 + b"}"), "the header is no JSON"),
    "a list": (safetensors([]), "no JSON object"),
    "twice": (safetensors(b'{"a": 1, "a": 2}'), "names something twice"),
    "metadata": (safetensors({"__metadata__": {"a": 1}}), "metadata must be texts"),
    "many": (safetensors({str(i): 0 for i in range(10_001)}), "10001 tensors"),
    "entry": (safetensors({"a": 3}), "a: its entry must be an object"),
    "dtype": (safetensors(entry(dtype="I64"), EIGHT), "a: dtype must be F64, F32"),
    "dtype list": (safetensors(entry(dtype=[]), EIGHT), "a: dtype must be"),
    "negative": (safetensors(entry(shape=[-2]), EIGHT), "a: shape must be a list of"),
    "true": (safetensors(entry(shape=[True, 2]), EIGHT), "a: shape must be a list of"),
    "no shape": (safetensors(entry(shape=None), EIGHT), "a: shape must be a list"),
    "axes": (safetensors(entry(shape=[1] * 9), EIGHT), "cannot be"),
    "huge": (safetensors(entry(shape=[2**40, 2**40]), EIGHT), "a: F32 [10995116277"),
    "none of huge": (
        safetensors(entry(shape=[0, 2**62], data_offsets=[0, 0])),
        "a: shape [0, 4611686018427387904] at [0, 0] cannot be",
    ),
    "size": (safetensors(entry(shape=[3]), EIGHT), "needs 12 bytes, not 8"),
    "offsets": (safetensors(entry(data_offsets=[8, 0]), EIGHT), "cannot be"),
    "one offset": (safetensors(entry(data_offsets=[8]), EIGHT), "cannot be"),
    "hole": (safetensors(entry(data_offsets=[8, 16]), EIGHT * 2), "begins at byte 8"),
    "overlap": (safetensors({**entry(), "b": entry()["a"]}, EIGHT * 2), "at byte 0"),
    "cut": (safetensors(entry(), EIGHT[:5]), "describes 8 bytes of numbers, the file"),
    "more": (safetensors(entry(), EIGHT * 2), "describes 8 bytes of numbers, the file"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_safetensors_file_is_refused(case: str, tmp_path: Path) -> None:
    data, words = HOSTILE[case]
    path = tmp_path / "net.safetensors"
    path.write_bytes(data)
    for reader in (convert.from_torch, convert.read):
        with pytest.raises(FormatError) as caught:
            reader(path)
        assert words in str(caught.value)
        assert str(path) in str(caught.value)


def test_the_table_reads_and_writes_by_suffix(tmp_path: Path) -> None:
    net = NETS["lstm"]("float32")
    oracle.stir(net)
    convert.write(net, tmp_path / "own.safetensors")
    expect_equal(convert.read(tmp_path / "own.safetensors"), net)
    bare = rnn.LSTM(5, [4, 4], 2, embedding_size=3)
    oracle.stir(bare)
    convert.to_torch(bare, tmp_path / "torch.safetensors")
    found = convert.read(tmp_path / "torch.safetensors")
    x = np.array([[1, 4, 2]])
    np.testing.assert_array_equal(np.asarray(found(x)[0]), np.asarray(bare(x)[0]))
    convert.write(net, tmp_path / "net.json")
    y = np.asarray(convert.read(tmp_path / "net.json")(x)[0])
    np.testing.assert_allclose(y, np.asarray(net(x)[0]), atol=1e-5)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda _: convert.read("net.onnx"), "can be written but not read"),
        (lambda net: convert.write(net, "net.pt"), "can be read but not written"),
        (lambda _: convert.read("net.pkl"), "must end in .safetensors, .npz, .json"),
        (
            lambda net: convert.write(net, "net"),
            "must end in .safetensors, .npz, .json",
        ),
        (lambda _: convert.from_torch("net.bin"), "must end in .safetensors, .pt"),
    ],
    ids=["onnx", "pt", "pkl", "none", "bin"],
)
def test_a_suffix_without_reader_or_writer_is_refused(call: Any, words: str) -> None:
    with pytest.raises(ArgumentError) as caught:
        call(NETS["lstm"]("float32"))
    assert words in str(caught.value)


@pytest.mark.parametrize("suffix", [".npz", ".safetensors", ".json"])
def test_a_file_that_is_not_there_is_an_os_error(suffix: str) -> None:
    with pytest.raises(FileNotFoundError):
        convert.read(f"nowhere{suffix}")


def test_what_is_no_net_is_refused(tmp_path: Path) -> None:
    bad: Any = io.BytesIO()
    for write in (convert.to_npz, convert.write):
        with pytest.raises(
            ArgumentTypeError, match="net must be a Model but is BytesIO"
        ):
            write(bad, tmp_path / "net.npz")
    assert not list(tmp_path.iterdir())
