"""What is recorded where, and what a matrix of one graph is to another."""

import gc
import threading
from collections.abc import Callable
from mmap import PAGESIZE
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import ArrayLike

import recurrentnn as rnn


def matrix(values: ArrayLike) -> rnn.Matrix:
    return rnn.Matrix(values, dtype="float64")


@pytest.fixture
def x() -> rnn.Matrix:
    return matrix([[1.0, -2.0], [0.5, 3.0]])


# --- which graph a matrix belongs to ----------------------------------------


def test_a_loss_of_another_graph_is_refused(x: rnn.Matrix) -> None:
    with rnn.Graph() as g:
        x.sum()
    with rnn.Graph() as other:
        foreign = x.sum()
    with pytest.raises(rnn.GraphError, match="loss"):
        g.backward(foreign)
    with pytest.raises(rnn.GraphError, match="loss"):
        g.backward(matrix([[1.0]]))
    other.backward(foreign)
    np.testing.assert_array_equal(x.grad, np.ones((2, 2)))


def test_a_matrix_of_an_open_graph_is_refused_by_another(x: rnn.Matrix) -> None:
    with rnn.Graph() as g:
        y = x.square()
    h = rnn.Graph()
    for op, operands in (("tanh", (y,)), ("add", (x, y)), ("matmul", (y, x))):
        with pytest.raises(rnn.GraphError, match="graph"):
            getattr(h, op)(*operands)
    assert len(h) == 0
    with h, pytest.raises(rnn.GraphError):
        _ = y + 1.0
    assert len(g) == 1  # a graph that is gone would not be open


Finish = Callable[[rnn.Graph], None]


@pytest.mark.parametrize("finish", [rnn.Graph.backward, rnn.Graph.clear])
def test_a_matrix_of_a_finished_graph_enters_by_value(
    x: rnn.Matrix, finish: Finish
) -> None:
    with rnn.Graph() as g:
        y = x.square()
    y.grad[...] = 1.0
    finish(g)
    x.zero_grad()
    value = y.value.copy()
    with rnn.Graph() as h:
        loss = (y * x).sum()
    h.backward(loss)
    np.testing.assert_array_equal(x.grad, value)


def test_a_matrix_outlives_its_dropped_graph_and_enters_by_value(x: rnn.Matrix) -> None:
    def hidden() -> rnn.Matrix:
        with rnn.Graph():
            return x.square()

    y = hidden()
    gc.collect()
    np.testing.assert_array_equal(y.value, x.value**2)
    with rnn.Graph() as h:
        loss = (y * x).sum()
    h.backward(loss)
    np.testing.assert_array_equal(x.grad, x.value**2)


def test_a_matrix_of_an_unrecorded_graph_enters_by_value(x: rnn.Matrix) -> None:
    with rnn.Graph(recording=False):
        y = x.square()
    with rnn.Graph() as h:
        loss = (y * x).sum()
    h.backward(loss)
    np.testing.assert_array_equal(x.grad, x.value**2)


def test_a_matrix_made_outside_any_graph_is_a_leaf(x: rnn.Matrix) -> None:
    y = x.square()
    with rnn.Graph() as g:
        loss = (y * x).sum()
    g.backward(loss)
    np.testing.assert_array_equal(x.grad, x.value**2)
    np.testing.assert_array_equal(y.grad, x.value)


def test_leaving_the_with_block_does_not_finish_a_graph(x: rnn.Matrix) -> None:
    with rnn.Graph() as g:
        y = x.scale(2.0)
    with g:
        loss = y.scale(5.0).sum()
    g.backward(loss)
    np.testing.assert_array_equal(x.grad, np.full((2, 2), 10.0))


# --- recording on and off ---------------------------------------------------


def test_nothing_is_recorded_outside_a_graph_or_with_recording_off(
    x: rnn.Matrix,
) -> None:
    with rnn.Graph(recording=False) as off:
        y = (x @ x + 1.0).tanh()
    assert not off.recording
    assert len(off) == 0
    np.testing.assert_allclose(y.value, np.tanh(x.value @ x.value + 1.0), atol=1e-15)
    with pytest.raises(rnn.GraphError, match="record"):
        off.backward(y)
    with rnn.Graph() as on:
        pass
    _ = x.tanh()
    assert on.recording
    assert len(on) == 0


def resident_bytes() -> int:
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * PAGESIZE
    except FileNotFoundError:
        pytest.skip("the memory of this process cannot be read here")


def test_recording_off_keeps_no_result_that_was_dropped() -> None:
    big = rnn.Matrix.ones(1000, 1000)
    with rnn.Graph(recording=False):
        big.tanh()
        before = resident_bytes()
        for _ in range(200):
            big.tanh()
    assert resident_bytes() - before < 40e6  # 800e6, were they kept


def test_recording_off_allocates_no_gradients() -> None:
    big = rnn.Matrix.ones(1000, 1000)
    with rnn.Graph(recording=False):
        before = resident_bytes()
        kept = [big.scale(2.0).tanh() for _ in range(25)]
    assert resident_bytes() - before < 150e6  # the values alone are 100e6
    assert len(kept) == 25


def test_a_recording_graph_allocates_no_gradients_before_backward() -> None:
    big = rnn.Matrix.ones(1000, 1000)
    with rnn.Graph() as g:
        before = resident_bytes()
        y = big
        for _ in range(25):
            y = y.tanh()
    assert resident_bytes() - before < 150e6
    assert len(g) >= 25


def test_len_counts_the_recorded_ops_and_clear_forgets_them(x: rnn.Matrix) -> None:
    g = rnn.Graph()
    assert len(g) == 0
    y = g.tanh(x)
    before = len(g)
    g.sigmoid(y)
    assert len(g) == before + 1
    g.clear()
    assert len(g) == 0
    np.testing.assert_allclose(y.value, np.tanh(x.value), atol=1e-15)


def test_a_backward_forgets_the_recording(x: rnn.Matrix) -> None:
    with rnn.Graph() as g:
        loss = x.sum()
    g.backward(loss)
    assert len(g) == 0


def test_nested_graphs_record_in_the_innermost(x: rnn.Matrix) -> None:
    with rnn.Graph() as outer:
        one = x.scale(2.0)
        recorded = len(outer)
        with rnn.Graph() as inner:
            two = x.scale(3.0).sum()
        assert len(outer) == recorded
        loss = one.sum()
    inner.backward(two)
    outer.backward(loss)
    np.testing.assert_array_equal(x.grad, np.full((2, 2), 5.0))


def test_an_unrecorded_graph_within_a_recording_one_records_nothing(
    x: rnn.Matrix,
) -> None:
    with rnn.Graph() as outer:
        with rnn.Graph(recording=False):
            aside = x.square()
        loss = (aside * x).sum()
    outer.backward(loss)
    np.testing.assert_array_equal(x.grad, x.value**2)


def test_an_explicit_graph_method_records_in_that_graph(x: rnn.Matrix) -> None:
    g = rnn.Graph()
    with rnn.Graph() as other:
        loss = g.sum(g.square(x))
    assert len(other) == 0
    g.backward(loss)
    np.testing.assert_array_equal(x.grad, 2.0 * x.value)


def test_an_exception_in_the_block_ends_the_recording(x: rnn.Matrix) -> None:
    g = rnn.Graph()

    def fail_within() -> None:
        with g:
            x.tanh()
            raise KeyError

    with pytest.raises(KeyError):
        fail_within()
    recorded = len(g)
    x.tanh()
    assert len(g) == recorded


def test_each_thread_records_in_its_own_graph() -> None:
    barrier = threading.Barrier(2)
    failures: list[str] = []
    gradients: dict[int, np.ndarray] = {}

    def work(factor: int) -> None:
        leaf = matrix([[1.0, 2.0]])
        with rnn.Graph() as g:
            barrier.wait(timeout=30)
            y = leaf
            for _ in range(50):
                y = y + leaf.scale(float(factor))
            barrier.wait(timeout=30)
            loss = y.sum()
        g.backward(loss)
        gradients[factor] = leaf.grad.copy()

    def guarded(factor: int) -> None:
        try:
            work(factor)
        except Exception as error:
            failures.append(repr(error))
            barrier.abort()

    with rnn.Graph() as mine:
        threads = [threading.Thread(target=guarded, args=(n,)) for n in (1, 2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert failures == []
    assert len(mine) == 0
    for factor, gradient in gradients.items():
        np.testing.assert_array_equal(gradient, np.full((1, 2), 1.0 + 50.0 * factor))
