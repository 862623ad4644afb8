"""Faults of the ancestors' nets that must not come back.

Letters and numbers are those of the list of faults in docs/porting.md.
"""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import recurrentnn as rnn
from recurrentnn import Matrix, compat
from recurrentnn.compat import recurrentjs as R
from support import assert_close, tolerance

VALUE = tolerance("float64")


def weight(*values: float) -> Matrix:
    """Return a column."""
    return Matrix(np.array(values), "float64")


@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU", "GFLSTM", "GFGRU"])
def test_columns_are_samples(kind: str) -> None:
    """K5: the ancestors knew a batch of one."""
    net: compat.Model = getattr(compat, kind)(2, [3, 4], 2, 0.5)
    xs = np.random.default_rng(0).normal(size=(2, 2, 5))

    def run(columns: slice) -> np.ndarray[Any, Any]:
        g, prev = compat.Graph(False), None
        for x in xs:
            prev = compat.forwardprop(g, net, Matrix(x[:, columns], "float64"), prev)
        assert prev is not None
        return prev.output.value.copy()

    together = run(slice(None))
    for i in range(5):
        assert_close(together[:, i : i + 1], run(slice(i, i + 1)), VALUE)


def test_the_modern_defaults_are_tanh_and_a_forget_bias_of_1() -> None:
    """K6; the ancestors' are kept in compat, see test_compat.py."""
    assert (rnn.LSTM(2, 3, 2)["layers.0.forget.bias"].value == 1).all()
    net, g = rnn.RNN(1, 1, 1), rnn.Graph(recording=False)
    net["layers.0.hidden.weight_x"].value[...] = 1.0
    step = net.forward(g, Matrix([[-5.0]]))
    assert_close(step.hidden[0].value, [[math.tanh(-5.0)]], tolerance("float32"))


def test_the_ancestors_rnn_passes_gradients_at_zero() -> None:
    """L12, kept by name: with weights of 0 every unit of RecurrentNN.jl's learns."""
    for net, slope in (
        (compat.RNN(1, [2], 1, 0.0), 1.0),
        (rnn.RNN(1, [2], 1, activation="relu", init="normal", std=0.0), 0.0),
    ):
        net["decoder.weight"].value[...] = 1.0
        g = rnn.Graph()
        net.forward(g, Matrix([[3.0]], net.dtype)).output.grad[...] = 1.0
        g.backward()
        assert net["layers.0.hidden.bias"].grad.tolist() == [[slope], [slope]]


@pytest.mark.parametrize("init", [R.initLSTM, R.initRNN])
def test_a_net_without_a_hidden_layer_is_refused(init: Callable[..., Any]) -> None:
    """J12: it got a decoder of undefined size."""
    with pytest.raises(rnn.ArgumentError, match="at least one layer"):
        init(2, [], 2)
    with pytest.raises(rnn.ArgumentError):
        compat.LSTM(2, [], 2)


def test_a_key_that_is_no_matrix_of_the_net_is_noticed() -> None:
    """J12: a model was a dict shared with anything."""
    model = R.initRNN(2, [3], 2)
    shared: dict[str, Any] = {**model, "hidden_sizes": [3]}
    before = model["Whd"].w.copy()
    with pytest.raises(rnn.ArgumentTypeError):
        R.Solver().step(shared, 0.1, 0.1, 5.0)
    np.testing.assert_array_equal(model["Whd"].w, before)
    with pytest.raises(rnn.ArgumentError, match="no matrix 'Wix0'"):
        R.forwardLSTM(R.Graph(), model, [3], R.Mat(2, 1))
    with pytest.raises(rnn.ArgumentError, match="no matrix 'Wxh1'"):
        R.forwardRNN(R.Graph(), model, [3, 3], R.Mat(2, 1))


@pytest.mark.parametrize("kind", ["GFLSTM", "GFGRU"])
def test_gated_feedback_takes_unequal_layers(kind: str) -> None:
    """L1: `wch` was square; and the gradients are right."""
    net: compat.Model = getattr(compat, kind)(2, [2, 3, 1], 2, 0.5)
    assert net["layers.0.feedback.1.weight_h"].shape == (2, 3)
    # L3: a gate per unit here, one per pair of layers and sample by default.
    assert net["layers.1.feedback.0.gate.weight_x"].rows == 3
    modern = getattr(rnn, kind)(2, [2, 3, 1], 2)
    assert modern["layers.1.feedback.0.gate.weight_x"].rows == 1

    def outputs(g: rnn.Graph) -> Matrix:
        prev = None
        for x in ([0.5, -1.0], [1.0, 0.3]):
            prev = compat.forwardprop(g, net, weight(*x), prev)
        assert prev is not None
        return prev.output

    rnn.gradcheck(outputs, net)


def test_there_is_a_gated_feedback_rnn() -> None:
    """L4: RecurrentNN.jl's README names one and has none."""
    net = rnn.GFRNN(2, [3, 2], 2)
    assert net.forward(rnn.Graph(), Matrix([[1.0], [2.0]])).output.shape == (2, 1)


def test_an_embedding_is_trained() -> None:
    """L2: `wil` lay outside the model; its gradients grew for ever."""
    net = rnn.LSTM(5, 3, 5, embedding_size=2)
    table = net["embedding.weight"]
    before = table.value.copy()
    g = rnn.Graph()
    loss = g.softmax_cross_entropy(net.forward(g, 3).output, [1])
    g.backward(loss)
    rnn.RMSProp(0.01).step(net)
    moved = (table.value != before).any(axis=1)
    assert moved.tolist() == [False, False, False, True, False]
    assert not table.grad.any()


def test_an_embedding_outside_the_model_is_trained_when_named() -> None:
    """L2, in the ancestor's own words."""
    wil, net, solver = compat.randNNMat(5, 2), compat.LSTM(2, [3], 5), compat.Solver()
    before = wil.w.copy()
    g = compat.Graph()
    out = compat.forwardprop(g, net, compat.rowpluck(g, wil, 3))
    out.output.dw = compat.softmax(out.output).w
    compat.backprop(g)
    compat.step(solver, [wil, *net.matrices], 0.01, 0.0, 5.0)
    assert (wil.w != before).any(axis=1).tolist() == [False, False, False, True, False]
    assert not wil.dw.any()


@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU", "GFLSTM", "GFGRU"])
def test_every_net_returns_the_same_kind_of_tick(kind: str) -> None:
    """L6: two fields or three; and each takes the ancestor's tuples back."""
    net: compat.Model = getattr(compat, kind)(2, [3], 2, 0.5)
    x = weight(1.0, 2.0)
    g = compat.Graph(False)
    tick = compat.forwardprop(g, net, x, ([], compat.NNMatrix(2, 1)))
    assert tick[-1] is tick.output
    assert len(tick.hidden) == 1
    assert len(tick.cell) == ("LSTM" in kind)
    again = compat.forwardprop(g, net, x, tick).output.value
    fields = (tick.hidden, tick.cell, tick.output) if tick.cell else tick[::2]
    np.testing.assert_array_equal(
        compat.forwardprop(g, net, x, fields).output.value, again
    )


def test_a_net_of_the_ancestors_kind_is_saved_and_loaded(tmp_path: Path) -> None:
    """L16: RecurrentNN.jl had no files; the class is the public one."""
    net = compat.GRU(2, [3], 2)
    net.save(tmp_path / "net.safetensors")
    loaded = rnn.load(tmp_path / "net.safetensors")
    assert isinstance(loaded, rnn.GRU)
    x = weight(1.0, 2.0)
    g = rnn.Graph(recording=False)
    np.testing.assert_array_equal(
        loaded.forward(g, x).output.value, net.forward(g, x).output.value
    )
