"""Schedules: what multiplies the learning rate at each step.

A schedule is called with the number of steps made, from 0, and gives a factor:

>>> from recurrentnn import Adam
>>> optimizer, schedule = Adam(1e-3), WarmUp(100, Cosine(900))
>>> for step in range(1000):
...     optimizer.rate_factor = schedule(step)  # then a step
>>> [round(schedule(step), 3) for step in (0, 50, 100, 550, 1000)]
[0.0, 0.5, 1.0, 0.5, 0.0]

All are values without memory, save `Plateau`, which is told a metric. `state()` is a
plain dictionary that `restore` takes up, empty where there is nothing to remember; so
training goes on after an interruption as if there had been none.

Formulas are PyTorch's, in `torch.optim.lr_scheduler`, each under its name there; where
those go on past their last step, ours stay where they end.
"""

from __future__ import annotations

import math
import numbers
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from recurrentnn.errors import ArgumentError, ArgumentTypeError

State: TypeAlias = dict[str, float | int | None]


class Schedule:
    """What all schedules have; by itself, a factor of 1."""

    def __call__(self, step: int) -> float:
        """The factor of the step with this number, from 0."""
        return self._factor(_count(self, "step", step, 0))

    def _factor(self, _step: int) -> float:
        return 1.0

    def observe(self, metric: float) -> None:
        """Take notice of a metric: `Plateau` does."""

    def state(self) -> State:
        """What it remembers."""
        return {}

    def restore(self, state: Mapping[str, float | int | None]) -> None:
        """Take up what `state` gave; all is checked before anything is changed."""
        _expect_keys(self, state, ())


@dataclass(frozen=True)
class Constant(Schedule):
    """Always the same factor (ConstantLR without end)."""

    factor: float = 1.0

    def __post_init__(self) -> None:
        _number(self, "factor", self.factor, 0.0)

    def _factor(self, _step: int) -> float:
        return self.factor


@dataclass(frozen=True)
class StepDecay(Schedule):
    """Multiplied by `factor` after every `every` steps (StepLR)."""

    every: int
    factor: float = 0.1

    def __post_init__(self) -> None:
        _count(self, "every", self.every, 1)
        _number(self, "factor", self.factor, 0.0)

    def _factor(self, step: int) -> float:
        return _power(self.factor, step // self.every)


@dataclass(frozen=True)
class Exponential(Schedule):
    """Multiplied by `factor` after every step (ExponentialLR)."""

    factor: float

    def __post_init__(self) -> None:
        _number(self, "factor", self.factor, 0.0)

    def _factor(self, step: int) -> float:
        return _power(self.factor, step)


@dataclass(frozen=True)
class Linear(Schedule):
    """A line from `start` to `end` in `steps` steps (LinearLR)."""

    steps: int
    start: float = 1.0
    end: float = 0.0

    def __post_init__(self) -> None:
        _count(self, "steps", self.steps, 1)
        _number(self, "start", self.start, 0.0)
        _number(self, "end", self.end, 0.0)

    def _factor(self, step: int) -> float:
        return _line(self.start, self.end, min(step / self.steps, 1.0))


@dataclass(frozen=True)
class Cosine(Schedule):
    """Half a cosine from 1 to `end` in `steps` steps (CosineAnnealingLR)."""

    steps: int
    end: float = 0.0

    def __post_init__(self) -> None:
        _count(self, "steps", self.steps, 1)
        _number(self, "end", self.end, 0.0)

    def _factor(self, step: int) -> float:
        return _cosine(1.0, self.end, min(step / self.steps, 1.0))


@dataclass(frozen=True)
class OneCycle(Schedule):
    """Up to the learning rate and down again (Smith and Topin 2018; OneCycleLR).

    Attributes
    ----------
    steps
        Of the whole cycle.
    rising
        The share of them that goes up, in [0, 1].
    start
        The first factor, which is 1 / PyTorch's `div_factor`.
    end
        The last factor, which is `start` / PyTorch's `final_div_factor`.
    shape
        "cosine" or "linear".
    """

    steps: int
    rising: float = 0.3
    start: float = 1 / 25
    end: float = 1 / 25e4
    shape: Literal["cosine", "linear"] = "cosine"

    def __post_init__(self) -> None:
        _count(self, "steps", self.steps, 2)
        _number(self, "rising", self.rising, 0.0, 1.0)
        _number(self, "start", self.start, 0.0)
        _number(self, "end", self.end, 0.0)
        if self.shape not in ("cosine", "linear"):
            raise ArgumentError(
                f"OneCycle: shape must be 'cosine' or 'linear', got {self.shape!r}"
            )

    def _factor(self, step: int) -> float:
        along = _cosine if self.shape == "cosine" else _line
        last = self.steps - 1
        peak = max(self.rising * self.steps - 1, 0.0)
        if step < peak:
            return along(self.start, 1.0, step / peak)
        if step >= last:
            return self.end
        return along(1.0, self.end, (step - peak) / (last - peak))


@dataclass(frozen=True)
class Custom(Schedule):
    """Any function of the step (LambdaLR); its factors must be finite, from 0."""

    function: Callable[[int], float]

    def __post_init__(self) -> None:
        if not callable(self.function):
            raise _wrong_type(self, "function", "callable", self.function)

    def _factor(self, step: int) -> float:
        return _number(self, f"the factor of step {step}", self.function(step), 0.0)


@dataclass(frozen=True)
class WarmUp(Schedule):
    """A line up to where another schedule begins, and then that one (SequentialLR).

    Attributes
    ----------
    steps
        Until the other schedule begins.
    then
        A schedule, a function of the steps after the warm-up, or a constant factor.
    start
        Where the line begins, as a share of where it ends.
    """

    steps: int
    then: Schedule | Callable[[int], float] | float = 1.0
    start: float = 0.0
    _then: Schedule = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        _count(self, "steps", self.steps, 1)
        _number(self, "start", self.start, 0.0)
        object.__setattr__(self, "_then", as_schedule(self.then))

    def _factor(self, step: int) -> float:
        if step < self.steps:
            return self._then(0) * _line(self.start, 1.0, step / self.steps)
        return self._then(step - self.steps)

    def observe(self, metric: float) -> None:
        """Tell the schedule after the warm-up."""
        self._then.observe(metric)

    def state(self) -> State:
        """What the schedule after the warm-up remembers."""
        return self._then.state()

    def restore(self, state: Mapping[str, float | int | None]) -> None:
        """Let the schedule after the warm-up take it up."""
        self._then.restore(state)


class Plateau(Schedule):
    """Lowered whenever a metric has stopped getting better (ReduceLROnPlateau).

    `observe(metric)` after every evaluation. A metric is better than the best so far,
    b, if it is below ``b (1 - threshold)``. After more than `patience` metrics in a row
    that were not, the factor is multiplied by `factor`; then the next `cooldown`
    metrics do not count as bad.

    Parameters
    ----------
    factor
        In [0, 1).
    patience, cooldown
        Metrics.
    threshold
        The share by which better must be better; with `relative` false a difference.
    larger_is_better
        As of an accuracy: better is above ``b (1 + threshold)``.
    least
        The factor never falls below it.
    """

    def __init__(
        self,
        factor: float = 0.1,
        patience: int = 10,
        *,
        threshold: float = 1e-4,
        relative: bool = True,
        larger_is_better: bool = False,
        cooldown: int = 0,
        least: float = 0.0,
    ) -> None:
        self.factor = _number(self, "factor", factor, 0.0, 1.0)
        if factor == 1:
            raise ArgumentError("Plateau: factor must be below 1, got 1")
        self.patience = _count(self, "patience", patience, 0)
        self.threshold = _number(self, "threshold", threshold, 0.0)
        self.relative = relative
        self.larger_is_better = larger_is_better
        self.cooldown = _count(self, "cooldown", cooldown, 0)
        self.least = _number(self, "least", least, 0.0, 1.0)
        self._current = 1.0
        self._best: float | None = None
        self._bad = self._cooling = 0

    def _factor(self, _step: int) -> float:
        return self._current

    def observe(self, metric: float) -> None:
        """Count a metric, and lower the factor if it is time to."""
        metric = _number(self, "metric", metric, -math.inf)
        if self._best is None or self._is_better(metric, self._best):
            self._best, self._bad = metric, 0
        else:
            self._bad += 1
        if self._cooling:
            self._cooling -= 1
            self._bad = 0
        if self._bad > self.patience:
            self._current = max(self._current * self.factor, self.least)
            self._cooling, self._bad = self.cooldown, 0

    def _is_better(self, metric: float, best: float) -> bool:
        sign = 1 if self.larger_is_better else -1
        margin = self.threshold * (best if self.relative else 1.0)
        return sign * metric > sign * (best + sign * margin)

    def state(self) -> State:
        """Factor, best metric, bad metrics in a row, metrics left to cool down."""
        return {
            "factor": self._current,
            "best": self._best,
            "bad": self._bad,
            "cooling": self._cooling,
        }

    def restore(self, state: Mapping[str, float | int | None]) -> None:
        """Take up what `state` gave; all is checked before anything is changed."""
        _expect_keys(self, state, ("factor", "best", "bad", "cooling"))
        factor = _number(self, "state: factor", state["factor"], 0.0, 1.0)
        best = state["best"]
        if best is not None:
            best = _number(self, "state: best", best, -math.inf)
        bad = _count(self, "state: bad", state["bad"], 0)
        cooling = _count(self, "state: cooling", state["cooling"], 0)
        self._current, self._best = factor, best
        self._bad, self._cooling = bad, cooling

    def __repr__(self) -> str:
        return f"Plateau(factor={self.factor!r}, patience={self.patience!r})"


def as_schedule(given: Schedule | Callable[[int], float] | float) -> Schedule:
    """A schedule as it is, a function as `Custom`, a number as `Constant`."""
    if isinstance(given, Schedule):
        return given
    if callable(given):
        return Custom(given)
    return Constant(given)


SCHEDULES: tuple[type[Schedule], ...] = (
    Constant,
    StepDecay,
    Exponential,
    Linear,
    Cosine,
    OneCycle,
    Custom,
    WarmUp,
    Plateau,
)


def _line(start: float, end: float, share: float) -> float:
    return start + (end - start) * share


def _cosine(start: float, end: float, share: float) -> float:
    return end + (start - end) * (1 + math.cos(math.pi * share)) / 2


def _power(factor: float, exponent: int) -> float:
    try:
        return factor**exponent
    except OverflowError:
        raise ArgumentError(
            f"a factor of {factor} is too large after {exponent} times"
        ) from None


def _expect_keys(
    schedule: Schedule, state: Mapping[str, object], keys: tuple[str, ...]
) -> None:
    if not isinstance(state, Mapping):
        raise _wrong_type(schedule, "state", "a mapping, as `state` gives it", state)
    if set(state) != set(keys):
        raise ArgumentError(
            f"{type(schedule).__name__}: state must have the keys {list(keys)}, "
            f"got {list(state)}"
        )


def _count(schedule: Schedule, name: str, value: object, least: int) -> int:
    try:
        number = operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        number = None
    if number is None or isinstance(value, bool):
        raise _wrong_type(schedule, name, "an integer", value)
    if number < least:
        call = type(schedule).__name__
        raise ArgumentError(f"{call}: {name} must be at least {least}, got {number}")
    return number


def _number(
    schedule: Schedule, name: str, value: object, least: float, most: float = math.inf
) -> float:
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise _wrong_type(schedule, name, "a real number", value)
    number = float(value)
    if not (math.isfinite(number) and least <= number <= most):
        call = type(schedule).__name__
        raise ArgumentError(
            f"{call}: {name} must be finite and in [{least}, {most}], got {number}"
        )
    return number


def _wrong_type(
    schedule: Schedule, name: str, expected: str, value: object
) -> ArgumentTypeError:
    call, given = type(schedule).__name__, type(value).__name__
    return ArgumentTypeError(f"{call}: {name} must be {expected}, got {given}")
