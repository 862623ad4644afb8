"""The group of commands."""

from __future__ import annotations

import click

from recurrentnn._recurrentnn import __version__
from recurrentnn.cli.evaluate import evaluate
from recurrentnn.cli.info import info
from recurrentnn.cli.sample import sample
from recurrentnn.cli.train import train

EXAMPLE = """\b
Example:
  recurrentnn train book.txt -o book.safetensors --minutes 5
  recurrentnn sample book.safetensors --temperature 0.7
"""


@click.group(epilog=EXAMPLE, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="recurrentnn")
def app() -> None:
    """Train character models on CPUs, and let them write."""


for command in (train, sample, evaluate, info):
    app.add_command(command)
