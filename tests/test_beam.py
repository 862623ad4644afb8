"""Beam search: against every continuation there is, and against the reference."""

import itertools
from typing import Any

import numpy as np
import pytest

import oracle
import recurrentnn as rnn
from constant import net_of
from recurrentnn import reference as ref
from recurrentnn.scores import score_symbols

SYMBOLS, LENGTH = 3, 4


def pair(seed: int) -> tuple[rnn.Model, Any]:
    ours = rnn.GRU(SYMBOLS, [4], SYMBOLS, dtype="float64", seed=seed)
    theirs = ref.GRU(SYMBOLS, [4], SYMBOLS)
    oracle.stir(ours, 2.0)
    oracle.copy_parameters(ours, theirs)
    return ours, theirs


def every(
    net: rnn.Model, length_penalty: float, stop: int | None
) -> list[tuple[float, tuple[int, ...]]]:
    """Return score and symbols of each continuation, the best first."""
    found = {}
    for path in itertools.product(range(SYMBOLS), repeat=LENGTH):
        if stop in path:
            path = path[: path.index(stop) + 1]
        log_p = score_symbols(net, np.array([1, *path])).sum()
        text = tuple(symbol for symbol in path if symbol != stop)
        found[path] = (log_p / len(path) ** length_penalty, text)
    return sorted(found.values(), reverse=True)


@pytest.mark.parametrize("length_penalty", [0.0, 0.7, 1.0])
@pytest.mark.parametrize("stop", [None, 0])
@pytest.mark.parametrize("seed", [1, 2])
def test_a_beam_as_wide_as_all_finds_the_best(
    seed: int, stop: int | None, length_penalty: float
) -> None:
    net, _ = pair(seed)
    width = SYMBOLS**LENGTH
    found = rnn.beam_search(
        net, [1], LENGTH, width=width, length_penalty=length_penalty, stop=stop
    )
    best = every(net, length_penalty, stop)
    assert [tuple(symbols) for symbols, *_ in found] == [text for _, text in best]
    np.testing.assert_allclose([h[2] for h in found], [score for score, _ in best])


@pytest.mark.parametrize("options", [
    {},
    {"width": 1},
    {"width": 1, "length_penalty": 0.0, "stop": [0]},
    {"width": 3, "length_penalty": 0.0},
    {"width": 2, "length_penalty": 2.0, "stop": [0]},
    {"width": 5, "stop": [2, 0]},
    {"width": 5, "stop": [2], "banned": [0]},
    {"width": 3, "allowed": [1, 2]},
    {"width": 3, "allowed": [0], "stop": [0]},
])  # fmt: skip
@pytest.mark.parametrize("seed", range(4))
def test_a_beam_finds_what_the_reference_finds(
    seed: int, options: dict[str, Any]
) -> None:
    ours, theirs = pair(seed)
    found = rnn.beam_search(ours, [1, 2, 1], 9, **options)
    expected = ref.beam_search(theirs, [1, 2, 1], 9, **options)
    assert [(h[0], h[3]) for h in found] == [(h[0], h[3]) for h in expected]
    for place in (1, 2):
        np.testing.assert_allclose(
            [h[place] for h in found], [h[place] for h in expected], rtol=1e-12
        )


def test_a_beam_of_one_without_normalisation_is_greedy() -> None:
    for seed in range(5):
        net, _ = pair(seed)
        for stop in (None, 0):
            [best] = rnn.beam_search(
                net, [1], 12, width=1, length_penalty=0.0, stop=stop
            )
            assert best[0] == net.generate([1], 12, greedy=True, stop=stop)[0]


def test_its_probabilities_are_the_nets_own() -> None:
    net, _ = pair(3)
    for banned in ([], [0]):
        for symbols, log_p, score, ended in rnn.beam_search(net, [1], 5, banned=banned):
            assert not ended
            own = score_symbols(net, np.array([1, *symbols])).sum()
            np.testing.assert_allclose([log_p, 5 * score], own)


def test_of_equals_the_first_is_found_first() -> None:
    found = rnn.beam_search(net_of([0.0, 0.0, 0.0]), [0], 2, width=4)
    assert [h[0] for h in found] == [[0, 0], [0, 1], [0, 2], [1, 0]]


def test_a_beam_goes_on_from_a_state_and_may_have_no_length() -> None:
    net, _ = pair(2)
    _, state = net(np.array([[2, 0]]))
    there = rnn.beam_search(net, [1], 5, state=state)
    assert there == rnn.beam_search(net, [2, 0, 1], 5)
    assert rnn.beam_search(net, [1], 0, width=1) == [([], 0.0, 0.0, False)]


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"width": 0}, rnn.ArgumentError, "width at least 1 0"),
        ({"length_penalty": -1.0}, rnn.ArgumentError, "length_penalty from 0 -1"),
        ({"length_penalty": np.nan}, rnn.ArgumentError, "length_penalty NaN"),
        ({"stop": 3}, rnn.OutOfRangeError, "stop below 3 3"),
        ({"stop": [[1, 2]]}, rnn.ArgumentError, "stop single symbols"),
        ({"banned": [0, 1, 2]}, rnn.ArgumentError, "banned none"),
        ({"prime": []}, rnn.ArgumentError, "prime at least one"),
        ({"prime": [5]}, rnn.OutOfRangeError, "prime below 3 5"),
        ({"length": -1}, rnn.ArgumentError, "length -1"),
    ],
)
def test_a_wrong_search_is_refused_by_name(
    options: dict[str, Any], error: type[Exception], words: str
) -> None:
    net, _ = pair(0)
    with pytest.raises(error) as caught:
        rnn.beam_search(net, **{"prime": [1], "length": 3, **options})
    for word in words.split():
        assert word in str(caught.value)
