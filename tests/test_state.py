"""The values that go into a net and come out: Step, State, StepStats."""

import copy
import dataclasses
import pickle

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
