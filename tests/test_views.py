"""Views of value and gradient: shared, safe, and longer-lived than their matrix."""

import gc

import numpy as np

import recurrentnn as rnn

BASE = np.arange(24, dtype=np.float64).reshape(4, 6) - 7.5


def test_value_and_grad_are_writable_views_in_fortran_order() -> None:
    m = rnn.Matrix(BASE, dtype="float64")
    for view in (m.value, m.grad):
        assert view.flags.f_contiguous
        assert view.flags.writeable
        assert not view.flags.owndata
    assert np.shares_memory(m.value, m.value)
    assert np.shares_memory(m.grad, m.grad)
    assert not np.shares_memory(m.value, m.grad)


def test_the_transposed_value_is_the_c_ordered_batch_without_a_copy() -> None:
    m = rnn.Matrix(BASE, dtype="float64")
    batch = m.value.T
    assert batch.flags.c_contiguous
    batch[1, 0] = 99.0
    assert m.value[0, 1] == 99.0


def test_w_and_dw_are_value_and_grad() -> None:
    m = rnn.Matrix.zeros(2, 2)
    m.w[0, 1] = 3.0
    m.dw[1, 0] = 4.0
    assert m.value[0, 1] == 3.0
    assert m.grad[1, 0] == 4.0
    m.w = [[1.0, 2.0], [3.0, 4.0]]
    m.dw = [[5.0, 6.0], [7.0, 8.0]]
    np.testing.assert_array_equal(m.value, [[1.0, 2.0], [3.0, 4.0]])
    np.testing.assert_array_equal(m.grad, [[5.0, 6.0], [7.0, 8.0]])


def test_a_write_through_a_held_view_is_seen_by_the_next_op() -> None:
    w = rnn.Matrix([[1.0, 2.0], [3.0, 4.0]], dtype="float64")
    x = rnn.Matrix([[1.0], [1.0]], dtype="float64")
    view = w.value
    np.testing.assert_array_equal((w @ x).value, [[3.0], [7.0]])
    view[0, 0] = 11.0
    np.testing.assert_array_equal((w @ x).value, [[13.0], [7.0]])
    view[...] = 0.0
    np.testing.assert_array_equal((w @ x).value, [[0.0], [0.0]])


def test_a_write_through_a_held_view_is_seen_by_the_next_call_of_a_model() -> None:
    net = rnn.LSTM(3, [4], 2, seed=1, dtype="float64")
    x = np.linspace(-1.0, 1.0, 2 * 5 * 3).reshape(2, 5, 3)
    view = net["layers.0.candidate.weight_h"].value
    first, _ = net(x)
    kept = first.copy()
    view *= -3.0
    second, _ = net(x)
    fresh = rnn.LSTM(3, [4], 2, seed=1, dtype="float64")
    fresh["layers.0.candidate.weight_h"].value *= -3.0
    third, _ = fresh(x)
    np.testing.assert_array_equal(second, third)
    assert np.abs(second - kept).max() > 1e-3
    np.testing.assert_array_equal(first, kept)


def test_an_old_result_is_never_overwritten_by_later_calls() -> None:
    w = rnn.Matrix([[2.0]], dtype="float64")
    results = [w.scale(float(n)) for n in range(20)]
    views = [result.value for result in results]
    for n in range(20):
        assert results[n].item() == views[n][0, 0] == 2.0 * n
    net = rnn.GRU(2, [3], 2, dtype="float64")
    x = np.ones((1, 4, 2))
    y, state = net(x)
    y_before, hidden_before = y.copy(), state.hidden[0].copy()
    for n in range(5):
        net(x * n)
        net(x * n, state)
    np.testing.assert_array_equal(y, y_before)
    np.testing.assert_array_equal(state.hidden[0], hidden_before)


def test_a_result_of_a_recorded_graph_survives_its_backward_and_later_graphs() -> None:
    w = rnn.Matrix([[0.5, -1.0]], dtype="float64")
    kept = []
    for n in range(10):
        with rnn.Graph() as g:
            y = w.scale(float(n))
            loss = y.square().sum()
        view = y.value
        g.backward(loss)
        kept.append((view, y.grad))
    for n, (value, gradient) in enumerate(kept):
        np.testing.assert_array_equal(value, n * w.value)
        np.testing.assert_array_equal(gradient, 2.0 * n * w.value)


def test_views_outlive_their_matrix() -> None:
    def views() -> tuple[np.ndarray, np.ndarray]:
        m = rnn.Matrix(np.full((300, 300), 2.5), dtype="float64")
        m.grad[...] = -1.0
        return m.value, m.grad

    held = [views() for _ in range(5)]
    gc.collect()
    rubbish = [rnn.Matrix.ones(300, 300, dtype="float64") for _ in range(20)]
    for value, gradient in held:
        assert (value == 2.5).all()
        assert (gradient == -1.0).all()
        value[...] = 0.0
    assert all((m.value == 1.0).all() for m in rubbish)


def test_views_of_a_model_outlive_it() -> None:
    net = rnn.RNN(3, [4], 2, dtype="float64")
    view = net["decoder.weight"].value
    before = view.copy()
    del net
    gc.collect()
    np.testing.assert_array_equal(view, before)


def test_zero_grad_is_seen_through_a_held_view() -> None:
    m = rnn.Matrix.ones(2, 2)
    view = m.grad
    view[...] = 3.0
    m.zero_grad()
    np.testing.assert_array_equal(view, np.zeros((2, 2)))


def test_a_view_of_the_gradient_is_filled_by_a_later_backward() -> None:
    m = rnn.Matrix([[2.0, 3.0]], dtype="float64")
    view = m.grad
    with rnn.Graph() as g:
        loss = m.square().sum()
    g.backward(loss)
    np.testing.assert_array_equal(view, [[4.0, 6.0]])
