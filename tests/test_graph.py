"""What backward computes, how often it may run, and how large a graph may be."""

import gc
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import ArrayLike

import recurrentnn as rnn


def matrix(values: ArrayLike) -> rnn.Matrix:
    return rnn.Matrix(values, dtype="float64")


@pytest.fixture
def x() -> rnn.Matrix:
    return matrix([[1.0, -2.0], [0.5, 3.0]])


# --- what backward computes -------------------------------------------------


def test_backward_of_a_loss_fills_the_gradient_of_every_leaf(x: rnn.Matrix) -> None:
    w = matrix([[1.0, 2.0]])
    with rnn.Graph() as g:
        loss = (w @ x).square().sum()
    g.backward(loss)
    product = w.value @ x.value
    np.testing.assert_allclose(w.grad, 2.0 * product @ x.value.T, rtol=1e-15)
    np.testing.assert_allclose(x.grad, 2.0 * w.value.T @ product, rtol=1e-15)


def test_backward_spreads_gradients_seeded_by_hand(x: rnn.Matrix) -> None:
    with rnn.Graph() as g:
        h = x.scale(3.0)
    h.grad[0, 1] = 1.0
    h.grad[1, 0] = -2.0
    g.backward()
    np.testing.assert_array_equal(x.grad, [[0.0, 3.0], [-6.0, 0.0]])


def test_hand_seeds_may_sit_on_several_nodes_one_below_the_other(x: rnn.Matrix) -> None:
    with rnn.Graph() as g:
        middle = x.scale(2.0)
        top = middle.scale(5.0)
    middle.grad[...] = 1.0
    top.grad[...] = 1.0
    g.backward()
    np.testing.assert_array_equal(x.grad, np.full((2, 2), 2.0 + 10.0))


def test_a_seed_assigned_as_an_array_counts(x: rnn.Matrix) -> None:
    with rnn.Graph() as g:
        h = x.scale(2.0)
    h.grad = np.ones((2, 2))
    g.backward()
    np.testing.assert_array_equal(x.grad, np.full((2, 2), 2.0))


def test_the_gradient_of_an_intermediate_result_can_be_read(x: rnn.Matrix) -> None:
    with rnn.Graph() as g:
        y = x.square()
        loss = y.scale(7.0).sum()
    g.backward(loss)
    np.testing.assert_array_equal(y.grad, np.full((2, 2), 7.0))
    np.testing.assert_array_equal(loss.grad, [[1.0]])


def test_an_op_on_one_matrix_twice_adds_both_gradients(x: rnn.Matrix) -> None:
    with rnn.Graph() as g:
        loss = (x * x).sum()
    g.backward(loss)
    np.testing.assert_array_equal(x.grad, 2.0 * x.value)


def test_a_node_used_many_times_collects_every_gradient(x: rnn.Matrix) -> None:
    with rnn.Graph() as g:
        y = x.scale(2.0)
        loss = (y + y * x + y.sum(axis=0) - y).sum()
    g.backward(loss)
    # loss = sum(2x^2) + sum over the two rows of sum(2x): 4x + 2*2
    np.testing.assert_allclose(x.grad, 4.0 * x.value + 4.0, rtol=1e-15)


def test_what_the_loss_does_not_depend_on_gets_no_gradient(x: rnn.Matrix) -> None:
    other = matrix([[1.0]])
    with rnn.Graph() as g:
        loss = x.sum()
        aside = other.exp()
    g.backward(loss)
    np.testing.assert_array_equal(other.grad, [[0.0]])
    np.testing.assert_array_equal(aside.grad, [[0.0]])


def test_leaf_gradients_accumulate_over_graphs_until_zeroed(x: rnn.Matrix) -> None:
    for times in (1.0, 2.0, 3.0):
        with rnn.Graph() as g:
            loss = x.sum()
        g.backward(loss)
        np.testing.assert_array_equal(x.grad, np.full((2, 2), times))
    x.zero_grad()
    np.testing.assert_array_equal(x.grad, np.zeros((2, 2)))


# --- backward once, or again on request -------------------------------------


def test_a_second_backward_is_an_error_and_changes_nothing(x: rnn.Matrix) -> None:
    with rnn.Graph() as g:
        loss = x.square().sum()
    g.backward(loss)
    before = x.grad.copy()
    for again in (loss, None):
        with pytest.raises(rnn.GraphError, match="backward"):
            g.backward(again)
        np.testing.assert_array_equal(x.grad, before)


def test_a_retained_graph_gives_the_same_gradients_again(x: rnn.Matrix) -> None:
    with rnn.Graph() as g:
        y = x.square()
        loss = y.sum()
    g.backward(loss, retain=True)
    first = x.grad.copy()
    x.zero_grad()
    g.backward(loss, retain=True)
    np.testing.assert_array_equal(x.grad, first)
    np.testing.assert_array_equal(y.grad, np.ones((2, 2)))
    x.zero_grad()
    g.backward(loss)
    np.testing.assert_array_equal(x.grad, first)
    with pytest.raises(rnn.GraphError):
        g.backward(loss)


def test_a_retained_graph_differentiates_another_loss(x: rnn.Matrix) -> None:
    with rnn.Graph() as g:
        y = x.scale(3.0)
        one, two = y.sum(), y.square().sum()
    g.backward(one, retain=True)
    x.zero_grad()
    g.backward(two)
    np.testing.assert_allclose(x.grad, 18.0 * x.value, rtol=1e-15)


def test_hand_seeds_after_a_retained_backward_need_zero_grad(x: rnn.Matrix) -> None:
    with rnn.Graph() as g:
        h = x.scale(3.0)
    h.grad[...] = 1.0
    g.backward(retain=True)
    with pytest.raises(rnn.GraphError, match="zero_grad"):
        g.backward()
    x.zero_grad()
    g.zero_grad()
    h.grad[0, 0] = 1.0
    g.backward()
    np.testing.assert_array_equal(x.grad, [[3.0, 0.0], [0.0, 0.0]])


def test_a_backward_without_a_loss_or_a_seed_is_an_error(x: rnn.Matrix) -> None:
    with rnn.Graph() as g:
        loss = x.sum()
    with pytest.raises(rnn.GraphError, match="loss"):
        g.backward()
    g.backward(loss)
    np.testing.assert_array_equal(x.grad, np.ones((2, 2)))


@pytest.mark.parametrize("make", [lambda x: x.square(), lambda x: x.sum(axis=0)])
def test_a_loss_must_be_1x1(
    x: rnn.Matrix, make: Callable[[rnn.Matrix], rnn.Matrix]
) -> None:
    with rnn.Graph() as g:
        loss = make(x)
    with pytest.raises(rnn.ShapeError, match="1x1"):
        g.backward(loss)
    np.testing.assert_array_equal(x.grad, np.zeros((2, 2)))


def test_a_refused_backward_leaves_the_recording_usable(x: rnn.Matrix) -> None:
    with rnn.Graph() as g:
        y = x.square()
        loss = y.sum()
    with pytest.raises(rnn.ShapeError):
        g.backward(y)
    g.backward(loss)
    np.testing.assert_array_equal(x.grad, 2.0 * x.value)


# --- size and text ----------------------------------------------------------


def test_a_graph_of_a_million_nodes_is_built_differentiated_and_dropped() -> None:
    x = matrix([[0.5]])
    y = x
    with rnn.Graph() as g:
        for _ in range(500_000):
            y = y.neg().shift(0.0)
    assert len(g) >= 1_000_000
    g.backward(y)
    np.testing.assert_array_equal(x.grad, [[1.0]])
    y = x
    with rnn.Graph() as dropped:
        for _ in range(1_000_000):
            y = y.neg()
    del dropped, y
    gc.collect()


def test_to_dot_names_ops_and_shapes_and_joins_them(x: rnn.Matrix) -> None:
    with rnn.Graph() as g:
        x.tanh().sum(axis=0)
    dot = g.to_dot()
    assert dot.startswith("digraph")
    for word in ("tanh", "sum", "2x2", "1x2", "->"):
        assert word in dot
    assert dot.count("->") == 2
    assert dot.rstrip().endswith("}")
