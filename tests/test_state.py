"""The values that go into a net and come out: Step, State, StepStats."""

import copy
import dataclasses
import pickle
from typing import Any

import numpy as np
import pytest

import recurrentnn as rnn


def test_the_output_of_a_step_comes_last() -> None:
    """`prev[-1]` for every cell: the ancestors' tuples differed between cells."""
    for net in (rnn.RNN(2, [3, 4], 5), rnn.LSTM(2, [3, 4], 5)):
        prev = net.forward(rnn.Graph(), np.ones((2, 6)))
        hidden, cell, output = prev
        assert prev[-1] is output
        assert [h.shape for h in hidden] == [(3, 6), (4, 6)]
        assert len(cell) == (2 if isinstance(net, rnn.LSTM) else 0)
        assert output.shape == (5, 6)


def test_a_detached_state_has_samples_in_rows_and_its_own_memory() -> None:
    net = rnn.LSTM(2, 3, 1, seed=1)
    x = np.ones((4, 5, 2))
    _, arrays = net(x)
    with rnn.Graph():
        _, matrices = net(x)
    for state in (arrays, matrices):
        detached = state.detach()
        for vector, plain in zip(
            (*detached.hidden, *detached.cell),
            (*arrays.hidden, *arrays.cell),
            strict=True,
        ):
            assert isinstance(vector, np.ndarray)
            assert vector.shape == (4, 3)
            np.testing.assert_array_equal(vector, np.asarray(plain))
            assert not np.shares_memory(vector, np.asarray(plain))


def test_vectors_of_any_other_name_are_attributes_too() -> None:
    one, two = (np.ones((2, 3)),), (np.zeros((2, 3)),)
    state = rnn.State(one, more={"slow": two})
    matrix = rnn.Matrix(np.ones((3, 1)))
    step = rnn.Step((matrix,), (), matrix, {"slow": (matrix,)})
    assert state.slow is two
    assert step.slow == (matrix,)
    assert step[-1] is matrix
    assert len(step) == 3
    assert state.detach().slow[0].shape == (2, 3)
    for copied in (copy.deepcopy(state), pickle.loads(pickle.dumps(state))):
        np.testing.assert_array_equal(copied.slow[0], two[0])
    for holder in (state, step):
        assert not hasattr(holder, "fast")
        with pytest.raises(AttributeError, match="no 'fast'"):
            _ = holder.fast


def test_a_state_cannot_be_changed() -> None:
    _, state = rnn.GRU(2, 3, 1)(np.ones((5, 2)))
    assert state.cell == ()
    with pytest.raises(dataclasses.FrozenInstanceError):
        state.hidden = ()  # type: ignore[misc]


def states(dtype: str = "float64") -> tuple[rnn.LSTM, rnn.State]:
    net = rnn.LSTM(2, [3, 4], 1, seed=1, dtype=dtype)
    x = np.arange(40.0).reshape(4, 5, 2) / 20
    return net, net(x)[1]


def vectors(state: rnn.State) -> tuple[Any, ...]:
    return (*state.hidden, *state.cell)


def test_rows_of_a_state_are_selected_in_any_order(dtype: str) -> None:
    _, state = states(dtype)
    for one, all_rows in zip(
        vectors(state.select([3, 0, 3])), vectors(state), strict=True
    ):
        np.testing.assert_array_equal(one, all_rows[[3, 0, 3]])
        assert one.dtype == np.dtype(dtype)
    assert state.select([]).hidden[0].shape == (0, 3)


def test_rows_of_a_state_are_reset_to_zeros_or_to_another() -> None:
    _, state = states()
    mask = np.array([True, False, False, True])
    np.asarray(state.hidden[0])[0, 0] = np.inf  # what is not finite goes, too
    other = state.select([1, 1, 1, 1])
    zeros, anew = state.reset(mask), state.reset(mask, other)
    for old, zero, new, start in zip(
        *map(vectors, (state, zeros, anew, other)), strict=True
    ):
        np.testing.assert_array_equal(zero[~mask], old[~mask])
        np.testing.assert_array_equal(new[~mask], old[~mask])
        assert not zero[mask].any()
        np.testing.assert_array_equal(new[mask], start[mask])


def test_a_clone_has_memory_of_its_own() -> None:
    _, state = states()
    for one, other in zip(vectors(state), vectors(state.clone()), strict=True):
        np.testing.assert_array_equal(one, other)
        assert not np.shares_memory(one, other)


def test_gradients_pass_through_states_that_are_selected_reset_and_cloned() -> None:
    net, _ = states()
    leaves = [rnn.Matrix(np.full((n, 3), 0.5), dtype="float64") for n in (3, 4, 3, 4)]
    start = rnn.State(tuple(leaves[:2]), tuple(leaves[2:]))
    mask = np.array([False, True])
    with rnn.Graph() as g:
        state = start.select([2, 0]).reset(mask).clone()
        assert all(v.shape[1] == 2 for v in vectors(state))
        loss = sum(v.square().sum() for v in vectors(state)) * 1.0
    g.backward(loss)
    for leaf in leaves:
        np.testing.assert_array_equal(leaf.grad[:, 2], np.ones(leaf.rows))
        assert not leaf.grad[:, :2].any()
    # Outside a graph matrices stay matrices.
    assert isinstance(start.select([1]).hidden[0], rnn.Matrix)
    with rnn.Graph():
        assert net(np.ones((2, 1, 2)), state.detach())[0].shape == (1, 2)


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (lambda s: s.select([4]), rnn.OutOfRangeError, "from 0 to 3"),
        (lambda s: s.select([-1]), rnn.OutOfRangeError, "from 0 to 3"),
        (lambda s: s.select([0.5]), rnn.DTypeError, "integers"),
        (lambda s: s.select(1), rnn.ShapeError, r"\(n,\)"),
        (lambda s: s.reset([1, 0, 0, 0]), rnn.DTypeError, "booleans"),
        (lambda s: s.reset([True]), rnn.ShapeError, r"\(4,\)"),
    ],
)
def test_rows_that_there_are_not_are_refused(
    call: Any, kind: type[Exception], message: str
) -> None:
    with pytest.raises(kind, match=message):
        call(states()[1])


def test_a_learned_state_is_where_a_row_begins() -> None:
    net: Any = rnn.LSTM(2, [3, 4], 1, learned_state=True, dtype="float64")
    for k, name in enumerate(("hidden", "cell")):
        for j in (0, 1):
            first = net[f"layers.{j}.initial_{name}"]
            assert not first.value.any()
            first.value = np.full(first.shape, 0.1 + k + j)
    initial = net.initial_state(3)
    np.testing.assert_array_equal(initial.cell[1], np.full((3, 4), 2.1))
    x = np.arange(30.0).reshape(3, 5, 2) / 20
    np.testing.assert_array_equal(net(x)[0], net(x, initial)[0])
    reset = np.zeros((3, 5), dtype=bool)
    reset[:, 2] = True
    y, _ = net(x, reset=reset)
    np.testing.assert_array_equal(y[:, 2:], net(x[:, 2:])[0])
    stream = net.stream(3)
    np.testing.assert_array_equal(stream(x[:, 0]), net(x)[0][:, 0])
    with rnn.Graph() as g:
        tick = net.forward(g, x[:, 0].T)
    np.testing.assert_array_equal(tick.output.value.T, net(x)[0][:, 0])


def test_a_learned_state_has_the_gradient_of_a_difference() -> None:
    net: Any = rnn.GRU(2, [3, 2], 1, learned_state=True, dtype="float64", seed=3)
    x = np.arange(30.0).reshape(3, 5, 2) / 20
    reset = np.zeros((3, 5), dtype=bool)
    reset[1, 2] = reset[2, 0] = True

    for options in (
        {},
        {"reset": reset},
        {"state": net.initial_state(3), "reset": reset},
    ):
        net.zero_grad()
        with rnn.Graph() as g:
            loss = net(x, **options)[0].square().sum()
        g.backward(loss)
        for j in (0, 1):
            first = net[f"layers.{j}.initial_hidden"]
            value, losses = first.value, []
            for step in (1e-6, -2e-6):
                value[1, 0] += step
                losses.append((net(x, **options)[0] ** 2).sum())
            value[1, 0] += 1e-6
            difference = (losses[0] - losses[1]) / 2e-6
            assert abs(difference - first.grad[1, 0]) < 1e-7
            assert abs(difference) > 1e-7
