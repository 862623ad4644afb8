"""What training drops: the reference, differences, and the masks themselves."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import nets
import oracle
import recurrentnn as rnn
from cases import ModelCase, spread
from recurrentnn import reference as ref
from recurrentnn.reference import masks
from regulariser_cases import CASES, TOGETHER
from support import assert_close, tolerance

Array = NDArray[np.float64]

EVERY = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


def sequences(case: ModelCase) -> Any:
    """The input of a case, (batch, time) symbols or (batch, time, features)."""
    if case.takes_symbols:
        return nets.symbols(case)
    return np.stack([x.T for x in nets.features(case)], axis=1)


def trained(net: Any, x: Any, graph: Any) -> tuple[Array, dict[str, Array]]:
    """Return the output of a call in training and the gradients of the parameters."""
    net.zero_grad()
    with graph as g:
        y, _ = net(x)
        loss = (y * y).sum()
    g.backward(loss)
    grads = {name: oracle.gradient(m) for name, m in net.parameters().items()}
    return oracle.value(y), grads


@EVERY
def test_a_call_in_training_has_the_numbers_of_the_reference(case: ModelCase) -> None:
    ours, theirs = nets.stirred(case)
    x = sequences(case)
    for step in (0, 1, 2**40 + 3):
        ours.dropout_step = theirs.dropout_step = step
        value, grads = trained(ours, x, rnn.Graph())
        expected, gradients = trained(theirs, x.tolist(), ref.Graph())
        assert_close(value, expected, tolerance("float64"), f"output {step}")
        for name, grad in grads.items():
            bound = tolerance("float64", "gradient")
            assert_close(grad, gradients[name], bound, f"{name} {step}")
        assert ours.dropout_step == theirs.dropout_step == step + 1


@EVERY
def test_a_tick_in_training_has_the_numbers_of_the_reference(case: ModelCase) -> None:
    ours, theirs = nets.stirred(case)
    x = sequences(case)
    with rnn.Graph() as g:
        step = ours.forward(g, x[:, 0] if x.ndim == 2 else x[:, 0].T)
        step = ours.forward(g, x[:, 1] if x.ndim == 2 else x[:, 1].T, step)
    with ref.Graph() as h:
        tick = x[:, 0].tolist() if x.ndim == 2 else ref.Matrix(x[:, 0].T.tolist())
        expected = theirs.forward(h, tick)
        tick = x[:, 1].tolist() if x.ndim == 2 else ref.Matrix(x[:, 1].T.tolist())
        expected = theirs.forward(h, tick, expected)
    bound = tolerance("float64")
    assert_close(step.output.value, oracle.value(expected.output), bound)
    assert ours.dropout_step == theirs.dropout_step == 2


@EVERY
def test_outside_training_nothing_drops(case: ModelCase) -> None:
    ours, theirs = nets.stirred(case)
    x = sequences(case)
    expected, _ = theirs(x.tolist())
    bound = tolerance("float64")
    assert_close(ours(x)[0], expected, bound, "outside of a graph")
    assert not ours.eval().training
    with rnn.Graph():
        y, _ = ours(x)
    flat = np.array(expected).reshape(-1, y.rows).T
    assert_close(y.value, flat, bound, "eval")
    assert ours.train() is ours
    assert ours.training
    with rnn.Graph(recording=False):
        y, _ = ours(x)
    assert_close(y.value, flat, bound, "not recording")
    assert ours.dropout_step == 0


@EVERY
def test_gradients_are_the_differences_with_the_same_masks(case: ModelCase) -> None:
    net, _ = nets.stirred(case)
    x = sequences(case)

    def loss() -> float:
        net.dropout_step = 5
        with rnn.Graph():
            y, _ = net(x)
        return float((y.value**2).sum())

    net.dropout_step = 5
    _, grads = trained(net, x, rnn.Graph())
    for name, m in net.parameters().items():
        at = (m.rows - 1, m.cols // 2)
        kept, step = float(m.value[at]), 1e-5
        m.value[at] = kept + step
        above = loss()
        m.value[at] = kept - step
        below = loss()
        m.value[at] = kept
        numeric = (above - below) / (2.0 * step)
        assert grads[name][at] == pytest.approx(numeric, rel=1e-6, abs=1e-6), name


# --- masks ------------------------------------------------------------------


def dropped(net: Any, batch: int, time: int) -> Array:
    """Return the output of a net that hands on its masks, (batch, time, units)."""
    with rnn.Graph():
        y, _ = net(np.ones((batch, time, 1), np.float32))
    return np.array(y.sequence, dtype=np.float64)


def transparent(units: int, **options: Any) -> rnn.Model:
    """Return a net whose output is the mask between its two layers.

    The lower layer gives ones, and the upper one what it reads.
    """
    net = rnn.RNN(1, [units, units], None, activation="linear", **options)
    for name, m in net.parameters().items():
        if name.endswith("weight_x"):
            m.value = np.eye(*m.shape) if m.cols > 1 else np.ones(m.shape)
        else:
            m.value = np.zeros(m.shape)
    return net


def test_a_mask_has_its_mean_and_its_two_values() -> None:
    net = transparent(200, dropout=0.25, seed=3)
    mask = dropped(net, 20, 30)
    assert set(np.unique(mask)) == {0.0, np.float32(1.0 / 0.75)}
    # 120,000 draws: the standard deviation of the share is 0.00125.
    assert abs((mask == 0.0).mean() - 0.25) < 4 * 0.00125


def correlation(a: Array, b: Array) -> float:
    return float(np.corrcoef((a == 0.0).ravel(), (b == 0.0).ravel())[0, 1])


def test_masks_of_steps_samples_units_and_calls_are_independent() -> None:
    net = transparent(200, dropout=0.5, seed=3)
    mask, other = dropped(net, 20, 30), dropped(net, 20, 30)
    bound = 4.0 / np.sqrt(20 * 29 * 199)
    assert abs(correlation(mask[:, 1:], mask[:, :-1])) < bound
    assert abs(correlation(mask[1:], mask[:-1])) < bound * 1.1
    assert abs(correlation(mask[..., 1:], mask[..., :-1])) < bound
    assert abs(correlation(mask, other)) < bound
    again = transparent(200, dropout=0.5, seed=4)
    assert abs(correlation(mask, dropped(again, 20, 30))) < bound


def test_masks_of_layers_are_independent() -> None:
    net = rnn.RNN(1, [100, 100, 100], None, activation="linear", dropout=0.5)
    for name, m in net.parameters().items():
        m.value = np.eye(*m.shape) if name.endswith("weight_x") else np.zeros(m.shape)
    net["layers.0.hidden.weight_x"].value = np.ones((100, 1))
    # Both masks keep a unit in a quarter of all cases if they are independent.
    kept = dropped(net, 20, 30) != 0.0
    assert abs(kept.mean() - 0.25) < 4 * np.sqrt(0.25 * 0.75 / kept.size)


def test_a_variational_mask_is_the_same_at_every_step_of_a_call() -> None:
    net = transparent(50, dropout=0.5, variational=True)
    one, other = dropped(net, 4, 6), dropped(net, 4, 6)
    assert (one == one[:, :1]).all()
    assert not (one == other).all()
    assert not (one[0] == one[1]).all()
    assert not (one[..., 1:] == one[..., :-1]).all()


def test_masks_are_those_of_the_reference_for_rows_in_any_register() -> None:
    for units in (1, 7, 8, 9, 31, 33, 70):
        net = transparent(units, dropout=0.5, seed=2**63 + 1)
        net.dropout_step = 9
        found = dropped(net, 3, 2)
        seed = masks.seed_of(2**63 + 1, 4, 9)
        for sample in range(3):
            for tick in range(2):
                expected = [
                    2.0 * masks.keeps(seed, 0.5, sample, tick, row)
                    for row in range(units)
                ]
                assert found[sample, tick].tolist() == expected


def test_masks_do_not_depend_on_batch_length_or_threads() -> None:
    net = transparent(300, dropout=0.5)
    threads = rnn.get_num_threads()
    try:
        rnn.set_num_threads(1)
        whole = dropped(net, 16, 40)
        rnn.set_num_threads(2)
        net.dropout_step = 0
        np.testing.assert_array_equal(dropped(net, 16, 40), whole)
    finally:
        rnn.set_num_threads(threads)
    net.dropout_step = 0
    np.testing.assert_array_equal(dropped(net, 3, 7), whole[:3, :7])


def test_zoneout_keeps_units_as_they_were() -> None:
    net = rnn.LSTM(3, 40, None, zoneout_hidden=0.5, zoneout_cell=0.25, dtype="float64")
    first = rnn.State(
        (spread(1, 40).copy(),),
        (spread(1, 40, shift=1).copy(),),
    )
    plain = rnn.LSTM(3, 40, None, dtype="float64")
    x = np.ones((1, 1, 3))
    _, expected = plain(x, first)
    with rnn.Graph():
        _, state = net(x, first)
    for kind, rate in (("hidden", 0.5), ("cell", 0.25)):
        new = getattr(state, kind)[0].value.T
        old, plainly = getattr(first, kind)[0], getattr(expected, kind)[0]
        kept = new == old
        assert 0.0 < kept.mean() < 1.0
        assert abs(kept.mean() - rate) < 4 * np.sqrt(rate * (1 - rate) / 40)
        np.testing.assert_array_equal(new, np.where(kept, old, plainly))


def test_embedding_dropout_drops_whole_symbols_for_the_whole_call() -> None:
    net: Any = rnn.RNN(
        30, 4, None, embedding_size=4, embedding_dropout=0.5, activation="linear"
    )
    net["layers.0.hidden.weight_x"].value = np.eye(4)
    net["layers.0.hidden.weight_h"].value = np.zeros((4, 4))
    x = np.array([[*range(30)], [*range(29, -1, -1)]])
    with rnn.Graph():
        y, _ = net(x)
    found = np.array(y.sequence)
    np.testing.assert_array_equal(found[0], found[1][::-1])
    gone = (found[0] == 0.0).all(axis=1)
    assert 5 < gone.sum() < 25
    doubled = 2.0 * net["embedding.weight"].value[~gone]
    np.testing.assert_array_equal(found[0][~gone], doubled)


def test_a_failed_call_counts_for_nothing() -> None:
    net = transparent(4, dropout=0.5)
    with rnn.Graph(), pytest.raises(rnn.ShapeError):
        net(np.ones((1, 2, 3), np.float32))
    assert net.dropout_step == 0


def test_a_resumed_run_has_the_bits_of_one_never_interrupted() -> None:
    options: dict[str, Any] = TOGETHER | {"zoneout_cell": 0.2, "seed": 11}
    x, targets = nets.symbols(ModelCase("lstm", "", (4, 3))), np.ones((3, 5), int)

    def learn(net: rnn.Model, times: int) -> None:
        optimizer = rnn.RMSProp(0.01, decay_rate=0.0)
        for _ in range(times):
            with rnn.Graph() as g:
                y, _ = net(x)
                loss = g.softmax_cross_entropy(y, targets)
            g.backward(loss)
            optimizer.step(net)

    whole = rnn.LSTM(4, [4, 3], 4, **options)
    learn(whole, 6)
    first = rnn.LSTM(4, [4, 3], 4, **options)
    learn(first, 3)
    resumed = rnn.LSTM(4, [4, 3], 4, **options)
    for name, m in first.parameters().items():
        resumed[name].value = m.value
    resumed.dropout_step = first.dropout_step
    learn(resumed, 3)
    for name, m in whole.parameters().items():
        np.testing.assert_array_equal(m.value, resumed[name].value, err_msg=name)


# --- options ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("cell", "options", "words"),
    [
        ("LSTM", {"dropout": 1.0}, r"dropout must be in \[0, 1\) but is 1"),
        ("LSTM", {"weight_drop": -0.1}, "weight_drop must be in"),
        ("LSTM", {"zoneout_cell": float("nan")}, "zoneout_cell must be"),
        ("GRU", {"zoneout_cell": 0.1}, "zoneout_cell means nothing"),
        ("LSTM", {"embedding_dropout": 0.1}, "embedding_dropout means nothing"),
        ("LSTM", {"variational": True}, "variational means nothing"),
        ("GRU", {"peepholes": True}, "peepholes means nothing"),
        ("RNN", {"coupled_gates": True}, "coupled_gates means nothing"),
        ("GFLSTM", {"projection_size": 1}, "projection_size means nothing"),
        ("GFGRU", {"layer_norm": True}, "layer_norm means nothing"),
        ("GRU", {"cell_clip": 1.0}, "cell_clip means nothing"),
        ("LSTM", {"cell_clip": 0.0}, "cell_clip must be finite and above 0"),
        ("LSTM", {"projection_size": 3}, "projection_size must be from 1"),
        ("LSTM", {"residual": True}, "residual needs"),
        ("LSTM", {"tied_embedding": True}, "tied_embedding needs"),
        ("LSTM", {"activations": {"reset": "relu"}}, "activations may name"),
        ("LSTM", {"activations": {"input": "cube"}}, "must be one of"),
        ("RNN", {"activations": {"hidden": "relu"}}, "activations may name"),
        (
            "LSTM",
            {"activations": {"forget": "relu"}, "coupled_gates": True},
            "activations may name",
        ),
        (
            "LSTM",
            {"coupled_gates": True, "forget_bias": 0.0},
            "forget_bias means nothing",
        ),
    ],
)
def test_an_option_that_is_out_of_range_or_ignored_is_refused(
    cell: str, options: dict[str, Any], words: str
) -> None:
    with pytest.raises(rnn.ArgumentError, match=words):
        getattr(rnn, cell)(2, [4, 3], 2, **options)


def test_dropout_means_nothing_to_one_layer() -> None:
    with pytest.raises(rnn.ArgumentError, match="dropout means nothing"):
        rnn.LSTM(2, 3, 2, dropout=0.1)


@EVERY
def test_options_are_kept_in_files(case: ModelCase, tmp_path: Any) -> None:
    net = nets.build(case)
    net.save(tmp_path / "net.safetensors")
    again = rnn.load(tmp_path / "net.safetensors")
    assert again.config() == net.config()
    assert again.dropout_step == 0


@pytest.mark.parametrize("bad", [-1, 2**64, 1.5, "a", True, None])
def test_a_dropout_step_is_an_integer_of_64_bits(bad: Any) -> None:
    net = rnn.RNN(1, 1, None)
    with pytest.raises((ValueError, TypeError), match="dropout_step"):
        net.dropout_step = bad
    assert net.dropout_step == 0
