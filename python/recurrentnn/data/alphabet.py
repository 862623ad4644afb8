"""Which number stands for which byte, code point or word; rare ones share one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from recurrentnn._recurrentnn import Vocabulary
from recurrentnn.arguments import integer
from recurrentnn.data.units import Raw, Token, unit_of
from recurrentnn.errors import (
    ArgumentError,
    ArgumentTypeError,
    FormatError,
    OutOfRangeError,
    VocabularyError,
)


class Alphabet:
    """The symbols of a text and their numbers.

    Parameters
    ----------
    unit
        "bytes", "chars" (code points) or "words"; see `recurrentnn.data.units`.
    tokens
        Distinct symbols in their order: integers below 256, characters or words.
    unknown
        Whether symbol 0 stands for whatever is not among them; tokens begin at 1 then.

    Raises
    ------
    VocabularyError
        No token, one that comes twice, or one that the unit does not have.

    Examples
    --------
    >>> alphabet = Alphabet.of("a rose is a rose", "words", min_count=2)
    >>> alphabet.tokens
    (' rose',)
    >>> alphabet.encode("a rose is red").tolist()
    [0, 1, 0, 0]
    """

    UNKNOWN = 0

    def __init__(
        self, unit: str, tokens: Sequence[Token], *, unknown: bool = False
    ) -> None:
        self._unit = unit_of("Alphabet", unit)
        if not isinstance(unknown, bool):
            raise ArgumentTypeError(f"Alphabet: unknown must be a bool, got {unknown}")
        self.unit = unit
        self.tokens = tuple(tokens)
        self.unknown = unknown
        if not self.tokens:
            raise VocabularyError("Alphabet: tokens must not be empty")
        seen: set[Token] = set()
        for token in self.tokens:
            if not self._unit.valid(token):
                raise VocabularyError(f"Alphabet: {token!r} is no token of {unit}")
            if token in seen:
                raise VocabularyError(f"Alphabet: token {token!r} comes twice")
            seen.add(token)
        self._encode = self._unit.encoder(self.tokens, int(unknown))

    @classmethod
    def of(
        cls,
        text: str | bytes,
        unit: str = "chars",
        *,
        min_count: int = 1,
        max_size: int | None = None,
    ) -> Alphabet:
        """The alphabet of a text in memory; see `of_counts`."""
        counter = unit_of("Alphabet", unit).counter()
        counter.add(_piece("Alphabet", unit, text))
        return cls.of_counts(
            unit, counter.counts(), min_count=min_count, max_size=max_size
        )

    @classmethod
    def of_counts(
        cls,
        unit: str,
        counts: Mapping[Any, int],
        *,
        min_count: int = 1,
        max_size: int | None = None,
    ) -> Alphabet:
        """The tokens that come often enough.

        Parameters
        ----------
        unit
            What the tokens are.
        counts
            How often each comes.
        min_count
            Rarer tokens become unknown.
        max_size
            Most symbols, the unknown one counted: of the tokens the most frequent; of
            equally frequent ones those that sort first. None: no limit.

        Notes
        -----
        There is an unknown symbol if one of the two limits is given (`min_count` above
        1), whether or not a token falls under it: a text to come may have others.
        Bytes and code points are numbered in their order, words by falling frequency.
        """
        integer("Alphabet", "min_count", min_count)
        unknown = min_count > 1 or max_size is not None
        tokens = [token for token, count in counts.items() if count >= min_count]
        tokens.sort(key=lambda token: (-counts[token], token))
        if max_size is not None:
            tokens = tokens[: integer("Alphabet", "max_size", max_size, least=2) - 1]
        if unit != "words":
            tokens.sort()
        return cls(unit, tokens, unknown=unknown)

    def __len__(self) -> int:
        return len(self.tokens) + self.unknown

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Alphabet) and self.config() == other.config()

    def __hash__(self) -> int:
        return hash((self.unit, self.tokens, self.unknown))

    def __repr__(self) -> str:
        rest = ", and the unknown" if self.unknown else ""
        return f"Alphabet({len(self.tokens)} {self.unit}{rest})"

    def encode(self, text: str | bytes) -> NDArray[np.int64]:
        """The numbers of a text; what has none is unknown, or an error.

        Raises
        ------
        VocabularyError
            Names the first token that is not in the alphabet, and its place, if there
            is no unknown symbol.
        """
        return self.numbers(_piece("encode", self.unit, text))

    def numbers(self, piece: Raw, before: int = 0) -> NDArray[np.int64]:
        """As `encode`, of a piece of a text with so many tokens before it."""
        numbers = self._encode(piece)
        if self.unknown:
            return np.maximum(numbers, self.UNKNOWN)
        if numbers.size and numbers.min() < 0:
            place = int(np.argmin(numbers))
            token = self._unit.tokens(piece)[place]
            raise VocabularyError(
                f"encode: {token!r} at position {before + place} is not in the alphabet"
            )
        return numbers

    def decode(self, symbols: ArrayLike) -> Raw:
        """The text of numbers, str or bytes; the unknown becomes U+FFFD, or b"?".

        Raises
        ------
        OutOfRangeError
            A number that stands for nothing.
        """
        numbers = np.asarray(symbols)
        if numbers.size and not 0 <= numbers.min() <= numbers.max() < len(self):
            raise OutOfRangeError(
                f"decode: symbols must be in [0, {len(self)}), got "
                f"{numbers.min()} to {numbers.max()}"
            )
        table = (*((self._unit.unknown,) if self.unknown else ()), *self.tokens)
        return self._unit.join(table[number] for number in numbers.ravel().tolist())

    def vocabulary(self) -> Vocabulary:
        """The same as a `Vocabulary`, for a `CharModel` of running text.

        Raises
        ------
        ArgumentError
            These are no code points, or rare ones are unknown.
        """
        if self.unit != "chars" or self.unknown:
            raise ArgumentError(
                f"vocabulary: the alphabet must be all of its code points, is {self}"
            )
        return Vocabulary([str(token) for token in self.tokens])

    def config(self) -> dict[str, Any]:
        """A value of JSON's kinds, for `from_config`."""
        return {
            "unit": self.unit,
            "tokens": list(self.tokens),
            "unknown": self.unknown,
        }

    @classmethod
    def from_config(cls, config: object) -> Alphabet:
        """The alphabet of which `config` was called.

        Raises
        ------
        FormatError
            The value is not of that kind.
        """
        match config:
            case {"unit": str(unit), "tokens": list(tokens), "unknown": bool(unknown)}:
                try:
                    return cls(unit, tokens, unknown=unknown)
                except (VocabularyError, TypeError) as error:
                    raise FormatError(f"alphabet: {error}") from None
        raise FormatError("alphabet: must be unit, tokens and whether there is unknown")


def _piece(call: str, unit: str, text: object) -> Raw:
    """A text as its unit reads it: bytes of a str are its UTF-8."""
    if unit == "bytes" and isinstance(text, str):
        return text.encode("utf-8")
    if isinstance(text, bytes if unit == "bytes" else str):
        return text
    kind = "bytes or a string" if unit == "bytes" else "a string"
    raise ArgumentTypeError(f"{call}: text must be {kind}, got {type(text).__name__}")
