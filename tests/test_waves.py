"""Sequences of more steps than go through all stages of a run at once."""

import numpy as np
import pytest

import recurrentnn as rnn

TIME = 700


@pytest.mark.parametrize("both", [False, True])
def test_a_row_alone_is_the_row_among_others_over_many_steps(both: bool) -> None:
    """One row and five are cut at other steps, and have the same bits."""
    net = rnn.LSTM(8, [48, 48], 3, bidirectional=both, seed=2)
    x = np.random.default_rng(1).normal(size=(5, TIME, 8)).astype(np.float32)
    together, _ = net(x)
    for row in (0, 4):
        alone, _ = net(x[row : row + 1])
        np.testing.assert_array_equal(alone[0], together[row])


def test_a_stream_is_the_sequence_over_many_steps() -> None:
    net = rnn.GRU(8, [48, 48], 3, seed=2)
    x = np.random.default_rng(1).normal(size=(1, TIME, 8)).astype(np.float32)
    whole, _ = net(x)
    stream = net.stream(batch=1)
    for step in range(TIME):
        np.testing.assert_array_equal(np.ravel(stream(x[0, step])), whole[0, step])
