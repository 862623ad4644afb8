"""Series: one scale for all, windows, forecasts that need no model, and their errors.

A series is a list of rows, each a list with one number for each series.
"""

import math
import statistics
from collections.abc import Sequence

from .shape import expect

Row = Sequence[float]
Rows = Sequence[Row]


def scaling(values: Sequence[float], kind: str) -> tuple[float, float]:
    """Return center and scale of one series; what does not vary has scale 1."""
    if kind == "standard":
        center, scale = statistics.fmean(values), statistics.pstdev(values)
    elif kind == "minmax":
        center, scale = min(values), max(values) - min(values)
    elif kind == "robust":
        center = _quantile(values, 0.5)
        scale = _quantile(values, 0.75) - _quantile(values, 0.25)
    else:
        expect(kind == "none", f"scaling: there is no kind {kind}")
        center, scale = 0.0, 1.0
    return center, scale or 1.0


def _quantile(values: Sequence[float], share: float) -> float:
    """Interpolate between the two nearest of the sorted values."""
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    low = math.floor(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (place - low) * (ordered[high] - ordered[low])


def windows(
    rows: Rows, length: int, horizon: int = 1, stride: int = 1
) -> list[tuple[Rows, Rows]]:
    """Return every history of `length` rows with the `horizon` rows behind it."""
    found = []
    for begin in range(0, len(rows) - length - horizon + 1, stride):
        middle = begin + length
        found.append((rows[begin:middle], rows[middle : middle + horizon]))
    return found


def persistence(history: Rows, steps: int) -> list[Row]:
    """Repeat the last row."""
    return [history[-1]] * steps


def seasonal(history: Rows, steps: int, season: int) -> list[Row]:
    """Go on with the row one season before, forecasts counted."""
    rows = list(history)
    for _ in range(steps):
        rows.append(rows[-season])
    return rows[len(history) :]


def naive_error(rows: Rows, season: int = 1) -> list[float]:
    """Return how far each series is, on average, from one season before."""
    errors = []
    for values in zip(*rows, strict=True):
        pairs = zip(values[season:], values[:-season], strict=True)
        errors.append(statistics.fmean(abs(b - a) for a, b in pairs) or 1.0)
    return errors


def errors(
    forecast: Rows, truth: Rows, naive: Sequence[float]
) -> tuple[float, float, float]:
    """Return mean squared, mean absolute and mean absolute scaled error."""
    gaps = [
        [a - b for a, b in zip(*pair, strict=True)]
        for pair in zip(forecast, truth, strict=True)
    ]
    absolute = [
        statistics.fmean(map(abs, column)) for column in zip(*gaps, strict=True)
    ]
    return (
        statistics.fmean(gap**2 for row in gaps for gap in row),
        statistics.fmean(absolute),
        statistics.fmean(a / n for a, n in zip(absolute, naive, strict=True)),
    )
