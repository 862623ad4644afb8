"""What a forecaster learns from: at every tick of a window, the block behind it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from recurrentnn._recurrentnn import permutation
from recurrentnn.data.batch import Mask


class SeriesBatch(NamedTuple):
    """Windows side by side.

    Attributes
    ----------
    x
        What the net reads, (batch, time, features).
    targets
        At every tick the next `horizon` rows of all series, less their naive forecast,
        (batch, time, horizon * series).
    mask, first
        None: all targets count; the windows begin here.
    symbols, chars
        How many windows.
    """

    x: NDArray[Any]
    targets: NDArray[Any]
    mask: Mask | None
    first: bool
    symbols: int
    chars: int


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
        self._stride = stride
        rows = len(series) - self._first - length - horizon + stride
        self.symbols = max(0, rows // stride)

    @property
    def plan(self) -> str:
        """What the batches follow from: a checksum, and how they are cut."""
        digest = hashlib.sha256(np.ascontiguousarray(self._inputs).tobytes())
        sizes = [self._length, self._horizon, self._first, self._stride]
        return json.dumps([digest.hexdigest(), sizes, self._batch_size, self._seed])

    def epoch(self, number: int, *, start: int = 0) -> Iterator[SeriesBatch]:
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
            yield SeriesBatch(
                x=self._inputs[tick],
                targets=future.reshape(*tick.shape, -1).astype(self._inputs.dtype),
                mask=None,
                first=True,
                symbols=len(first),
                chars=len(first),
            )


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
