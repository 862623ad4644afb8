"""Samples of a text model on their way, and where each can go on."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from recurrentnn._recurrentnn import Generator, Model, Vocabulary
from recurrentnn.errors import ArgumentTypeError, VocabularyError
from recurrentnn.pieces import Code, Pieces, symbols_of, whole_text
from recurrentnn.sampling import Sampling, Symbols
from recurrentnn.state import State

Stop: TypeAlias = str | Sequence[str] | Callable[[str], object] | None


class Language(Protocol):
    """What writes: a net and the vocabulary of its symbols."""

    @property
    def net(self) -> Model:
        """Maps symbols to logits."""

    @property
    def vocabulary(self) -> Code:
        """The symbols."""

    @property
    def lines(self) -> bool:
        """Whether it reads lines, or else one running text."""


@dataclass(frozen=True, slots=True, eq=False)
class Continuation:
    """A place from which a text goes on, as often as you like: a plain value.

    Attributes
    ----------
    state
        After all symbols but the last; None: zeros.
    read
        The symbols that it has read, which a repetition penalty knows of.
    last
        The last symbol, which the state has not read; none at the very beginning.
    seed, sample, position
        The address of the next draw.
    unfinished
        Bytes of a code point that is not whole yet.
    """

    state: State | None = None
    read: NDArray[np.int64] | None = None
    last: tuple[int, ...] = ()
    seed: int = 0
    sample: int = 0
    position: int = 0
    unfinished: bytes = b""


class Passages:
    """What a text model writes after a place: so many samples side by side.

    Parameters
    ----------
    model
        What writes.
    start
        The place; sample i draws from the stream `start.sample` + i of its seed.
    prompt
        Symbols that come next, before anything is drawn.
    count
        Number of samples.
    sampling
        How symbols are chosen; strings are characters of the vocabulary.
    stop
        Texts that end a sample; or a function of what it wrote, called with every
        piece, whose true result does. The end of a line always does.
    """

    def __init__(
        self,
        model: Language,
        start: Continuation,
        prompt: list[int],
        count: int,
        sampling: Sampling,
        stop: Stop,
    ) -> None:
        read = [] if start.read is None else start.read.tolist()
        prime = [*start.last, *prompt]
        allowed, banned = choosable(model, sampling.allowed, sampling.banned)
        self._start = start
        self._before = [*read, *prime]
        self._until = stop if callable(stop) else None
        self._generator = Generator(
            model.net,
            prime,
            count=count,
            sampling=replace(sampling, allowed=allowed, banned=banned),
            stop=_stops(model, None if callable(stop) else stop),
            seed=start.seed,
            sample=start.sample,
            position=start.position,
            history=read,
            state=start.state,
        )
        self._samples = [_Sample(model.vocabulary, start) for _ in range(count)]

    def write(self, length: int) -> list[str]:
        """What each sample writes, of at most so many symbols; they are remembered."""
        if self._until is None:
            new = self._generator.advance(length), self._generator.rest()
            return self._take(*new, remember=True)
        texts = [""] * len(self._samples)
        for pieces in self.stream(length, remember=True):
            texts = [text + piece for text, piece in zip(texts, pieces, strict=True)]
        return texts

    def stream(
        self, length: int | None, *, remember: bool = False
    ) -> Iterator[list[str]]:
        """The next piece of each sample, as soon as it is sure; None: without end."""
        for _ in itertools.count() if length is None else range(length):
            new = self._generator.advance(1)
            if not any(new) and all(self._generator.ended):
                break
            pieces = self._take(new, remember=remember)
            yield pieces
            self._ask(pieces)
        yield self._take(self._generator.rest(), remember=remember)

    def after(self) -> list[Continuation]:
        """Where each sample can go on, after `write`."""
        generator = self._generator
        state, last, positions = generator.state, generator.last, generator.positions
        return [
            replace(
                self._start,
                state=_row(state, number),
                read=np.array(self._read(number), dtype=np.int64),
                last=(last[number],),
                sample=self._start.sample + number,
                position=positions[number],
                unfinished=sample.pieces.unfinished,
            )
            for number, sample in enumerate(self._samples)
        ]

    def _read(self, number: int) -> list[int]:
        """The symbols that the state of a sample has read."""
        sample = self._samples[number]
        symbols = self._before + sample.written
        # A stop that was reached is not among them, but is the last one.
        stopped = self._generator.ended[number] and not sample.cut
        return symbols if stopped else symbols[:-1]

    def _take(self, *parts: list[list[int]], remember: bool) -> list[str]:
        """The text of new symbols of every sample."""
        pieces = []
        for sample, *new in zip(self._samples, *parts, strict=True):
            symbols = list(itertools.chain(*new))
            if remember:
                sample.written += symbols
            pieces.append(sample.pieces.take(symbols))
        return pieces

    def _ask(self, pieces: list[str]) -> None:
        """Ends the samples of which `stop` says so."""
        if self._until is None:
            return
        for number, (sample, piece) in enumerate(
            zip(self._samples, pieces, strict=True)
        ):
            sample.text += piece
            if piece and self._until(sample.text):
                sample.cut = True
                self._generator.end(number)


class _Sample:
    """What is known of one sample.

    Attributes
    ----------
    pieces
        Makes text of its symbols.
    written
        Its symbols, if they are to be remembered.
    text
        What it wrote, if a function wants to know.
    cut
        Whether that function ended it.
    """

    def __init__(self, code: Code, start: Continuation) -> None:
        self.pieces = Pieces(code, start.unfinished)
        self.written: list[int] = []
        self.text = ""
        self.cut = False


def choosable(
    model: Language, allowed: Symbols | None, banned: Symbols
) -> tuple[list[int] | None, list[int]]:
    """What may and may not be chosen, as symbols; the end of a line always may."""
    symbols = None if allowed is None else _in_symbols(model, "allowed", allowed)
    if symbols is not None and model.lines:
        symbols.append(Vocabulary.BOUNDARY)
    return symbols, _in_symbols(model, "banned", banned)


def _in_symbols(model: Language, option: str, given: Symbols) -> list[int]:
    """Numbers, or a string's characters, as symbols."""
    if not isinstance(given, str):
        return [int(symbol) for symbol in given]
    return list(itertools.chain(*_writable(model, option, given)))


def _writable(model: Language, option: str, texts: Sequence[str]) -> list[list[int]]:
    """The symbols of each text, which the model must be able to write.

    A slip of the finger would go unnoticed else: nothing is banned, or never stops.
    """
    code = model.vocabulary
    found = [symbols_of(code, text) for text in texts]
    # What is read as the unknown symbol is not written as it was.
    missing = [
        text
        for text, symbols in zip(texts, found, strict=True)
        if symbols is None or whole_text(code, symbols) != text
    ]
    if missing:
        names = ", ".join(map(repr, dict.fromkeys(missing)))
        raise VocabularyError(
            f"generate: {option} has {names}, which the model cannot write"
        )
    return [symbols or [] for symbols in found]


def _stops(model: Language, stop: str | Sequence[str] | None) -> list[list[int]]:
    """The sequences of symbols that end a sample."""
    texts = [stop] if isinstance(stop, str) else stop or []
    if not all(isinstance(text, str) for text in texts):
        raise ArgumentTypeError(
            f"generate: stop must be strings, a function or None, got {stop!r}"
        )
    own = [[Vocabulary.BOUNDARY]] if model.lines else []
    return own + _writable(model, "stop", texts)


def _row(state: State, row: int) -> State:
    """The state of one sample, as arrays of their own."""

    def rows(vectors: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(vector[row : row + 1].copy() for vector in vectors)

    more = {name: rows(vectors) for name, vectors in state.more.items()}
    return State(rows(state.hidden), rows(state.cell), more)
