"""Losses: 1x1, a mean, in nats where they are entropies."""

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from recurrentnn.reference.ieee import exp, total
from recurrentnn.reference.matrix import Matrix
from recurrentnn.reference.shape import expect

from .elementwise import logistic
from .reductions import first_maximum
from .rule import Backward, expect_equal_shapes, op


@op()
def softmax_cross_entropy(
    logits: Matrix, targets: Sequence[Any], mask: Sequence[Any] | None = None
) -> tuple[Matrix, Backward]:
    """Average -ln p[target] over unmasked columns, p = softmax(logits).

    dx_i = (p_i - [i = target]) / (number of unmasked columns). Softmax and logarithm in
    one: for a = max x, -ln p[t] = (a - x_t) + ln sum e^(x-a), finite for logits +-1e6.

    Parameters
    ----------
    logits
        (symbols, columns).
    targets
        One symbol per column; nested (batch, time) lists are read row by row.
    mask
        One truth value per column, laid out alike; only true ones count. The target of
        a masked column may be anything.
    """
    name = "softmax_cross_entropy"
    symbols = _per_column(f"{name}: targets", targets, logits.cols)
    counts = (
        [True] * logits.cols
        if mask is None
        else [bool(x) for x in _per_column(f"{name}: mask", mask, logits.cols)]
    )
    for j, symbol in enumerate(symbols):
        expect(
            not counts[j] or 0 <= symbol < logits.rows,
            f"{name}: target {symbol} of column {j} is not below the "
            f"{logits.rows} symbols",
            IndexError,
        )
    n = counts.count(True)
    expect(n > 0, f"{name}: expected a column to count but there is none")

    losses: list[float] = []
    weights: dict[int, list[float]] = {}
    for j in range(logits.cols):
        if counts[j]:
            x = logits.column(j)
            a = x[first_maximum(x)]
            weights[j] = [exp(x_i - a) for x_i in x]
            losses.append((a - x[symbols[j]]) + math.log(total(weights[j])))
    out = Matrix(total(losses) / n)

    def backward() -> None:
        for j, e in weights.items():
            whole = total(e)
            for i, e_i in enumerate(e):
                p_i = e_i / whole
                dx_i = (p_i - float(i == symbols[j])) / n
                logits.grad[j * logits.rows + i] += out.grad[0] * dx_i

    return out, backward


def _per_column(what: str, numbers: Iterable[Any], cols: int) -> list[int]:
    flat: list[int] = []
    for x in numbers:
        flat.extend(x if isinstance(x, Sequence) else [x])
    expect(
        len(flat) == cols, f"{what}: expected one per column, {cols}, got {len(flat)}"
    )
    return flat


def _mean_of(
    name: str,
    prediction: Matrix,
    target: Matrix,
    formula: Callable[[float, float], tuple[float, float, float]],
) -> tuple[Matrix, Backward]:
    """Average l(p, t), given as triples (l, dl/dp, dl/dt)."""
    expect_equal_shapes(name, prediction, target)
    n = prediction.shape.size
    expect(n > 0, f"{name}: a mean needs elements but the shape is {prediction.shape}")
    triples = [
        formula(p, t) for p, t in zip(prediction.value, target.value, strict=True)
    ]
    out = Matrix(total(loss for loss, _, _ in triples) / n)

    def backward() -> None:
        for k, (_, by_prediction, by_target) in enumerate(triples):
            prediction.grad[k] += out.grad[0] * by_prediction / n
            target.grad[k] += out.grad[0] * by_target / n

    return out, backward


@op(operands=2)
def squared_error(prediction: Matrix, target: Matrix) -> tuple[Matrix, Backward]:
    """Average l = d^2, d = prediction - target; dl/dd = 2 d."""

    def formula(p: float, t: float) -> tuple[float, float, float]:
        d = p - t
        return d * d, 2.0 * d, -2.0 * d

    return _mean_of("squared_error", prediction, target, formula)


def _sign(d: float) -> float:
    return 0.0 if d == 0.0 else math.copysign(1.0, d)


@op(operands=2)
def absolute_error(prediction: Matrix, target: Matrix) -> tuple[Matrix, Backward]:
    """Average l = |d|, d = prediction - target; dl/dd = the sign of d, 0 at 0."""

    def formula(p: float, t: float) -> tuple[float, float, float]:
        d = p - t
        return math.fabs(d), _sign(d), -_sign(d)

    return _mean_of("absolute_error", prediction, target, formula)


@op(operands=2)
def huber(
    prediction: Matrix, target: Matrix, delta: float = 1.0
) -> tuple[Matrix, Backward]:
    """Average l = d^2/2 for |d| <= delta, else delta (|d| - delta/2).

    d = prediction - target; dl/dd = d, else delta times its sign.
    """
    expect(delta > 0.0, f"huber: delta must be positive but is {delta}")

    def formula(p: float, t: float) -> tuple[float, float, float]:
        d = p - t
        if math.fabs(d) <= delta:
            return 0.5 * d * d, d, -d
        slope = delta * _sign(d)
        return delta * (math.fabs(d) - 0.5 * delta), slope, -slope

    return _mean_of("huber", prediction, target, formula)


@op(operands=2)
def binary_cross_entropy(logits: Matrix, target: Matrix) -> tuple[Matrix, Backward]:
    """Average l = -t ln p - (1-t) ln(1-p), p = 1 / (1 + e^-x), on logits x.

    l = max(x, 0) - x t + ln(1 + e^-|x|), dl/dx = p - t, dl/dt = -x. PyTorch has it as
    binary_cross_entropy_with_logits.
    """
    for t in target.value:
        expect(
            0.0 <= t <= 1.0,
            f"binary_cross_entropy: target must be in [0, 1] but has {t}",
        )

    def formula(x: float, t: float) -> tuple[float, float, float]:
        above = 0.0 if x < 0.0 else x
        return above - x * t + math.log1p(exp(-math.fabs(x))), logistic(x) - t, -x

    return _mean_of("binary_cross_entropy", logits, target, formula)
