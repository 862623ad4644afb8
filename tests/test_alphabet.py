"""Bytes, code points and words: their numbers, the unknown, and JSON."""

import json
import random
from typing import Any

import pytest

import recurrentnn as rnn
from recurrentnn import reference as ref
from recurrentnn.data import Alphabet
from recurrentnn.data.units import UNITS

# Letters of several scripts, a combining mark, an emoji, digits, marks, white space.
LETTERS = "aB_9é\u0301я中🙂,.'-  \n\t\u00a0\u2028"


def test_words_are_those_of_the_reference_and_nothing_is_lost() -> None:
    draw = random.Random(3)
    every = "".join(chr(n) for n in range(0x30000) if not 0xD800 <= n < 0xE000)
    for text in [every, *("".join(draw.choices(LETTERS, k=k)) for k in range(400))]:
        words = UNITS["words"].tokens(text)
        assert list(words) == ref.words(text)
        assert "".join(words) == text


def test_words_as_documented() -> None:
    words = UNITS["words"].tokens
    assert words("No, no!\n") == ["No", ",", " no", "!", "\n"]
    assert words("a  b_1 -") == ["a", " ", " b_1", " -"]
    assert words("x" * 300) == ["x" * 255, "x" * 45]


@pytest.mark.parametrize("unit", UNITS)
def test_a_text_comes_back(unit: str) -> None:
    text = "Ünïcode 🙂 e\u0301 中文,\n a-b  c_9"
    alphabet = Alphabet.of(text, unit)
    back = alphabet.decode(alphabet.encode(text))
    assert back == (text.encode() if unit == "bytes" else text)
    assert sorted(set(alphabet.encode(text).tolist())) == list(range(len(alphabet)))


@pytest.mark.parametrize("min_count", [1, 2, 3])
@pytest.mark.parametrize("max_size", [None, 2, 4])
@pytest.mark.parametrize("unit", ["chars", "words"])
def test_rare_symbols_are_unknown(
    unit: str, min_count: int, max_size: int | None
) -> None:
    draw = random.Random(5)
    for length in range(40):
        text = "".join(draw.choices("abcde ", k=length))
        tokens = list(text) if unit == "chars" else ref.words(text)
        kept = ref.alphabet(
            tokens,
            min_count=min_count,
            max_size=max_size,
            by_frequency=unit == "words",
        )
        if not kept:
            with pytest.raises(rnn.VocabularyError, match="must not be empty"):
                Alphabet.of(text, unit, min_count=min_count, max_size=max_size)
            continue
        found = Alphabet.of(text, unit, min_count=min_count, max_size=max_size)
        assert found.tokens == tuple(kept)
        assert found.unknown == (min_count > 1 or max_size is not None)
        assert len(found) == len(kept) + found.unknown
        if found.unknown:
            expected = [kept.index(t) + 1 if t in kept else 0 for t in tokens]
            assert found.encode(text).tolist() == expected


def test_the_unknown_is_written_as_a_replacement() -> None:
    assert Alphabet("chars", "ab", unknown=True).decode([1, 0, 2]) == "a\ufffdb"
    assert Alphabet("bytes", b"ab", unknown=True).decode([1, 0, 2]) == b"a?b"


def test_an_alphabet_travels_as_json() -> None:
    for unit in UNITS:
        alphabet = Alphabet.of("to be, or not to be", unit, min_count=2)
        assert Alphabet.from_config(json.loads(json.dumps(alphabet.config()))) == (
            alphabet
        )
    assert Alphabet.of("cab").vocabulary().symbols == ("a", "b", "c")
    with pytest.raises(rnn.ArgumentError, match="all of its code points"):
        Alphabet.of("cab", "bytes").vocabulary()


GOOD = {"unit": "chars", "tokens": ["a"], "unknown": False}


@pytest.mark.parametrize(
    "config",
    [
        None,
        [],
        {**GOOD, "unit": "runes"},
        {**GOOD, "tokens": []},
        {**GOOD, "tokens": ["a", "a"]},
        {**GOOD, "tokens": ["ab"]},
        {**GOOD, "tokens": [1]},
        {**GOOD, "tokens": [["a"]]},
        {**GOOD, "tokens": ["\ud800"]},
        {**GOOD, "unknown": 1},
        {**GOOD, "unit": "bytes", "tokens": [256]},
        {**GOOD, "unit": "bytes", "tokens": [True]},
        {**GOOD, "unit": "words", "tokens": ["two words"]},
    ],
)
def test_json_of_another_kind_is_refused(config: Any) -> None:
    with pytest.raises(rnn.FormatError, match="alphabet"):
        Alphabet.from_config(config)


def test_mistakes_are_named() -> None:
    alphabet = Alphabet.of("ab")
    with pytest.raises(rnn.VocabularyError, match=r"'\?' at position 2"):
        alphabet.encode("ab?!")
    with pytest.raises(rnn.VocabularyError, match=r"' c' at position 1"):
        Alphabet.of("a b", "words").encode("a c")
    with pytest.raises(rnn.VocabularyError, match="99 at position 1"):
        Alphabet.of("ab", "bytes").encode("ac")
    with pytest.raises(rnn.OutOfRangeError, match=r"\[0, 2\)"):
        alphabet.decode([0, 2])
    wrong: Any = b"ab"
    with pytest.raises(rnn.ArgumentTypeError, match="string, got bytes"):
        alphabet.encode(wrong)
    with pytest.raises(rnn.VocabularyError, match="bytes, chars, words"):
        Alphabet.of("ab", "lines")
    with pytest.raises(rnn.ArgumentError, match="min_count must be at least 1"):
        Alphabet.of("ab", min_count=0)
    with pytest.raises(rnn.ArgumentError, match="max_size must be at least 2"):
        Alphabet.of("ab", max_size=1)
