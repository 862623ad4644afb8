"""`maxi`, `samplei`, `randi`: choosing an index."""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from recurrentnn.compat.stream import uniform
from recurrentnn.errors import (
    ArgumentError,
    DTypeError,
    NonFiniteError,
    ShapeError,
)


def maxi(w: ArrayLike) -> int:
    """Return the index of the largest number of `w`, the first of equals.

    Raises
    ------
    DTypeError
        If `w` holds anything but real numbers.
    NonFiniteError
        If `w` holds NaN or an infinity.
    ArgumentError
        If `w` is empty.
    """
    return int(np.argmax(_numbers("maxi", w)))


def samplei(w: ArrayLike) -> int:
    """Draw an index in proportion to the weights `w`, from the stream of `srand`.

    The ancestor looped for ever when a probability was NaN, or when rounding left
    their sum below the number drawn. Here `w` is taken relative to its sum, and an
    index of weight 0 is never drawn.

    Raises
    ------
    DTypeError
        If `w` holds anything but real numbers.
    NonFiniteError
        If `w` holds NaN or an infinity.
    ArgumentError
        If `w` is empty, has a negative weight, or only zeros.
    """
    weights = _numbers("samplei", w)
    sums = np.cumsum(weights)
    if weights.min() < 0 or sums[-1] == 0:
        raise ArgumentError("samplei: w must hold weights >= 0, one of them > 0")
    drawn = int(np.searchsorted(sums, uniform() * sums[-1], side="right"))
    return min(drawn, int(np.flatnonzero(weights)[-1]))


def randi(a: float, b: float) -> int:
    """Draw an integer from [a, b), from the stream of `srand`."""
    return math.floor(uniform() * (b - a) + a)


def _numbers(function: str, w: ArrayLike) -> NDArray[np.float64]:
    """Return `w` as one row of finite numbers, of which there is one at least."""
    try:
        given = np.asarray(w)
    except ValueError as error:  # lists of unequal lengths
        message = f"{function}: w must be an array of numbers: {error}"
        raise ShapeError(message) from None
    if given.dtype.kind not in "iuf":
        message = f"{function}: w must be real numbers, got an array of {given.dtype}"
        raise DTypeError(message)
    numbers = given.astype(np.float64).ravel()
    if numbers.size == 0:
        raise ArgumentError(f"{function}: w is empty")
    if not np.isfinite(numbers).all():
        where = int(np.flatnonzero(~np.isfinite(numbers))[0])
        raise NonFiniteError(f"{function}: w[{where}] is {numbers[where]}")
    return numbers
