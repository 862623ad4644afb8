"""A run's folder as a command sees it: settings to run again, and what has changed."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import NamedTuple

import click

from recurrentnn._recurrentnn import write_file
from recurrentnn.cli.classes import ends_with_steps
from recurrentnn.cli.plan import MODEL_SETTINGS
from recurrentnn.cli.settings import (
    GIVEN,
    load_settings,
    option_names,
    set_tables,
    settings_text,
    tables_of,
)
from recurrentnn.errors import ArgumentError, FormatError

SETTINGS = "run.toml"

# How a command is called; nothing of a run.
_CALL = {"output", "quiet", "as_json", "threads"}
# What may differ from call to call: nothing that is learnt follows from it.
_FREE = {"sample_every", "log", "keep", "save_every"}
# Where a run ends is no part of what it is: those that are given stand for all before.
_ENDS = ("steps", "epochs", "minutes")


def is_folder(output: str) -> bool:
    """Whether an output is a run's folder, or else a model file: by its suffix."""
    path = Path(output)
    if path.exists():
        return path.is_dir()
    if path.suffix not in ("", ".safetensors"):
        # It may be meant as a folder, as `runs/rate0.01` is.
        raise click.UsageError(
            f"-o {output}: a model file ends in .safetensors, and the folder of a run "
            "has no dot in its name"
        )
    return path.suffix == ""


def expect_new(folder: Path) -> None:
    """Refuse a folder that has a run, or files that are none of ours.

    What a start that failed has left, symbols and an empty folder, is no hindrance.
    """
    if (folder / SETTINGS).exists() or any(folder.glob("ckpt/*.safetensors")):
        raise click.UsageError(
            f"{folder} has a run already: --resume goes on with it; a new one needs "
            "another folder"
        )
    inside = folder.iterdir() if folder.is_dir() else ()
    if any(f.name != "ckpt" and f.suffix != ".symbols" for f in inside):
        raise click.UsageError(f"{folder} has files and no run: name a new folder")


def write_run(ctx: click.Context, folder: Path) -> None:
    """Write the settings in force, so that `--config` runs them again."""
    tables = tables_of(ctx, ctx.params["overrides"])
    write_file(folder / SETTINGS, settings_text(ctx, tables).encode())


def take_run(ctx: click.Context, folder: Path) -> None:
    """Make a run's settings those of this command, which may change its end alone.

    Raises
    ------
    FileNotFoundError
        There is no run.
    click.UsageError
        A setting is given that differs, unless `--override` is, too.
    """
    path = folder / SETTINGS
    if not path.exists():
        raise FileNotFoundError(errno.ENOENT, "nothing to resume", str(path))
    try:
        options, tables = load_settings(ctx, str(path))
        saved = {p.name: p.process_value(ctx, options.get(p.name)) for p in _known(ctx)}
    except click.BadParameter as error:
        raise FormatError(error.format_message()) from None
    if any(ctx.get_parameter_source(name) in GIVEN for name in _ENDS):
        ends = {name: saved.pop(name) for name in _ENDS}
    else:
        ends = {}
    changed = []
    for name, value in saved.items():
        if ctx.get_parameter_source(name) not in GIVEN:
            ctx.params[name] = value
        elif name not in _FREE and ctx.params[name] != value:
            changed.append(_Change(name, value, ctx.params[name]))
    for table, given in tables_of(ctx, ctx.params["overrides"]).items():
        for key, value in given.items():
            before = tables[table].get(key)
            if before != value:
                changed.append(_Change(f"{table}.{key}", before, value))
                tables[table][key] = value
    set_tables(ctx, tables)
    if ends and ends["steps"] != ctx.params["steps"]:
        schedule = ctx.params["schedule"]
        if schedule is not None and ends_with_steps(schedule, tables["schedule"]):
            what = f"the end of the schedule {schedule}, --steps,"
            changed.append(_Change(what, ends["steps"], ctx.params["steps"]))
    for change in changed:
        if change.name in MODEL_SETTINGS or change.name.startswith("model."):
            raise click.UsageError(f"--resume keeps the net as it is, but {change}")
    if changed and not ctx.params["override"]:
        raise click.UsageError(
            f"--resume keeps the settings of {path}, but "
            f"{'; '.join(map(str, changed))}: --override takes the new ones"
        )


class _Change(NamedTuple):
    name: str
    before: object
    after: object

    def __str__(self) -> str:
        before = "not set" if self.before is None else self.before
        return f"{self.name} was {before}, is {self.after}"


def _known(ctx: click.Context) -> list[click.Parameter]:
    names = set(option_names(ctx.command)) - _CALL
    return [parameter for parameter in ctx.command.params if parameter.name in names]


def text_changed(folder: Path) -> ArgumentError:
    """What to say of another text under the same settings."""
    return ArgumentError(
        f"{folder}: the text is not the one that the run was learning; --override goes "
        "on with this one"
    )
