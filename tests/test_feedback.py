"""Gated feedback with its gates held open or shut is a net that is known otherwise."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import oracle
import recurrentnn as rnn
from cases import spread
from support import assert_close

# sigmoid(40) is 1 and sigmoid(-800) is 0 in float64, to the last bit.
OPEN, SHUT = 40.0, -800.0

SIZES = [4, 2, 3]


def hold_gates(net: rnn.Model, is_open: Callable[[int, int], bool]) -> None:
    """Set every feedback gate to a constant: its bias, with weights of 0."""
    for name, matrix in net.parameters().items():
        if ".gate." in name:
            _, target, _, source, *_ = name.split(".")
            if name.endswith(".bias"):
                opened = is_open(int(source), int(target))
                matrix.value[...] = OPEN if opened else SHUT
            else:
                matrix.value[...] = 0.0


def same_weights(feedback: rnn.Model, stacked: rnn.Model) -> None:
    """Give the stacked net the weights of the other's diagonal."""
    theirs = feedback.parameters()
    for name, matrix in stacked.parameters().items():
        source = name
        if name not in theirs:
            _, layer, gate, weight = name.split(".")
            if weight == "bias_h":
                matrix.value[...] = 0.0
                continue
            assert (gate, weight) in {("hidden", "weight_h"), ("candidate", "weight_h")}
            source = f"layers.{layer}.feedback.{layer}.weight_h"
        matrix.value = theirs[source].value


PAIRS: dict[str, tuple[Any, Any, dict[str, Any]]] = {
    "GFRNN": (rnn.GFRNN, rnn.RNN, {}),
    "GFRNN relu": (rnn.GFRNN, rnn.RNN, {"activation": "relu"}),
    "GFLSTM": (rnn.GFLSTM, rnn.LSTM, {}),
    "GFGRU": (rnn.GFGRU, rnn.GRU, {}),
}


@pytest.mark.parametrize("gate", ["scalar", "vector"])
@pytest.mark.parametrize("pair", PAIRS)
def test_with_its_diagonal_open_and_the_rest_shut_it_is_the_stacked_net(
    pair: str, gate: str
) -> None:
    gated, plain, options = PAIRS[pair]
    feedback = gated(3, SIZES, 2, gate=gate, dtype="float64", **options)
    oracle.stir(feedback)
    hold_gates(feedback, lambda source, target: source == target)
    stacked = plain(3, SIZES, 2, dtype="float64", **options)
    same_weights(feedback, stacked)
    x = spread(4 * 6, 3).reshape(4, 6, 3)
    with rnn.Graph() as g:
        y, _ = feedback(x)
        loss = y.square().sum()
    g.backward(loss)
    with rnn.Graph() as g:
        expected, _ = stacked(x)
        loss = expected.square().sum()
    g.backward(loss)
    assert_close(y.value, expected.value, 1e-12, "output")
    for name, matrix in stacked.parameters().items():
        if name in feedback.parameters():
            assert_close(feedback[name].grad, matrix.grad, 1e-10, name)
        elif name.endswith("weight_h"):
            layer = name.split(".")[1]
            twin = feedback[f"layers.{layer}.feedback.{layer}.weight_h"]
            assert_close(twin.grad, matrix.grad, 1e-10, name)


@pytest.mark.parametrize("gate", ["scalar", "vector"])
@pytest.mark.parametrize("cell", [rnn.GFRNN, rnn.GFLSTM, rnn.GFGRU])
def test_with_every_gate_shut_no_weight_of_the_feedback_matters(
    cell: Any, gate: str
) -> None:
    net = cell(3, SIZES, 2, gate=gate, dtype="float64")
    oracle.stir(net)
    hold_gates(net, lambda _source, _target: False)
    x = spread(4 * 6, 3).reshape(4, 6, 3)
    before, _ = net(x)
    for name, matrix in net.parameters().items():
        if ".feedback." in name and ".gate." not in name:
            matrix.value *= -3.0
    after, _ = net(x)
    np.testing.assert_array_equal(before, after)


def test_the_gates_of_the_paper_are_scalars_and_those_of_the_ancestor_vectors() -> None:
    scalar = rnn.GFLSTM(3, SIZES, 2, gate="scalar")
    vector = rnn.GFLSTM(3, SIZES, 2, gate="vector")
    for net, rows in ((scalar, [1, 1, 1]), (vector, SIZES)):
        for target, size in enumerate(SIZES):
            width = 3 if target == 0 else SIZES[target - 1]
            for source, size_of_source in enumerate(SIZES):
                prefix = f"layers.{target}.feedback.{source}"
                assert net[f"{prefix}.weight_h"].shape == (size, size_of_source)
                assert net[f"{prefix}.gate.weight_x"].shape == (rows[target], width)
                assert net[f"{prefix}.gate.weight_h"].shape == (
                    rows[target],
                    sum(SIZES),
                )
                assert net[f"{prefix}.gate.bias"].shape == (rows[target], 1)


# Chung et al. 2015, Table 1, as published: 205 symbols, weights in millions.
@pytest.mark.parametrize(
    ("cell", "size", "millions"),
    [(rnn.GFRNN, 303, 1.396), (rnn.GFLSTM, 140, 1.301), (rnn.GFGRU, 165, 1.313)],
)
def test_paper_gives_the_parameter_counts_of_the_published_models(
    cell: Any, size: int, millions: float
) -> None:
    net = cell(205, [size] * 3, 205, paper=True, init="uniform")
    count = sum(m.rows * m.cols for m in net.parameters().values())
    assert round(count / 1e6, 3) == pytest.approx(millions, abs=0.0006)
