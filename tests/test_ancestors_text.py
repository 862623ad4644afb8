"""Faults of the ancestors in chance and in text that must not come back.

Letters and numbers are those of the list of faults in docs/porting.md.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import recurrentnn as rnn
from recurrentnn import CharModel, Vocabulary, compat
from recurrentnn.compat import recurrentjs as R
from support import assert_close, tolerance

VALUE = tolerance("float64")


def test_a_random_mat_is_spread_about_its_mean() -> None:
    """J1: `mu` was ignored, and without `std` every entry was NaN."""
    assert np.isfinite(R.RandMat(10, 4).w).all()
    w = R.RandMat(100, 100, 3.0, 0.5).w
    assert w.min() >= 2.5
    assert w.max() < 3.5
    # The mean of n uniform draws strays by width / sqrt(12 n) = 0.0029.
    assert abs(w.mean() - 3.0) < 5 * 0.0029
    assert abs(w.std() - 1 / math.sqrt(12)) < 0.01


def test_draws_differ_and_a_seed_repeats_them() -> None:
    """J13: RecurrentJS had no seed."""

    def draws() -> list[Any]:
        compat.srand(5)
        return [
            compat.randNNMat(2, 2).w.tolist(),
            compat.randNNMat(2, 2).w.tolist(),
            R.RandMat(2, 2).w.tolist(),
            compat.LSTM(2, [2], 2)["decoder.weight"].w.tolist(),
            [R.randi(0, 1000) for _ in range(20)],
            [R.samplei(np.ones(1000)) for _ in range(20)],
        ]

    first = draws()
    assert draws() == first
    assert first[0] != first[1]
    assert len(set(first[4])) > 10
    compat.srand(6)
    assert compat.randNNMat(2, 2).w.tolist() != first[0]
    with pytest.raises(rnn.ArgumentError, match="srand: seed must be in"):
        compat.srand(-1)


def test_samplei_draws_in_proportion() -> None:
    """Weights need not add up to 1; a weight of 0 is never drawn."""
    compat.srand(1)
    counts = np.bincount([R.samplei([0, 2, 0, 6, 0]) for _ in range(2000)], minlength=5)
    assert counts[[0, 2, 4]].tolist() == [0, 0, 0]
    # 2000 draws of probability 1/4: deviation sqrt(2000 * 3/16) = 19.4.
    assert abs(counts[1] - 500) < 5 * 19.4


@pytest.mark.parametrize("drawn", [0.0, 0.5, 1 - 2**-53, 1.0])
def test_samplei_ends_where_rounding_leaves_the_sum_too_small(
    drawn: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """J4 looped for ever, L10 returned index 0 of arrays that begin at 1."""
    monkeypatch.setattr(R.sampling, "uniform", lambda: drawn)
    assert R.samplei([0.1] * 9 + [0.0]) in range(9)
    assert R.samplei([1e-320, 1e-320, 0.0]) in range(2)
    assert R.samplei([0.0, 1.0, 0.0]) == 1


@pytest.mark.parametrize("choose", [R.samplei, R.maxi])
def test_choosing_among_nan_or_nothing_is_an_error(choose: Callable[..., int]) -> None:
    """J4: samplei looped for ever."""
    with pytest.raises(rnn.NonFiniteError, match=r"w\[1\] is nan"):
        choose([0.5, math.nan])
    with pytest.raises(rnn.ArgumentError, match="w is empty"):
        choose([])


@pytest.mark.parametrize("weights", [[0.0, 0.0], [0.5, -0.1]])
def test_choosing_by_impossible_weights_is_an_error(weights: list[float]) -> None:
    """J4."""
    with pytest.raises(rnn.ArgumentError, match="weights >= 0"):
        R.samplei(weights)


def test_sampling_changes_no_logits() -> None:
    """K12: the temperature divided the output in place."""
    net = rnn.LSTM(5, 3, 5, seed=1)
    before, state = net(np.array([0, 1]))
    hidden = [np.array(h) for h in state.hidden]
    first, _ = net.generate([2], 20, temperature=0.5, seed=3, state=state)
    again, _ = net.generate([2], 20, temperature=0.5, seed=3, state=state)
    assert first == again
    for h, kept in zip(state.hidden, hidden, strict=True):
        np.testing.assert_array_equal(h, kept)
    np.testing.assert_array_equal(net(np.array([0, 1]))[0], before)


@pytest.mark.parametrize("text", ["a\nb\n", "abab\nbaba\n"])
def test_the_perplexity_of_a_uniform_guess_is_the_number_of_symbols(text: str) -> None:
    """K4: n+1 predictions for n characters, exp of their mean, also for n = 1."""
    lm = CharModel.create(text, lines=True, hidden_sizes=[2], dtype="float64")
    lm.net["decoder.weight"].value[...] = 0.0
    lm.net["decoder.bias"].value[...] = 0.0
    found = lm.evaluate(text)
    assert_close(found.perplexity, 3.0, VALUE)
    lines = text.split()
    assert found.symbols == sum(len(line) + 1 for line in lines)
    assert found.chars == sum(map(len, lines))


def test_perplexity_ends_at_1() -> None:
    """K16: the ancestor's comment has it move towards 0."""
    assert rnn.perplexity(0.0) == 1.0


def test_an_unknown_character_is_named() -> None:
    """J7: a rare character left out of the vocabulary became an undefined index."""
    with pytest.raises(rnn.VocabularyError, match="'z'"):
        Vocabulary.from_text("abc").encode("abzc")


def test_a_vocabulary_is_of_code_points_in_their_order() -> None:
    """J8, L9: digits came first, an emoji was two letters; text indices were bytes."""
    text = "né 😀1b"
    vocabulary = Vocabulary.from_text(text)
    assert list(vocabulary.symbols) == sorted(set(text))
    symbols = vocabulary.encode(text)
    assert len(symbols) == len(text)
    assert vocabulary.decode(symbols) == text


@pytest.mark.parametrize(
    "text", ["ab\nac\nad", "ab\r\nac\r\nad\r\n", "\nab\n\nac\nad\n"]
)
def test_the_last_character_of_a_line_is_a_symbol(text: str) -> None:
    """L8: it was cut twice, a space came in, blank lines stayed."""
    lm = CharModel.create(text, lines=True, hidden_sizes=[2])
    assert [s for s in lm.vocabulary.symbols if s][-4:] == ["a", "b", "c", "d"]
    assert len(lm.vocabulary) == 5
    assert lm.evaluate(text).chars == 6


def test_text_is_primed_and_as_long_as_asked() -> None:
    """J11: at most 101 characters, from an empty start."""
    net = rnn.RNN(4, 3, 4, seed=1)
    written, _ = net.generate([1, 2, 3], 300, seed=1)
    assert len(written) == 300
    for prime in ([1, 2, 3], [2, 1, 3]):
        logits, _ = net(np.array(prime))
        greedy, _ = net.generate(prime, 1, greedy=True)
        assert greedy == [int(np.argmax(np.asarray(logits)[-1]))]
