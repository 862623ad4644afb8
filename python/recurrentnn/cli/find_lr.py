"""`recurrentnn find-lr`: which learning rate to begin with."""

from __future__ import annotations

from typing import Any

import click

from recurrentnn.cli.classes import cell_options, optimizer_of
from recurrentnn.cli.command import Command, example, option, options
from recurrentnn.cli.corpus import batches, language_of, open_corpus
from recurrentnn.cli.files import load_model
from recurrentnn.cli.options import (
    FOREIGN,
    MODEL,
    POSITIVE,
    SETTINGS,
    TEXT,
    UPDATES,
    json_option,
    threads_option,
)
from recurrentnn.cli.plan import Learning
from recurrentnn.cli.report import say
from recurrentnn.cli.settings import option_names
from recurrentnn.cli.train import train
from recurrentnn.training import Trainer


class _FindRate(Command):
    foreign = FOREIGN
    elsewhere = option_names(train)


@click.command(
    "find-lr",
    cls=_FindRate,
    epilog=example("recurrentnn find-lr book.txt --hidden-sizes 128,128"),
)
@click.argument("text", required=False)
@option("--low", type=POSITIVE, default=1e-5, help="The first rate.")
@option("--high", type=POSITIVE, default=1.0, help="The last rate.")
@option(
    "--updates",
    type=click.IntRange(min=3),
    default=100,
    help="How many, each at a higher rate; it ends early when the loss diverges.",
)
@options(TEXT, MODEL, UPDATES, [json_option, threads_option], SETTINGS)
@click.pass_context
def find_lr(
    ctx: click.Context,
    /,
    low: float,
    high: float,
    updates: int,
    as_json: bool,
    **_: Any,  # noqa: ANN401
) -> None:
    """Suggest a learning rate for TEXT, as `recurrentnn train` would learn it.

    The rate is raised from update to update; the suggestion is where the loss fell
    fastest. With --json there is a line for each update, then one with the suggestion.
    """
    plan = Learning.of(ctx)
    language = None if plan.init_from is None else load_model(plan.init_from)
    corpus = open_corpus(plan, None if language is None else language.vocabulary)
    if language is None:
        language = language_of(corpus.symbols, plan, cell_options(plan))
    optimizer = optimizer_of(plan, plan.seq_length or corpus.seq_length)
    learnt, _held_out = batches(ctx, corpus, plan)
    trainer = Trainer(language.net, optimizer=optimizer)
    sweep = trainer.find_learning_rate(learnt, low=low, high=high, steps=updates)
    if as_json:
        for rate, loss, smooth in zip(
            sweep.rates.tolist(),
            sweep.losses.tolist(),
            sweep.smooth.tolist(),
            strict=True,
        ):
            say({"learning_rate": rate, "loss": loss, "smooth": smooth})
        say({"suggestion": sweep.suggestion})
        return
    click.echo(f"{sweep.suggestion:.2g}")
    click.echo(
        f"try: recurrentnn train {plan.text or ''} --optimizer {plan.optimizer} "
        f"--learning-rate {sweep.suggestion:.2g}",
        err=True,
    )
