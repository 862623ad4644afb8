"""Texts to learn from: Python's own help, the grammar, the vocabulary, batches."""

import builtins
import math
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import recurrentnn as rnn
from recurrentnn import builtin_text, data, grammar
from recurrentnn.data.text import read

TOPICS = {
    "b": """The "with" statement
********************

The "with" statement is used to wrap the execution of a *block* with post-
mortem debugging. It says so.

   x = 1  # A comment is no sentence.
   print("The end of the code.")

   with_stmt ::= "with" with_item

* A list item that is a “sentence” of its own.

+-------+-------+
| A row of a table is no sentence. |

New in version 3.1: Support for multiple context expressions.
""",
    "a": "This sentence comes first.\n\nThis one (is left open. No end here:\n",
}


def test_prose_becomes_sentences_and_all_else_is_dropped() -> None:
    assert builtin_text.prose_sentences(TOPICS) == [
        "This sentence comes first.",
        'The "with" statement is used to wrap the execution of a block with '
        "post-mortem debugging.",
        'A list item that is a "sentence" of its own.',
    ]


def test_a_sentence_comes_once() -> None:
    twice = {"a": "This sentence comes twice.\n\nThis sentence comes twice."}
    assert builtin_text.prose_sentences(twice) == ["This sentence comes twice."]


def test_the_help_of_this_python_is_plain_and_the_same_every_time() -> None:
    sentences = builtin_text.help_sentences()
    if sentences is None:
        pytest.skip("this Python carries no help")
    assert sentences == builtin_text.help_sentences()
    assert len(sentences) == len(set(sentences)) >= 500
    for sentence in sentences:
        assert 20 <= len(sentence) <= 140
        assert sentence.isascii()
        assert not set(sentence) & set("\n\t*_|<>{}[]=\\`#")


def test_without_help_the_grammar_stands_in(monkeypatch: pytest.MonkeyPatch) -> None:
    load = builtins.__import__

    def without_help(name: str, *rest: Any) -> ModuleType:
        if name.startswith("pydoc_data"):
            raise ImportError(name)
        return load(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without_help)
    assert builtin_text.help_sentences() is None
    text, source = builtin_text.default_text()
    assert text.startswith(grammar.english.sentence(0))
    assert f"{grammar.english.bits_per_char:.3f}" in source


def test_unknown_help_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    topics = pytest.importorskip("pydoc_data.topics")
    monkeypatch.setattr(topics, "topics", TOPICS)
    assert builtin_text.help_sentences() is None


def test_the_grammars_entropy_is_that_of_its_whole_language() -> None:
    """Brute force: every sentence with its probability; none has two derivations."""
    language = dict(grammar.english.distribution())
    assert len(language) == len(list(grammar.english.distribution()))
    p = np.array(list(language.values()))
    lengths = np.array([len(sentence) for sentence in language])
    assert p.sum() == pytest.approx(1.0, abs=1e-9)
    entropy = float(-(p * np.log2(p)).sum())
    assert grammar.english.entropy == pytest.approx(entropy, rel=1e-9)
    assert grammar.english.mean_length == pytest.approx(float(p @ lengths), rel=1e-9)
    assert grammar.english.bits_per_char == pytest.approx(entropy / (p @ lengths))


def test_sentences_are_drawn_as_often_as_the_grammar_says() -> None:
    rules = {"sentence": {"{a}{b}.": 3, "": 1}, "a": {"x": 1, "y{b}": 1}, "b": {"z": 1}}
    small = grammar.Grammar(rules)
    expected = {"": 0.25, "xz.": 0.375, "yzz.": 0.375}
    assert dict(small.distribution()) == pytest.approx(expected)
    assert small.entropy == pytest.approx(
        -0.25 * math.log2(0.25) - 0.75 * math.log2(0.375)
    )
    draws = [small.sentence(number, seed=7) for number in range(4000)]
    for sentence, p in expected.items():
        # Five standard deviations of a binomial share.
        bound = 5 * math.sqrt(p * (1 - p) / len(draws))
        assert draws.count(sentence) / len(draws) == pytest.approx(p, abs=bound)


def test_a_seed_gives_the_same_sentences() -> None:
    assert grammar.text(3) == (
        "all dogs like the rain.\nthe old horse sings.\n"
        "all lazy horses sing in the morning."
    )
    assert (
        grammar.text(50, seed=1) == grammar.text(60, seed=1)[: len(grammar.text(50, 1))]
    )
    assert grammar.text(50, seed=1) != grammar.text(50, seed=2)


@pytest.mark.parametrize(
    ("rules", "named"),
    [
        ({"sentence": {"{word}": 1}}, "word"),
        ({"sentence": {}}, "sentence"),
        ({"sentence": {"a": 0}}, "sentence"),
        ({"sentence": {"{a}": 1}, "a": {"{b}": 1}, "b": {"": 1, "{a}": 1}}, "a"),
    ],
)
def test_a_grammar_that_cannot_be_is_refused(
    rules: dict[str, dict[str, float]], named: str
) -> None:
    with pytest.raises(rnn.ArgumentError, match=repr(named)):
        grammar.Grammar(rules)


def test_code_points_are_symbols() -> None:
    text = "naïve 🦀 日本 e\u0301"
    vocabulary = rnn.Vocabulary.from_text(text)
    assert vocabulary.symbols == tuple(sorted(set(text)))
    assert vocabulary.decode(vocabulary.encode(text)) == text
    assert vocabulary.encode(text).dtype == np.int64
    assert "🦀" in vocabulary
    assert "🐍" not in vocabulary


def test_a_boundary_is_symbol_0_and_newlines_are_none() -> None:
    vocabulary = rnn.Vocabulary.from_text("ab\r\nba\n", boundary=True)
    assert vocabulary.boundary
    assert vocabulary.symbols == ("a", "b")
    assert len(vocabulary) == 3
    assert vocabulary.encode("ab").tolist() == [1, 2]
    assert rnn.Vocabulary.BOUNDARY == 0


def test_an_unknown_symbol_is_named_with_its_place() -> None:
    vocabulary = rnn.Vocabulary("abc")
    with pytest.raises(rnn.VocabularyError, match=r"'\?'.* 2\b"):
        vocabulary.encode("ab?")
    with pytest.raises(rnn.OutOfRangeError, match="3"):
        vocabulary.decode([0, 3])


def test_lines_are_padded_and_end() -> None:
    vocabulary = rnn.Vocabulary("abc", boundary=True)
    lines = read("ab\r\n\r\n  \rcab", rnn.Vocabulary(" abc", boundary=True))
    assert lines.symbols == 7
    [batch] = data.Lines.of("ab\n\ncab\n", vocabulary).in_order(5, 99)
    assert batch.x.tolist() == [[0, 1, 2, 0], [0, 3, 1, 2]]
    assert batch.targets.tolist() == [[1, 2, 0, 0], [3, 1, 2, 0]]
    assert batch.mask is not None
    assert batch.mask.tolist() == [[True, True, True, False], [True] * 4]
    assert (batch.symbols, batch.chars, batch.first) == (7, 5, True)


def test_an_epoch_of_lines_has_every_line_once_in_an_order_of_its_own() -> None:
    text = "\n".join(grammar.english.sentence(k) for k in range(100))
    vocabulary = rnn.Vocabulary.from_text(text, boundary=True)
    lines = data.Lines.of(text, vocabulary)

    def seen(epoch: int) -> list[str]:
        return [
            vocabulary.decode(row[row != 0])
            for batch in lines.epoch(epoch, 8, 999, seed=3)
            for row in batch.x
        ]

    assert sorted(seen(0)) == sorted(text.split("\n"))
    assert seen(0) == seen(0)
    assert seen(0) != seen(1)

    def met(epoch: int) -> list[list[list[int]]]:
        """Return which lines meet in a batch, whatever the order."""
        batches = lines.epoch(epoch, 8, 999, seed=3)
        return sorted(sorted(batch.x.tolist()) for batch in batches)

    assert met(0) != met(1)


def test_long_lines_go_on_in_further_batches() -> None:
    vocabulary = rnn.Vocabulary("abcd", boundary=True)
    batches = list(data.Lines.of("abcd\na", vocabulary).in_order(2, 3))
    assert [batch.first for batch in batches] == [True, False]
    assert batches[1].targets.tolist() == [[0, 0], [4, 0]]
    assert [batch.symbols for batch in batches] == [5, 2]


@pytest.mark.parametrize("n", [2, 3, 7, 8, 9, 30, 31, 65])
@pytest.mark.parametrize("streams", [1, 2, 4, 7])
@pytest.mark.parametrize("seq_length", [1, 3, 8, 100])
def test_streams_predict_each_symbol_once(
    n: int, streams: int, seq_length: int
) -> None:
    """Glued along time, the rows are the text; the state always goes on in place."""
    text = data.Streams(np.arange(n))
    batches = list(text.in_order(streams, seq_length))
    assert [batch.first for batch in batches] == [True] + [False] * (len(batches) - 1)
    assert sum(batch.symbols for batch in batches) == text.symbols == n - 1
    x, targets, mask = _glued(batches)
    np.testing.assert_array_equal(x[mask], np.arange(n - 1))
    np.testing.assert_array_equal(targets[mask], np.arange(1, n))


def _glued(batches: list[data.Batch]) -> tuple[Any, Any, Any]:
    x = np.concatenate([batch.x for batch in batches], axis=1)
    targets = np.concatenate([batch.targets for batch in batches], axis=1)
    masks = [
        np.ones(batch.x.shape, bool) if batch.mask is None else batch.mask
        for batch in batches
    ]
    return x, targets, np.concatenate(masks, axis=1)


def test_validation_takes_random_lines_or_the_tail() -> None:
    vocabulary = rnn.Vocabulary("ab", boundary=True)
    lines = data.Lines.of("\n".join(["ab"] * 30 + ["b"] * 10), vocabulary)
    kept, held_out = lines.split(0.25, seed=1)
    assert held_out is not None
    assert kept.symbols + held_out.symbols == lines.symbols
    assert sum(batch.x.shape[0] for batch in held_out.in_order(99, 99)) == 10
    assert lines.split(0.0, seed=1) == (lines, None)
    with pytest.raises(rnn.ArgumentError, match="hold out a line"):
        lines.split(0.01, seed=1)

    running = data.Streams(np.arange(100))
    begin, tail = running.split(0.1, 0)
    assert tail is not None
    assert (begin.symbols, tail.symbols) == (89, 9)
    assert next(tail.in_order(1, 100)).x[0, 0] == 90
    assert running.split(0.0, 0) == (running, None)
    with pytest.raises(rnn.ArgumentError, match="hold out 2 characters"):
        running.split(0.01, 0)
