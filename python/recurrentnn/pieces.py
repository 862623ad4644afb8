"""From symbols to text, piece by piece, and from a prompt to symbols."""

from __future__ import annotations

import codecs
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Literal, Protocol, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from recurrentnn.data.text import clean
from recurrentnn.errors import ArgumentError, VocabularyError

Prompt: TypeAlias = str | os.PathLike[str]
Unknown: TypeAlias = Literal["error", "skip", "replace"]


class Code(Protocol):
    """What generation asks of a vocabulary: bytes are taken to be UTF-8."""

    def encode(self, text: str) -> NDArray[np.int64]:
        """The symbols of a text."""

    def decode(self, symbols: ArrayLike) -> str | bytes:
        """The text of symbols; that of several is that of each, put together."""

    def __len__(self) -> int:
        """Number of symbols."""


class Pieces:
    """Hands out text as its symbols come, never half of a code point.

    Parameters
    ----------
    code
        The vocabulary.
    unfinished
        Bytes of a code point that symbols before began.

    Notes
    -----
    Bytes that are no UTF-8 become U+FFFD, as Python's `errors="replace"` has it.
    """

    def __init__(self, code: Code, unfinished: bytes = b"") -> None:
        self._texts = _Texts(code)
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._decoder.setstate((unfinished, 0))

    def take(self, symbols: Iterable[int]) -> str:
        """The text of more symbols, as far as its code points are whole."""
        parts = (self._texts[symbol] for symbol in symbols)
        return "".join(
            part if isinstance(part, str) else self._decoder.decode(part)
            for part in parts
        )

    @property
    def unfinished(self) -> bytes:
        """The bytes that wait for the rest of their code point."""
        return self._decoder.getstate()[0]


def whole_text(code: Code, symbols: Iterable[int]) -> str:
    """The text of symbols, without half a code point at its end."""
    return Pieces(code).take(symbols)


class _Texts(dict[int, str | bytes]):
    """The text of each symbol, once it was asked for."""

    def __init__(self, code: Code) -> None:
        super().__init__()
        self._code = code

    def __missing__(self, symbol: int) -> str | bytes:
        text = self[symbol] = self._code.decode([symbol])
        return text


def read_prompt(prompt: Prompt) -> str:
    """A prompt as it is, or what a file holds, with each line end as one LF."""
    if isinstance(prompt, os.PathLike):
        prompt = Path(prompt).read_text(encoding="utf-8")
    return clean(prompt)


def encode_prompt(code: Code, text: str, unknown: Unknown) -> list[int]:
    """The symbols of a prompt.

    Parameters
    ----------
    code
        The vocabulary.
    text
        The prompt.
    unknown
        What happens to characters that it does not have: "error" refuses them, "skip"
        leaves them out, "replace" puts the symbol for unknown ones in their place, or
        a space if there is no such symbol.
    """
    if unknown not in ("error", "skip", "replace"):
        raise ArgumentError(
            f"prompt: unknown must be 'error', 'skip' or 'replace', got {unknown!r}"
        )
    stand_in: int | None = code.UNKNOWN if getattr(code, "unknown", False) else None  # type: ignore[attr-defined]
    if stand_in is not None or unknown == "error":
        symbols = code.encode(text).tolist()
        return [s for s in symbols if unknown != "skip" or s != stand_in]
    space = symbols_of(code, " ") if unknown == "replace" else []
    if space is None:
        raise VocabularyError(
            "prompt: unknown='replace' needs a symbol for unknown characters or a "
            "space, got a vocabulary with neither"
        )
    parts = (symbols_of(code, char) for char in text)
    return [s for part in parts for s in (space if part is None else part)]


def symbols_of(code: Code, text: str) -> list[int] | None:
    """The symbols of a text; None if it has characters without one."""
    try:
        return list(code.encode(text).tolist())
    except VocabularyError:
        return None
