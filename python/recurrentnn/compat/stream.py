"""The stream that `randNNMat`, `RandMat` and the ancestors' models draw from.

Both ancestors draw from a global generator, so that two calls give two matrices.
Here the n-th draw since `srand(seed)` has the seed `seed * 2**32 + n`: a program that
runs twice draws the same numbers, which RecurrentJS could not promise.
"""

import itertools
import operator
from typing import SupportsIndex

from recurrentnn._recurrentnn import Matrix
from recurrentnn.errors import ArgumentError, ArgumentTypeError

_LIMIT = 1 << 32  # the low half of a seed counts draws

_seeds = itertools.count()


def srand(seed: SupportsIndex) -> None:
    """Start the stream again; Julia's name. A program starts as after `srand(0)`.

    Raises
    ------
    ArgumentTypeError
        If `seed` is no integer.
    ArgumentError
        If it is not in [0, 2**32).
    """
    global _seeds
    try:
        start = operator.index(seed)
    except TypeError:
        start = None
    if start is None or isinstance(seed, bool):
        raise ArgumentTypeError(f"srand: seed must be an integer, got {seed!r}")
    if not 0 <= start < _LIMIT:
        raise ArgumentError(f"srand: seed must be in [0, 2**32), got {start}")
    _seeds = itertools.count(start * _LIMIT)


def next_seed() -> int:
    """Return the seed of the next draw."""
    return next(_seeds)


def uniform() -> float:
    """Return the next number in [0, 1), JavaScript's `Math.random()`."""
    return Matrix.uniform(1, 1, seed=next_seed(), dtype="float64").item()
