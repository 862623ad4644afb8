"""`recurrentnn convert`: a model in another program's format, or from one."""

from __future__ import annotations

from pathlib import Path

import click

from recurrentnn._recurrentnn import Model
from recurrentnn.char_model import CharModel
from recurrentnn.cli.command import Command, example, option
from recurrentnn.cli.files import check_output, model_file
from recurrentnn.convert import formats, to_recurrentjs, to_torch
from recurrentnn.errors import FormatError
from recurrentnn.text_model import TextModel, load_language


@click.command(cls=Command, epilog=example("recurrentnn convert runs/book book.onnx"))
@click.argument("source", metavar="IN")
@click.argument("target", metavar="OUT")
@option(
    "--pytorch",
    is_flag=True,
    help="Write a .safetensors file as PyTorch's: the state_dict of rnn, decoder and, "
    "if there is one, embedding.",
)
def convert(source: str, target: str, *, pytorch: bool) -> None:
    """Write the model IN as OUT, each in the format of its suffix.

    IN may be a run's folder, too. What a format cannot hold is refused, or said.

    \b
    .safetensors  this library's, with the vocabulary; PyTorch's is read, too
    .npz          NumPy's arrays, each by its parameter's name
    .onnx         for ONNX Runtime and others, written only
    .json         RecurrentJS's: LSTM and relu RNN with --embedding-size; with
                  --lines, and so from its demo, also the vocabulary
    .pt, .pth     PyTorch's, read only; see --pytorch
    """  # noqa: D301
    check_output(target)
    path = model_file(source)
    model = _read(path)
    kept = _write(model, target, pytorch=pytorch)
    size = Path(target).stat().st_size
    lost = "" if kept else "; the vocabulary is not part of it"
    click.echo(f"wrote {target} ({size:,} bytes){lost}")


def _write(model: Model | CharModel | TextModel, target: str, *, pytorch: bool) -> bool:
    """Write a model; whether all of it is in the file."""
    suffix = Path(target).suffix
    if pytorch and suffix != ".safetensors":
        raise click.UsageError("--pytorch writes a .safetensors file")
    if suffix == ".safetensors" and not pytorch:
        model.save(target)
        return True
    net = model if isinstance(model, Model) else model.net
    if pytorch:
        to_torch(net, target)
    elif suffix == ".json" and isinstance(model, CharModel) and model.lines:
        to_recurrentjs(net, target, vocabulary=model.vocabulary)
        return True
    else:
        formats.write(net, target)
    return isinstance(model, Model)


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
