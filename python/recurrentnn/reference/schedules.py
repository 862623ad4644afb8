"""Schedules: the factor of the learning rate as a function of the step, from 0.

Each is one formula. `plateau` is a function of all metrics seen so far.
"""

import math
from collections.abc import Callable, Sequence


def constant(step: int, factor: float = 1.0) -> float:
    """Return the factor."""
    del step
    return factor


def step_decay(step: int, every: int, factor: float = 0.1) -> float:
    """Multiply by the factor after every so many steps."""
    product = 1.0
    for _ in range(step // every):
        product *= factor
    return product


def exponential(step: int, factor: float) -> float:
    """Multiply by the factor after every step."""
    return step_decay(step, 1, factor)


def linear(step: int, steps: int, start: float = 1.0, end: float = 0.0) -> float:
    """Go along a line."""
    share = min(step, steps) / steps
    return (1 - share) * start + share * end


def cosine(step: int, steps: int, end: float = 0.0) -> float:
    """Go down along half a cosine, 1 at its top and `end` at its bottom."""
    return _cosine(1.0, end, min(step, steps) / steps)


def one_cycle(
    step: int,
    steps: int,
    rising: float = 0.3,
    start: float = 1 / 25,
    end: float = 1 / 250000,
    shape: str = "cosine",
) -> float:
    """Go from `start` up to 1, which is reached at the peak, and down to `end`."""
    peak = max(rising * steps - 1, 0)
    low, share = start, step / peak if peak else 1.0
    if step >= peak:
        low = end
        share = 1 - (step - peak) / (steps - 1 - peak) if step < steps - 1 else 0.0
    if shape == "linear":
        return low + (1 - low) * share
    return _cosine(low, 1.0, share)


def warm_up(
    step: int, steps: int, then: Callable[[int], float], start: float = 0.0
) -> float:
    """Go along a line up to `then(0)`, and on with `then`."""
    if step >= steps:
        return then(step - steps)
    return linear(step, steps, start * then(0), then(0))


def plateau(
    metrics: Sequence[float],
    factor: float = 0.1,
    patience: int = 10,
    *,
    threshold: float = 1e-4,
    relative: bool = True,
    larger_is_better: bool = False,
    cooldown: int = 0,
    least: float = 0.0,
) -> float:
    """Lower the factor whenever more than `patience` metrics were no better."""
    found = 1.0
    best = -math.inf if larger_is_better else math.inf
    bad = cooling = 0
    for number, metric in enumerate(metrics):
        if larger_is_better:
            bound = best * (1 + threshold) if relative else best + threshold
            better = metric > bound
        else:
            bound = best * (1 - threshold) if relative else best - threshold
            better = metric < bound
        if better or number == 0:
            best, bad = metric, 0
        else:
            bad += 1
        if cooling > 0:
            cooling, bad = cooling - 1, 0
        if bad > patience:
            found = max(found * factor, least)
            cooling, bad = cooldown, 0
    return found


def _cosine(start: float, end: float, share: float) -> float:
    half_turn = math.cos(math.pi * share)
    return end * (1 - half_turn) / 2 + start * (1 + half_turn) / 2
