"""`recurrentnn train`: learn a text, show how it goes, write the model to a file."""

from __future__ import annotations

from pathlib import Path
from typing import Unpack

import click
from click.core import ParameterSource

from recurrentnn.builtin_text import Text, default_text, grammar_text
from recurrentnn.char_model import CharModel, Training
from recurrentnn.cli.files import check_output, load_model, read_text
from recurrentnn.cli.settings import read_settings, write_settings
from recurrentnn.data.text import read
from recurrentnn.errors import NonFiniteError
from recurrentnn.models import MODELS
from recurrentnn.progress import Progress, describe, diverged

# What makes a new model; pointless with one that is there already.
_NEW_MODEL = ("lines", "cell", "hidden_sizes", "embedding_size", "dtype")


def _sizes(_ctx: click.Context, _param: click.Parameter, value: str) -> tuple[int, ...]:
    """Read `128,64` as (128, 64)."""
    try:
        return tuple(int(size) for size in value.split(","))
    except ValueError:
        message = f"{value!r} is not a list of sizes like 128,64"
        raise click.BadParameter(message) from None


EXAMPLE = """\b
Example:
  recurrentnn train book.txt --hidden-sizes 128,128 --minutes 5 -o book.safetensors
"""


@click.command(epilog=EXAMPLE)
@click.argument("text", required=False)
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False),
    default="model.safetensors",
    show_default=True,
    help="Model file to write; one that is there is replaced, whole or not at all.",
)
@click.option(
    "--built-in",
    type=click.Choice(["help", "grammar"]),
    default="help",
    show_default=True,
    help="What to learn without TEXT: sentences out of Python's help, or of a small "
    "grammar, the same everywhere, whose entropy is known and shown.",
)
@click.option("--init-from", metavar="MODEL", help="Go on learning from a model file.")
@click.option(
    "--lines/--running",
    default=None,
    help="Learn lines with a START and an END, or one running text with its newlines.  "
    "[default: --running; --lines without TEXT]",
)
@click.option(
    "--cell",
    type=click.Choice(list(MODELS)),
    default="lstm",
    show_default=True,
    help="Of every layer; gf... are the gated-feedback nets.",
)
@click.option(
    "--hidden-sizes",
    callback=_sizes,
    metavar="N[,N...]",
    default="128",
    show_default=True,
    help="Units per layer, from the bottom up.",
)
@click.option(
    "--embedding-size",
    type=click.IntRange(min=1),
    help="Size of a trained symbol embedding.  [default: none, symbols are one-hot]",
)
@click.option(
    "--dtype",
    type=click.Choice(["float32", "float64"]),
    default="float32",
    show_default=True,
    help="Of weights and arithmetic.",
)
@click.option("--steps", type=click.IntRange(min=1), help="Stop after so many updates.")
@click.option("--epochs", type=click.IntRange(min=1), help="Stop after so many epochs.")
@click.option(
    "--minutes",
    type=click.FloatRange(min=0, min_open=True),
    help="Stop after so many minutes.  [default: 1 without any limit]",
)
@click.option(
    "--batch-size",
    type=click.IntRange(min=1),
    default=16,
    show_default=True,
    help="Lines or parallel streams per update.",
)
@click.option(
    "--seq-length",
    type=click.IntRange(min=1),
    help="Characters that gradients flow back through.  "
    "[default: 64 running, 256 in lines]",
)
@click.option(
    "--learning-rate",
    type=click.FloatRange(min=0, min_open=True),
    default=5e-3,
    show_default=True,
    help="Of RMSProp.",
)
@click.option(
    "--clip-value",
    type=click.FloatRange(min=0, min_open=True),
    default=0.1,
    show_default=True,
    help="Clip each element of the gradient of the mean loss.",
)
@click.option(
    "--validation-fraction",
    type=click.FloatRange(min=0, max=1, max_open=True),
    default=0.05,
    show_default=True,
    help="Share of the text to hold out; by default nothing of one that is too short.",
)
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="The same seed and number of steps give the same model.",
)
@click.option(
    "--sample-every",
    type=click.IntRange(min=0),
    default=500,
    show_default=True,
    help="Updates between samples; 0: none.",
)
@click.option("--quiet", is_flag=True, help="No progress.")
@click.option(
    "--settings",
    metavar="FILE",
    is_eager=True,
    expose_value=False,
    callback=read_settings,
    help="Take options from a TOML file; flags go before them.",
)
@click.option(
    "--write-settings",
    "settings_file",
    metavar="FILE",
    help="Write the options in force to a TOML file, to train the same again.",
)
@click.pass_context
def train(
    ctx: click.Context,
    /,
    text: str | None,
    output: str,
    built_in: str,
    init_from: str | None,
    lines: bool | None,
    cell: str,
    hidden_sizes: tuple[int, ...],
    embedding_size: int | None,
    dtype: str,
    seed: int,
    sample_every: int,
    quiet: bool,
    settings_file: str | None,
    **training: Unpack[Training],
) -> None:
    """Learn the UTF-8 text file TEXT (- for stdin), character by character.

    Without TEXT it learns a text that is there already. Progress goes to stderr:
    loss in nats per symbol, bits per character, perplexity, characters per second.
    Ctrl-C, or SIGTERM, ends learning early and keeps what is learnt.
    """
    check_output(output)
    if text is not None:
        source = Text(read_text(text), text)
    else:
        source = grammar_text() if built_in == "grammar" else default_text()
    if init_from is None:
        model = CharModel.create(
            source.text,
            lines=text is None if lines is None else lines,
            cell=cell,
            hidden_sizes=hidden_sizes,
            embedding_size=embedding_size,
            seed=seed,
            dtype=dtype,
        )
    else:
        _refuse_new_model_options(ctx)
        model = load_model(init_from)
    if not _can_hold_out(ctx, model, source):
        training["validation_fraction"] = ctx.params["validation_fraction"] = 0.0
    if settings_file is not None:
        write_settings(ctx, settings_file)
    if not (training["steps"] or training["epochs"] or training["minutes"]):
        training["minutes"] = 1.0
    progress = None if quiet else Progress(sample_every)
    training["callback"] = progress
    overflowed = False
    try:
        if progress:
            progress.note(_introduction(model, source))
        model.learn(source.text, seed=seed, **training)
    except NonFiniteError:
        overflowed = True
        raise
    finally:
        # Ctrl-C and a non-finite gradient leave the weights of the update before.
        if progress:
            progress.close()
        last = model.history[-1] if model.history else None
        if overflowed or (last and diverged(last, len(model.vocabulary))):
            rate = training["learning_rate"]
            click.echo(f"learning diverged: lower --learning-rate {rate:g}", err=True)
        if last:
            if quiet:
                click.echo(describe(last))
            _save(model, output)


def _save(model: CharModel, output: str) -> None:
    model.save(output)
    size = Path(output).stat().st_size
    click.echo(f"wrote {output} ({size:,} bytes); try: recurrentnn sample {output}")


def _can_hold_out(ctx: click.Context, model: CharModel, source: Text) -> bool:
    """Whether to hold out what is asked for: asking in vain is an error of `learn`."""
    name = "validation_fraction"
    if ctx.get_parameter_source(name) is not ParameterSource.DEFAULT:
        return True
    text = read(source.text, model.vocabulary)
    return text.held_out(ctx.params[name]) > 0


def _refuse_new_model_options(ctx: click.Context) -> None:
    for name in _NEW_MODEL:
        if ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            option = f"--{name.replace('_', '-')}"
            raise click.UsageError(f"{option} belongs to a new model, not --init-from")


def _introduction(model: CharModel, source: Text) -> str:
    net = model.net
    parameters = sum(matrix.value.size for matrix in net.parameters().values())
    sizes = ",".join(map(str, net.hidden_sizes))
    return (
        f"{source.source}: {len(source.text):,} characters, "
        f"{len(model.vocabulary)} symbols, {'lines' if model.lines else 'running text'}"
        f"\n{net.cell} {sizes}: {parameters:,} parameters"
    )
