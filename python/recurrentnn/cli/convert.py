"""`recurrentnn convert`: a model in another program's format, or from one."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import click

from recurrentnn._recurrentnn import Model
from recurrentnn.char_model import CharModel
from recurrentnn.cli.command import Command, example
from recurrentnn.cli.files import check_output, model_file
from recurrentnn.errors import ArgumentError, FormatError
from recurrentnn.models import load
from recurrentnn.text_model import TextModel, load_language


@click.command(
    cls=Command, epilog=example("recurrentnn convert demo.json demo.safetensors")
)
@click.argument("source", metavar="IN")
@click.argument("target", metavar="OUT")
def convert(source: str, target: str) -> None:
    """Write the model IN as OUT, each in the format of its suffix.

    IN may be a run's folder, too. .safetensors is this library's own format and keeps
    the vocabulary; so does reading the .json that RecurrentJS's demo saves. What a
    format cannot hold is refused, or said.
    """
    check_output(target)
    path = model_file(source)
    model = _read(path)
    if Path(target).suffix == ".safetensors":
        model.save(target)
        lost = ""
    else:
        net = model if isinstance(model, Model) else model.net
        _formats("write", target)(net, target)
        lost = "" if isinstance(model, Model) else "; the vocabulary is not part of it"
    size = Path(target).stat().st_size
    click.echo(f"wrote {target} ({size:,} bytes){lost}")


def _read(path: Path) -> Model | CharModel | TextModel:
    """The text model in a file, or else the net."""
    if path.suffix == ".json":
        from recurrentnn.compat import from_recurrentjs

        model, vocabulary, _ = from_recurrentjs(path.read_bytes())
        return model if vocabulary is None else CharModel(model, vocabulary)
    if path.suffix != ".safetensors":
        found = _formats("read", str(path))(path)
        assert isinstance(found, Model)
        return found
    try:
        return load_language(path)[0]
    except FormatError:
        convert = _package()
        return load(path) if convert is None else convert.read(path)


def _package() -> ModuleType | None:
    try:
        return importlib.import_module("recurrentnn.convert")
    except ModuleNotFoundError:
        return None


def _formats(verb: str, name: str) -> Callable[..., Any]:
    """What reads or writes further formats, by suffix."""
    function = getattr(_package(), verb, None)
    if function is None:
        raise ArgumentError(
            f"{name}: to {verb} {Path(name).suffix or 'this'} needs "
            "recurrentnn.convert, which this version has not; there is .safetensors, "
            "and .json to read"
        )
    return function  # type: ignore[no-any-return]
