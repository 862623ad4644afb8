"""`recurrentnn convert`: a model in another program's format, or from one."""

from __future__ import annotations

from pathlib import Path

import click

from recurrentnn._recurrentnn import Model
from recurrentnn.char_model import CharModel
from recurrentnn.cli.command import Command, example
from recurrentnn.cli.files import check_output, model_file
from recurrentnn.convert import formats
from recurrentnn.errors import FormatError
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
        formats.write(net, target)
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
        return formats.read(path)
    try:
        return load_language(path)[0]
    except FormatError:
        return formats.read(path)
