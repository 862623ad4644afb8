"""A file of encoded text.

    magic, 64 bytes | symbols | documents' ends, int64 | JSON | SHA-256 of the JSON |
    length of the JSON, 8 bytes | magic, 8 bytes

All numbers are little-endian. What is known only at the end stands at the end: the file
is written from front to back while the text is read. The JSON holds the alphabet, the
sizes, a key that says what was encoded and how, and the SHA-256 of symbols and ends.
"""

from __future__ import annotations

import contextlib
import glob
import hashlib
import json
import os
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from recurrentnn.data.alphabet import Alphabet
from recurrentnn.data.mapped import Mapped
from recurrentnn.errors import FormatError

_MAGIC = b"rnn-sym1"
_FRONT = _MAGIC.ljust(64, b"\0")
_TAIL = 32 + 8 + 8
_BLOCK = 1 << 20
# An alphabet of a million words takes some 20 MB; no more than this is ever read.
_MOST_JSON = 1 << 28
_STRAY_AFTER = 24 * 3600.0

_DTYPES: dict[str, np.dtype[Any]] = {
    "uint8": np.dtype("u1"),
    "uint16": np.dtype("<u2"),
    "uint32": np.dtype("<u4"),
}


class Encoded(NamedTuple):
    """What a file of encoded text holds."""

    symbols: Mapped
    ends: NDArray[np.int64]
    alphabet: Alphabet


def write(
    path: Path,
    key: str,
    alphabet: Alphabet,
    documents: Iterable[tuple[NDArray[np.int64], bool]],
) -> None:
    """Write symbols, each array with whether a document ends behind it.

    Under a temporary name in the same folder, then renamed: all of it or nothing.
    """
    name = next(n for n, d in _DTYPES.items() if len(alphabet) <= np.iinfo(d).max + 1)
    count, ends = 0, [0]
    with _replacing(path) as file:
        file.write(_FRONT)
        digest = hashlib.sha256()

        def put(data: NDArray[Any]) -> None:
            raw = data.tobytes()
            digest.update(raw)
            file.write(raw)

        for symbols, end in documents:
            put(symbols.astype(_DTYPES[name]))
            count += len(symbols)
            if end and count > ends[-1]:
                ends.append(count)
        put(np.array(ends[1:], dtype="<i8"))
        header = {
            "key": key,
            "alphabet": alphabet.config(),
            "dtype": name,
            "symbols": count,
            "documents": len(ends) - 1,
            "sha256": digest.hexdigest(),
        }
        text = json.dumps(header).encode()
        file.write(text + hashlib.sha256(text).digest())
        file.write(len(text).to_bytes(8, "little") + _MAGIC)


def read(path: Path, key: str) -> Encoded:
    """What `write` wrote with this key, checked from the first to the last byte.

    Raises
    ------
    FormatError
        It is damaged, or of another text.
    OSError
        It cannot be read.
    """
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        header = _header(file, size)
        match header:
            case {
                "key": str(found),
                "alphabet": config,
                "dtype": "uint8" | "uint16" | "uint32" as name,
                "symbols": int(count),
                "documents": int(documents),
                "sha256": str(sha256),
            } if count >= 0 and documents >= 0:
                pass
            case _:
                raise FormatError(f"{path}: the description is damaged")
        if found != key:
            raise FormatError(f"{path}: was made of another text, or otherwise")
        alphabet = Alphabet.from_config(config)
        dtype = _DTYPES[name]
        after = len(_FRONT) + count * dtype.itemsize
        if after + 8 * documents != size - _TAIL - header["length"]:
            raise FormatError(f"{path}: {size} bytes do not fit the description")
        digest = hashlib.sha256()
        file.seek(len(_FRONT))
        for block in _blocks(file, after - len(_FRONT)):
            digest.update(block)
            if np.frombuffer(block, dtype).max() >= len(alphabet):
                raise FormatError(f"{path}: a symbol is not in the alphabet")
        raw = file.read(8 * documents)
        digest.update(raw)
        if digest.hexdigest() != sha256:
            raise FormatError(f"{path}: the checksum is wrong")
    ends = np.frombuffer(raw, "<i8").astype(np.int64)
    if (np.diff(ends, prepend=0) <= 0).any() or (ends[-1] if documents else 0) != count:
        raise FormatError(f"{path}: the ends of documents are damaged")
    return Encoded(Mapped(path, dtype, count, len(_FRONT)), ends, alphabet)


def _header(file: IO[bytes], size: int) -> dict[str, Any]:
    if size < len(_FRONT) + _TAIL:
        raise FormatError(f"{file.name}: too short")
    file.seek(0)
    front = file.read(len(_FRONT))
    file.seek(size - _TAIL)
    tail = file.read(_TAIL)
    length = int.from_bytes(tail[32:40], "little")
    fits = length <= min(_MOST_JSON, size - _TAIL - len(_FRONT))
    if front != _FRONT or tail[40:] != _MAGIC or not fits:
        raise FormatError(f"{file.name}: no encoded text")
    file.seek(size - _TAIL - length)
    text = file.read(length)
    if hashlib.sha256(text).digest() != tail[:32]:
        raise FormatError(f"{file.name}: the description is damaged")
    try:
        header = json.loads(text)
    except (ValueError, RecursionError):
        header = None
    if not isinstance(header, dict):
        raise FormatError(f"{file.name}: the description is damaged")
    return {**header, "length": length}


def _blocks(file: IO[bytes], size: int) -> Iterator[bytes]:
    while size:
        block = file.read(min(size, _BLOCK))
        if not block:
            raise FormatError(f"{file.name}: ended early")
        size -= len(block)
        yield block


@contextlib.contextmanager
def _replacing(path: Path) -> Iterator[IO[bytes]]:
    """A new file that takes the place of the old one when all of it is on the disk."""
    prefix = f".{path.name}."
    # Whoever was killed while writing left one; a younger one may still be written.
    for stray in path.parent.glob(f"{glob.escape(prefix)}*.tmp"):
        with contextlib.suppress(OSError):
            if time.time() - stray.stat().st_mtime > _STRAY_AFTER:
                stray.unlink()
    with tempfile.NamedTemporaryFile(
        dir=path.parent, prefix=prefix, suffix=".tmp", delete=False
    ) as file:
        temporary = Path(file.name)
        try:
            yield file
            file.flush()
            os.fsync(file.fileno())
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
