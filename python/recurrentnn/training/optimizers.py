"""What a trainer asks of an optimizer and of a schedule."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Protocol, TypeAlias

from recurrentnn._recurrentnn import Model
from recurrentnn.errors import ArgumentError, FormatError
from recurrentnn.schedules import Schedule, as_schedule
from recurrentnn.state import StepStats

GivenSchedule: TypeAlias = "Schedule | Callable[[int], float] | float"


class Optimizer(Protocol):
    """What `recurrentnn.optimizers` have, and one of your own needs.

    One that also has `config()`, its options by name, goes on with the same ones only.
    """

    learning_rate: float
    rate_factor: float

    def step(self, parameters: Model, /) -> StepStats:
        """Step every parameter and set the gradients used to zero."""

    def state(self, parameters: Model, /) -> Mapping[str, Any]:
        """What is remembered: arrays, numbers and strings by name."""

    def restore(self, parameters: Model, state: Mapping[str, Any], /) -> None:
        """Take what `state` gave, or raise and change nothing."""


class Saved(NamedTuple):
    """An optimizer in a checkpoint.

    Attributes
    ----------
    rule
        Its class.
    state
        What it remembers of a model: arrays, numbers and strings by name.
    options
        What JSON makes of `config()`; None: it has none, or the file is an old one.
    """

    rule: str
    state: Mapping[str, Any]
    options: Mapping[str, Any] | None = None


def saved(optimizer: Optimizer, model: Model) -> Saved:
    """What a checkpoint has of an optimizer."""
    options = _options(optimizer)
    return Saved(type(optimizer).__name__, optimizer.state(model), options)


def expect_same(optimizer: Optimizer, before: Saved) -> None:
    """Refuse another rule, or other options of it, than those of a checkpoint.

    Raises
    ------
    ArgumentError
        Names all that differ.
    """
    rule, now = type(optimizer).__name__, _options(optimizer)
    pairs: list[tuple[str, Any, Any]] = [("rule", before.rule, rule)]
    if before.rule == rule and before.options is not None and now is not None:
        pairs += [(name, old, now.get(name)) for name, old in before.options.items()]
    # As text, where 1 is not true and the order of groups matters.
    changed = [
        f"{name} was {old}, is {new}"
        for name, old, new in pairs
        if json.dumps(old) != json.dumps(new)
    ]
    if changed:
        raise ArgumentError(
            f"optimizer: {'; '.join(changed)}: override goes on with the new"
        )


def restore(optimizer: Optimizer, before: Saved, model: Model) -> None:
    """Give an optimizer its memory; nothing is changed if it does not fit.

    Raises
    ------
    FormatError
        It is that of another rule, or of options that remember something else.
    """
    if before.rule != type(optimizer).__name__:
        raise FormatError(
            f"optimizer: the checkpoint is of {before.rule}, "
            f"not {type(optimizer).__name__}"
        )
    try:
        optimizer.restore(model, before.state)
    except (ValueError, TypeError, LookupError) as error:
        raise FormatError(f"optimizer: {error}") from None


def _options(optimizer: Optimizer) -> dict[str, Any] | None:
    config = getattr(optimizer, "config", None)
    return None if config is None else dict(config())


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
