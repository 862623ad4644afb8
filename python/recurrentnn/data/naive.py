"""Forecasts that need no model, and how far one is off."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from recurrentnn.arguments import integer
from recurrentnn.data.scaling import Series, as_series
from recurrentnn.errors import ShapeError


def persistence(history: ArrayLike, steps: int) -> Series:
    """The last value, again and again.

    Parameters
    ----------
    history
        (.., time, series).
    steps
        Rows to forecast.

    Returns
    -------
    array
        (.., steps, series).
    """
    return seasonal(history, steps, 1)


def seasonal(history: ArrayLike, steps: int, season: int) -> Series:
    """The values one season before, the last season again and again.

    Parameters as `persistence`; `season` is in rows, and `history` has at least one.
    """
    y = np.asarray(history, dtype=np.float64)
    steps = integer("seasonal", "steps", steps)
    season = integer("seasonal", "season", season)
    if y.ndim < 2 or y.shape[-2] < season:
        raise ShapeError(
            f"seasonal: history must be (.., time, series) of at least {season} rows, "
            f"got {y.shape}"
        )
    ahead = np.arange(steps) % season
    last: Series = y[..., y.shape[-2] - season + ahead, :]
    return last


def naive_error(series: ArrayLike, season: int = 1) -> Series:
    """Mean absolute error of the seasonal forecast one step ahead, of each series.

    What `mase` divides by: 1 where a series never changes.
    """
    y = as_series("naive_error", "series", series)
    season = integer("naive_error", "season", season)
    if len(y) <= season:
        raise ShapeError(
            f"naive_error: series must have more than {season} rows, got {len(y)}"
        )
    error: Series = np.abs(y[season:] - y[:-season]).mean(axis=0, dtype=np.float64)
    return np.where(error > 0, error, 1.0)


class Errors(NamedTuple):
    """How far forecasts are off, over all windows, steps and series.

    Attributes
    ----------
    mse, mae
        Mean squared and mean absolute error.
    mase
        Mean absolute scaled error (Hyndman and Koehler 2006, "Another look at measures
        of forecast accuracy"): that of each series over its `naive_error`, averaged.
        Below 1 is better than the naive forecast of one step.
    """

    mse: float
    mae: float
    mase: float

    @classmethod
    def of(
        cls,
        forecast: NDArray[np.floating],
        truth: NDArray[np.floating],
        scale: ArrayLike,
    ) -> Errors:
        """The errors of forecasts (.., series); `scale` is a `naive_error`."""
        error = np.asarray(forecast, dtype=np.float64) - truth
        each = np.abs(error).reshape(-1, error.shape[-1]).mean(axis=0)
        return cls(
            mse=float((error**2).mean()),
            mae=float(each.mean()),
            mase=float((each / np.asarray(scale)).mean()),
        )


class Comparison(NamedTuple):
    """How far forecasts are off, beside those that need no model.

    Attributes
    ----------
    forecast, persistence, seasonal
        Errors of the model, of the last value, and of the value one season before.
    windows
        How many forecasts were made.
    """

    forecast: Errors
    persistence: Errors
    seasonal: Errors
    windows: int
