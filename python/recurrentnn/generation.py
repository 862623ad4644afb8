"""Text from a model that has learnt to write, and how probable a text is to it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple, TypedDict, Unpack, cast

import numpy as np
from numpy.typing import NDArray

from recurrentnn._recurrentnn import Model, Vocabulary, beam_search
from recurrentnn.arguments import wrong_type
from recurrentnn.data.text import clean
from recurrentnn.errors import ArgumentError
from recurrentnn.passages import Continuation, Passages, Stop, choosable
from recurrentnn.pieces import (
    Prompt,
    Unknown,
    encode_prompt,
    read_prompt,
    symbols_of,
    whole_text,
)
from recurrentnn.sampling import Filters, Sampling, SamplingOptions
from recurrentnn.scores import Score, score_symbols

if TYPE_CHECKING:
    from recurrentnn.demo.html import Inspection
    from recurrentnn.text_model import TextLanguage


class Ends(TypedDict, total=False):
    """How a text begins and ends.

    Attributes
    ----------
    unknown
        What happens to characters of the prompt that the model has never seen: "error"
        refuses them, "skip" leaves them out, "replace" reads the symbol for unknown
        ones instead, or a space if the vocabulary has none.
    stop
        A text that ends it, or several; or a function that is called with what was
        written so far, without the prompt, after every piece, and ends it with a true
        result. Such a text is not among what is written, and one that the model cannot
        write is refused. The end of a line always ends.
    """

    unknown: Unknown
    stop: Stop


class Drawing(Filters, Ends, total=False):
    """The options of `Sampling`, beside temperature and greedy, and of `Ends`."""


class Writing(SamplingOptions, Ends, total=False):
    """The options of `Sampling` and of `Ends`."""


class Found(NamedTuple):
    """A continuation that beam search found.

    Attributes
    ----------
    text
        The prompt and the continuation.
    log_probability
        ln P of the continuation, in nats; of a line that ended, the END included.
    score
        What it is ranked by: ln P / length^length_penalty.
    ended
        Whether its line ended, or else the length was reached.
    """

    text: str
    log_probability: float
    score: float
    ended: bool


class Writer:
    """A text model that writes.

    What it draws is a function of the seed, the number of the sample and the position:
    sample i of many is sample i alone, pieces put together are the whole, and what goes
    on from a `Continuation` is what would have followed.

    Attributes
    ----------
    net : Model
        Maps symbols to logits.
    vocabulary : Vocabulary
        The symbols.
    """

    net: Model
    vocabulary: Vocabulary

    @property
    def lines(self) -> bool:
        """Whether it reads lines, or else one running text."""
        return getattr(self.vocabulary, "boundary", False)

    def sample(
        self,
        prompt: Prompt = "",
        length: int = 200,
        temperature: float = 1.0,
        seed: int = 0,
        **options: Unpack[Drawing],
    ) -> str:
        """The prompt and what the model writes after it.

        Parameters
        ----------
        prompt
            Text to go on from, or the path of a file of UTF-8 that holds it.
        length
            Most symbols to add; a line may end earlier.
        temperature
            Divides the logits: below 1 bolder is rarer, above 1 it is commoner.
        seed
            The same seed gives the same text.
        options
            Those of `Sampling` and of `Ends`: `top_p=0.9, stop="."`.

        Raises
        ------
        VocabularyError
            A code point of the prompt that the model has never seen; one in `allowed`,
            `banned` or `stop` that it cannot write.
        ArgumentError
            An option out of its domain.
        """
        text = read_prompt(prompt)
        new, _ = self.generate(
            text, length, seed=seed, temperature=temperature, **options
        )
        return text + new

    def greedy(
        self, prompt: Prompt = "", length: int = 200, **options: Unpack[Drawing]
    ) -> str:
        """The prompt and, symbol by symbol, the most probable that follows."""
        text = read_prompt(prompt)
        return text + self.generate(text, length, greedy=True, **options)[0]

    def sample_many(
        self,
        count: int,
        prompt: Prompt = "",
        length: int = 200,
        temperature: float = 1.0,
        seed: int = 0,
        **options: Unpack[Drawing],
    ) -> list[str]:
        """Many samples at once, each the prompt and its own continuation.

        Parameters
        ----------
        count
            Number of samples. That number i of many is the same bits however many there
            are; the first is that of `sample`.
        prompt, length, temperature, seed, options
            As of `sample`.
        """
        text = read_prompt(prompt)
        start = Continuation(seed=seed)
        drawing: Writing = {"temperature": temperature, "greedy": False, **options}
        passages = self._passages(text, start, count, drawing)
        return [text + more for more in passages.write(length)]

    def generate(
        self,
        prompt: Prompt = "",
        length: int = 200,
        *,
        seed: int | None = None,
        start: Continuation | None = None,
        **options: Unpack[Writing],
    ) -> tuple[str, Continuation]:
        """What the model writes, and the place where it can go on.

        Parameters
        ----------
        prompt
            Text that comes first, or the path of a file of UTF-8.
        length
            Most symbols to write.
        seed
            Of the draws; None: that of `start`, or 0.
        start
            Where to go on from, with the prompt; None: the beginning.
        options
            Those of `Sampling` and of `Ends`.

        Returns
        -------
        text, after
            What is new, without the prompt; half a code point at its end waits in
            `after` for the rest.

        Examples
        --------
        ``one, place = lm.generate("The ", 50)`` and ``two, _ = lm.generate(length=50,
        start=place)`` are together ``lm.generate("The ", 100)``.
        """
        passages = self._passages(prompt, _seeded(start, seed), 1, options)
        [text] = passages.write(length)
        [after] = passages.after()
        return text, after

    def branch(
        self,
        start: Continuation,
        count: int,
        length: int = 200,
        *,
        prompt: Prompt = "",
        seed: int | None = None,
        **options: Unpack[Writing],
    ) -> list[tuple[str, Continuation]]:
        """Many continuations of one place; the first is that of `generate`.

        Parameters
        ----------
        start
            The place.
        count
            How many.
        length, prompt, seed, options
            As of `generate`.
        """
        passages = self._passages(prompt, _seeded(start, seed), count, options)
        return list(zip(passages.write(length), passages.after(), strict=True))

    def stream_text(
        self,
        prompt: Prompt = "",
        length: int | None = None,
        *,
        seed: int | None = None,
        start: Continuation | None = None,
        **options: Unpack[Writing],
    ) -> Iterator[str]:
        """Pieces of text as they are written, without the prompt; never empty ones.

        Parameters
        ----------
        length
            Most symbols; None: without end.
        prompt, seed, start, options
            As of `generate`. What may be the beginning of a stop waits until it is
            sure. A piece has whole code points alone.

        Examples
        --------
        ``for piece in lm.stream_text("The "): print(piece, end="", flush=True)``
        """
        passages = self._passages(prompt, _seeded(start, seed), 1, options)
        return (piece for [piece] in passages.stream(length) if piece)

    def beam(
        self,
        prompt: Prompt = "",
        length: int = 200,
        *,
        width: int = 4,
        length_penalty: float = 1.0,
        allowed: str | None = None,
        banned: str = "",
        unknown: Unknown = "error",
    ) -> list[Found]:
        """The most probable continuations, by beam search; the best first.

        Parameters
        ----------
        prompt, unknown
            As of `sample`.
        length
            Most symbols of a continuation y.
        width
            How many are kept in each step, and returned at most.
        length_penalty
            They are ranked by ln P(y) / |y|^length_penalty, where |y| counts the END of
            a line: 0 favours short lines, 1 compares means.
        allowed, banned
            Characters that may be written (None: all), and those that may not; one that
            the model cannot write is refused.
        """
        text = read_prompt(prompt)
        symbols, never = choosable(self, allowed, banned)
        found = beam_search(
            self.net,
            self._prime(text, Continuation(), unknown),
            length,
            width=width,
            length_penalty=length_penalty,
            stop=[Vocabulary.BOUNDARY] if self.lines else None,
            allowed=symbols,
            banned=never,
        )
        return [
            Found(text + whole_text(self.vocabulary, symbols), log_p, score, ended)
            for symbols, log_p, score, ended in found
        ]

    def score(self, text: str, *, prompt: Prompt = "") -> Score:
        """How probable each symbol of a text is, given all before it.

        Parameters
        ----------
        text
            Its code points must be in the vocabulary. Of lines, each that is not blank
            is predicted from its START to its END.
        prompt
            What comes before a running text. Without it the first symbol is given, not
            predicted.
        """
        text, before = clean(text), read_prompt(prompt)
        if self.lines:
            if before:
                raise ArgumentError("score: prompt must be empty for a model of lines")
            parts = self._lines(text)
        else:
            parts = [(self.vocabulary.encode(before + text), self._given(before))]
        codes = [symbols[given:] for symbols, given in parts]
        logs = [
            score_symbols(self.net, symbols)[given - 1 :] for symbols, given in parts
        ]
        decode = self.vocabulary.decode
        return Score(
            tuple(decode([symbol]) for code in codes for symbol in code.tolist()),
            np.concatenate([np.empty(0), *logs]),
        )

    def inspect(self, text: Prompt) -> Inspection:
        """What goes on in the net while it reads a text: a picture in notebooks.

        ``lm.inspect("The text").save("inside.html")`` writes it as one file.

        Parameters
        ----------
        text
            At most 1000 symbols, or the path of a file of UTF-8 that holds them; what
            the model does not know is replaced.

        Raises
        ------
        ArgumentError
            The text is empty or too long.
        """
        from recurrentnn.demo.html import Inspection

        return Inspection(cast("TextLanguage", self), read_prompt(text))

    def _lines(self, text: str) -> list[tuple[NDArray[np.int64], int]]:
        """Each line that is not blank between START and END; START is given."""
        edge = [Vocabulary.BOUNDARY]
        lines = (line for line in text.split("\n") if line.strip())
        coded = (self.vocabulary.encode(line) for line in lines)
        return [(np.concatenate([edge, code, edge]), 1) for code in coded]

    def _given(self, before: str) -> int:
        """How many symbols of a running text are not predicted."""
        return len(self.vocabulary.encode(before)) or 1

    def _passages(
        self, prompt: Prompt, start: Continuation, count: int, options: Writing
    ) -> Passages:
        unknown, stop = options.get("unknown", "error"), options.get("stop")
        prime = self._prime(read_prompt(prompt), start, unknown)
        ends = Ends.__annotations__
        rest = {name: value for name, value in options.items() if name not in ends}
        sampling = Sampling(**cast(SamplingOptions, rest))
        return Passages(self, start, prime, count, sampling, stop)

    def _prime(self, text: str, start: Continuation, unknown: Unknown) -> list[int]:
        """What is read before anything is drawn."""
        symbols = encode_prompt(self.vocabulary, text, unknown)
        if start.last:
            return symbols
        if self.lines:
            return [Vocabulary.BOUNDARY, *symbols]
        return symbols or [self._opening()]

    def _opening(self) -> int:
        """What an unprompted running text is taken to follow: a newline, if known."""
        known = (symbols_of(self.vocabulary, char) for char in "\n ")
        return next((symbols[0] for symbols in known if symbols), 0)


def _seeded(start: Continuation | None, seed: int | None) -> Continuation:
    """The place, with that seed unless it is None."""
    if start is None:
        start = Continuation()
    elif not isinstance(start, Continuation):
        raise wrong_type("generate", "start", "a Continuation or None", start)
    return start if seed is None else replace(start, seed=seed)
