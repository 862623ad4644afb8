"""Models: their parameters, names, first values, options and summary."""

import math
from typing import Any

import numpy as np
import pytest

import nets
import oracle
import recurrentnn as rnn
from cases import CLASSES, MODELS, ModelCase

EVERY_NET = pytest.mark.parametrize("case", MODELS, ids=lambda case: case.name)
EVERY_CELL = pytest.mark.parametrize("cell", CLASSES)


def make(cell: str, *sizes: Any, **options: Any) -> rnn.Model:
    net: rnn.Model = getattr(rnn, CLASSES[cell])(*sizes, **options)
    return net


# --- first values -----------------------------------------------------------


@EVERY_NET
def test_the_same_seed_gives_the_parameters_of_the_reference_bit_for_bit(
    case: ModelCase,
) -> None:
    ours = nets.build(case, "float64", seed=2**40 + 5).parameters()
    theirs = nets.build_reference(case, seed=2**40 + 5).parameters()
    assert list(ours) == list(theirs)
    for name, matrix in ours.items():
        expected = oracle.value(theirs[name])
        assert matrix.shape == expected.shape, name
        np.testing.assert_array_equal(matrix.value, expected, err_msg=name)


@EVERY_CELL
def test_float32_parameters_are_the_float64_ones_rounded(cell: str) -> None:
    double = make(cell, 4, [5, 3], 2, seed=1, dtype="float64").parameters()
    single = make(cell, 4, [5, 3], 2, seed=1).parameters()
    for name, matrix in single.items():
        assert matrix.dtype == np.float32
        expected = double[name].value.astype(np.float32)
        np.testing.assert_array_equal(matrix.value, expected)


@EVERY_CELL
def test_another_seed_gives_other_weights(cell: str) -> None:
    one = make(cell, 4, [5, 3], 2, seed=1, embedding_size=3).parameters()
    two = make(cell, 4, [5, 3], 2, seed=2, embedding_size=3).parameters()
    for name, matrix in one.items():
        same = bool((matrix.value == two[name].value).all())
        assert same == name.split(".")[-1].startswith("bias"), name


def test_recurrent_weights_are_orthogonal() -> None:
    net = rnn.GFLSTM(4, [6, 3], 2, gate="vector", dtype="float64")
    for name, matrix in net.parameters().items():
        if name.endswith("weight_h"):
            u = matrix.value if matrix.rows >= matrix.cols else matrix.value.T
            np.testing.assert_allclose(u.T @ u, np.eye(u.shape[1]), atol=1e-12)


def test_glorot_weights_stay_within_their_limit_and_come_near_it() -> None:
    weight = rnn.RNN(40, [60], 30)["layers.0.hidden.weight_x"].value
    limit = math.sqrt(6.0 / (40 + 60))
    assert 0.99 * limit < np.abs(weight).max() <= limit


def test_the_forget_bias_is_1_unless_told_and_every_other_bias_0() -> None:
    for cell in ("lstm", "gflstm"):
        for options, expected in (({}, 1.0), ({"forget_bias": -0.5}, -0.5)):
            for name, matrix in (
                make(cell, 2, [3, 2], 2, **options).parameters().items()
            ):
                if name.endswith("forget.bias"):
                    assert (matrix.value == expected).all()
                elif name.endswith("bias"):
                    assert not matrix.value.any()


@EVERY_CELL
def test_the_ancestors_initialisers_spread_as_told(cell: str) -> None:
    for init, expected in (("normal", 0.2), ("uniform", 0.2 / math.sqrt(3.0))):
        net = make(cell, 30, [40, 20], 30, init=init, std=0.2, embedding_size=30)
        for name, matrix in net.parameters().items():
            if matrix.rows * matrix.cols >= 600:
                assert matrix.value.std() == pytest.approx(expected, rel=0.15), name


# --- names ------------------------------------------------------------------

UNIT = ("weight_x", "weight_h", "bias")


def feedback(layers: int) -> list[str]:
    parts = ("weight_h", "gate.weight_x", "gate.weight_h", "gate.bias")
    return [f"feedback.{i}.{part}" for i in range(layers) for part in parts]


def gates(*names: str) -> list[str]:
    return [f"{name}.{part}" for name in names for part in UNIT]


NAMES = {
    "rnn": gates("hidden"),
    "lstm": gates("input", "forget", "candidate", "output"),
    "gru": [*gates("reset", "update", "candidate"), "candidate.bias_h"],
    "gfrnn": ["hidden.weight_x", "hidden.bias", *feedback(2)],
    "gflstm": [
        *gates("input", "forget", "output"),
        "candidate.weight_x",
        "candidate.bias",
        *feedback(2),
    ],
    "gfgru": [
        *gates("reset", "update"),
        "candidate.weight_x",
        "candidate.bias",
        *feedback(2),
    ],
}


@EVERY_CELL
def test_parameters_are_named_by_layer_gate_and_role_in_one_order(cell: str) -> None:
    inside = [f"layers.{layer}.{name}" for layer in (0, 1) for name in NAMES[cell]]
    decoder = ["decoder.weight", "decoder.bias"]
    assert list(make(cell, 3, [4, 2], 2).parameters()) == inside + decoder
    assert list(make(cell, 3, [4, 2], None).parameters()) == inside
    embedded = make(cell, 3, [4, 2], 2, embedding_size=2)
    assert list(embedded.parameters()) == ["embedding.weight", *inside, *decoder]


def test_a_gru_that_resets_before_has_no_second_bias() -> None:
    names = rnn.GRU(3, [4], 2, reset="before").parameters()
    assert not [name for name in names if name.endswith("bias_h")]


def test_parameters_have_the_shapes_of_their_layers() -> None:
    net = rnn.LSTM(
        7, [5, 3], 2, embedding_size=4, input_to_all=True, all_to_output=True
    )
    expected = {
        "embedding.weight": (7, 4),
        "layers.0.forget.weight_x": (5, 4),
        "layers.0.forget.weight_h": (5, 5),
        "layers.1.forget.weight_x": (3, 5 + 4),
        "layers.1.forget.weight_h": (3, 3),
        "layers.1.forget.bias": (3, 1),
        "decoder.weight": (2, 5 + 3),
        "decoder.bias": (2, 1),
    }
    assert {name: net[name].shape for name in expected} == expected
    gated = rnn.GFGRU(7, [5, 3], 2, all_to_gates=True)
    assert gated["layers.1.update.weight_h"].shape == (3, 5 + 3)


def test_parameters_are_the_same_matrices_each_time() -> None:
    net = rnn.RNN(3, [4], 2)
    one, two = net.parameters(), net.parameters()
    for name, matrix in one.items():
        assert matrix is two[name] is net[name]
    one.clear()
    assert net.parameters() == two


def test_a_name_that_is_no_parameter_is_a_key_error_that_tells_it() -> None:
    net = rnn.RNN(3, [4], 2)
    with pytest.raises(KeyError, match=r"no\.such"):
        net["no.such"]


# --- what a model tells of itself -------------------------------------------


@EVERY_NET
def test_a_model_of_the_config_of_a_model_is_the_same_model(case: ModelCase) -> None:
    net = nets.build(case, "float32", seed=9)
    config = net.config()
    again = rnn.Model(
        config.pop("cell"),
        config.pop("input_size"),
        config.pop("hidden_sizes"),
        config.pop("output_size"),
        **config,
    )
    assert again.config() == net.config()
    for name, matrix in net.parameters().items():
        np.testing.assert_array_equal(matrix.value, again[name].value, err_msg=name)


@EVERY_CELL
def test_sizes_cell_and_dtype_can_be_read(cell: str) -> None:
    net = make(cell, 3, [4, 2], 5, embedding_size=6, dtype="float64")
    assert net.cell == cell
    assert (net.input_size, net.output_size, net.embedding_size) == (3, 5, 6)
    assert net.hidden_sizes == (4, 2)
    assert net.dtype == np.float64
    assert make(cell, 3, 4, None).hidden_sizes == (4,)
    assert make(cell, 3, 4, None).output_size is None


@EVERY_NET
def test_the_summary_lists_every_parameter_with_its_shape_and_the_total(
    case: ModelCase,
) -> None:
    net = nets.build(case)
    lines = net.summary().splitlines()
    count = 0
    for name, matrix in net.parameters().items():
        (line,) = [line for line in lines if name in line.split()]
        assert f"{matrix.rows}x{matrix.cols}" in line
        count += matrix.rows * matrix.cols
    assert str(count) in net.summary().replace(",", "").replace(" ", "\n").split()


def test_the_repr_tells_class_and_sizes() -> None:
    text = repr(rnn.GRU(3, [4, 2], 5))
    for word in ("GRU", "3", "4", "2", "5"):
        assert word in text


def test_zero_grad_zeroes_the_gradient_of_every_parameter() -> None:
    net = rnn.LSTM(3, [4], 2)
    for matrix in net.parameters().values():
        matrix.grad[...] = 1.0
    net.zero_grad()
    assert not any(matrix.grad.any() for matrix in net.parameters().values())


def test_an_embedding_is_trained_with_the_rest_and_only_where_it_was_read() -> None:
    net = rnn.RNN(5, [4], 5, embedding_size=3, dtype="float64")
    before = net["embedding.weight"].value.copy()
    with rnn.Graph() as g:
        logits, _ = net([[0, 2, 2]])
        loss = g.softmax_cross_entropy(logits, [[2, 2, 0]])
    g.backward(loss)
    rnn.RMSProp(0.1).step(net)
    moved = (net["embedding.weight"].value != before).any(axis=1)
    np.testing.assert_array_equal(moved, [True, False, True, False, False])


def test_the_repr_is_the_call_that_makes_the_net() -> None:
    for net in (
        rnn.LSTM(3, [4, 5], 2, dtype="float64", forget_bias=0.5),
        rnn.GFGRU(3, 4, None, gate="vector", paper=True, seed=7),
        rnn.RNN(3, 4, 2, activation="relu", init="normal", std=0.1),
        rnn.Model("gru", 3, 4, 2, reset="before"),
    ):
        again = eval(repr(net), vars(rnn))
        assert type(again) is type(net)
        assert again.config() == net.config()
