"""From the tables of the settings to objects: optimizer, schedule, options of a net."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import click

from recurrentnn import models, schedules
from recurrentnn._recurrentnn import Optimizer
from recurrentnn.cli.plan import Learning, Training
from recurrentnn.cli.settings import did_you_mean
from recurrentnn.errors import ArgumentError, ArgumentTypeError
from recurrentnn.models import MODELS
from recurrentnn.optimizers import OPTIMIZERS
from recurrentnn.schedules import Schedule, WarmUp

T = TypeVar("T")

SCHEDULES: dict[str, type[Schedule]] = {
    "constant": schedules.Constant,
    "step": schedules.StepDecay,
    "exponential": schedules.Exponential,
    "linear": schedules.Linear,
    "cosine": schedules.Cosine,
    "one-cycle": schedules.OneCycle,
    "plateau": schedules.Plateau,
}

_FUTURE = "a text model must not read what it is to predict"
_NO_TEXT = "there is no way to write it here, only in Python"
SIZES = ("input_size", "hidden_sizes", "output_size")
"""What a class takes that follows from other options."""

# What a table may not have, and why: most have an option of their own.
OWN = {
    "model": {
        "embedding_size": "use --embedding-size",
        "seed": "use --seed",
        "dtype": "use --dtype",
        "bidirectional": _FUTURE,
        "merge": _FUTURE,
    },
    "optimizer": {
        "learning_rate": "use --learning-rate",
        "clip_value": "use --clip-value",
        "clip_norm": "use --clip-norm",
        "groups": _NO_TEXT,
    },
    "schedule": {"then": _NO_TEXT},
}


def cell_options(plan: Learning) -> dict[str, Any]:
    """Options of the net's class."""
    given = dict(plan.tables["model"])
    if plan.dropout:
        given["dropout"] = plan.dropout
    return _checked("model", plan.cell, MODELS[plan.cell].__new__, given)


def optimizer_of(plan: Learning, seq_length: int) -> Optimizer:
    """The optimizer, with clipping and rate.

    Parameters
    ----------
    plan
        Says which.
    seq_length
        T: char-rnn clips the gradient of a loss summed over T steps, so that its C is
        C / T for the mean.
    """
    kind = OPTIMIZERS[plan.optimizer]
    given = dict(plan.tables["optimizer"])
    chosen = _checked("optimizer", plan.optimizer, kind.__new__, given)
    rate = plan.learning_rate
    if rate is None and plan.optimizer == "rmsprop":
        rate = 5e-3
    if rate is not None:
        chosen["learning_rate"] = rate
    value = plan.clip_value
    if value is None and plan.grad_clip is not None:
        value = plan.grad_clip / seq_length
    if value is None and plan.clip_norm is None:
        value = 0.1
    chosen |= {"clip_value": value or None, "clip_norm": plan.clip_norm}
    return _made(kind, chosen)


def schedule_of(plan: Training) -> Schedule | None:
    """The schedule; one that ends does so with the last of `--steps`."""
    given = dict(plan.tables["schedule"])
    if plan.schedule is None:
        if given:
            raise click.UsageError(
                "--set schedule... has options, but there is no --schedule"
            )
        found: Schedule | None = None
    else:
        kind = SCHEDULES[plan.schedule]
        known = inspect.signature(kind.__init__).parameters
        if ends_with_steps(plan.schedule, given):
            if plan.steps is None:
                raise click.UsageError(
                    f"--schedule {plan.schedule} needs --steps, or --set "
                    "schedule.steps=N"
                )
            given["steps"] = max(plan.steps - plan.warm_up, 1)
        given = _checked("schedule", plan.schedule, kind.__init__, given)
        missing = [
            name
            for name, parameter in known.items()
            if parameter.default is parameter.empty
            and name not in ("self", "args", "kwargs")
            and name not in given
        ]
        if missing:
            raise click.UsageError(
                f"--schedule {plan.schedule} needs --set schedule.{missing[0]}=VALUE"
            )
        found = _made(kind, given)
    return (
        WarmUp(plan.warm_up, 1.0 if found is None else found) if plan.warm_up else found
    )


def ends_with_steps(schedule: str, given: Mapping[str, Any]) -> bool:
    """Whether a schedule ends with the run, since its options do not say where."""
    known = inspect.signature(SCHEDULES[schedule].__init__).parameters
    return "steps" in known and "steps" not in given


def _made(kind: Callable[..., T], chosen: Mapping[str, Any]) -> T:
    """An object of a class, whose refusals are those of a wrong command line."""
    try:
        return kind(**chosen)
    except (ArgumentError, ArgumentTypeError) as error:
        raise click.UsageError(str(error)) from None


def known_options(call: Callable[..., Any]) -> list[str] | None:
    """The keywords that a class takes; None: it alone knows them all."""
    known = []
    for parameter in inspect.signature(call).parameters.values():
        if parameter.kind is parameter.VAR_KEYWORD:
            more = _named_options(call, parameter.name)
            if more is None:
                return None
            known += more
        elif parameter.name not in ("cls", "self"):
            known.append(parameter.name)
    return known


def _named_options(call: Callable[..., Any], name: str) -> list[str] | None:
    """Those of `**options: Unpack[Options]`."""
    try:
        # The gated-feedback nets name types of `models`, which imports them.
        hint = typing.get_type_hints(call, localns=vars(models))[name]
    except (NameError, KeyError):
        return None
    return [n for found in typing.get_args(hint) for n in typing.get_type_hints(found)]


def _checked(
    table: str, what: str, call: Callable[..., Any], given: Mapping[str, Any]
) -> dict[str, Any]:
    """The options, each known to the class."""
    known = known_options(call)
    own = OWN[table]
    for name in given:
        if name in own:
            raise click.UsageError(f"{table}.{name}: {own[name]}")
        if known is None:
            continue
        free = [n for n in known if n not in own and n not in SIZES]
        if name not in free:
            raise click.UsageError(
                f"{table}.{name}: no option of {what}{did_you_mean(name, free)}; it "
                f"has {', '.join(free) or 'none'}"
            )
    return dict(given)
