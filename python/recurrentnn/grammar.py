"""A small language of our own whose entropy is known exactly.

A probabilistic grammar without recursion: each rule rewrites a name into one of several
expansions with given weights. No net can bring the bits per character of such a text
below `Grammar.bits_per_char`; how near it comes is how well it has learnt. Sentences
are drawn from the library's own stream (purpose TEXT, step = number of the sentence),
so a seed gives the same text everywhere.

The entropy of an expansion is the sum of its parts, by the chain rule::

    H(name) = sum over its expansions e of  p_e (-log2 p_e + sum of H(n), n in e)

which is the entropy of the *sentences*, not only of their derivations, because no
sentence has two derivations (a test lists the whole language and sees that).
"""

import math
import re
from collections.abc import Iterator, Mapping
from functools import cache, cached_property
from itertools import count

from recurrentnn.errors import ArgumentError
from recurrentnn.reference import random

# Name -> expansion -> weight. `{name}` in an expansion is rewritten in turn.
# Subjects agree with their verbs in number, across the words in between.
ENGLISH: dict[str, dict[str, int]] = {
    "sentence": {
        "{one} {does}.": 5,
        "{many} {do}.": 4,
        "if {one} {does}, {many} {do} too.": 1,
    },
    "one": {"{name}": 2, "the {kind}{animal}": 3},
    "many": {"all {kind}{animal}s": 1, "{number} {animal}s": 1},
    "name": {"Anna": 3, "Boris": 2, "Chloe": 2, "David": 1},
    "kind": {"": 4, "old ": 2, "little ": 2, "lazy ": 1},
    "animal": {"cat": 4, "dog": 4, "horse": 2, "tiger": 1, "rabbit": 1},
    "number": {"two": 3, "three": 2, "seven": 1},
    "does": {"sleeps": 2, "sings{when}": 2, "likes {thing}": 3, "waits for {thing}": 1},
    "do": {"sleep": 2, "sing{when}": 2, "like {thing}": 3, "wait for {thing}": 1},
    "thing": {"fish": 3, "the rain": 2, "old songs": 1, "a new house": 1},
    "when": {"": 2, " at night": 1, " in the morning": 1},
}


class Grammar:
    """A finite language with a probability for each sentence.

    Parameters
    ----------
    rules
        Name -> expansion -> positive weight; `{name}` in an expansion stands for an
        expansion of that name, everything else for itself.
    start
        The name that a sentence is an expansion of.

    Raises
    ------
    ArgumentError
        A name without rule, a rule without positive weights, or recursion.
    """

    def __init__(
        self, rules: Mapping[str, Mapping[str, float]], start: str = "sentence"
    ) -> None:
        self._start = start
        # Odd parts of a split expansion are names, even ones are plain text.
        self._rules = {
            name: [
                (weight / sum(expansions.values()), re.split(r"\{(\w+)\}", expansion))
                for expansion, weight in expansions.items()
            ]
            for name, expansions in rules.items()
            if expansions and min(expansions.values()) > 0
        }
        self._check(start, ())

    def _check(self, name: str, above: tuple[str, ...]) -> None:
        if name in above:
            raise ArgumentError(f"Grammar: {name!r} must not lead back to itself")
        if name not in self._rules:
            raise ArgumentError(f"Grammar: {name!r} needs a rule of positive weights")
        for _, parts in self._rules[name]:
            for child in parts[1::2]:
                self._check(child, (*above, name))

    @cached_property
    def entropy(self) -> float:
        """Bits per sentence."""

        @cache
        def bits(name: str) -> float:
            return sum(
                p * (-math.log2(p) + sum(map(bits, parts[1::2])))
                for p, parts in self._rules[name]
            )

        return bits(self._start)

    @cached_property
    def mean_length(self) -> float:
        """Expected characters per sentence, its end not counted."""

        @cache
        def length(name: str) -> float:
            return sum(
                p * (len("".join(parts[::2])) + sum(map(length, parts[1::2])))
                for p, parts in self._rules[name]
            )

        return length(self._start)

    @property
    def bits_per_char(self) -> float:
        """The entropy over the mean length: what a perfect model reaches.

        It counts as `CharModel.evaluate` does: the end of a sentence costs bits but is
        no character.
        """
        return self.entropy / self.mean_length

    def distribution(self) -> Iterator[tuple[str, float]]:
        """Every derivation's sentence with its probability: the whole language."""
        return self._expand(["", self._start, ""])

    def _expand(self, parts: list[str]) -> Iterator[tuple[str, float]]:
        if len(parts) == 1:
            yield parts[0], 1.0
            return
        before, name, *rest = parts
        tails = list(self._expand(rest))
        for p, expansion in self._rules[name]:
            for middle, q in self._expand(expansion):
                for after, r in tails:
                    yield before + middle + after, p * q * r

    def sentence(self, number: int, seed: int = 0) -> str:
        """Sentence `number`, in [0, 2^32), of the stream of a seed, in [0, 2^64)."""
        draws = (random.uniform(seed, random.TEXT, number, k) for k in count())

        def expand(name: str) -> str:
            parts = self._choose(name, next(draws))
            return "".join(
                expand(part) if i % 2 else part for i, part in enumerate(parts)
            )

        return expand(self._start)

    def _choose(self, name: str, u: float) -> list[str]:
        for p, parts in self._rules[name]:
            u -= p
            if u < 0.0:
                return parts
        return self._rules[name][-1][1]  # the weights' sum was rounded below 1


english = Grammar(ENGLISH)


def text(sentences: int, seed: int = 0) -> str:
    """The first sentences of the built-in grammar's stream, one a line."""
    return "\n".join(english.sentence(number, seed) for number in range(sentences))


def description() -> str:
    """One phrase for the user, with the entropy."""
    floor = english.bits_per_char
    return f"sentences of a small grammar of {floor:.3f} bits per character"
