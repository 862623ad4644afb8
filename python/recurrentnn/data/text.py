"""A text, or the file that holds it, as a source of batches."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TypeAlias

from recurrentnn._recurrentnn import Vocabulary
from recurrentnn.data.alphabet import Alphabet
from recurrentnn.data.documents import pieces
from recurrentnn.data.files import open_once
from recurrentnn.data.lines import Lines
from recurrentnn.data.streams import Streams
from recurrentnn.data.units import UNITS
from recurrentnn.errors import ArgumentError, ArgumentTypeError

GivenText: TypeAlias = str | os.PathLike[str]
"""A text, or the path of a file of UTF-8; a running text is never whole in memory."""

_PIECE = 1 << 20


def read(text: GivenText, vocabulary: Vocabulary) -> Lines | Streams:
    """Encode a text as its vocabulary has it: with a boundary as lines."""
    if vocabulary.boundary:
        return Lines.of("".join(_pieces(text)), vocabulary)
    if isinstance(text, os.PathLike):
        return open_once(text, alphabet=Alphabet("chars", vocabulary.symbols))
    return Streams.of(clean(text), vocabulary)


def vocabulary_of(text: GivenText, *, boundary: bool) -> Vocabulary:
    """The code points of a text.

    Raises
    ------
    ArgumentError
        It has none.
    """
    found = {char for piece in _pieces(text) for char in set(piece)}
    if not found:
        raise ArgumentError("CharModel: text must not be empty")
    return Vocabulary.from_text("".join(found), boundary=boundary)


def fingerprint(text: GivenText) -> str:
    """The SHA-256 of a text's UTF-8, the same for a string and for its file."""
    digest = hashlib.sha256()
    for piece in _pieces(text):
        digest.update(piece.encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def clean(text: object) -> str:
    """The text with each line end, CR LF or CR, as one LF."""
    if not isinstance(text, str):
        kind = type(text).__name__
        raise ArgumentTypeError(f"text: must be a string, got {kind}")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _pieces(text: GivenText) -> Iterator[str]:
    if isinstance(text, os.PathLike):
        yield from (piece.text for piece in pieces(Path(text), UNITS["chars"], None))
        return
    text = clean(text)
    yield from (text[at : at + _PIECE] for at in range(0, len(text), _PIECE))
