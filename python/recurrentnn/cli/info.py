"""`recurrentnn info`: what is installed here."""

from __future__ import annotations

import importlib.util
import os
import platform

import click
import numpy as np

from recurrentnn import get_num_threads
from recurrentnn._recurrentnn import CELLS, ISA, OPS, __version__
from recurrentnn.builtin_text import help_sentences
from recurrentnn.cli.command import Command, example
from recurrentnn.cli.options import json_option
from recurrentnn.cli.report import say
from recurrentnn.optimizers import OPTIMIZERS

# What the extras install, by the name to import.
EXTRAS = {
    "plot": "matplotlib",
    "tensorboard": "tensorboardX",
    "onnx": "onnx",
    "demo": "starlette",
    "torch": "torch",
}


@click.command(cls=Command, epilog=example("recurrentnn info --json"))
@json_option
def info(as_json: bool) -> None:
    """Tell versions, machine, and what the library has."""
    has_help = help_sentences() is not None
    extras = [n for n, module in EXTRAS.items() if importlib.util.find_spec(module)]
    facts = {
        "recurrentnn": __version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "machine": f"{platform.machine()}, {os.cpu_count()} CPUs",
        "instructions": ISA,
        "threads": get_num_threads(),
        "cells": ", ".join(CELLS),
        "ops": len(OPS),
        "optimizers": ", ".join(OPTIMIZERS),
        "extras": ", ".join(extras) or "none",
        "built-in text": "Python's own help" if has_help else "a small grammar",
    }
    if as_json:
        say(facts)
        return
    for name, fact in facts.items():
        click.echo(f"{name:14} {fact}")
