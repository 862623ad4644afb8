"""Symbols of a text: one per Unicode code point."""

from collections.abc import Iterable, Sequence

from .shape import expect


class Vocabulary:
    """Which number stands for which code point.

    Parameters
    ----------
    symbols
        Distinct code points, in their order.
    boundary
        Symbol 0 stands before and after every line, START and END in one; the code
        points then begin at 1.

    Raises
    ------
    ValueError
        For no symbol, one that comes twice, or one of several code points.
    """

    BOUNDARY = 0

    def __init__(self, symbols: str | Sequence[str], *, boundary: bool = False) -> None:
        expect(len(symbols) > 0, "Vocabulary: symbols must not be empty")
        self.symbols = tuple(symbols)
        self.boundary = boundary
        self._numbers: dict[str, int] = {}
        for number, symbol in enumerate(self.symbols, start=int(boundary)):
            expect(
                len(symbol) == 1,
                f"Vocabulary: a symbol must be one code point but is {symbol!r}",
            )
            expect(
                symbol not in self._numbers,
                f"Vocabulary: symbols must be distinct but {symbol!r} comes twice",
            )
            self._numbers[symbol] = number

    @staticmethod
    def from_text(text: str, *, boundary: bool = False) -> "Vocabulary":
        """Take every code point of a text, sorted; with a boundary, but line ends."""
        line_ends = set("\r\n") if boundary else set()
        return Vocabulary(sorted(set(text) - line_ends), boundary=boundary)

    def __len__(self) -> int:
        return len(self.symbols) + int(self.boundary)

    def __contains__(self, symbol: str) -> bool:
        return symbol in self._numbers

    def encode(self, text: str) -> list[int]:
        """Return the numbers of a text.

        Raises
        ------
        ValueError
            Names the first code point that has no number, and its position.
        """
        for position, symbol in enumerate(text):
            expect(
                symbol in self._numbers,
                f"encode: {symbol!r} at position {position} is not in the vocabulary",
            )
        return [self._numbers[symbol] for symbol in text]

    def decode(self, symbols: Iterable[int]) -> str:
        """Return the text of numbers; a boundary becomes a line end.

        Raises
        ------
        IndexError
            Names the first number that stands for nothing.
        """
        table = ("\n", *self.symbols) if self.boundary else self.symbols
        symbols = list(symbols)
        for symbol in symbols:
            expect(
                0 <= symbol < len(table),
                f"decode: symbols must be below {len(table)} but one is {symbol}",
                IndexError,
            )
        return "".join(table[symbol] for symbol in symbols)
