"""A net that forecasts series: history in, what comes behind it out."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from recurrentnn._recurrentnn import Model
from recurrentnn.arguments import boolean, integer, real
from recurrentnn.data.forecasts import Blocks, Plan, apart, covariates, inputs, together
from recurrentnn.data.naive import (
    Comparison,
    Errors,
    naive_error,
    persistence,
    seasonal,
)
from recurrentnn.data.scaling import Scaling, Series, as_series
from recurrentnn.data.windows import Windows
from recurrentnn.errors import ArgumentError, FormatError, ShapeError
from recurrentnn.models import MODELS, read_model
from recurrentnn.optimizers import RMSProp
from recurrentnn.training.history import History
from recurrentnn.training.tasks import Regression
from recurrentnn.training.trainer import Trainer

KIND = "forecaster"
# Windows forecast at once.
_ROWS = 256


class Forecaster:
    """Forecasts series from their past, all of them at once.

    At every tick the net reads a row, scaled and less the first one that it has read,
    and predicts by how much each of the next `horizon` rows differs from its naive
    forecast, the row `season` before it.

    Attributes
    ----------
    net : Model
        Maps a row, with covariates, to `horizon` rows of corrections: of all series, or
        of each by itself.
    plan : Plan
        `length`, `horizon` and `season`, in rows.
    scaling : Scaling
        Of the series; what comes out is in the units of what went in.
    history : History
        The records of `train`: `loss` and `validation_loss` are mean squared errors of
        scaled series, the former at every tick, the latter of forecasts.

    Examples
    --------
    >>> t = np.arange(400)
    >>> series = np.stack([np.sin(t / 4), 50 + 20 * np.cos(t / 7)], axis=1)
    >>> model = Forecaster.train(series[:300], horizon=8, hidden_sizes=16, epochs=3)
    >>> model.forecast(series[:300], steps=20).shape
    (20, 2)
    >>> result = model.evaluate(series, start=300)
    >>> result.forecast.mse < result.persistence.mse
    True
    """

    def __init__(
        self,
        net: Model,
        plan: Plan,
        scaling: Scaling,
        naive: ArrayLike,
        past: Scaling | None = None,
        known: Scaling | None = None,
    ) -> None:
        self.net, self.scaling = net, scaling
        call = "Forecaster"
        self.plan = Plan(
            length=integer(call, "length", plan.length),
            horizon=integer(call, "horizon", plan.horizon),
            season=integer(call, "season", plan.season),
            joint=boolean(call, "joint", plan.joint),
        )
        self._naive = np.array(naive, dtype=np.float64)
        self._past = Scaling([], []) if past is None else past
        self._known = Scaling([], []) if known is None else known
        self.history = History()
        series, horizon = len(scaling.center), self.plan.horizon
        read = series if self.plan.joint else 1
        features = read + len(self._past.center) + horizon * len(self._known.center)
        if (net.input_size, net.output_size) != (features, horizon * read):
            raise ArgumentError(
                f"Forecaster: net must map {features} features to {horizon * read}, "
                f"maps {net.input_size} to {net.output_size}"
            )
        if self._naive.shape != (series,) or not (self._naive > 0).all():
            raise ArgumentError("Forecaster: naive must be one error for each series")
        if not self.plan.season <= self.plan.length:
            raise ArgumentError(
                f"Forecaster: season must be at most length {self.plan.length}, "
                f"got {self.plan.season}"
            )

    def __repr__(self) -> str:
        length, horizon, season, joint = self.plan
        return (
            f"Forecaster({self.net.cell} {list(self.net.hidden_sizes)}, "
            f"{len(self.scaling.center)} series{' together' if joint else ''}, "
            f"{length} rows to {horizon}, season {season})"
        )

    @classmethod
    def train(
        cls,
        series: ArrayLike,
        *,
        horizon: int = 24,
        length: int | None = None,
        season: int = 1,
        joint: bool = False,
        past: ArrayLike | None = None,
        known: ArrayLike | None = None,
        scaling: str = "standard",
        cell: str = "lstm",
        hidden_sizes: int | Sequence[int] = 32,
        validation_fraction: float = 0.2,
        epochs: int = 20,
        patience: int = 3,
        stride: int | None = None,
        batch_size: int = 32,
        learning_rate: float = 1e-3,
        clip_norm: float = 1.0,
        seed: int = 0,
        dtype: DTypeLike = "float32",
        progress: bool = False,
    ) -> Self:
        """A forecaster that has learnt from some series.

        Parameters
        ----------
        series
            (time, series) or (time,), in any units, no number missing.
        horizon
            Rows to forecast at once.
        length
            Rows to read before that; None: `horizon`, or a season, if that is more,
            four times.
        season
            Rows after which the series about repeat, as 24 for hours; 1: they do not.
        joint
            Whether the net reads all series together; else it reads each by itself, and
            learns what all have in common from more examples.
        past, known
            Covariates, (time, covariates): those that nobody knows ahead, and those
            that are known, as the hour of the day.
        scaling
            "standard", "minmax", "robust" or "none"; see `Scaling.of`.
        cell, hidden_sizes, seed, dtype
            Of the net, as in `CharModel.create`.
        validation_fraction
            Of the rows, from the end: training ends when the error there has not become
            less for `patience` epochs, and the weights are those of the best. 0: none.
        epochs
            Most times that each window is learnt.
        stride
            Rows from one window to the next; None: an eighth of `length`. Every row of
            a window has a forecast to learn from, so that more would say little new.
        batch_size, learning_rate, clip_norm
            Of the updates, by RMSProp; a `Trainer` makes them.
        progress
            Whether to show it on stderr: a bar on a terminal, else plain lines.

        Raises
        ------
        ArgumentError
            An option out of range, or a number that is missing: names its place.
        ShapeError
            Too few rows, or covariates of another time.
        """
        call = "Forecaster.train"
        y = as_series(call, "series", series)
        horizon = integer(call, "horizon", horizon)
        season = integer(call, "season", season)
        if length is None:
            length = 4 * max(horizon, season)
        joint = boolean(call, "joint", joint)
        plan = Plan(integer(call, "length", length), horizon, season, joint)
        epochs = integer(call, "epochs", epochs)
        patience = integer(call, "patience", patience)
        batch_size = integer(call, "batch_size", batch_size)
        if stride is not None:
            stride = integer(call, "stride", stride)
        fraction = real(
            call, "validation_fraction", validation_fraction, zero=True, below=1
        )
        if cell not in MODELS:
            names = ", ".join(MODELS)
            raise ArgumentError(f"{call}: cell must be one of {names}, got {cell!r}")
        given = [
            covariates(call, n, c, y) for n, c in (("past", past), ("known", known))
        ]
        held_out = int(len(y) * fraction)
        least = plan.length + plan.horizon + plan.season - 1
        if len(y) - held_out < least or 0 < held_out < plan.horizon:
            raise ShapeError(
                f"{call}: series must have {least} rows to train on and {horizon} to "
                f"validate with, got {len(y) - held_out} and {held_out}"
            )
        # Validation is no part of what is known while learning.
        kept = len(y) - held_out
        of_series = Scaling.of(y[:kept], scaling)
        of_covariates = [Scaling.of(c[:kept]) if c.shape[1] else None for c in given]
        build: Callable[..., Model] = MODELS[cell]
        read = y.shape[1] if joint else 1
        net = build(
            read + given[0].shape[1] + horizon * given[1].shape[1],
            hidden_sizes,
            horizon * read,
            seed=seed,
            dtype=dtype,
        )
        naive = naive_error(of_series.apply(y[:kept]), season)
        model = cls(net, plan, of_series, naive, *of_covariates)

        def blocks(rows: slice, stride: int, *, ends: bool) -> Blocks:
            return Blocks(
                of_series.apply(y[rows]),
                model._past.apply(given[0][rows]),
                model._known.apply(given[1][rows]),
                **plan._asdict(),
                batch_size=batch_size,
                seed=seed,
                dtype=net.dtype.name,
                stride=stride,
                ends=ends,
            )

        train = blocks(
            slice(kept),
            max(1, plan.length // 8) if stride is None else stride,
            ends=False,
        )
        validation = None
        if held_out:
            # The first of them is the first row that is forecast.
            before = plan.length + plan.season - 1
            validation = blocks(slice(kept - before, None), 1, ends=True)
        trainer = Trainer(
            net,
            Regression(at="ticks"),
            RMSProp(learning_rate, clip_value=None, clip_norm=clip_norm),
            patience=patience,
            progress=progress,
        )
        model.history = trainer.fit(train, validation, epochs=epochs)
        return model

    def forecast(
        self,
        history: ArrayLike,
        steps: int | None = None,
        *,
        past: ArrayLike | None = None,
        known: ArrayLike | None = None,
    ) -> Series:
        """What comes behind a history.

        Parameters
        ----------
        history
            (time, series) or, many at once, (batch, time, series); of it the last
            `length` rows are read. (time,) of one series.
        steps
            Rows to forecast; None: `horizon`. Beyond that the forecasts are fed back
            as if they had come true.
        past
            Covariates of the history, if the model has learnt with them.
        known
            Covariates of the history and of all rows up to the end of the last block:
            ``time + ceil(steps / horizon) * horizon`` rows.

        Returns
        -------
        array
            (steps, series) or (batch, steps, series), in the units of `history`.
        """
        call = "forecast"
        length, horizon, season, joint = self.plan
        steps = horizon if steps is None else integer(call, "steps", steps)
        blocks = -(-steps // horizon)
        y, batched = _batch(call, "history", history, self.scaling)
        time = y.shape[1]
        if time < length:
            raise ShapeError(
                f"{call}: history must have at least {length} rows, got {time}"
            )
        p = self._beside(call, "past", past, self._past, y, time)
        k = self._beside(call, "known", known, self._known, y, time + blocks * horizon)
        if blocks > 1 and p.shape[-1]:
            raise ArgumentError(
                f"{call}: steps must be at most horizon {horizon} where covariates are "
                f"known of the past alone, got {steps}"
            )
        y, p, k = (values[:, time - length :] for values in (y, p, k))
        if not joint:
            y = apart(y)
            p, k = (np.repeat(c, len(self.scaling.center), axis=0) for c in (p, k))
        found: list[NDArray[Any]] = []
        state, read = None, 0
        for _ in range(blocks):
            new = slice(read, y.shape[1])
            p = np.concatenate(
                [p, np.zeros((len(y), y.shape[1] - p.shape[1], p.shape[-1]))], axis=1
            )
            ahead = k[:, read : y.shape[1] + horizon]
            level = y[:, new] - y[:, :1]
            x = inputs(level, p[:, new], ahead, horizon).astype(self.net.dtype)
            read = y.shape[1]
            out, state = self.net(x, state)
            block = seasonal(y, horizon, season)
            block += np.asarray(out)[:, -1].reshape(block.shape)
            found.append(block)
            y = np.concatenate([y, block], axis=1)
        ahead = np.concatenate(found, axis=1)[:, :steps]
        if not joint:
            ahead = together(ahead, len(self.scaling.center))
        result = self.scaling.invert(ahead)
        return result if batched else result[0]

    def evaluate(
        self,
        series: ArrayLike,
        *,
        past: ArrayLike | None = None,
        known: ArrayLike | None = None,
        start: int | None = None,
        steps: int | None = None,
        stride: int = 1,
        scaled: bool = True,
    ) -> Comparison:
        """How far forecasts from every row are off, beside the naive ones.

        Parameters
        ----------
        series
            (time, series) or (time,): what is read and what is to be forecast.
        past, known
            Covariates of all rows, if the model has learnt with them.
        start
            The first row to be forecast; None: the first that can be.
        steps
            Rows ahead; None: `horizon`.
        stride
            Rows from one forecast to the next.
        scaled
            Whether errors are those of scaled series, so that each counts alike; else
            in the series' units.
        """
        call = "evaluate"
        length, horizon, season, _ = self.plan
        steps = horizon if steps is None else integer(call, "steps", steps)
        y = as_series(call, "series", series)
        first = length if start is None else integer(call, "start", start, least=length)
        beside: list[NDArray[Any]] = []
        for name, values, has in (
            ("past", past, self._past),
            ("known", known, self._known),
        ):
            needed = covariates(call, name, values, y)
            if needed.shape[1] != len(has.center):
                raise ShapeError(
                    f"{call}: {name} must be {len(has.center)} covariates, "
                    f"got {needed.shape[1]}"
                )
            beside.append(needed)
        ahead = -(-steps // horizon) * horizon
        cut = slice(first - length, None)
        windows = Windows(y[cut], length, ahead, stride)
        truth = windows.future[:, :steps]
        sides = [
            Windows(c[cut], length, ahead, stride) if c.shape[1] else None
            for c in beside
        ]
        forecasts = []
        for begin in range(0, len(windows), _ROWS):
            some = slice(begin, begin + _ROWS)
            of_past, of_known = (None if side is None else side[some] for side in sides)
            forecasts.append(
                self.forecast(
                    windows[some].history,
                    steps,
                    past=None if of_past is None else of_past.history,
                    known=None
                    if of_known is None
                    else np.concatenate([of_known.history, of_known.future], axis=1),
                )
            )
        history = windows.history

        def errors(forecast: NDArray[Any]) -> Errors:
            if scaled:
                apply = self.scaling.apply
                return Errors.of(apply(forecast), apply(truth), self._naive)
            return Errors.of(forecast, truth, self._naive * self.scaling.scale)

        return Comparison(
            errors(np.concatenate(forecasts)),
            errors(persistence(history, steps)),
            errors(seasonal(history, steps, season)),
            len(windows),
        )

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write net, scalings and sizes to a file: all of it or nothing."""
        notes = {
            **self.plan._asdict(),
            "naive": self._naive.tolist(),
            "scaling": self.scaling.config(),
            "past": self._past.config(),
            "known": self._known.config(),
        }
        self.net.save(path, {"kind": KIND, KIND: json.dumps(notes)})

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read a file that `save` wrote. No code in a file is ever run.

        Raises
        ------
        FormatError
            The contents are not those of a forecaster.
        OSError
            The file cannot be read.
        """
        net, metadata, _ = read_model(path)
        try:
            notes = json.loads(metadata.get(KIND, "null"))
            match notes:
                case {
                    "length": int(length),
                    "horizon": int(horizon),
                    "season": int(season),
                    "joint": bool(joint),
                    "naive": list(naive),
                    "scaling": scaling,
                    "past": past,
                    "known": known,
                }:
                    scalings = map(Scaling.from_config, (past, known))
                    of_series = Scaling.from_config(scaling)
                    plan = Plan(length, horizon, season, joint)
                    return cls(net, plan, of_series, naive, *scalings)
        except (ValueError, TypeError, RecursionError) as error:
            raise FormatError(f"{os.fspath(path)}: {error}") from None
        raise FormatError(f"{os.fspath(path)}: a net but no forecaster")

    def _beside(
        self,
        call: str,
        name: str,
        values: ArrayLike | None,
        scaling: Scaling,
        y: NDArray[Any],
        time: int,
    ) -> NDArray[Any]:
        """Covariates scaled, (batch, time, k); without any, k = 0."""
        size = len(scaling.center)
        if (values is not None) != (size > 0):
            expected = f"{size} covariates" if size else "None"
            raise ArgumentError(
                f"{call}: {name} must be {expected}, as the model has learnt with"
            )
        if values is None:
            return np.zeros((len(y), time, 0))
        found, _ = _batch(call, name, values, scaling)
        if found.shape[:2] != (len(y), time):
            raise ShapeError(
                f"{call}: {name} must be {len(y)} times {time} rows, "
                f"got {found.shape[0]} times {found.shape[1]}"
            )
        return found


def _batch(
    call: str, name: str, values: ArrayLike, scaling: Scaling
) -> tuple[NDArray[Any], bool]:
    """Values scaled, (batch, time, k), and whether they came as a batch."""
    y = np.asarray(values, dtype=np.float64)
    batched = y.ndim == 3
    rows = y.reshape(-1, y.shape[-1]) if batched else y
    rows = as_series(call, name, rows)
    shape = y.shape if batched else (1, *rows.shape)
    return scaling.apply(rows).reshape(shape), batched
