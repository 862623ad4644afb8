"""Safetensors files of other programs, read and written with NumPy alone.

An 8-byte length, a JSON header {name: {dtype, shape, data_offsets}}, then the numbers,
little-endian, one tensor after the other. `recurrentnn.load` reads this library's own
files and demands their exact names; this reads whatever names there are. Lengths and
sizes are compared with those of the file before anything is allocated for them.
"""

import hashlib
import json
import math
import os
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from recurrentnn.convert.gates import Array
from recurrentnn.errors import FormatError

MAX_HEADER = 1 << 20  # bytes; a legal header of 89 MB takes gigabytes to parse
MAX_TENSORS = 10_000
_MAX_AXES = 8

_DTYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2"}
_NAMES = {"float64": "F64", "float32": "F32"}


def read(path: str | os.PathLike[str]) -> tuple[dict[str, Array], dict[str, str]]:
    """The floating-point tensors of a file, and its metadata.

    bfloat16 widens to float32. Tensors of other types (counters, say) are refused.

    Raises
    ------
    FormatError
        Naming file and tensor, if the header is no such header or does not describe
        the bytes behind it one for one.
    OSError
        The file cannot be read.
    """
    return parse(os.fspath(path), Path(path).read_bytes())


def parse(file: str, data: bytes) -> tuple[dict[str, Array], dict[str, str]]:
    """As `read`, of bytes; `file` is their name in messages."""
    begin = 8 + _header(file, data[:8], len(data))
    fields, metadata = _fields(file, data[8:begin])
    entries = {key: _entry(file, key, value) for key, value in fields.items()}
    _check_layout(file, entries, len(data) - begin)
    found = {}
    for key, (dtype, shape, start, end) in entries.items():
        numbers = memoryview(data)[begin + start : begin + end]
        found[key] = _tensor(numbers, dtype).reshape(shape)
    return found, metadata


def read_metadata(path: str | os.PathLike[str]) -> dict[str, str]:
    """The metadata alone; raises as `read` does, but looks at no tensor."""
    name = os.fspath(path)
    with Path(path).open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        header = _header(name, file.read(8), size)
        return _fields(name, file.read(header))[1]


def dump(
    tensors: Mapping[str, Array],
    metadata: Mapping[str, str],
    *,
    checksum: bool = False,
) -> bytes:
    """The bytes of a file with float32 and float64 tensors in the order given.

    With `checksum`, which this library's own files have: SHA-256 over the header, as
    JSON with sorted keys and no spaces, and the numbers.
    """
    header: dict[str, Any] = {"__metadata__": dict(metadata)}
    parts = []
    start = 0
    for name, array in tensors.items():
        parts.append(array.astype(array.dtype.newbyteorder("<")).tobytes())
        header[name] = {
            "dtype": _NAMES[array.dtype.name],
            "shape": list(array.shape),
            "data_offsets": [start, start + array.nbytes],
        }
        start += array.nbytes
    numbers = b"".join(parts)
    if checksum:
        words = json.dumps(
            header, sort_keys=True, separators=(",", ":"), ensure_ascii=False
        )
        total = hashlib.sha256(words.encode("utf-8", "replace") + numbers)
        header["__metadata__"]["sha256"] = total.hexdigest()
    text = json.dumps(header).encode()
    # Spaces, so that the numbers begin where a number may.
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + numbers


def _fail(file: str, what: str) -> NoReturn:
    raise FormatError(f"{file}: {what}")


def _header(file: str, start: bytes, size: int) -> int:
    if len(start) < 8:
        _fail(file, f"no safetensors file: it has {size} bytes")
    length = int(struct.unpack("<Q", start)[0])
    if length > size - 8:
        _fail(file, f"no safetensors file: a header of {length} bytes in {size}")
    if length > MAX_HEADER:
        _fail(file, f"the header has {length} bytes, of which {MAX_HEADER} are allowed")
    return length


def _fields(file: str, text: bytes) -> tuple[dict[str, Any], dict[str, str]]:
    """The header's entries, unchecked, and the metadata."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(fields := dict(pairs)) != len(pairs):
            _fail(file, "the header names something twice")
        return fields

    try:
        header = json.loads(text, object_pairs_hook=once)
    except FormatError:
        raise
    except (ValueError, RecursionError) as error:
        _fail(file, f"the header is no JSON: {error}")
    if not isinstance(header, dict):
        _fail(file, "the header is no JSON object")
    metadata = header.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not all(
        isinstance(value, str) for value in metadata.values()
    ):
        _fail(file, "metadata must be texts by name")
    if len(header) > MAX_TENSORS:
        _fail(file, f"{len(header)} tensors, of which {MAX_TENSORS} are allowed")
    return header, metadata


def _entry(file: str, key: str, entry: Any) -> tuple[str, list[int], int, int]:  # noqa: ANN401
    if not isinstance(entry, dict):
        _fail(file, f"{key}: its entry must be an object")
    dtype = entry.get("dtype")
    if not isinstance(dtype, str) or dtype not in _DTYPES:
        _fail(file, f"{key}: dtype must be {', '.join(_DTYPES)} but is {dtype!r}")
    shape = _sizes(file, f"{key}: shape", entry.get("shape"))
    offsets = _sizes(file, f"{key}: data_offsets", entry.get("data_offsets"))
    # No weight is without numbers, but a tensor of none may claim any size.
    possible = len(shape) <= _MAX_AXES and 0 not in shape
    if not possible or len(offsets) != 2 or offsets[0] > offsets[1]:
        _fail(file, f"{key}: shape {shape} at {offsets} cannot be")
    start, end = offsets
    needed = math.prod(shape) * np.dtype(_DTYPES[dtype]).itemsize
    if end - start != needed:
        _fail(file, f"{key}: {dtype} {shape} needs {needed} bytes, not {end - start}")
    return dtype, shape, start, end


def _sizes(file: str, what: str, value: object) -> list[int]:
    if not isinstance(value, list) or not all(
        type(item) is int and 0 <= item < 1 << 63 for item in value
    ):
        _fail(file, f"{what} must be a list of sizes")
    return value


def _check_layout(
    file: str, entries: Mapping[str, tuple[str, list[int], int, int]], size: int
) -> None:
    """Raise unless the tensors cover the bytes without a hole or an overlap."""
    at = 0
    for key, (_, _, start, end) in sorted(entries.items(), key=lambda e: e[1][2:]):
        if start != at:
            _fail(file, f"{key}: begins at byte {start} of the numbers, not at {at}")
        at = end
    if at != size:
        _fail(file, f"the header describes {at} bytes of numbers, the file has {size}")


def _tensor(data: memoryview, dtype: str) -> Array:
    array = np.frombuffer(data, _DTYPES[dtype])
    if dtype == "BF16":
        # The upper half of a float32.
        return (array.astype(np.uint32) << 16).view(np.float32)
    return array.astype(array.dtype.newbyteorder("="))
