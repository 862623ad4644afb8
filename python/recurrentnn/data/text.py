"""A text in memory as a source of batches."""

from __future__ import annotations

from recurrentnn._recurrentnn import Vocabulary
from recurrentnn.data.lines import Lines
from recurrentnn.data.streams import Streams
from recurrentnn.errors import ArgumentTypeError


def read(text: str, vocabulary: Vocabulary) -> Lines | Streams:
    """Encode a text as its vocabulary has it: with a boundary as lines."""
    return (Lines if vocabulary.boundary else Streams).of(clean(text), vocabulary)


def clean(text: object) -> str:
    """The text with each line end, CR LF or CR, as one LF."""
    if not isinstance(text, str):
        kind = type(text).__name__
        raise ArgumentTypeError(f"text: must be a string, got {kind}")
    return text.replace("\r\n", "\n").replace("\r", "\n")
