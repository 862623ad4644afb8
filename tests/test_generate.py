"""Generating symbols: the reference's stream, its limits and its end."""

from typing import Any

import numpy as np
import pytest

import oracle
import recurrentnn as rnn
from cases import CLASSES
from recurrentnn import reference as ref

SYMBOLS = 7

OPTIONS: dict[str, dict[str, Any]] = {
    "as it comes": {},
    "cold": {"temperature": 0.3},
    "hot": {"temperature": 5.0},
    "another seed": {"seed": 2**50},
    "greedy": {"greedy": True},
    "until a symbol": {"stop": 3},
    "greedy until a symbol": {"greedy": True, "stop": 2},
}


def pair(cell: str) -> tuple[rnn.Model, Any]:
    name = CLASSES[cell]
    sizes = (SYMBOLS, [5, 4], SYMBOLS)
    ours = getattr(rnn, name)(*sizes, embedding_size=3, dtype="float64")
    theirs = getattr(ref, name)(*sizes, embedding_size=3)
    oracle.stir(ours, 1.0)
    oracle.copy_parameters(ours, theirs)
    return ours, theirs


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("cell", CLASSES)
def test_the_same_symbols_are_drawn_as_in_the_reference(
    cell: str, options: str
) -> None:
    ours, theirs = pair(cell)
    drawn, _ = ours.generate([1, 0, 4], 40, **OPTIONS[options])
    expected, _ = theirs.generate([1, 0, 4], 40, **OPTIONS[options])
    assert drawn == expected
    assert all(isinstance(symbol, int) for symbol in drawn)


def test_a_generation_goes_on_from_its_state() -> None:
    net, _ = pair("lstm")
    whole, _ = net.generate([1], 20, greedy=True)
    first, state = net.generate([1], 8, greedy=True)
    rest, _ = net.generate([first[-1]], 12, greedy=True, state=state)
    assert first + rest == whole


def test_generating_leaves_the_state_it_was_given_as_it_was() -> None:
    net, _ = pair("gru")
    _, state = net.generate([1, 2], 5)
    before = [h.copy() for h in state.hidden]
    one, _ = net.generate([3], 9, state=state)
    two, _ = net.generate([3], 9, state=state)
    assert one == two
    for h, kept in zip(state.hidden, before, strict=True):
        np.testing.assert_array_equal(h, kept)


def test_draws_follow_the_softmax_of_the_logits() -> None:
    net = rnn.RNN(3, [2], 3, dtype="float64")
    for matrix in net.parameters().values():
        matrix.value[...] = 0.0
    net["decoder.bias"].value = np.log([[0.5], [0.3], [0.2]])
    drawn, _ = net.generate([0], 20_000, seed=1)
    shares = np.bincount(drawn, minlength=3) / len(drawn)
    np.testing.assert_allclose(shares, [0.5, 0.3, 0.2], atol=0.02)


def test_nothing_is_generated_for_a_length_of_zero() -> None:
    net, _ = pair("rnn")
    assert net.generate([1, 2], 0)[0] == []
