"""RecurrentNN.jl's models and solver: its equations, on the same weights."""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

import julia_cells
import recurrentnn
from julia_cells import Array, Weights
from recurrentnn import Matrix, compat
from recurrentnn.compat.models import Previous
from recurrentnn.errors import ArgumentError, ArgumentTypeError
from support import ROOT, assert_close, tolerance

SIZES = [3, 2]  # unequal, which the ancestor's gated feedback could not be

CELLS = {
    "RNN": julia_cells.rnn,
    "LSTM": julia_cells.lstm,
    "GRU": julia_cells.gru,
    "GFLSTM": julia_cells.gflstm,
    "GFGRU": julia_cells.gfgru,
}
GATES = {
    "input": "i",
    "forget": "f",
    "output": "o",
    "candidate": "c",
    "reset": "r",
    "update": "u",
}


def julia_name(parameter: str) -> str:
    """Return the ancestor's name of one of our parameters, by docs/porting.md."""
    match parameter.split("."):
        case ["decoder", kind]:
            return {"weight": "whd", "bias": "bd"}[kind]
        case ["layers", d, "hidden", kind]:
            return {"weight_x": "wxh", "weight_h": "whh", "bias": "bhh"}[kind] + d
        case ["layers", d, "feedback", k, "weight_h"]:
            return f"wch{d}.{k}"
        case ["layers", d, "feedback", k, "gate", kind]:
            gate = {"weight_x": "wgx", "weight_h": "wgh", "bias": "bg"}[kind]
            return f"{gate}{d}.{k}"
        case ["layers", d, gate, kind]:
            letter = GATES[gate]
            ours = {"weight_x": f"w{letter}x", "weight_h": f"w{letter}h"}
            return ours.get(kind, f"b{letter}") + d
    raise AssertionError(parameter)


def sign(parameter: str) -> int:
    """Return -1 for the update gate, which the ancestor writes the other way round."""
    return -1 if ".update." in parameter else 1


def random_net(kind: str, seed: int = 0) -> tuple[compat.Model, Weights]:
    """Return a net of random numbers, and its weights by the ancestor's names."""
    rng = np.random.default_rng(seed)
    net: compat.Model = getattr(compat, kind)(2, SIZES, 2)
    weights = {}
    for name, matrix in net.parameters().items():
        weight = rng.normal(0, 0.6, matrix.shape)
        matrix.value = sign(name) * weight
        weights[julia_name(name)] = weight
    return net, weights


def random_columns(ticks: int, batch: int, seed: int) -> list[Array]:
    """Return `ticks` arrays (2, batch)."""
    rng = np.random.default_rng(seed)
    return [rng.normal(size=(2, batch)) for _ in range(ticks)]


def run(net: compat.Model, xs: Sequence[Array], seeds: Sequence[Array]) -> list[Array]:
    """Run the net over `xs`, write `seeds` into the outputs' `dw`, go back."""
    g = compat.Graph()
    prev: Previous = ([], [], compat.NNMatrix(2, 1))
    outs = []
    for x, seed in zip(xs, seeds, strict=True):
        prev = compat.forwardprop(g, net, Matrix(x, "float64"), prev)
        prev[-1].dw = seed
        outs.append(prev[-1])
    compat.backprop(g)
    return [out.value.copy() for out in outs]


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("kind", CELLS)
def test_a_model_computes_the_ancestors_equations(kind: str, batch: int) -> None:
    """Values at every tick and the gradients of all parameters over three ticks."""
    net, weights = random_net(kind)
    xs, seeds = random_columns(3, batch, 1), random_columns(3, batch, 2)
    expected = julia_cells.outputs(CELLS[kind], weights, SIZES, xs)
    gradients = julia_cells.gradients(CELLS[kind], weights, SIZES, xs, seeds)

    outs = run(net, xs, seeds)

    for t, (out, value) in enumerate(zip(outs, expected, strict=True)):
        assert_close(out, value, tolerance("float64"), f"output {t}")
    for name, matrix in net.parameters().items():
        gradient = sign(name) * gradients[julia_name(name)]
        assert_close(matrix.dw, gradient, tolerance("float64", "gradient"), name)


@pytest.mark.parametrize("kind", CELLS)
def test_a_model_starts_as_the_ancestors(kind: str) -> None:
    """float64, weights normal(0, 0.08), every bias 0, of the forget gate too."""
    net: compat.Model = getattr(compat, kind)(40, [30, 30], 20)
    for name, matrix in net.parameters().items():
        assert matrix.dtype == np.float64
        if name.split(".")[-1].startswith("bias"):
            assert not matrix.value.any(), name
    weights = np.concatenate(
        [m.value.ravel() for n, m in net.parameters().items() if "bias" not in n]
    )
    # Of n draws the mean strays by std/sqrt(n), the deviation by std/sqrt(2n).
    assert abs(weights.mean()) < 5 * 0.08 / weights.size**0.5
    assert abs(weights.std() - 0.08) < 5 * 0.08 / (2 * weights.size) ** 0.5
    # A uniform draw of this deviation would end at 0.139.
    assert np.abs(weights).max() > 0.2


def translation(kind: str) -> str:
    """Return what docs/porting.md makes of `kind(in, hs, out, std)`: the options."""
    text = (ROOT / "docs" / "porting.md").read_text(encoding="utf-8")
    call = rf"`{kind}\(in, hs, out, std\)` \| \| `{kind}\(in, hs, out, (.*)\)`"
    (options,) = re.findall(call, text)
    return str(options)


@pytest.mark.parametrize("kind", CELLS)
def test_the_translation_of_a_model_is_the_same_model(kind: str) -> None:
    options = eval(f"dict({translation(kind)})", {"std": 0.2})
    theirs = getattr(compat, kind)(2, SIZES, 3, 0.2, seed=5)
    ours = getattr(recurrentnn, kind)(2, SIZES, 3, seed=5, **options)
    assert ours.config() == theirs.config()
    for name, matrix in theirs.parameters().items():
        np.testing.assert_array_equal(ours[name].value, matrix.value, err_msg=name)


@pytest.mark.parametrize("seed", [1.5, "x", None, True, np.True_, np.array([1, 2])])
def test_srand_names_a_seed_that_is_no_integer(seed: Any) -> None:
    compat.srand(3)
    with pytest.raises(ArgumentTypeError, match=r"^srand: seed must be an integer"):
        compat.srand(seed)
    went_on = compat.randNNMat(2, 2).value
    compat.srand(np.int64(3))
    np.testing.assert_array_equal(went_on, compat.randNNMat(2, 2).value)


@pytest.mark.parametrize("seed", [-1, 1 << 32])
def test_srand_names_a_seed_out_of_range(seed: int) -> None:
    with pytest.raises(ArgumentError, match=f"^srand: seed must be .* got {seed}$"):
        compat.srand(seed)


def test_softmax_names_what_is_no_matrix() -> None:
    with pytest.raises(ArgumentTypeError, match=r"^softmax: m must be a Matrix"):
        compat.softmax([[1, 2]])  # type: ignore[arg-type]


def test_the_update_gate_of_training_is_the_negative_of_the_ancestors() -> None:
    """A step of the solver keeps z = 1 - u: the rule is symmetric in the sign."""
    net, weights = random_net("GRU")
    xs, seeds = random_columns(3, 1, 1), random_columns(3, 1, 2)
    gradients = julia_cells.gradients(julia_cells.gru, weights, SIZES, xs, seeds)
    run(net, xs, seeds)
    compat.step(compat.Solver(), net, 0.01, 1e-3, 0.5)
    for name, matrix in net.parameters().items():
        w, g = weights[julia_name(name)], gradients[julia_name(name)]
        clipped = np.clip(g, -0.5, 0.5)
        moved = w - 0.01 * clipped / np.sqrt(1e-3 * g * g + 1e-8) - 1e-3 * w
        # The step divides by the gradient, and so carries its tolerance.
        assert_close(
            matrix.value, sign(name) * moved, tolerance("float64", "gradient"), name
        )


def test_the_solver_follows_the_ancestors_rule() -> None:
    """solver.jl, written out, over ten steps with an outlier in the third."""
    rng = np.random.default_rng(3)
    w = rng.normal(size=(3, 2))
    m = compat.NNMatrix(3, 2, w)
    solver, s = compat.Solver(), np.zeros((3, 2))
    for step in range(10):
        g = rng.normal(size=(3, 2)) * (1000 if step == 2 else 1)
        m.dw = g
        clipped = compat.step(solver, [m], 0.01, 1e-3, 0.7)
        s = s * 0.999 + (1 - 0.999) * g**2
        w = w - 0.01 * np.clip(g, -0.7, 0.7) / np.sqrt(s + 1e-8) - 1e-3 * w
        assert clipped == np.mean(np.abs(g) > 0.7)
        assert not m.dw.any()
        assert_close(m.value, w, tolerance("float64"), f"step {step}")


def test_every_op_of_the_ancestor_is_there_with_its_gradient() -> None:
    """concat, tanh, sigmoid, eltmul, and mul and add with a number, in one graph."""
    rng = np.random.default_rng(4)
    a, b, seed = rng.normal(size=(3, 2, 2))
    m, n = compat.NNMatrix(2, 2, a), compat.NNMatrix(2, 2, b)
    g = compat.Graph()
    half = compat.mul(g, compat.tanh(g, m), 0.5)
    gated = compat.eltmul(g, half, compat.sigmoid(g, compat.add(g, n, 1.0)))
    out = compat.concat(g, gated, compat.add(g, m, n, n))
    out.dw = np.vstack([seed, seed])
    compat.backprop(g)

    s = 1 / (1 + np.exp(-(b + 1)))
    bound = tolerance("float64")
    assert_close(out.w, np.vstack([0.5 * np.tanh(a) * s, a + 2 * b]), bound)
    assert_close(m.dw, seed * (0.5 * s * (1 - np.tanh(a) ** 2) + 1), bound)
    assert_close(n.dw, seed * (0.5 * np.tanh(a) * s * (1 - s) + 2), bound)
