"""Files read piece by piece, with the places where their documents end."""

from __future__ import annotations

import codecs
import io
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, TypeAlias

from recurrentnn.data.units import Raw, Unit
from recurrentnn.errors import ArgumentError, ArgumentTypeError, FormatError

PathLike: TypeAlias = str | os.PathLike[str]

# A piece and what is made of it stay in the processor's caches, about.
_PIECE = 1 << 18


class Piece(NamedTuple):
    """Some text, bytes or str as the unit has it, and whether a document ends here."""

    text: Raw
    ends: bool


def files(paths: PathLike | Sequence[PathLike]) -> list[Path]:
    """The files that are meant: one, several, or all in a folder and its folders.

    Those of a folder come in the order of their names, hidden ones and caches not among
    them.

    Raises
    ------
    OSError
        There is no such file or folder.
    ArgumentError
        No file at all.
    """
    if isinstance(paths, (str, os.PathLike)):
        paths = [paths]
    found: list[Path] = []
    for name in paths:
        if not isinstance(name, (str, os.PathLike)):
            kind = type(name).__name__
            raise ArgumentTypeError(f"text: a path must be a string, got {kind}")
        path = Path(name)
        if path.is_dir():
            found += sorted(inside for inside in path.rglob("*") if _is_text(inside))
        else:
            path.stat()
            found.append(path)
    if not found:
        raise ArgumentError(f"text: needs a file, got none in {paths!r}")
    return found


def pieces(
    path: Path, unit: Unit, separator: str | None, size: int = _PIECE
) -> Iterator[Piece]:
    """The text of a file, in pieces that no token goes beyond.

    A document ends behind each separator, which belongs to it, and where the file does.

    Raises
    ------
    FormatError
        Not UTF-8, where text is read: names the byte's offset.
    """
    mark = separator if separator is None or unit.text else separator.encode("utf-8")
    held: Raw = "" if unit.text else b""
    texts = _texts(path, size) if unit.text else _chunks(path, size)
    for text, last in texts:
        held += text
        start = 0
        if mark:
            while (at := held.find(mark, start)) >= 0:
                yield Piece(held[start : at + len(mark)], ends=True)
                start = at + len(mark)
        if last:
            yield Piece(held[start:], ends=True)
            return
        # Neither a mark nor a token may be cut.
        stop = max(start, len(held) - (len(mark) - 1 if mark else 0))
        stop = start + unit.settled(held[start:stop])
        if stop > start:
            yield Piece(held[start:stop], ends=False)
        held = held[stop:]


def _chunks(path: Path, size: int) -> Iterator[tuple[bytes, bool]]:
    with path.open("rb") as file:
        while chunk := file.read(size):
            yield chunk, False
    yield b"", True


def _texts(path: Path, size: int) -> Iterator[tuple[str, bool]]:
    """UTF-8 decoded, without a byte order mark, each line end as LF."""
    line_ends = io.IncrementalNewlineDecoder(None, translate=True)
    held, offset = b"", 0
    for chunk, last in _chunks(path, size):
        held += chunk
        try:
            # Bytes that begin a code point wait for the rest of it.
            text, read = codecs.utf_8_decode(held, "strict", last)
        except UnicodeDecodeError as error:
            raise FormatError(
                f"{path}: not UTF-8 at byte {offset + error.start}: {error.reason}"
            ) from None
        if offset == 0 and text.startswith("\ufeff"):
            text = text[1:]
        held = held[read:]
        offset += read
        yield line_ends.decode(text, final=last), last


def _is_text(path: Path) -> bool:
    hidden = path.name.startswith(".") or path.suffix == ".symbols"
    return path.is_file() and not hidden
