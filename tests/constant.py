"""Nets whose logits are the same at every step."""

from collections.abc import Sequence
from typing import Any

import numpy as np

import recurrentnn as rnn
from recurrentnn import reference as ref


def net_of(logits: Sequence[float], dtype: str = "float64") -> rnn.Model:
    """Return a net that puts out these logits, whatever it reads."""
    count = len(logits)
    net = rnn.RNN(count, [2], count, dtype=dtype)
    for matrix in net.parameters().values():
        matrix.value[...] = 0.0
    net["decoder.bias"].value = np.reshape(logits, (-1, 1))
    return net


def twin_of(logits: Sequence[float]) -> Any:
    """Return the same of the reference."""
    count = len(logits)
    net = ref.RNN(count, [2], count)
    for matrix in net.parameters().values():
        matrix.value = [0.0] * len(matrix.value)
    net["decoder.bias"].value = list(logits)
    return net
