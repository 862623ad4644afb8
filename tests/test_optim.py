"""The optimizers against the reference, and what surrounds their rules."""

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import oracle
import recurrentnn as rnn
from cases import spread
from optimizer_cases import OPTIMIZER_CLASSES, OPTIMIZERS, OptimizerCase, public
from recurrentnn import reference as ref
from support import assert_close, tolerance

Array = NDArray[np.float64]

SHAPES = {"w.weight": (4, 3), "w.bias": (4, 1), "w.bias_h": (4, 1), "u.weight": (1, 5)}


def parameters(dtype: str) -> dict[str, rnn.Matrix]:
    return {
        name: rnn.Matrix(spread(*shape, shift=k), dtype=dtype)
        for k, (name, shape) in enumerate(SHAPES.items())
    }


def gradients(dtype: str, step: int) -> dict[str, Array]:
    return {
        name: spread(*shape, -0.4, 0.4, shift=10 * step + k).astype(dtype)
        for k, (name, shape) in enumerate(SHAPES.items())
    }


@pytest.mark.parametrize("case", OPTIMIZERS, ids=lambda case: case.name)
def test_a_rule_equals_the_reference_over_many_steps(
    case: OptimizerCase, dtype: str
) -> None:
    name = OPTIMIZER_CLASSES[case.optimizer]
    ours, theirs = parameters(dtype), parameters(dtype)
    twins = {key: oracle.to_reference(m.value) for key, m in theirs.items()}
    optimizer = public(name)(**case.options)
    twin = getattr(ref, name)(**case.options)
    for step in range(20):
        for key, gradient in gradients(dtype, step).items():
            ours[key].grad = gradient
            twins[key].grad = gradient.astype(np.float64).ravel(order="F").tolist()
        stats = optimizer.step(ours, *case.arguments)
        expected = twin.step(twins, *case.arguments)
        assert_close(
            [stats.grad_norm, stats.clipped_fraction],
            [expected.grad_norm, expected.clipped_fraction],
            tolerance(dtype),
            "statistics",
        )
    for key, matrix in ours.items():
        assert matrix.dtype == np.dtype(dtype)
        assert_close(matrix.value, oracle.value(twins[key]), tolerance(dtype), key)
        assert not matrix.grad.any()
        assert not any(twins[key].grad)


# --- the rule, step by step -------------------------------------------------


def single(value: float, gradient: float) -> rnn.Matrix:
    m = rnn.Matrix([[value]], dtype="float64")
    m.grad[0, 0] = gradient
    return m


def test_the_first_step_of_rmsprop_is_its_formula() -> None:
    w = single(2.0, -3.0)
    rnn.RMSProp(0.1, decay_rate=0.9, eps=0.01, weight_decay=0.5).step([w])
    root = math.sqrt(0.1 * 9.0)
    expected = 2.0 - 0.1 * (-3.0 / (root + 0.01) + 0.5 * 2.0)
    assert w.item() == pytest.approx(expected, rel=1e-15)


def test_the_first_step_of_the_ancestors_rule_is_its_formula() -> None:
    w = single(2.0, -30.0)
    public("Solver")(0.9, 1e-4).step([w], 0.1, 0.01, 5.0)
    # The mean square is that of the gradient before clipping.
    expected = 2.0 - 0.1 * -5.0 / math.sqrt(0.1 * 900.0 + 1e-4) - 0.01 * 2.0
    assert w.item() == pytest.approx(expected, rel=1e-15)


def test_the_mean_square_of_rmsprop_is_of_the_clipped_gradient() -> None:
    outlier, usual = single(0.0, 1000.0), single(0.0, 5.0)
    for w in (outlier, usual):
        rnn.RMSProp(0.1, clip_value=5.0).step([w])
    assert outlier.item() == usual.item()


def test_the_norm_is_clipped_before_the_values() -> None:
    a, b = single(0.0, 30.0), single(0.0, 40.0)
    stats = rnn.RMSProp(
        0.1, decay_rate=0.0, eps=1.0, clip_norm=5.0, clip_value=3.5
    ).step([a, b])
    # By the norm 50: (30, 40) becomes (3, 4); by value (3, 3.5).
    assert a.item() == pytest.approx(-0.1 * 3.0 / 4.0, rel=1e-14)
    assert b.item() == pytest.approx(-0.1 * 3.5 / 4.5, rel=1e-14)
    assert stats.grad_norm == pytest.approx(50.0)
    assert stats.clipped_fraction == 0.5


def test_the_norm_is_taken_over_all_parameters() -> None:
    net = rnn.RNN(2, [3], 2, dtype="float64")
    squares = 0.0
    for k, matrix in enumerate(net.parameters().values()):
        matrix.grad = spread(*matrix.shape, shift=k)
        squares += float((matrix.grad**2).sum())
    assert rnn.RMSProp().step(net).grad_norm == pytest.approx(math.sqrt(squares))


@pytest.mark.parametrize("decay_all", [False, True])
def test_weight_decay_spares_biases_and_embeddings_unless_told(decay_all: bool) -> None:
    net = rnn.GRU(2, [3], 2, embedding_size=2, dtype="float64")
    oracle.stir(net)
    before = {name: m.value.copy() for name, m in net.parameters().items()}
    net.zero_grad()
    rnn.RMSProp(0.1, weight_decay=0.5, decay_all=decay_all).step(net)
    for name, matrix in net.parameters().items():
        spared = name.endswith((".bias", ".bias_h")) or name == "embedding.weight"
        kept = 1.0 if spared and not decay_all else 0.95
        assert_close(matrix.value, kept * before[name], 1e-15, name)


def test_matrices_without_names_are_never_taken_for_biases() -> None:
    column = rnn.Matrix.ones(3, 1, dtype="float64")
    rnn.RMSProp(0.1, weight_decay=0.5).step([column])
    np.testing.assert_allclose(column.value, 0.95, rtol=1e-15)


# --- what a step takes ------------------------------------------------------

Pass = Callable[
    [dict[str, rnn.Matrix]], Mapping[str, rnn.Matrix] | Iterable[rnn.Matrix]
]

WAYS: dict[str, Pass] = {
    "dict": lambda p: p,
    "list": lambda p: list(p.values()),
    "tuple": lambda p: tuple(p.values()),
    "values view": lambda p: p.values(),
    "generator": lambda p: (m for m in p.values()),
    "a matrix listed twice": lambda p: [*p.values(), *p.values()],
    "a matrix under two names": lambda p: p | {f"again.{k}": m for k, m in p.items()},
}


@pytest.mark.parametrize("way", WAYS)
def test_a_step_takes_mappings_and_iterables_and_each_matrix_once(way: str) -> None:
    plain, given = parameters("float64"), parameters("float64")
    one, two = rnn.RMSProp(0.1), rnn.RMSProp(0.1)
    for step in range(3):
        for key, gradient in gradients("float64", step).items():
            plain[key].grad = gradient
            given[key].grad = gradient
        expected = one.step(plain)
        assert two.step(WAYS[way](given)) == expected
    for key, matrix in plain.items():
        np.testing.assert_array_equal(given[key].value, matrix.value)


def test_a_step_of_a_model_is_a_step_of_its_parameters() -> None:
    nets = [rnn.LSTM(2, [3], 2, seed=4, dtype="float64") for _ in range(2)]
    for net in nets:
        for k, matrix in enumerate(net.parameters().values()):
            matrix.grad = spread(*matrix.shape, shift=k)
    rnn.RMSProp(0.1, weight_decay=0.1).step(nets[0])
    rnn.RMSProp(0.1, weight_decay=0.1).step(nets[1].parameters())
    for name, matrix in nets[0].parameters().items():
        np.testing.assert_array_equal(matrix.value, nets[1][name].value)


def test_the_memory_of_an_optimizer_goes_with_the_matrix_not_its_place() -> None:
    a, b = single(0.0, 1.0), single(0.0, 1.0)
    c, d = single(0.0, 1.0), single(0.0, 1.0)
    one, two = rnn.RMSProp(0.1), rnn.RMSProp(0.1)
    one.step([a, b])
    two.step([c, d])
    for m in (a, b, c, d):
        m.grad[0, 0] = 2.0
    one.step([a, b])
    two.step([d])
    two.step([c])
    assert [m.item() for m in (a, b)] == [m.item() for m in (c, d)]


def test_two_optimizers_do_not_share_memory() -> None:
    w, fresh = single(0.0, 1.0), single(0.0, 1.0)
    rnn.RMSProp(0.1).step([w])
    w.value[...], w.grad[...] = 0.0, 1.0
    rnn.RMSProp(0.1).step([w])
    rnn.RMSProp(0.1).step([fresh])
    assert w.item() == fresh.item()


def test_a_matrix_without_a_gradient_counts_as_zero_gradient() -> None:
    touched, untouched = single(1.0, 0.0), rnn.Matrix([[1.0]], dtype="float64")
    stats = rnn.RMSProp(0.1).step([touched, untouched])
    assert touched.item() == untouched.item() == 1.0
    assert stats == (0.0, 0.0)


def test_a_step_of_nothing_does_nothing() -> None:
    assert rnn.RMSProp().step([]) == (0.0, 0.0)
    empty = rnn.Matrix.zeros(0, 3)
    assert rnn.RMSProp().step({"empty": empty}) == (0.0, 0.0)


def test_options_can_be_read_and_set_between_steps() -> None:
    optimizer = rnn.RMSProp(0.5, clip_norm=2.0)
    assert (optimizer.learning_rate, optimizer.decay_rate) == (0.5, 0.95)
    assert (optimizer.clip_norm, optimizer.clip_value) == (2.0, None)
    optimizer.learning_rate, optimizer.clip_norm = 0.25, None
    w, other = single(0.0, 8.0), single(0.0, 8.0)
    optimizer.step([w])
    rnn.RMSProp(0.25).step([other])
    assert w.item() == other.item()


# --- refusals ---------------------------------------------------------------


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("name", OPTIMIZER_CLASSES.values())
def test_a_gradient_that_is_not_finite_is_named_and_nothing_changes(
    name: str, bad: float, dtype: str
) -> None:
    optimizer = public(name)()
    arguments: tuple[Any, ...] = (0.1, 0.1, 5.0) if name == "Solver" else ()
    ours, twins = parameters(dtype), parameters(dtype)
    for key, gradient in gradients(dtype, 0).items():
        ours[key].grad = gradient
        twins[key].grad = gradient
    ours["w.bias_h"].grad[2, 0] = bad
    kept = {key: (m.value.copy(), m.grad.copy()) for key, m in ours.items()}
    with pytest.raises(rnn.NonFiniteError, match=r"w\.bias_h"):
        optimizer.step(ours, *arguments)
    for key, matrix in ours.items():
        np.testing.assert_array_equal(matrix.value, kept[key][0])
        np.testing.assert_array_equal(matrix.grad, kept[key][1])
    # Its memory is as it was, too: the next step is a first step.
    ours["w.bias_h"].grad = twins["w.bias_h"].grad
    optimizer.step(ours, *arguments)
    public(name)().step(twins, *arguments)
    for key, matrix in ours.items():
        np.testing.assert_array_equal(matrix.value, twins[key].value)


def test_a_bad_gradient_without_a_name_is_told_by_its_place() -> None:
    good, bad = single(0.0, 1.0), single(0.0, math.nan)
    with pytest.raises(rnn.NonFiniteError, match="1"):
        rnn.RMSProp().step([good, bad])


def test_a_step_between_forward_and_backward_is_an_error() -> None:
    w = rnn.Matrix([[2.0]], dtype="float64")
    w.grad[...] = 1.0
    optimizer = rnn.RMSProp(0.1)
    with rnn.Graph() as g:
        loss = w.square().sum()
    with pytest.raises(rnn.GraphError, match="backward"):
        optimizer.step({"w": w})
    assert (w.item(), w.grad[0, 0]) == (2.0, 1.0)
    g.backward(loss)
    assert w.grad[0, 0] == 5.0
    optimizer.step({"w": w})
    assert w.item() < 2.0


@pytest.mark.parametrize("how", ["clear", "drop"])
def test_a_cleared_or_dropped_graph_stands_in_no_steps_way(how: str) -> None:
    w = rnn.Matrix([[2.0]], dtype="float64")
    with rnn.Graph() as g:
        w.square()
    if how == "clear":
        g.clear()
    else:
        del g
    w.grad[...] = 1.0
    rnn.RMSProp(0.1).step([w])
    assert w.item() < 2.0


def test_an_unrecorded_graph_stands_in_no_steps_way() -> None:
    net = rnn.RNN(2, [3], 2)
    with rnn.Graph(recording=False) as g:
        net.forward(g, np.ones((2, 1)))
        rnn.RMSProp().step(net)


def test_the_repr_is_the_call_that_makes_the_optimizer() -> None:
    assert repr(rnn.RMSProp()) == "RMSProp(learning_rate=0.001)"
    given = "RMSProp(learning_rate=0.1, eps=1e-6, clip_norm=2.0, decay_all=True)"
    assert repr(eval(given, vars(rnn))) == given
