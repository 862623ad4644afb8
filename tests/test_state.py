"""The values that go into a net and come out: Step, State, StepStats."""

import dataclasses

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


def test_a_state_cannot_be_changed() -> None:
    _, state = rnn.GRU(2, 3, 1)(np.ones((5, 2)))
    assert state.cell == ()
    with pytest.raises(dataclasses.FrozenInstanceError):
        state.hidden = ()  # type: ignore[misc]
