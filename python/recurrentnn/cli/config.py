"""`recurrentnn config`: the settings of `train`, as a file."""

from __future__ import annotations

import textwrap
from typing import Any

import click

from recurrentnn.cli.classes import known_options
from recurrentnn.cli.command import Command, example, option
from recurrentnn.cli.settings import (
    option_names,
    settings_text,
    tables_of,
)
from recurrentnn.cli.train import train
from recurrentnn.models import MODELS
from recurrentnn.optimizers import OPTIMIZERS

_HEAD = """\
# Settings of `recurrentnn train --config FILE`; what is commented out has no default.
# Flags go before variables, RECURRENTNN_TRAIN_STEPS=100, and these before this file.
"""


@click.command(cls=Command, epilog=example("recurrentnn config --default > run.toml"))
@click.argument("file", required=False)
@option("--default", "default", is_flag=True, help="All settings with what they mean.")
def config(file: str | None, default: bool) -> None:
    """Print the settings that `recurrentnn train --config FILE` would use.

    Without FILE they are those of the environment and the defaults.
    """
    if default:
        if file is not None:
            raise click.UsageError("--default shows no FILE")
        click.echo(_HEAD + "\n" + "\n".join(_options()) + _tables(), nl=False)
        return
    arguments = [] if file is None else ["--config", file]
    ctx = train.make_context(
        "recurrentnn train", arguments, auto_envvar_prefix="RECURRENTNN_TRAIN"
    )
    with ctx:
        click.echo(settings_text(ctx, tables_of(ctx, ())), nl=False)


def _options() -> list[str]:
    """Each option as a line, below its help as a comment."""
    import tomli_w

    lines = []
    by_name = {parameter.name: parameter for parameter in train.params}
    # Neither the environment nor a file has a say here.
    defaults = train.make_context("train", []).params
    for name in option_names(train):
        parameter = by_name[name]
        if isinstance(parameter, click.Option) and parameter.hidden:
            continue
        text = getattr(parameter, "help", None) or "The text to learn, a path."
        choices = getattr(parameter.type, "choices", ())
        if choices:
            text = f"{text} One of {', '.join(choices)}."
        value = defaults[name]
        lines += textwrap.wrap(
            " ".join(text.split()), 86, initial_indent="# ", subsequent_indent="# "
        )
        if value is None:
            lines.append(f"# {name} =")
        else:
            plain: Any = list(value) if isinstance(value, tuple) else value
            lines.append(tomli_w.dumps({name: plain}).strip())
        lines.append("")
    return lines


def _tables() -> str:
    """The tables of classes, all of it comments."""
    lines = ["# Further options of the cell's, the optimizer's, the schedule's class."]
    for table, classes in (("model", MODELS), ("optimizer", OPTIMIZERS)):
        lines.append(f"# [set.{table}]")
        for name, kind in classes.items():
            known = known_options(kind.__new__) or ["see the documentation"]
            lines += textwrap.wrap(
                f"{name}: {', '.join(known)}",
                86,
                initial_indent="# ",
                subsequent_indent="#   ",
            )
    lines.append("# [set.schedule]")
    return "\n".join(lines) + "\n"
