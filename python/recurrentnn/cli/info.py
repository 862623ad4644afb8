"""`recurrentnn info`: what is installed here."""

from __future__ import annotations

import json
import os
import platform

import click
import numpy as np

from recurrentnn._recurrentnn import CELLS, ISA, OPS, OPTIMIZERS, __version__
from recurrentnn.builtin_text import help_sentences

EXAMPLE = """\b
Example:
  recurrentnn info --json
"""


@click.command(epilog=EXAMPLE)
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def info(as_json: bool) -> None:
    """Tell versions, machine, and what the library has."""
    has_help = help_sentences() is not None
    facts = {
        "recurrentnn": __version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "machine": f"{platform.machine()}, {os.cpu_count()} CPUs",
        "instructions": ISA,
        "cells": ", ".join(CELLS),
        "ops": len(OPS),
        "optimizers": ", ".join(OPTIMIZERS),
        "built-in text": "Python's own help" if has_help else "a small grammar",
    }
    if as_json:
        click.echo(json.dumps(facts))
        return
    for name, fact in facts.items():
        click.echo(f"{name:14} {fact}")
