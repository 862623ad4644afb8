"""Options of a command as a TOML file, read and written."""

from __future__ import annotations

import difflib
import tomllib
from pathlib import Path
from typing import Any

import click


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
    try:
        settings = tomllib.loads(Path(name).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise click.BadParameter(f"{name}: {error}") from None
    known = _options(ctx)
    for key in settings:
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise click.BadParameter(f"{name}: no option {key!r}{hint}")
    ctx.default_map = {
        key: ",".join(map(str, value)) if isinstance(value, list) else value
        for key, value in settings.items()
    }
    return name


def write_settings(ctx: click.Context, name: str) -> None:
    """Write the options in force to a TOML file that `read_settings` takes."""
    import tomli_w

    chosen: dict[str, Any] = {}
    for key in _options(ctx):
        value = ctx.params[key]
        if value is not None:  # TOML has no null; what is missing has its default
            chosen[key] = list(value) if isinstance(value, tuple) else value
    Path(name).write_text(tomli_w.dumps(chosen), encoding="utf-8")


def _options(ctx: click.Context) -> list[str]:
    """The names of the options that a settings file may hold."""
    own = {"settings", "settings_file", "help"}
    options = (p for p in ctx.command.params if isinstance(p, click.Option))
    return [option.name for option in options if option.name not in own]
