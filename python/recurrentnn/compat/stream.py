"""The stream that `randNNMat`, `RandMat` and the ancestors' models draw from.

Both ancestors draw from a global generator, so that two calls give two matrices.
Here the n-th draw since `srand(seed)` has the seed `seed * 2**32 + n`: a program that
runs twice draws the same numbers, which RecurrentJS could not promise.
"""

import itertools

from recurrentnn._recurrentnn import Matrix
from recurrentnn.errors import ArgumentError

_LIMIT = 1 << 32  # the low half of a seed counts draws

_seeds = itertools.count()


def srand(seed: int) -> None:
    """Start the stream again; Julia's name. A program starts as after `srand(0)`.

    Raises
    ------
    ArgumentError
        If `seed` is not in [0, 2**32).
    """
    global _seeds
    if not 0 <= seed < _LIMIT:
        raise ArgumentError(f"srand: seed must be in [0, 2**32), got {seed}")
    _seeds = itertools.count(seed * _LIMIT)


def next_seed() -> int:
    """Return the seed of the next draw."""
    return next(_seeds)


def uniform() -> float:
    """Return the next number in [0, 1), JavaScript's `Math.random()`."""
    return Matrix.uniform(1, 1, seed=next_seed(), dtype="float64").item()
