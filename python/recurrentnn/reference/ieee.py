"""Real functions as IEEE 754 has them.

Python's own raise where the standard answers inf or nan, and its `sum` compensates
rounding errors since 3.12. An oracle must do neither.
"""

import math
from collections.abc import Iterable, Sequence


def total(terms: Iterable[float]) -> float:
    """Sum from left to right."""
    result = 0.0
    for term in terms:
        result += term
    return result


def dot(a: Sequence[float], b: Sequence[float]) -> float:
    """Sum the products of two equally long sequences from left to right."""
    result = 0.0
    for x, y in zip(a, b, strict=True):
        result += x * y
    return result


def divide(a: float, b: float) -> float:
    """Divide a by b; x/0 = +-inf, 0/0 = nan."""
    if b != 0.0:
        return a / b
    if a == 0.0 or math.isnan(a):
        return math.nan
    return math.inf * math.copysign(1.0, a) * math.copysign(1.0, b)


def exp(x: float) -> float:
    """Return e^x; inf where that is too large."""
    try:
        return math.exp(x)
    except OverflowError:
        return math.inf


def log(x: float) -> float:
    """Return ln x; ln 0 = -inf, that of a negative number nan."""
    if x == 0.0:
        return -math.inf
    return math.log(x) if x > 0.0 else math.nan


def sqrt(x: float) -> float:
    """Return the square root; that of a negative number is nan."""
    return math.sqrt(x) if x >= 0.0 else math.nan


def power(x: float, exponent: float) -> float:
    """Return x^exponent, as C's pow."""
    try:
        return math.pow(x, exponent)
    except OverflowError:
        size = math.inf
    except ValueError:
        # 0 to a negative power, or a negative number to a broken one.
        size = math.inf if x == 0.0 else math.nan
    odd = exponent % 2.0 == 1.0
    return math.copysign(size, x) if odd else size
