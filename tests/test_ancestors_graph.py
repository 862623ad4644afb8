"""Faults of the ancestors' ops and graphs that must not come back.

Letters and numbers are those of the list of faults in docs/porting.md.
"""

import math
from collections.abc import Callable
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


@pytest.mark.parametrize("op", ["add", "eltmul"])
def test_shapes_count_and_not_lengths(op: str) -> None:
    """K7: 2x3 + 3x2 passed in RecurrentJS; in Julia it read past the end."""
    a, b = compat.NNMatrix(2, 3), compat.NNMatrix(3, 2)
    with pytest.raises(rnn.ShapeError, match=r"2x3.*3x2"):
        getattr(R.Graph(), op)(a, b)
    with pytest.raises(rnn.ShapeError, match=r"2x3.*3x2"):
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
def test_a_view_of_a_gradient_stays_current(
    op: Callable[..., Matrix],
) -> None:
    """L11: the ops with a number put a new array in the place of dw."""
    m, g = weight(1.0, 2.0), compat.Graph()
    view = m.dw
    op(g, m, 3.0).dw = [[1.0], [1.0]]
    compat.backprop(g)
    assert view.all()
    assert np.shares_memory(view, m.dw)


@pytest.mark.parametrize(
    ("graph", "relu", "slope"),
    [
        (compat.Graph, compat.relu, 1.0),
        (R.Graph, R.Graph.relu, 0.0),
        (rnn.Graph, rnn.Graph.relu, 0.0),
    ],
    ids=["RecurrentNN.jl", "RecurrentJS", "recurrentnn"],
)
def test_relu_at_zero_is_each_ancestors_own(
    graph: Callable[[], Any], relu: Callable[..., Matrix], slope: float
) -> None:
    """L12: RecurrentNN.jl passes the gradient, RecurrentJS and the default do not."""
    m, g = weight(0.0), graph()
    relu(g, m).dw = [[1.0]]
    g.backward()
    assert m.dw.item() == slope
