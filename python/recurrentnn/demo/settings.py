"""What a page sends as settings, read by the command line's own parser."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import click

from recurrentnn.cli.classes import cell_options, optimizer_of
from recurrentnn.cli.plan import Training
from recurrentnn.cli.settings import Tables, set_tables
from recurrentnn.cli.train import train
from recurrentnn.errors import ArgumentError, RecurrentNNError

Settings = Mapping[str, Any]
"""Options of `recurrentnn train` by name; those of a class as "model.forget_bias"."""

PLAIN = (
    "cell",
    "hidden_sizes",
    "embedding_size",
    "lines",
    "unit",
    "max_symbols",
    "dtype",
    "seed",
    "optimizer",
    "learning_rate",
    "batch_size",
    "seq_length",
    "clip_value",
    "clip_norm",
    "validation_fraction",
)
"""The options of the command that a page may set; none of them names a file."""

TABLES = ("model", "optimizer")

USUAL = "usual"
"""A nonlinearity that is not chosen."""

USUALLY: dict[str, Any] = {
    name: ",".join(map(str, value)) if isinstance(value, tuple) else value
    for name, value in train.make_context("train", []).params.items()
}
"""The options that nobody has chosen."""

# What one machine can be asked for from a page; the command line has no such limits.
MOST = {
    "max_symbols": 10_000,
    "embedding_size": 2048,
    "batch_size": 1024,
    "seq_length": 2048,
    "projection_size": 2048,
}
MOST_LAYERS = 16
MOST_UNITS = 4096
MOST_SYMBOLS = 10_000
MOST_WEIGHTS = 50_000_000
MOST_STEPS = 1_000_000
"""Symbols in an update: `batch_size` times `seq_length`."""
MOST_NUMBERS = 400_000_000
"""Activations of an update."""


class Chosen(NamedTuple):
    """Settings as the command has them.

    Attributes
    ----------
    ctx, plan
        Of `recurrentnn train`.
    settings
        What was given.
    """

    ctx: click.Context
    plan: Training
    settings: dict[str, Any]


def choose(settings: Settings) -> Chosen:
    """Read settings as `recurrentnn train` reads its command line.

    Raises
    ------
    ArgumentError
        What the command refuses, in its words; what is none of `PLAIN` and `TABLES`; or
        more than a page may ask for.
    """
    arguments = []
    tables: Tables = {"model": {}, "optimizer": {}, "schedule": {}}
    for name, value in settings.items():
        table, dot, key = name.partition(".")
        if dot and table in TABLES:
            if value is not None:
                _set(tables[table], key, _number(name, value))
        elif name in PLAIN:
            arguments += _argument(name, value)
        else:
            raise ArgumentError(f"settings: there is no {name!r}")
    try:
        with train.make_context("train", arguments) as ctx:
            set_tables(ctx, tables)
            plan = Training.of(ctx)
            cell_options(plan)
            optimizer_of(plan, plan.seq_length or 1)
    except click.ClickException as error:
        raise ArgumentError(error.format_message()) from None
    _refuse_giants(plan)
    return Chosen(ctx, plan, dict(settings))


def check_size(plan: Training, symbols: int, seq_length: int) -> None:
    """Refuse a net or an update beyond what a page may ask for.

    Raises
    ------
    ArgumentError
        Naming what is too large.
    """
    if symbols > MOST_SYMBOLS:
        raise ArgumentError(
            f"text: has {symbols:,} different symbols, at most {MOST_SYMBOLS:,} are "
            "learnt here; max_symbols keeps the most frequent ones"
        )
    weights = _weights(plan, symbols)
    if weights > MOST_WEIGHTS:
        raise ArgumentError(
            f"settings: some {weights:,} weights, at most {MOST_WEIGHTS:,} are learnt "
            "here"
        )
    steps = plan.batch_size * seq_length
    numbers = steps * (8 * sum(plan.sizes) + 3 * symbols)
    if steps > MOST_STEPS or numbers > MOST_NUMBERS:
        raise ArgumentError(
            f"settings: {plan.batch_size} x {seq_length} symbols in an update are too "
            "many for this net here, lower batch_size or seq_length"
        )


def message_of(error: Exception) -> str:
    """What an error says to whoever looks at a page."""
    if isinstance(error, click.ClickException):
        return error.format_message()
    if isinstance(error, (RecurrentNNError, OSError, UnicodeDecodeError)):
        return str(error)
    if isinstance(error, MemoryError):
        return "there is not enough memory for that"
    return f"{type(error).__name__}: {error}"


def _set(table: dict[str, Any], key: str, value: object) -> None:
    """An option of a class; "activations.GATE" is an entry of one."""
    outer, dot, gate = key.partition(".")
    if not dot:
        table[key] = value
    elif value != USUAL:
        table.setdefault(outer, {})[gate] = value


def _number(name: str, value: object) -> object:
    """A number, a flag or a word; a whole number stays one."""
    if isinstance(value, float) and not math.isfinite(value):
        raise ArgumentError(f"settings: {name} must be a number, got {value}")
    if not isinstance(value, (bool, int, float, str)):
        raise ArgumentError(f"settings: {name} must be a number or a word")
    most = MOST.get(name.partition(".")[2])
    if most is not None and isinstance(value, int) and value > most:
        raise ArgumentError(f"settings: {name} must be at most {most}, got {value}")
    return value


def _argument(name: str, value: object) -> list[str]:
    """An option of the command line, as one word that cannot be taken for two."""
    if value is None or value == "":
        return []
    if name == "lines":
        if not isinstance(value, bool):
            raise ArgumentError(f"settings: lines must be true or false, got {value!r}")
        return ["--lines" if value else "--running"]
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise ArgumentError(f"settings: {name} must be a number or a word")
    if value == USUALLY[name]:
        # What nobody has chosen may give way, as the share held out of a short text.
        return []
    return [f"--{name.replace('_', '-')}={value}"]


def _refuse_giants(plan: Training) -> None:
    for name, most in MOST.items():
        value = getattr(plan, name, None)
        if value is not None and value > most:
            raise ArgumentError(f"settings: {name} must be at most {most}, got {value}")
    if len(plan.sizes) > MOST_LAYERS or max(plan.sizes) > MOST_UNITS:
        raise ArgumentError(
            f"settings: hidden_sizes must be at most {MOST_LAYERS} layers of at most "
            f"{MOST_UNITS} units"
        )
    check_size(plan, 2, plan.seq_length or 1)


def _weights(plan: Training, symbols: int) -> int:
    """Not fewer weights than the net will have."""
    sizes, embedding = plan.sizes, plan.embedding_size or 0
    below = [embedding or symbols, *sizes[:-1]]
    total = sum(sizes)
    feedback = total * (total + symbols) if plan.cell.startswith("gf") else 0
    layers = sum(
        4 * size * (lower + size) for size, lower in zip(sizes, below, strict=True)
    )
    return layers + 4 * feedback + symbols * (embedding + total)
