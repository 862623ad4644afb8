"""`recurrentnn train`: learn a text, show how it goes, write a model or a run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from recurrentnn.cli.classes import SCHEDULES
from recurrentnn.cli.command import Command, example, option, options, section
from recurrentnn.cli.options import (
    COUNT,
    FOREIGN,
    MODEL,
    POSITIVE,
    SETTINGS,
    TEXT,
    UPDATES,
    json_option,
    threads_option,
)
from recurrentnn.cli.plan import Training
from recurrentnn.cli.run_folder import expect_new, is_folder, take_run
from recurrentnn.cli.session import Session
from recurrentnn.cli.settings import settings_text, tables_of


class _Train(Command):
    foreign = FOREIGN


def _logs(_ctx: click.Context, _param: click.Parameter, value: str) -> tuple[str, ...]:
    """Read `csv,tensorboard`."""
    logs = tuple(value.split(","))
    for log in logs:
        if log not in ("csv", "tensorboard"):
            raise click.BadParameter(f"{log!r} is neither csv nor tensorboard")
    return logs


LIMITS = section(
    "Until when, and the learning rate on the way",
    option("--steps", type=COUNT, help="Stop after so many updates."),
    option(
        "--epochs",
        also=["max-epochs"],
        type=COUNT,
        help="Stop after so many readings of the text.",
    ),
    option(
        "--minutes",
        type=POSITIVE,
        help="Stop after so many minutes.  [default: 1 without any limit]",
    ),
    option(
        "--patience",
        type=COUNT,
        help="Stop after so many validations in a row without improvement; the model "
        "then has the weights of the best one.",
    ),
    option(
        "--schedule",
        type=click.Choice(list(SCHEDULES)),
        help="How the learning rate goes on; options by --set schedule.KEY=VALUE. "
        "[default: as it is]",
    ),
    option(
        "--warm-up",
        type=click.IntRange(min=0),
        default=0,
        help="Updates in which the learning rate rises from 0.",
    ),
)

REPORTS = section(
    "What is told and kept",
    option(
        "--validate-every",
        also=["eval-val-every"],
        type=COUNT,
        help="Updates between validations, beside the one after each epoch.",
    ),
    option(
        "--report-every",
        also=["print-every"],
        type=COUNT,
        default=50,
        help="Updates in a record.",
    ),
    option(
        "--sample-every",
        type=click.IntRange(min=0),
        default=500,
        help="Updates between samples on stderr; 0: none.",
    ),
    option(
        "--save-every",
        also=["checkpoint-every"],
        type=COUNT,
        help="Updates between checkpoints of a run, beside one every 5 minutes, at an "
        "improvement and at the end.",
    ),
    option(
        "--keep",
        type=COUNT,
        default=3,
        help="Newest checkpoints to keep, beside the best.",
    ),
    option(
        "--log",
        metavar="csv[,tensorboard]",
        callback=_logs,
        default="csv",
        help="What a run's folder has beside checkpoints.",
    ),
    option("--quiet", is_flag=True, help="No progress."),
    json_option,
    threads_option,
)


@click.command(
    cls=_Train,
    epilog=example(
        "recurrentnn train book.txt -o runs/book --hidden-sizes 128,128 --minutes 5"
    ),
)
@click.argument("text", required=False)
@option(
    "-o",
    "--output",
    type=click.Path(),
    default="model.safetensors",
    help="A model file, replaced if it is there; or, without a suffix, the folder of "
    "a run: settings, checkpoints, metrics.csv.",
)
@option(
    "--resume",
    is_flag=True,
    help="Go on with the run in the folder --output, with its settings; --steps, "
    "--epochs and --minutes, of the whole run, may set another end.",
)
@option("--override", is_flag=True, help="Resume with other settings or another text.")
@options(LIMITS, TEXT, MODEL, UPDATES, REPORTS, SETTINGS)
@option(
    "--write-settings",
    "settings_file",
    metavar="FILE",
    help="Write the options in force to a TOML file, to train the same again.",
)
@click.pass_context
def train(ctx: click.Context, /, **_: Any) -> None:  # noqa: ANN401
    """Learn the UTF-8 text file TEXT (- for stdin), symbol by symbol.

    Without TEXT it learns a text that is there already. Progress goes to stderr:
    loss in nats per symbol, bits per character, perplexity, characters per second.
    Ctrl-C, or SIGTERM, ends learning early and keeps what is learnt.
    """
    output = ctx.params["output"]
    folder = Path(output) if is_folder(output) else None
    if ctx.params["resume"]:
        if folder is None:
            raise click.UsageError("--resume needs the folder of a run: -o runs/NAME")
        take_run(ctx, folder)
    elif folder is not None:
        expect_new(folder)
    plan = Training.of(ctx)
    session = Session(ctx, plan, folder)
    settings_file = ctx.params["settings_file"]
    if settings_file is not None:
        text = settings_text(ctx, tables_of(ctx, ctx.params["overrides"]))
        Path(settings_file).write_text(text, encoding="utf-8")
    session.learn()
