r"""What a symbol of a text is: a byte, a code point or a word.

Bytes are a file's, as they are. Code points and words are those of its UTF-8 text,
without a byte order mark at its beginning and with each line end, CR LF or CR, as LF.

A word is up to 255 letters, digits and underscores, or one other mark, with one space
before it if there is one; white space that precedes neither is a word of its own:
``" ?\w{1,255}| ?[^\w\s]|\s"``. So ``"No, no!"`` is ``"No"  ","  " no"  "!"``: nothing
is lost, and words put one behind the other are the text.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from itertools import repeat
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from recurrentnn.errors import VocabularyError

Token: TypeAlias = int | str
# Text as its unit reads it, bytes or str.
Raw: TypeAlias = Any
# Numbers of a piece of text; -1 where a symbol has none.
Encode: TypeAlias = Callable[[Raw], NDArray[np.int64]]

_WORD = re.compile(r" ?\w{1,255}| ?[^\w\s]|\s")
_CODE_POINTS = 0x110000


class Unit(Protocol):
    """One of the three: how text falls into tokens, and what they are called."""

    name: str
    # Whether it reads text, or else bytes.
    text: bool
    unknown: Raw

    def counter(self) -> TokenCounter:
        """A fresh count of tokens."""

    def valid(self, token: object) -> bool:
        """Whether it can be a token."""

    def encoder(self, tokens: Sequence[Any], first: int) -> Encode:
        """What turns a piece into the numbers of its tokens, counted from `first`."""

    def tokens(self, piece: Raw) -> Sequence[Any]:
        """The tokens of a piece."""

    def settled(self, piece: Raw) -> int:
        """How much of a piece is the same tokens whatever comes behind it."""

    def join(self, tokens: Iterable[Any]) -> Raw:
        """The text of tokens."""


class TokenCounter(Protocol):
    """How often each token was seen."""

    def add(self, piece: Raw) -> None:
        """Count the tokens of a piece."""

    def counts(self) -> dict[Any, int]:
        """Tokens and their counts."""


class _Bytes:
    name, text, unknown = "bytes", False, b"?"

    def counter(self) -> TokenCounter:
        return _TableCounter(self._numbers, 256, int)

    def valid(self, token: object) -> bool:
        return type(token) is int and 0 <= token < 256

    def encoder(self, tokens: Sequence[int], first: int) -> Encode:
        return _by_table(self._numbers, tokens, first)

    def tokens(self, piece: bytes) -> Sequence[int]:
        return piece

    def settled(self, piece: bytes) -> int:
        return len(piece)

    def join(self, tokens: Iterable[int | bytes]) -> bytes:
        return b"".join(t if isinstance(t, bytes) else bytes([t]) for t in tokens)

    @staticmethod
    def _numbers(piece: bytes) -> NDArray[np.integer]:
        return np.frombuffer(piece, dtype=np.uint8)


class _Chars:
    name, text, unknown = "chars", True, "\ufffd"

    def counter(self) -> TokenCounter:
        return _TableCounter(self._numbers, _CODE_POINTS, chr)

    def valid(self, token: object) -> bool:
        return isinstance(token, str) and len(token) == 1 and not _lone(token)

    def encoder(self, tokens: Sequence[str], first: int) -> Encode:
        return _by_table(self._numbers, [ord(token) for token in tokens], first)

    def tokens(self, piece: str) -> Sequence[str]:
        return piece

    def settled(self, piece: str) -> int:
        return len(piece)

    def join(self, tokens: Iterable[str]) -> str:
        return "".join(tokens)

    @staticmethod
    def _numbers(piece: str) -> NDArray[np.integer]:
        raw = piece.encode("utf-32-le", errors="surrogatepass")
        return np.frombuffer(raw, dtype="<u4")


class _Words:
    name, text, unknown = "words", True, "\ufffd"

    def counter(self) -> TokenCounter:
        return _WordCounter()

    def valid(self, token: object) -> bool:
        return (
            isinstance(token, str)
            and _WORD.fullmatch(token) is not None
            and not _lone(token)
        )

    def encoder(self, tokens: Sequence[str], first: int) -> Encode:
        numbers = {token: number for number, token in enumerate(tokens, start=first)}

        def encode(piece: str) -> NDArray[np.int64]:
            found = _WORD.findall(piece)
            each = map(numbers.get, found, repeat(-1))
            return np.fromiter(each, dtype=np.int64, count=len(found))

        return encode

    def tokens(self, piece: str) -> Sequence[str]:
        return _WORD.findall(piece)

    def settled(self, piece: str) -> int:
        # A space always begins a word, and a newline is one.
        cut = max(piece.rfind(" "), piece.rfind("\n"))
        if cut > 0:
            return cut
        # Without any, the last word may go on behind the piece.
        for match in _WORD.finditer(piece):
            cut = match.start()
        return max(cut, 0)

    def join(self, tokens: Iterable[str]) -> str:
        return "".join(tokens)


class _TableCounter:
    """Counts small numbers, all of a piece at once."""

    def __init__(
        self,
        numbers: Callable[[Any], NDArray[np.integer]],
        size: int,
        token: Callable[[int], Token],
    ) -> None:
        self._numbers, self._token = numbers, token
        self._counts = np.zeros(size, dtype=np.int64)

    def add(self, piece: Raw) -> None:
        counts = np.bincount(self._numbers(piece))
        self._counts[: len(counts)] += counts

    def counts(self) -> dict[Any, int]:
        seen = np.flatnonzero(self._counts).tolist()
        return {self._token(number): int(self._counts[number]) for number in seen}


class _WordCounter:
    def __init__(self) -> None:
        self._counter: Counter[str] = Counter()

    def add(self, piece: str) -> None:
        self._counter.update(_WORD.findall(piece))

    def counts(self) -> dict[Any, int]:
        return self._counter


def _by_table(
    numbers: Callable[[Any], NDArray[np.integer]], codes: Sequence[int], first: int
) -> Encode:
    # The last entry is for every code behind the table.
    table = np.full(max(codes, default=0) + 2, -1, dtype=np.int64)
    table[np.asarray(codes, dtype=np.int64)] = np.arange(first, first + len(codes))

    def encode(piece: Raw) -> NDArray[np.int64]:
        return table[np.minimum(numbers(piece).astype(np.int64), len(table) - 1)]

    return encode


def _lone(token: str) -> bool:
    """Whether it has half of a surrogate pair, which no UTF-8 text has."""
    return any("\ud800" <= char <= "\udfff" for char in token)


UNITS: dict[str, Unit] = {unit.name: unit for unit in (_Bytes(), _Chars(), _Words())}


def unit_of(call: str, name: object) -> Unit:
    """The unit of a name."""
    if not isinstance(name, str) or name not in UNITS:
        names = ", ".join(UNITS)
        raise VocabularyError(f"{call}: unit must be one of {names}, got {name!r}")
    return UNITS[name]
