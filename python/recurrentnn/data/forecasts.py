"""What a forecaster learns from: at every tick of a window, the block behind it."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import ArrayLike, NDArray

from recurrentnn._recurrentnn import permutation
from recurrentnn.data.batch import Mask
from recurrentnn.data.scaling import as_series
from recurrentnn.errors import ShapeError


class SeriesBatch(NamedTuple):
    """Windows side by side.

    Attributes
    ----------
    x
        What the net reads, (batch, time, features): series less their first row there,
        and covariates.
    targets
        At every tick the next `horizon` rows of all series, less their naive forecast,
        (batch, time, horizon * series).
    mask, first
        Which ticks count, (batch, time), None: all; the windows begin here.
    symbols, chars
        How many windows.
    """

    x: NDArray[Any]
    targets: NDArray[Any]
    mask: Mask | None
    first: bool
    symbols: int
    chars: int


class Plan(NamedTuple):
    """What a forecaster is, beside its net and its scalings.

    Attributes
    ----------
    length
        Rows that it reads before it forecasts.
    horizon
        Rows that it forecasts at once; further ones follow from its own.
    season
        It corrects the value so many rows before: 1 is the last one.
    joint
        Whether it reads all series together, or else each by itself.
    """

    length: int
    horizon: int
    season: int
    joint: bool = False


class Blocks:
    """Windows of scaled series, with targets at every tick, in shuffled batches.

    Parameters
    ----------
    series
        Scaled, (time, series).
    past, known
        Scaled covariates, (time, k); without any, k = 0.
    length, horizon, season
        Rows that the net reads, and that it then predicts; the naive forecast that it
        corrects is the value `season` rows before.
    dtype
        Of what the net reads.
    stride
        Rows from one window to the next.
    joint
        Whether a window has all series, or else each is a window of its own.
    ends
        Whether the last tick of a window counts alone, as it does in a forecast.

    Attributes
    ----------
    symbols
        How many windows there are.
    """

    def __init__(
        self,
        series: NDArray[Any],
        past: NDArray[Any],
        known: NDArray[Any],
        *,
        length: int,
        horizon: int,
        season: int,
        batch_size: int,
        seed: int,
        stride: int = 1,
        joint: bool = True,
        ends: bool = False,
        dtype: str = "float32",
    ) -> None:
        self._series, self._length, self._horizon = series, length, horizon
        self._batch_size, self._seed = batch_size, seed
        self._inputs = inputs(series, past, known, horizon).astype(dtype)
        ahead = np.arange(horizon)
        self._ahead = ahead + 1
        self._naive = ahead % season + 1 - season
        # The first tick, too, has a season before it.
        self._first = season - 1
        self._stride, self._joint, self._ends = stride, joint, ends
        rows = len(series) - self._first - length - horizon + stride
        self.symbols = max(0, rows // stride)

    @functools.cached_property
    def plan(self) -> str:
        """What the batches follow from: a checksum, and how they are cut."""
        digest = hashlib.sha256(np.ascontiguousarray(self._inputs).tobytes())
        sizes = [self._length, self._horizon, self._first, self._stride, self._joint]
        return json.dumps([digest.hexdigest(), sizes, self._batch_size, self._seed])

    def epoch(self, number: int, start: int = 0) -> Iterator[SeriesBatch]:
        """Each window once, in the epoch's own order, from batch `start` on."""
        order = permutation(self.symbols, seed=self._seed, step=number + 1)
        return self._batches(order, start)

    def in_order(self) -> Iterator[SeriesBatch]:
        """Each window once."""
        return self._batches(np.arange(self.symbols), 0)

    def _batches(self, order: NDArray[Any], start: int) -> Iterator[SeriesBatch]:
        for begin in range(start * self._batch_size, len(order), self._batch_size):
            number = order[begin : begin + self._batch_size]
            first = self._first + number * self._stride
            tick = first[:, None] + np.arange(self._length)
            future = self._series[tick[..., None] + self._ahead]
            future = future - self._series[tick[..., None] + self._naive]
            x, beside = np.split(self._inputs[tick], [self._series.shape[1]], axis=2)
            x = x - x[:, :1]
            if not self._joint:
                beside = np.repeat(beside, x.shape[2], axis=0)
                future = np.moveaxis(future, 3, 1).reshape(-1, *future.shape[1:3])
                x = apart(x)
            mask = np.zeros(x.shape[:2], dtype=np.bool_)
            mask[:, -1] = True
            yield SeriesBatch(
                x=np.concatenate([x, beside], axis=2),
                targets=future.reshape(*x.shape[:2], -1).astype(x.dtype),
                mask=mask if self._ends else None,
                first=True,
                symbols=len(first),
                chars=len(first),
            )


def apart(values: NDArray[Any]) -> NDArray[Any]:
    """Each series as a sample of its own: (batch, time, k) to (batch * k, time, 1)."""
    return np.swapaxes(values, 1, 2).reshape(-1, values.shape[1], 1)


def together(values: NDArray[Any], series: int) -> NDArray[Any]:
    """What was `apart`, as (batch, time, series)."""
    return np.swapaxes(values.reshape(-1, series, values.shape[1]), 1, 2)


def inputs(
    series: NDArray[Any], past: NDArray[Any], known: NDArray[Any], horizon: int
) -> NDArray[Any]:
    """What the net reads at each tick.

    The row, its past covariates, and the known ones of the `horizon` rows that it is to
    predict. All are (.., time, k); of `known` there are `horizon` rows more where the
    last tick is to be read, too.
    """
    parts = [series, past]
    if known.shape[-1]:
        blocks = sliding_window_view(known[..., 1:, :], horizon, axis=-2)
        blocks = np.swapaxes(blocks, -1, -2)
        ahead = blocks.reshape(*blocks.shape[:-2], -1)
        time = min(series.shape[-2], ahead.shape[-2])
        parts = [series[..., :time, :], past[..., :time, :], ahead[..., :time, :]]
    return np.concatenate(parts, axis=-1)


def covariates(
    call: str, name: str, values: ArrayLike | None, y: NDArray[Any]
) -> NDArray[Any]:
    """Covariates of each row, (time, k); without any, k = 0."""
    if values is None:
        return np.zeros((len(y), 0))
    found = as_series(call, name, values)
    if len(found) != len(y):
        raise ShapeError(
            f"{call}: {name} must have the {len(y)} rows of series, got {len(found)}"
        )
    return found
