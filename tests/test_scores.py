"""How probable a text is, symbol by symbol."""

import math

import numpy as np
import pytest

import oracle
import recurrentnn as rnn
from constant import net_of
from recurrentnn import reference as ref
from recurrentnn.scores import score_symbols

TEXT = "one two three\nfour, five\n\nsix\n"


def model(lines: bool) -> rnn.CharModel:
    lm = rnn.CharModel.create(TEXT, lines=lines, hidden_sizes=[7], dtype="float64")
    oracle.stir(lm.net, 1.0)
    return lm


def test_each_symbol_is_scored_as_by_the_reference() -> None:
    ours = rnn.LSTM(5, [4, 3], 5, dtype="float64")
    theirs = ref.LSTM(5, [4, 3], 5)
    oracle.stir(ours, 1.0)
    oracle.copy_parameters(ours, theirs)
    symbols = np.random.default_rng(0).integers(0, 5, 60)
    np.testing.assert_allclose(
        score_symbols(ours, symbols), ref.score(theirs, symbols.tolist()), rtol=1e-12
    )


def test_a_long_text_is_scored_in_parts_with_the_state_carried() -> None:
    net = rnn.GRU(5, [6], 5, dtype="float64", seed=1)
    symbols = np.random.default_rng(1).integers(0, 5, 3000)
    logits, _ = net(symbols[None, :-1])
    x = np.asarray(logits)[0]
    own = x[np.arange(2999), symbols[1:]] - np.log(np.exp(x).sum(axis=1))
    np.testing.assert_allclose(score_symbols(net, symbols), own, rtol=1e-11)


@pytest.mark.parametrize("lines", [False, True])
def test_the_mean_is_the_loss_of_an_evaluation(lines: bool) -> None:
    lm = model(lines)
    score, evaluation = lm.score(TEXT), lm.evaluate(TEXT)
    assert len(score) == len(score.symbols) == len(score.log_probabilities)
    np.testing.assert_allclose(-score.total / len(score), evaluation.loss)
    assert score.bits == pytest.approx(-score.total / math.log(2))
    assert score.bits_per_symbol == pytest.approx(score.bits / len(score))
    assert score.perplexity == pytest.approx(math.exp(evaluation.loss))
    expected = "one two three\nfour, five\nsix\n" if lines else TEXT[1:]
    assert "".join(map(str, score.symbols)) == expected


def test_a_prompt_is_context_and_not_scored() -> None:
    lm = model(lines=False)
    whole, part = lm.score("one two"), lm.score(" two", prompt="one")
    assert part.symbols == (" ", "t", "w", "o")
    np.testing.assert_array_equal(part.log_probabilities, whole.log_probabilities[2:])
    with pytest.raises(rnn.ArgumentError, match="prompt must be empty"):
        model(lines=True).score("two", prompt="one")


def test_a_uniform_guess_has_the_perplexity_of_its_symbols() -> None:
    lm = rnn.CharModel(net_of([0.0] * 8), rnn.Vocabulary("abcdefgh"))
    score = lm.score("abbahh")
    assert score.perplexity == pytest.approx(8.0, rel=1e-15)
    assert score.bits == 15.0


def test_probabilities_of_all_that_may_follow_sum_to_one() -> None:
    lm = model(lines=False)
    following = [lm.score(c, prompt="one t").total for c in lm.vocabulary.symbols]
    assert sum(map(math.exp, following)) == pytest.approx(1.0, rel=1e-14)


def test_nothing_has_no_score_and_the_unknown_is_refused() -> None:
    lm = model(lines=False)
    assert len(lm.score("o")) == 0
    assert lm.score("").total == 0.0
    assert math.isnan(lm.score("").perplexity)
    assert math.isnan(lm.score("").bits_per_symbol)
    assert len(model(lines=True).score("\n \n")) == 0
    with pytest.raises(rnn.VocabularyError, match="X"):
        lm.score("oneX")
