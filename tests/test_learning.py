"""All six models learn the sentence task of the ancestors' demos."""

import numpy as np
import pytest

import recurrentnn as rnn
from cases import CLASSES
from recurrentnn import builtin_text
from support import DATA, REQUIRE

LINES = 200


@pytest.fixture(scope="module")
def text() -> str:
    """Return the first lines of tinyshakespeare, or of the built-in text."""
    file = DATA / "tinyshakespeare.txt"
    if REQUIRE:
        assert file.is_file(), f"no data file {file}"
    whole = (
        file.read_text(encoding="utf-8")
        if file.is_file()
        else builtin_text.default_text().text
    )
    return "\n".join(whole.split("\n")[:LINES])


@pytest.mark.slow
@pytest.mark.parametrize("cell", CLASSES)
def test_a_model_halves_the_bits_per_character_of_its_start(
    cell: str, text: str
) -> None:
    lm = rnn.CharModel.create(
        text, lines=True, cell=cell, hidden_sizes=[48, 48], embedding_size=16, seed=1
    )
    start = lm.evaluate(text).bits_per_char
    lm.learn(text, epochs=15, batch_size=8, learning_rate=7e-3, seed=1)
    end = lm.evaluate(text).bits_per_char
    # Before it has learnt anything every symbol is about as probable as any other.
    assert start == pytest.approx(np.log2(len(lm.vocabulary)), rel=0.1)
    assert end < 0.5 * start


@pytest.mark.parametrize("cell", CLASSES)
def test_a_model_learns_one_sentence_by_heart(cell: str) -> None:
    sentence = "a cell is an expression."
    lm = rnn.CharModel.create(
        sentence, lines=True, cell=cell, hidden_sizes=[24, 24], seed=1
    )
    lm.learn(sentence, steps=300, learning_rate=1e-2, clip_value=None, seed=1)
    assert lm.greedy() == sentence
    assert lm.greedy("a cell") == sentence
    assert lm.sample("a c", temperature=0.1, seed=2) == sentence


@pytest.mark.parametrize("cell", CLASSES)
def test_the_same_seed_learns_the_same_bits(cell: str) -> None:
    text = "one line\nand another\nand a third one\n"
    twins = [
        rnn.CharModel.train(
            text, lines=True, cell=cell, hidden_sizes=[8], epochs=3, seed=5
        )
        for _ in range(2)
    ]
    for name, matrix in twins[0].net.parameters().items():
        np.testing.assert_array_equal(matrix.value, twins[1].net[name].value)
