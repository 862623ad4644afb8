"""Windows of series: so much history, and what comes behind it."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import ArrayLike, NDArray

from recurrentnn.arguments import integer
from recurrentnn.data.scaling import as_series
from recurrentnn.errors import ShapeError


class Window(NamedTuple):
    """One window, or several of them with an axis before.

    Attributes
    ----------
    history, future
        (length, series) and (horizon, series).
    past
        Covariates of the history, (length, covariates); None: there are none.
    known
        Covariates of both, (length + horizon, covariates); None: there are none.
    """

    history: NDArray[Any]
    future: NDArray[Any]
    past: NDArray[Any] | None
    known: NDArray[Any] | None


class Windows:
    """All windows of some series, as views of them: none is copied.

    Parameters
    ----------
    series
        (time, series) or (time,).
    length, horizon
        Rows of history, and of what comes behind it.
    stride
        Rows from the beginning of one window to that of the next.
    past
        Covariates, (time, covariates), that nobody knows ahead.
    known
        Covariates that are known ahead, as the hour or a holiday.

    Raises
    ------
    ShapeError
        Too few rows for a window, or covariates of another time.
    ArgumentError
        A number that is missing or infinite: names the first one's place.

    Examples
    --------
    >>> windows = Windows(np.arange(10.0), length=4, horizon=2, stride=3)
    >>> len(windows), windows[1].history.ravel(), windows[1].future.ravel()
    (2, array([3., 4., 5., 6.]), array([7., 8.]))
    """

    def __init__(
        self,
        series: ArrayLike,
        length: int,
        horizon: int = 1,
        stride: int = 1,
        *,
        past: ArrayLike | None = None,
        known: ArrayLike | None = None,
    ) -> None:
        y = as_series("Windows", "series", series)
        self.length = integer("Windows", "length", length)
        self.horizon = integer("Windows", "horizon", horizon)
        self.stride = integer("Windows", "stride", stride)
        width = self.length + self.horizon
        if len(y) < width:
            raise ShapeError(
                f"Windows: series must have at least {width} rows, "
                f"length {length} and horizon {horizon}, got {len(y)}"
            )
        whole = self._views(y, width)
        self.history, self.future = whole[:, :length], whole[:, length:]
        self.past = self.known = None
        if past is not None:
            self.past = self._views(self._beside(past, "past", len(y)), width)
            self.past = self.past[:, :length]
        if known is not None:
            self.known = self._views(self._beside(known, "known", len(y)), width)

    def __len__(self) -> int:
        return len(self.history)

    def __getitem__(self, which: int | slice | NDArray[np.integer]) -> Window:
        """One window or a slice of them, as views; those of some numbers, copied."""
        past = None if self.past is None else self.past[which]
        known = None if self.known is None else self.known[which]
        return Window(self.history[which], self.future[which], past, known)

    def _views(self, values: NDArray[Any], width: int) -> NDArray[Any]:
        views = sliding_window_view(values, width, axis=0)[:: self.stride]
        return views.transpose(0, 2, 1)

    @staticmethod
    def _beside(covariates: ArrayLike, name: str, time: int) -> NDArray[Any]:
        values = as_series("Windows", name, covariates)
        if len(values) != time:
            raise ShapeError(
                f"Windows: {name} must have the {time} rows of series, "
                f"got {len(values)}"
            )
        return values
