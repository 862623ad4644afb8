"""Faults of RecurrentJS (J), RecurrentNN.jl (L) and both (K) that must not come back.

`docs/porting.md` lists them. What is kept by name has its test here as well. The READMEs'
programs are in test_originals.py, damaged documents in test_from_recurrentjs.py.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import recurrentnn as rnn
from recurrentnn import CharModel, Matrix, Vocabulary, compat
from recurrentnn.compat import recurrentjs as R
from support import assert_close, tolerance

VALUE = tolerance("float64")


def weight(*values: float) -> Matrix:
    """Return a column."""
    return Matrix(np.array(values), "float64")


def moves(step: Callable[[Matrix], Any], gradients: list[float]) -> list[float]:
    """Return how far a single weight moves for each gradient."""
    m = weight(1.0)
    result = []
    for gradient in gradients:
        before = m.value[0, 0]
        m.grad[0, 0] = gradient
        step(m)
        result.append(abs(float(m.value[0, 0] - before)))
    return result


# Optimizers: K1, K2, K3, J14, L7


OUTLIER = [1.0] * 50 + [1000.0] + [1.0] * 50


def test_an_outlier_does_not_stop_learning() -> None:
    """K1: RMSProp clips before it accumulates."""
    optimizer = rnn.RMSProp(0.01, clip_value=5.0)
    with_outlier = moves(lambda m: optimizer.step([m]), OUTLIER)
    other = rnn.RMSProp(0.01, clip_value=5.0)
    without = moves(lambda m: other.step([m]), [1.0] * len(OUTLIER))
    ratios = np.array(with_outlier[51:]) / np.array(without[51:])
    assert ratios.min() > 0.5
    assert ratios.max() < 2


def test_the_ancestors_solver_still_stumbles_over_an_outlier() -> None:
    """K1, kept by name: the unclipped square stays in the mean."""
    solver = compat.Solver()
    sizes = moves(lambda m: compat.step(solver, [m], 0.01, 0.0, 5.0), OUTLIER)
    assert sizes[-1] < sizes[49] / 50


@pytest.mark.parametrize("gradient", [1e-2, 1.0, 3.0])
def test_the_ancestors_first_step_is_31_times_the_rate(gradient: float) -> None:
    """K2, kept by name: the mean starts at 0 without a correction."""
    solver = compat.Solver()
    (size,) = moves(lambda m: compat.step(solver, [m], 0.01, 0.0, 5.0), [gradient])
    expected = 0.01 * gradient / math.sqrt(0.001 * gradient**2 + 1e-8)
    assert_close(size, expected, VALUE)
    assert 0.29 < size < 0.32


def test_weight_decay_spares_biases_and_is_scaled_by_the_rate() -> None:
    """K3: without a gradient a step is -learning_rate * weight_decay * w."""
    net = rnn.LSTM(2, 3, 2, dtype="float64")
    before = {name: m.value.copy() for name, m in net.parameters().items()}
    rnn.RMSProp(0.1, weight_decay=0.5).step(net)
    for name, m in net.parameters().items():
        kept = 1.0 if name.split(".")[-1].startswith("bias") else 1 - 0.1 * 0.5
        assert_close(m.value, kept * before[name], VALUE, name)


def test_the_ancestors_decay_takes_everything_regardless_of_the_rate() -> None:
    """K3, kept by name: -regc * w, biases included."""
    net = compat.LSTM(2, [3], 2)
    net["decoder.bias"].value[...] = 1.0
    before = {name: m.value.copy() for name, m in net.parameters().items()}
    compat.step(compat.Solver(), net, 0.1, 0.5, 5.0)
    for name, m in net.parameters().items():
        assert_close(m.value, 0.5 * before[name], VALUE, name)


def test_the_clipped_share_is_told() -> None:
    """J14: the page computed and never showed it."""
    m = weight(0.0, 0.0, 0.0, 0.0)
    m.dw = [[9.0], [-9.0], [0.1], [0.0]]
    assert R.Solver().step({"m": m}, 0.1, 0.0, 5.0) == {"ratio_clipped": 0.5}


def test_a_solver_may_serve_two_models() -> None:
    """L7: its memory was by position and ran past the end of the first model's."""
    solver, alone = compat.Solver(), compat.Solver()
    first, second, twin = (
        compat.LSTM(2, sizes, 2, seed=1) for sizes in ([2], [3], [3])
    )
    for net in (first, second, twin):
        for m in net.matrices:
            m.dw = np.full(m.shape, 0.25)
    compat.step(solver, first, 0.01, 0.0, 5.0)
    compat.step(solver, second, 0.01, 0.0, 5.0)
    compat.step(alone, twin, 0.01, 0.0, 5.0)
    for m, same in zip(second.matrices, twin.matrices, strict=True):
        np.testing.assert_array_equal(m.w, same.w)


# Ops and graphs: K7, K8, K10, K11, J3, L11, L12


@pytest.mark.parametrize("op", ["add", "eltmul"])
def test_shapes_count_and_not_lengths(op: str) -> None:
    """K7: 2x3 + 3x2 passed in RecurrentJS; in Julia it read past the end."""
    a, b = compat.NNMatrix(2, 3), compat.NNMatrix(3, 2)
    with pytest.raises(rnn.ShapeError, match="2x3.*3x2"):
        getattr(R.Graph(), op)(a, b)
    with pytest.raises(rnn.ShapeError, match="2x3.*3x2"):
        getattr(compat, op)(compat.Graph(), a, b)


def test_a_constructor_checks_its_arrays() -> None:
    """K7: NNMatrix(n, d, w, dw) took any."""
    with pytest.raises(rnn.ShapeError, match="w must be 2x3, got 3x2"):
        compat.NNMatrix(2, 3, np.zeros((3, 2)))
    with pytest.raises(rnn.ShapeError):
        compat.NNMatrix(2, 3, np.zeros((2, 3)), np.zeros((3, 2)))


def test_the_cross_entropy_op_gives_the_gradient_written_by_hand() -> None:
    """K8: dw = p - onehot."""
    logits = np.array([0.3, -1.0, 2.0])
    by_hand, by_op = weight(*logits), weight(*logits)
    p = compat.softmax(by_hand)
    by_hand.dw = p.w
    by_hand.dw[1] -= 1
    g = rnn.Graph()
    loss = g.softmax_cross_entropy(by_op, [1])
    g.backward(loss)
    assert_close(loss.item(), -math.log(p.w[1, 0]), VALUE)
    assert_close(by_op.grad, by_hand.grad, VALUE)
    # The assignment copied: in the ancestors p had lost 1 as well.
    assert_close(p.w.sum(), 1.0, VALUE)


def test_going_back_twice_is_an_error_and_doubles_nothing() -> None:
    """K10."""
    m, G = weight(0.5), R.Graph()
    G.tanh(m).dw = [[1.0]]
    G.backward()
    once = m.dw.copy()
    with pytest.raises(rnn.GraphError):
        G.backward()
    np.testing.assert_array_equal(m.dw, once)


def test_a_graph_that_does_not_record_keeps_nothing() -> None:
    """K11: it allocated every gradient."""
    g = compat.Graph(False)
    net = compat.LSTM(2, [3], 2)
    compat.forwardprop(g, net, weight(1.0, 2.0))
    assert len(g) == 0
    with pytest.raises(rnn.GraphError):
        compat.backprop(g)


@pytest.mark.parametrize("low", [-1e6, -1e9, -1e300])
def test_softmax_of_very_negative_numbers_is_finite(low: float) -> None:
    """J3: the search for the maximum began at -999999."""
    for softmax in (compat.softmax, R.softmax):
        assert_close(softmax(weight(low, low)).w, [[0.5], [0.5]], VALUE)


def test_softmax_is_over_all_elements_and_outside_the_graph() -> None:
    """As in both ancestors, also of a matrix of a graph that is still open."""
    g = compat.Graph()
    m = compat.tanh(g, Matrix([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], "float64"))
    nodes = len(g)
    e = np.exp(m.w)
    assert_close(compat.softmax(m).w, e / e.sum(), VALUE)
    assert len(g) == nodes


@pytest.mark.parametrize("op", [compat.mul, compat.add])
def test_a_view_of_a_gradient_sees_what_backward_adds(
    op: Callable[..., Matrix],
) -> None:
    """L11: the ops with a number put a new array in the place of dw."""
    m, g = weight(1.0, 2.0), compat.Graph()
    view = m.dw
    op(g, m, 3.0).dw = [[1.0], [1.0]]
    compat.backprop(g)
    assert view.all()
    assert np.shares_memory(view, m.dw)


def test_relu_at_zero_is_each_ancestors_own() -> None:
    """L12: RecurrentNN.jl passes the gradient, RecurrentJS and the default do not."""
    slopes = []
    for relu in (compat.relu, lambda _, m: R_graph.relu(m), rnn.Graph.relu):
        m, g, R_graph = weight(0.0), compat.Graph(), R.Graph()
        relu(g, m).dw = [[1.0]]
        (R_graph if len(R_graph.graph) else g).backward()
        slopes.append(m.dw.item())
    assert slopes == [1.0, 0.0, 0.0]


# Nets: K5, K6, K18, J12, L1, L2, L3, L4, L6, L16


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


@pytest.mark.parametrize("init", [R.initLSTM, R.initRNN])
def test_a_net_without_a_hidden_layer_is_refused(init: Callable[..., Any]) -> None:
    """J12: it got a decoder of undefined size."""
    with pytest.raises(rnn.ArgumentError, match="at least one layer"):
        init(2, [], 2)
    with pytest.raises(rnn.ArgumentError):
        compat.LSTM(2, [], 2)


def test_a_key_that_is_no_matrix_of_the_net_is_noticed() -> None:
    """J12: a model was a dict shared with anything."""
    model: dict[str, Any] = R.initRNN(2, [3], 2)
    before = model["Whd"].w.copy()
    with pytest.raises(rnn.ArgumentTypeError):
        R.Solver().step({**model, "hidden_sizes": [3]}, 0.1, 0.1, 5.0)
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


def test_a_net_of_the_ancestors_kind_is_saved_and_loaded(tmp_path: Any) -> None:
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


# Chance: J1, J4, J13, K12, L10


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


# Text: K4, K16, J7, J8, J11, L8, L9


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
        assert greedy == [int(np.argmax(logits[-1]))]
