"""`Mat` and `RandMat`: constructors of a float64 `Matrix`."""

from recurrentnn._recurrentnn import Matrix
from recurrentnn.compat.stream import next_seed


def Mat(n: int, d: int) -> Matrix:
    """Return an (n, d) matrix of zeros."""
    return Matrix.zeros(n, d, "float64")


def RandMat(n: int, d: int, mu: float = 0.0, std: float = 1.0) -> Matrix:
    """Return an (n, d) matrix of uniform(mu - std, mu + std) values.

    Uniform as the ancestor's was in spite of its arguments' names. There `mu` was
    ignored, and a missing `std`, as in both programs of its README, gave NaN.
    """
    seed = next_seed()
    return Matrix.uniform(n, d, mu - std, mu + std, seed=seed, dtype="float64")
