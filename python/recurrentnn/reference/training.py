"""What training decides, by its definitions."""

import math
from collections.abc import Sequence


def weighted_cross_entropy(
    logits: Sequence[Sequence[float]],
    targets: Sequence[int | None],
    weights: Sequence[float],
    smoothing: float,
) -> float:
    """Mean of -sum_c q_c ln softmax(logits)_c, weighted; a target None does not count.

    q_c = (1 - smoothing) w_y [c = y] + smoothing / classes w_c, and the sum over all
    rows is divided by that of their w_y.
    """
    total = norm = 0.0
    for row, target in zip(logits, targets, strict=True):
        if target is None:
            continue
        largest = max(row)
        log_sum = largest + math.log(sum(math.exp(z - largest) for z in row))
        for label, z in enumerate(row):
            q = smoothing / len(row) * weights[label]
            if label == target:
                q += (1 - smoothing) * weights[target]
            total -= q * (z - log_sum)
        norm += weights[target]
    return total / norm


def early_stop(
    losses: Sequence[float], patience: int, min_delta: float = 0.0
) -> tuple[int, int]:
    """Which validation is the best, and which is the last, both from 0."""
    best = 0
    for number, loss in enumerate(losses):
        if number and loss < losses[best] - min_delta:
            best = number
        elif number - best >= patience:
            return best, number
    return best, len(losses) - 1


def suggested_rate(rates: Sequence[float], losses: Sequence[float]) -> float:
    """The rate at which the running mean of the losses fell fastest before its least.

    The mean is the one of weights 0.9^age; its slope over ln(rate) is that of the
    parabola through a point and its two neighbours, of a line at the ends.
    """
    smooth = []
    for last in range(len(losses)):
        ages = [0.9 ** (last - i) for i in range(last + 1)]
        total = sum(a * y for a, y in zip(ages, losses[: last + 1], strict=True))
        smooth.append(total / sum(ages))
    end = max(smooth.index(min(smooth)) + 1, 2)
    x, y = [math.log(rate) for rate in rates[:end]], smooth[:end]
    slopes = []
    for i in range(end):
        if i == 0:
            slope = (y[1] - y[0]) / (x[1] - x[0])
        elif i == end - 1:
            slope = (y[i] - y[i - 1]) / (x[i] - x[i - 1])
        else:
            before, after = x[i] - x[i - 1], x[i + 1] - x[i]
            left, right = (y[i] - y[i - 1]) / before, (y[i + 1] - y[i]) / after
            slope = (left * after + right * before) / (before + after)
        slopes.append(slope)
    return rates[slopes.index(min(slopes))]
