"""Ops on each element alone: every function returns the pair (y, dy/dx)."""

import math

from recurrentnn.reference.ieee import divide, exp, log, power, sqrt
from recurrentnn.reference.matrix import Matrix
from recurrentnn.reference.random import DROPOUT, uniform
from recurrentnn.reference.shape import expect

from .rule import Backward, elementwise, op


@elementwise
def tanh(x: float) -> tuple[float, float]:
    """Take the hyperbolic tangent: y = tanh x, y' = 1 - y^2."""
    y = math.tanh(x)
    return y, 1.0 - y * y


def logistic(x: float) -> float:
    """Return 1 / (1 + e^-x), without overflow on either side."""
    if x >= 0.0:
        return 1.0 / (1.0 + exp(-x))
    e = exp(x)
    return e / (1.0 + e)


@elementwise
def sigmoid(x: float) -> tuple[float, float]:
    """Squash to (0, 1): y = 1 / (1 + e^-x), y' = y (1 - y)."""
    y = logistic(x)
    return y, y * (1.0 - y)


@elementwise
def relu(x: float, slope_at_zero: float = 0.0) -> tuple[float, float]:
    """Cut below 0: y = max(x, 0), y' = 1 above 0, 0 below, slope_at_zero at 0."""
    if x == 0.0:
        return 0.0, slope_at_zero
    return (0.0, 0.0) if x < 0.0 else (x, 1.0)


@elementwise
def neg(x: float) -> tuple[float, float]:
    """Negate: y = -x, y' = -1."""
    return -x, -1.0


@elementwise
def exp_(x: float) -> tuple[float, float]:
    """Take the exponential: y = e^x, y' = y."""
    y = exp(x)
    return y, y


@elementwise
def log_(x: float) -> tuple[float, float]:
    """Take the natural logarithm: y = ln x, y' = 1/x."""
    return log(x), divide(1.0, x)


@elementwise
def sqrt_(x: float) -> tuple[float, float]:
    """Take the square root: y = x^(1/2), y' = 1 / (2 y)."""
    y = sqrt(x)
    return y, divide(0.5, y)


@elementwise
def square(x: float) -> tuple[float, float]:
    """Square: y = x^2, y' = 2 x."""
    return x * x, 2.0 * x


@elementwise
def abs_(x: float) -> tuple[float, float]:
    """Take the magnitude: y = |x|, y' = the sign of x, 0 at 0."""
    return math.fabs(x), 0.0 if x == 0.0 else math.copysign(1.0, x)


@elementwise
def softplus(x: float) -> tuple[float, float]:
    """Smooth relu: y = ln(1 + e^x), y' = 1 / (1 + e^-x)."""
    # ln(1 + e^x) = max(x, 0) + ln(1 + e^-|x|)
    return (0.0 if x < 0.0 else x) + math.log1p(exp(-math.fabs(x))), logistic(x)


@elementwise
def gelu(x: float) -> tuple[float, float]:
    """Weigh x by its chance: y = x Phi(x), y' = Phi(x) + x phi(x).

    Phi(x) = (1 + erf(x / sqrt 2)) / 2 is the normal distribution, phi its density:
    the exact form, not the one with tanh.
    """
    # 1 + erf(t) = erfc(-t), which keeps its digits for negative x.
    distribution = 0.5 * math.erfc(-x / math.sqrt(2.0))
    density = exp(-0.5 * x * x) / math.sqrt(2.0 * math.pi)
    return x * distribution, distribution + x * density


@elementwise
def hard_sigmoid(x: float) -> tuple[float, float]:
    """Squash by a line: y = clip(x/6 + 1/2, 0, 1), y' = 1/6 inside (-3, 3), else 0."""
    if x <= -3.0:
        return 0.0, 0.0
    return (1.0, 0.0) if x >= 3.0 else (x / 6.0 + 0.5, 1.0 / 6.0)


@elementwise
def scale(x: float, factor: float) -> tuple[float, float]:
    """Multiply by a number: y = factor x, y' = factor."""
    return factor * x, factor


@elementwise
def shift(x: float, amount: float) -> tuple[float, float]:
    """Add a number: y = x + amount, y' = 1."""
    return x + amount, 1.0


@elementwise
def pow_(x: float, exponent: float) -> tuple[float, float]:
    """Raise to a power: y = x^p, y' = p x^(p-1), p the exponent; y' = 0 for p = 0."""
    if exponent == 0.0:
        return 1.0 if x == x else x, 0.0
    return power(x, exponent), exponent * power(x, exponent - 1.0)


@elementwise
def clip(x: float, low: float, high: float) -> tuple[float, float]:
    """Limit: y = min(max(x, low), high), y' = 1 from low to high, both included."""
    expect(low <= high, f"clip: low must not exceed high but is {low} > {high}")
    if x < low:
        return low, 0.0
    return (high, 0.0) if x > high else (x, 1.0)


@elementwise
def elu(x: float, alpha: float = 1.0) -> tuple[float, float]:
    """Bend below 0: y = x above 0, else alpha (e^x - 1); y' = 1, else y + alpha."""
    if x > 0.0:
        return x, 1.0
    y = alpha * math.expm1(x)
    return y, y + alpha


@elementwise
def leaky_relu(x: float, slope: float = 0.01) -> tuple[float, float]:
    """Flatten below 0: y = x above 0, else slope x; y' = 1, else slope."""
    return (x, 1.0) if x > 0.0 else (slope * x, slope)


@op()
def dropout(
    m: Matrix, rate: float, seed: int, step: int = 0
) -> tuple[Matrix, Backward]:
    """Drop at random: y = k x, y' = k, where k is 0, or 1 / (1 - rate) for kept x.

    Element k (column-major) is kept where uniform(seed, DROPOUT, step, k) >= rate.
    """
    expect(0.0 <= rate < 1.0, f"dropout: rate must be in [0, 1) but is {rate}")
    kept = 1.0 / (1.0 - rate)
    slopes = [
        kept if uniform(seed, DROPOUT, step, k) >= rate else 0.0
        for k in range(m.shape.size)
    ]
    values = [x * slope for x, slope in zip(m.value, slopes, strict=True)]
    out = Matrix.from_flat(m.rows, m.cols, values)

    def backward() -> None:
        for k, slope in enumerate(slopes):
            m.grad[k] += out.grad[k] * slope

    return out, backward
