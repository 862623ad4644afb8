"""The group of commands."""

from __future__ import annotations

import click

from recurrentnn._recurrentnn import __version__
from recurrentnn.cli.config import config
from recurrentnn.cli.convert import convert
from recurrentnn.cli.demo import demo
from recurrentnn.cli.evaluate import evaluate
from recurrentnn.cli.find_lr import find_lr
from recurrentnn.cli.info import info
from recurrentnn.cli.inspect import inspect
from recurrentnn.cli.sample import sample
from recurrentnn.cli.train import train

EXAMPLE = """\b
Example:
  recurrentnn train book.txt -o runs/book --minutes 5
  recurrentnn train -o runs/book --resume --minutes 10
  recurrentnn eval runs/book other.txt
  recurrentnn sample runs/book --temperature 0.7
  recurrentnn convert runs/book book.safetensors
"""


class _Ordered(click.Group):
    """Commands in the order in which they are used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return list(self.commands)


@click.group(
    cls=_Ordered,
    epilog=EXAMPLE,
    context_settings={
        "help_option_names": ["-h", "--help"],
        "auto_envvar_prefix": "RECURRENTNN",
        "token_normalize_func": lambda token: token.replace("_", "-"),
    },
)
@click.version_option(__version__, prog_name="recurrentnn")
def app() -> None:
    """Train text models on CPUs, and let them write.

    Results go to stdout, progress and errors to stderr. Exit codes: 0 done, 1 failure,
    2 wrong usage, 3 a file that cannot be used, 130 Ctrl-C, 143 SIGTERM.
    """


for command in (
    train,
    sample,
    evaluate,
    inspect,
    convert,
    demo,
    find_lr,
    config,
    info,
):
    app.add_command(command)
