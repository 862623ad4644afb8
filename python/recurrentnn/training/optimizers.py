"""What a trainer asks of an optimizer and of a schedule."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeAlias

from recurrentnn._recurrentnn import Model
from recurrentnn.errors import FormatError
from recurrentnn.schedules import Schedule, as_schedule
from recurrentnn.state import StepStats

GivenSchedule: TypeAlias = "Schedule | Callable[[int], float] | float"


class Optimizer(Protocol):
    """What `recurrentnn.optimizers` have, and one of your own needs."""

    learning_rate: float
    rate_factor: float

    def step(self, parameters: Model, /) -> StepStats:
        """Step every parameter and set the gradients used to zero."""

    def state(self, parameters: Model, /) -> Mapping[str, Any]:
        """What is remembered: arrays, numbers and strings by name."""

    def restore(self, parameters: Model, state: Mapping[str, Any], /) -> None:
        """Take what `state` gave, or raise and change nothing."""


def state_of(optimizer: Optimizer, model: Model) -> tuple[str, Mapping[str, Any]]:
    """An optimizer's class and what it remembers of a model."""
    return type(optimizer).__name__, optimizer.state(model)


def restore(
    optimizer: Optimizer, state: tuple[str, Mapping[str, Any]], model: Model
) -> None:
    """Give an optimizer what `state_of` gave; nothing is changed if it does not fit."""
    kind, values = state
    if kind != type(optimizer).__name__:
        raise FormatError(
            f"optimizer: the checkpoint is of {kind}, not {type(optimizer).__name__}"
        )
    try:
        optimizer.restore(model, values)
    except (ValueError, TypeError, LookupError) as error:
        raise FormatError(f"optimizer: {error}") from None


def schedule_of(given: GivenSchedule | None) -> Schedule | None:
    """A schedule, a function or a number as a schedule; None stays None."""
    return None if given is None else as_schedule(given)


def restore_schedule(schedule: Schedule | None, state: Mapping[str, Any]) -> None:
    """Give a schedule what its `state` gave, or raise and change nothing."""
    if schedule is None:
        if state:
            raise FormatError("schedule: the checkpoint is of a run that had one")
        return
    try:
        schedule.restore(state)
    except (ValueError, TypeError) as error:
        raise FormatError(f"schedule: {error}") from None
