"""Settings of a command as TOML: its options, and tables of further ones by class."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import click
from click.core import ParameterSource

Tables: TypeAlias = dict[str, dict[str, Any]]

TABLES = ("model", "optimizer", "schedule")
# In a file they are [set.model] and so on, as on a command line --set model.KEY.
_SET = "set"
GIVEN = (
    ParameterSource.COMMANDLINE,
    ParameterSource.ENVIRONMENT,
    ParameterSource.DEFAULT_MAP,
)
"""Where an option comes from that somebody chose."""

_META = "recurrentnn.tables"
# Where a run goes and how the command is called are no settings of the run.
_OWN = {
    "settings",
    "settings_file",
    "help",
    "overrides",
    "resume",
    "override",
    "as_json",
}


def read_settings(
    ctx: click.Context, _param: click.Parameter, name: str | None
) -> str | None:
    """Take defaults of the command's options from a TOML file; flags go before them.

    Raises
    ------
    click.BadParameter
        The file cannot be read, is no TOML, or names an option that is not there.
    """
    if name is None:
        return None
    ctx.default_map, tables = load_settings(ctx, name)
    set_tables(ctx, tables)
    return name


def load_settings(ctx: click.Context, name: str) -> tuple[dict[str, Any], Tables]:
    """The options and the tables in a file, as click takes them from a command line."""
    try:
        found = tomllib.loads(Path(name).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise click.BadParameter(f"{name}: {error}") from None
    tables = _tables(name, found.pop(_SET, {}))
    known = option_names(ctx.command)
    skipped = set(getattr(ctx.command, "elsewhere", ())) - set(known)
    for key in found:
        if key not in known and key not in skipped:
            raise click.BadParameter(
                f"{name}: no option {key!r}{did_you_mean(key, [*known, _SET])}"
            )
    own = {key: _plain(found[key]) for key in found if key not in skipped}
    return own, tables


def set_tables(ctx: click.Context, tables: Tables) -> None:
    """Let these be the tables of the command's settings file."""
    ctx.meta[_META] = tables


def tables_of(ctx: click.Context, overrides: Sequence[str]) -> Tables:
    """The tables of the settings file, with those of `--set TABLE.KEY=VALUE` over it.

    Raises
    ------
    click.UsageError
        One is not of that form.
    """
    given = ctx.meta.get(_META, {})
    tables: Tables = {table: dict(given.get(table, {})) for table in TABLES}
    for override in overrides:
        path, is_set, value = override.partition("=")
        table, dot, key = path.strip().replace("-", "_").partition(".")
        if not (is_set and dot and key):
            raise click.UsageError(f"--set {override}: must be TABLE.KEY=VALUE")
        if table not in TABLES:
            raise click.UsageError(
                f"--set {override}: no table {table!r}{did_you_mean(table, TABLES)}; "
                f"there are {', '.join(TABLES)}"
            )
        tables[table][key] = _parse(value.strip())
    return tables


def settings_values(
    ctx: click.Context, tables: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    """The options in force, and the tables that are not empty."""
    chosen: dict[str, Any] = {}
    for key in option_names(ctx.command):
        value = ctx.params.get(key)
        if value is not None:  # TOML has no null; what is missing has its default
            chosen[key] = list(value) if isinstance(value, tuple) else value
    further = {name: dict(table) for name, table in tables.items() if table}
    return chosen | ({_SET: further} if further else {})


def settings_text(ctx: click.Context, tables: Mapping[str, Mapping[str, Any]]) -> str:
    """The same as TOML that `read_settings` takes."""
    import tomli_w

    return tomli_w.dumps(settings_values(ctx, tables))


def option_names(command: click.Command) -> list[str]:
    """The names that a settings file may hold; the text to learn is one, too."""
    return [p.name for p in command.params if p.name and p.name not in _OWN]


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A hint, if there is a name like that."""
    near = difflib.get_close_matches(word, list(known), n=1)
    return f"; did you mean {near[0]}?" if near else ""


def _tables(name: str, found: object) -> Tables:
    """The tables of a file, each there if empty."""
    known: Tables = {table: {} for table in TABLES}
    if not (
        isinstance(found, dict) and all(isinstance(t, dict) for t in found.values())
    ):
        raise click.BadParameter(f"{name}: set must have tables, [set.optimizer]")
    for table in found:
        if table not in known:
            raise click.BadParameter(
                f"{name}: no table set.{table}{did_you_mean(table, known)}"
            )
    return known | found


def _plain(value: object) -> object:
    """Lists as on a command line, `8,6`."""
    return ",".join(map(str, value)) if isinstance(value, list) else value


def _parse(text: str) -> object:
    """A TOML value; what is none is a string."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except (ValueError, KeyError):
        return text
