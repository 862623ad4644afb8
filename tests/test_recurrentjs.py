"""RecurrentJS: what the original computed, run in node (golden/make_recurrentjs.js)."""

import json
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import recurrentnn
from recurrentnn import Matrix, errors
from recurrentnn.compat import recurrentjs as R
from support import ROOT, assert_close, tolerance

GOLDEN: dict[str, Any] = json.loads(
    (ROOT / "tests" / "golden" / "recurrentjs.json").read_text(encoding="utf-8")
)
VALUE, GRADIENT = tolerance("float64"), tolerance("float64", "gradient")
NETS = {"lstm": R.forwardLSTM, "rnn": R.forwardRNN}


def rows(stored: dict[str, Any], field: str = "w") -> NDArray[np.float64]:
    """Return a stored matrix, which lies row by row."""
    return np.reshape(np.array(stored[field]), (stored["n"], stored["d"]))


def mat(stored: dict[str, Any]) -> Matrix:
    """Return a stored matrix as a Mat."""
    m = R.Mat(stored["n"], stored["d"])
    m.w = rows(stored)
    return m


@pytest.mark.parametrize("case", GOLDEN["ops"], ids=lambda case: case["op"])
def test_an_op_gives_the_originals_values_and_gradients(case: dict[str, Any]) -> None:
    """Also eltmul of a matrix with itself, and relu at 0."""
    inputs = [mat(stored) for stored in case["inputs"]]
    if len(inputs) == 2 and case["inputs"][0] == case["inputs"][1]:
        inputs = [inputs[0], inputs[0]]
    G = R.Graph()
    out = getattr(G, case["op"])(*inputs, *case["arguments"])
    assert_close(out.w, rows(case["out"]), VALUE)
    out.dw = rows(case["out"], "dw")
    G.backward()
    for m, stored in zip(inputs, case["inputs"], strict=True):
        assert_close(m.dw, rows(stored, "dw"), GRADIENT)


def test_softmax_and_maxi_are_the_originals() -> None:
    """The values are the original's."""
    stored = GOLDEN["softmax"]
    m = mat(stored["in"])
    assert_close(R.softmax(m).w, rows(stored["out"]), VALUE)
    assert R.maxi(m.w) == stored["maxi"]


@pytest.mark.parametrize("function", [R.maxi, R.samplei])
@pytest.mark.parametrize(
    ("w", "error"),
    [
        (["a"], errors.DTypeError),
        (["1"], errors.DTypeError),
        (None, errors.DTypeError),
        ([1j], errors.DTypeError),
        ([[1.0], [1.0, 2.0]], errors.ShapeError),
        ([], errors.ArgumentError),
        ([1.0, np.nan], errors.NonFiniteError),
    ],
)
def test_choosing_names_what_is_no_row_of_numbers(
    function: Callable[[Any], int], w: Any, error: type[Exception]
) -> None:
    with pytest.raises(error, match=rf"^{function.__name__}: w\b"):
        function(w)


@pytest.mark.parametrize(("kind", "init"), [("LSTM", R.initLSTM), ("RNN", R.initRNN)])
def test_the_translation_of_a_net_computes_the_same(kind: str, init: Any) -> None:
    """The row of docs/porting.md, given the net's weights."""
    text = (ROOT / "docs" / "porting.md").read_text(encoding="utf-8")
    call = rf"`init{kind}\(in, hs, out\)` \| `{kind}\(in, hs, out, (.*?)\)`"
    (options,) = re.findall(call, text)
    net = getattr(recurrentnn, kind)(2, [3, 2], 2, **eval(f"dict({options})"))
    assert net.config()["init"] == "uniform"
    model, x = init(2, [3, 2], 2), R.RandMat(2, 1)
    for entry in R.layout.layout(kind.lower(), 2, [3, 2], 2):
        ours = net[entry.parameter].value
        # Initial values: the same biases, the same bound of the weights.
        assert np.abs(ours).max() <= (0.0 if entry.is_bias else 0.08)
        net[entry.parameter].value = model[entry.name].w
    expected = NETS[kind.lower()](R.Graph(), model, [3, 2], x)["o"]
    assert_close(net.forward(recurrentnn.Graph(), x).output.w, expected.w, VALUE)


@pytest.mark.parametrize("kind", NETS)
def test_a_net_gives_the_originals_values_and_gradients(kind: str) -> None:
    """Three ticks through two layers with a gradient at each output."""
    stored = GOLDEN[kind]
    model = {name: mat(weights) for name, weights in stored["weights"].items()}
    xs = [mat(x) for x in stored["xs"]]
    G = R.Graph()
    prev: dict[str, Any] = {}
    outs = []
    for x, seed in zip(xs, stored["seeds"], strict=True):
        prev = NETS[kind](G, model, stored["hidden_sizes"], x, prev)
        prev["o"].dw = np.reshape(seed, (-1, 1))
        outs.append(prev["o"])
    for out, expected in zip(outs, stored["outs"], strict=True):
        assert_close(out.w, rows(expected), VALUE)
    for key in ("h", "c"):
        for m, last in zip(prev.get(key, []), stored["last"][key], strict=True):
            assert_close(m.w.ravel(), last, VALUE)
    G.backward()
    for name, m in model.items():
        assert_close(m.dw, rows(stored["model"][name], "dw"), GRADIENT, name)
    for x, expected in zip(xs, stored["xs"], strict=True):
        assert_close(x.dw, rows(expected, "dw"), GRADIENT, "x")


@pytest.mark.parametrize(("kind", "init"), [("lstm", R.initLSTM), ("rnn", R.initRNN)])
def test_a_new_net_has_the_originals_matrices(kind: str, init: Any) -> None:
    """Their names in their order and shapes, weights within 0.08, biases 0."""
    model = init(2, [3, 2], 2)
    stored = GOLDEN[kind]["weights"]
    assert list(model) == list(stored)
    for name, m in model.items():
        assert m.shape == (stored[name]["n"], stored[name]["d"])
        assert np.abs(m.w).max() <= (0.0 if name.startswith("b") else 0.08)
        assert m.w.any() or name.startswith("b")


def test_a_hundred_steps_of_the_solver_are_the_originals() -> None:
    """With an outlier of 200 times the gradient at step 10."""
    stored = GOLDEN["solver"]
    model = {name: mat(weights) for name, weights in stored["before"].items()}
    solver = R.Solver()
    for step in range(1, 101):
        for m in model.values():
            i = np.arange(m.w.size).reshape(m.shape)
            m.dw = ((step * 7 + i * 13) % 11 - 5) * (200 if step == 10 else 0.5)
        stats = solver.step(
            model, stored["step_size"], stored["regc"], stored["clipval"]
        )
        after = stored["after"].get(str(step))
        if after:
            assert stats == {"ratio_clipped": after["ratio_clipped"]}
            for name, m in model.items():
                assert_close(m.w, rows(after["model"][name]), VALUE, name)


@pytest.mark.parametrize("kind", NETS)
def test_our_model_with_the_originals_weights_computes_the_same(kind: str) -> None:
    """A recurrentnn net, over the layout by which documents are read."""
    stored = GOLDEN[kind]
    cell = recurrentnn.LSTM if kind == "lstm" else recurrentnn.RNN
    options: dict[str, Any] = {} if kind == "lstm" else {"activation": "relu"}
    net = cell(2, [3, 2], 2, dtype="float64", **options)
    for entry in R.layout.layout(kind, 2, [3, 2], 2):
        net[entry.parameter].value = rows(stored["weights"][entry.name])
    g, prev = recurrentnn.Graph(), None
    for x, seed, expected in zip(
        stored["xs"], stored["seeds"], stored["outs"], strict=True
    ):
        prev = net.forward(g, mat(x), prev)
        prev.output.grad = np.reshape(seed, (-1, 1))
        assert_close(prev.output.value, rows(expected), VALUE)
    g.backward()
    for entry in R.layout.layout(kind, 2, [3, 2], 2):
        gradient = rows(stored["model"][entry.name], "dw")
        assert_close(net[entry.parameter].grad, gradient, GRADIENT, entry.name)
