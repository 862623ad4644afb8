"""How a symbol is chosen: the reference's choices, distributions, edges, errors."""

import math
from typing import Any

import numpy as np
import pytest

import recurrentnn as rnn
from constant import net_of, twin_of
from recurrentnn import reference as ref
from recurrentnn.sampling import SamplingOptions

# With ties, and neither ascending nor descending.
LOGITS = [0.5, 2.0, -1.0, 2.0, 0.0, 1.5, -3.0, 0.5]

OPTIONS: dict[str, dict[str, Any]] = {
    "nothing": {},
    "greedy": {"greedy": True},
    "cold": {"temperature": 0.4},
    "top k": {"top_k": 3},
    "top k, a tie at the edge": {"top_k": 6},
    "top k above all": {"top_k": 99},
    "top p": {"top_p": 0.6},
    "top p of one": {"top_p": 1.0},
    "min p": {"min_p": 0.3},
    "min p of one": {"min_p": 1.0},
    "penalty": {"repetition_penalty": 1.7},
    "reward": {"repetition_penalty": 0.6},
    "penalty of the last two": {"repetition_penalty": 1.7, "repetition_window": 2},
    "greedy penalty": {"repetition_penalty": 1.3, "greedy": True},
    "allowed": {"allowed": [1, 2, 6]},
    "banned": {"banned": [1, 3]},
    "allowed but banned": {"allowed": [0, 1, 2], "banned": [1]},
    "greedy without the best": {"banned": [1], "greedy": True},
    "all at once": {
        "repetition_penalty": 1.2,
        "repetition_window": 3,
        "banned": [0],
        "temperature": 1.3,
        "top_k": 5,
        "top_p": 0.9,
        "min_p": 0.2,
    },
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("options", OPTIONS)
def test_choices_are_those_of_the_reference(options: str, dtype: str) -> None:
    given = OPTIONS[options]
    net, twin = net_of(LOGITS, dtype), twin_of(LOGITS)
    ours, _ = net.generate([0, 7], 200, seed=5, sampling=rnn.Sampling(**given))
    theirs, _ = twin.generate([0, 7], 200, seed=5, sampling=ref.Sampling(**given))
    assert ours == theirs


def test_choices_of_random_logits_and_options_are_those_of_the_reference() -> None:
    rng = np.random.default_rng(3)
    for seed in range(60):
        logits = np.round(rng.normal(0.0, 2.0, rng.integers(1, 40)), 1).tolist()
        given: dict[str, Any] = {
            "temperature": float(rng.uniform(0.2, 3.0)),
            "top_k": int(rng.integers(1, 45)),
            "top_p": float(rng.uniform(0.01, 1.0)),
            "min_p": float(rng.uniform(0.0, 0.5)),
            "repetition_penalty": float(rng.uniform(0.5, 2.0)),
        }
        net, twin = net_of(logits), twin_of(logits)
        ours, _ = net.generate([0], 50, seed=seed, sampling=rnn.Sampling(**given))
        theirs, _ = twin.generate([0], 50, seed=seed, sampling=ref.Sampling(**given))
        assert ours == theirs, (logits, given)


def expected(given: dict[str, Any]) -> np.ndarray:
    """Return the distribution that options without a penalty mean, by NumPy."""
    x = np.array(LOGITS)
    x[given.get("banned", [])] = -math.inf
    p = np.exp(x / given.get("temperature", 1.0))
    order = np.argsort(-x, kind="stable")
    p[order[given.get("top_k", len(x)) :]] = 0.0
    cumulative = np.cumsum(p[order] / p.sum())
    p[order[1:][cumulative[:-1] >= given.get("top_p", 2.0)]] = 0.0
    p[p < given.get("min_p", 0.0) * p.max()] = 0.0
    return np.asarray(p / p.sum())


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"temperature": 0.5},
        {"top_k": 4},
        {"top_p": 0.7},
        {"min_p": 0.2},
        {"banned": [3, 5]},
        {"temperature": 2.0, "top_k": 6, "top_p": 0.9, "min_p": 0.15},
    ],
)
def test_draws_have_the_distribution_that_the_options_mean(
    given: dict[str, Any],
) -> None:
    n, p = 20_000, expected(given)
    drawn, _ = net_of(LOGITS).generate([0], n, seed=11, sampling=rnn.Sampling(**given))
    counts = np.bincount(drawn, minlength=len(p))
    assert (counts[p == 0.0] == 0).all(), "a symbol was drawn that could not be"
    possible = p > 0.0
    chi2 = ((counts - n * p)[possible] ** 2 / (n * p[possible])).sum()
    # The chi-square of 7 degrees of freedom is above 24.3 once in a thousand.
    assert chi2 < 24.3


@pytest.mark.parametrize(
    "given",
    [
        {"top_k": 1},
        {"top_p": 1e-9},
        {"min_p": 1.0, "banned": [3]},
        {"temperature": 1e-300},
        {"temperature": 1e300, "top_k": 1},
        {"temperature": 1e300, "top_p": 1e-9},
    ],
)
def test_options_that_leave_one_symbol_are_greedy(given: dict[str, Any]) -> None:
    logits = [0.0, 1.0, 3.0, 2.9]
    greedy, _ = net_of(logits).generate([0], 50, greedy=True)
    drawn, _ = net_of(logits).generate([0], 50, sampling=rnn.Sampling(**given))
    assert drawn == greedy == [2] * 50


def test_of_equals_the_first_is_greedy_and_stays() -> None:
    net = net_of([0.0, 2.0, 2.0, 2.0])
    assert set(net.generate([0], 40, greedy=True)[0]) == {1}
    for given in ({"top_k": 1}, {"top_p": 0.1}):
        assert set(net.generate([0], 40, sampling=rnn.Sampling(**given))[0]) == {1}
    two, _ = net.generate([0], 200, sampling=rnn.Sampling(top_k=2))
    assert set(two) == {1, 2}


def test_a_penalty_follows_keskars_rule() -> None:
    # 3/1.5 = 2 is still above 1.9; -1*1.5 is below -1.4.
    penalty = rnn.Sampling(repetition_penalty=1.5, greedy=True)
    assert net_of([3.0, 1.9]).generate([0], 2, sampling=penalty)[0] == [0, 0]
    assert net_of([3.0, 2.1]).generate([0], 2, sampling=penalty)[0] == [1, 0]
    assert net_of([-1.0, -1.4]).generate([0], 1, sampling=penalty)[0] == [1]


def test_a_penalty_knows_the_prime_the_history_and_its_window() -> None:
    def first(prime: list[int], history: list[int], window: int | None) -> int:
        sampling = rnn.Sampling(
            greedy=True, repetition_penalty=2.0, repetition_window=window
        )
        generator = rnn.Generator(
            net_of([3.0, 2.0, 1.9]), prime, sampling=sampling, history=history
        )
        return generator.advance(1)[0][0]

    assert first([0], [], None) == 1
    assert first([1, 2], [], None) == 0
    assert first([2], [0], None) == 1
    assert first([2], [0, 1], 1) == 0
    assert first([2], [0, 1], 2) == 0
    assert first([2], [1, 0], 2) == 1


def test_a_penalty_that_overflows_still_leaves_numbers() -> None:
    sampling = rnn.Sampling(repetition_penalty=1e300)
    drawn, _ = net_of([-1e9, -1e9]).generate([0, 1], 20, sampling=sampling)
    theirs, _ = twin_of([-1e9, -1e9]).generate(
        [0, 1], 20, sampling=ref.Sampling(repetition_penalty=1e300)
    )
    assert drawn == theirs


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"temperature": 0.0}, "temperature above 0 0"),
        ({"temperature": -1.0}, "temperature above 0 -1"),
        ({"temperature": math.nan}, "temperature finite NaN"),
        ({"temperature": math.inf}, "temperature finite inf"),
        ({"top_k": 0}, "top_k at least 1 0"),
        ({"top_k": -2}, "top_k -2"),
        ({"top_p": 0.0}, "top_p above 0 at most 1 0"),
        ({"top_p": 1.5}, "top_p above 0 at most 1 1.5"),
        ({"top_p": math.nan}, "top_p NaN"),
        ({"min_p": -0.1}, "min_p from 0 to 1 -0.1"),
        ({"min_p": 1.1}, "min_p from 0 to 1 1.1"),
        ({"repetition_penalty": 0.0}, "repetition_penalty above 0 0"),
        ({"repetition_penalty": math.inf}, "repetition_penalty finite inf"),
        ({"repetition_window": 0}, "repetition_window at least 1 0"),
    ],
)
def test_an_option_out_of_its_domain_is_named(
    given: dict[str, Any], words: str
) -> None:
    with pytest.raises(rnn.ArgumentError) as caught:
        rnn.Sampling(**given)
    for word in words.split():
        assert word in str(caught.value)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"temperature": "hot"}, "temperature number str"),
        ({"top_k": 2.5}, "top_k integer float"),
        ({"top_p": "most"}, "top_p number str"),
        ({"greedy": 3}, "greedy True False int"),
        ({"repetition_window": True}, "repetition_window integer bool"),
    ],
)
def test_an_option_of_the_wrong_type_is_named(
    given: dict[str, Any], words: str
) -> None:
    with pytest.raises(rnn.ArgumentTypeError) as caught:
        rnn.Sampling(**given)
    for word in words.split():
        assert word in str(caught.value)


def test_symbols_must_be_some_and_one_must_be_left() -> None:
    net = net_of([1.0, 2.0, 3.0])
    for wrong, name in (
        (rnn.Sampling(allowed=[3]), "allowed"),
        (rnn.Sampling(banned=[9]), "banned"),
    ):
        with pytest.raises(rnn.OutOfRangeError, match=f"{name}.*below 3"):
            net.generate([0], 1, sampling=wrong)
    for nothing in (
        rnn.Sampling(banned=[0, 1, 2]),
        rnn.Sampling(allowed=[]),
        rnn.Sampling(allowed=[1], banned=[1]),
    ):
        with pytest.raises(rnn.ArgumentError, match=r"allowed and banned.*none of 3"):
            net.generate([0], 1, sampling=nothing)
    with pytest.raises(rnn.ArgumentError, match="temperature and greedy"):
        net.generate([0], 1, temperature=2.0, sampling=rnn.Sampling())
    with pytest.raises(rnn.ArgumentTypeError, match="sampling must be a Sampling"):
        net.generate([0], 1, sampling={"top_k": 1})  # type: ignore[arg-type]


def test_logits_that_are_no_numbers_stop_it() -> None:
    net = net_of([1.0, math.nan, 3.0])
    for sampling in (
        rnn.Sampling(),
        rnn.Sampling(banned=[1]),
        rnn.Sampling(greedy=True),
    ):
        with pytest.raises(rnn.NonFiniteError, match="logit 1 is NaN"):
            net.generate([0], 5, sampling=sampling)
    generator = rnn.Generator(net, [0])
    for error in (rnn.NonFiniteError, rnn.ArgumentError):
        with pytest.raises(error):
            generator.advance(1)


def test_the_options_are_one_table() -> None:
    names = set(rnn.Sampling.__dataclass_fields__)
    assert names == set(ref.Sampling.__dataclass_fields__)
    assert names == SamplingOptions.__optional_keys__
    assert names == {name for given in OPTIONS.values() for name in given}


def test_it_shows_what_was_changed() -> None:
    assert repr(rnn.Sampling()) == "Sampling()"
    assert repr(rnn.Sampling(top_k=3, banned=[1])) == "Sampling(banned=[1], top_k=3)"
