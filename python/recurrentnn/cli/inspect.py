"""`recurrentnn inspect`: what is in a model file or a run."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from recurrentnn._recurrentnn import Model, Vocabulary
from recurrentnn.char_model import SETTINGS_KEY
from recurrentnn.cli.classes import known_options
from recurrentnn.cli.command import Command, example, option
from recurrentnn.cli.files import check_output, model_file
from recurrentnn.cli.options import given_text, json_option
from recurrentnn.cli.report import say
from recurrentnn.errors import FormatError
from recurrentnn.forecaster import KIND as FORECASTER
from recurrentnn.forecaster import Forecaster
from recurrentnn.models import MODELS, read_model
from recurrentnn.text_model import load_language
from recurrentnn.training import Run, checkpoint


@click.command(cls=Command, epilog=example("recurrentnn inspect runs/book --tensors"))
@click.argument("model")
@option("--tensors", is_flag=True, help="Name, shape and type of each parameter.")
@option(
    "--verify",
    is_flag=True,
    help="Check every checkpoint of a run's folder, not only the one that is shown.",
)
@option(
    "--activations",
    metavar="TEXT",
    callback=given_text,
    help="What goes on in the net while it reads TEXT, or that of @FILE; for --html.",
)
@option("--html", metavar="FILE", help="Write it there: one file for any browser.")
@json_option
def inspect(
    model: str,
    *,
    tensors: bool,
    verify: bool,
    activations: str | None,
    html: str | None,
    as_json: bool,
) -> None:
    """Show what MODEL is, a model file or a run's folder, and what it has learnt.

    The checksum of a file is checked whenever it is read: a damaged one ends with
    exit code 3.
    """
    if (activations is None) != (html is None):
        raise click.UsageError("--activations and --html go together")
    path = model_file(model)
    if activations is not None and html is not None:
        check_output(html)
        load_language(path)[0].inspect(activations).save(html)
    net, metadata, beside = read_model(path)
    facts: dict[str, Any] = {"file": str(path), "bytes": path.stat().st_size}
    facts |= _net(net)
    facts |= _symbols(path, metadata)
    if checkpoint.KEY in metadata:
        run, optimizer, _ = checkpoint.understand(metadata, beside, net)
        facts |= {"optimizer": optimizer.rule}
        if optimizer.options is not None:
            facts |= {"its options": _set(optimizer.options)}
        facts |= _history(run)
    if as_json and SETTINGS_KEY in metadata:
        facts["settings"] = json.loads(metadata[SETTINGS_KEY])
    parameters = {
        name: {"shape": list(matrix.value.shape), "dtype": str(matrix.value.dtype)}
        for name, matrix in net.parameters().items()
    }
    damaged = _verify(Path(model), facts) if verify else []
    if as_json:
        say(facts | ({"tensors": parameters} if tensors else {}))
    else:
        for name, fact in (facts | {"options": _unusual(net)}).items():
            click.echo(f"{name:16} {_shown(fact)}")
        for name, what in parameters.items() if tensors else ():
            shape = " x ".join(map(str, what["shape"]))
            click.echo(f"  {name:44} {shape:>14}  {what['dtype']}")
    if damaged:
        raise FormatError("; ".join(damaged))


def _net(net: Model) -> dict[str, Any]:
    parameters = net.parameters()
    config = net.config()
    cell = config["cell"]
    known = known_options(MODELS[cell].__new__) if isinstance(cell, str) else None
    shown = {
        name: value
        for name, value in _set(config).items()
        if name not in ("cell", "hidden_sizes", "cells")
        and (known is None or name in known)
    }
    return {
        "cell": cell if isinstance(cell, str) else net.cell,
        "hidden sizes": list(net.hidden_sizes),
        "parameters": sum(matrix.value.size for matrix in parameters.values()),
        "options": shown,
    }


def _unusual(net: Model) -> dict[str, Any]:
    """The options that are not the usual ones of the cell, and the sizes."""
    found, cell = _net(net)["options"], net.config()["cell"]
    if not isinstance(cell, str):
        return dict(found)
    build: Callable[..., Model] = MODELS[cell]
    usual = build(1, 1, 1).config()
    always = ("input_size", "output_size", "dtype")
    return {n: v for n, v in found.items() if n in always or v != usual[n]}


def _set(options: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}


def _symbols(path: Path, metadata: dict[str, str]) -> dict[str, Any]:
    if "kind" not in metadata:
        return {"kind": "a net without symbols"}
    if metadata["kind"] == FORECASTER:
        return {"kind": str(Forecaster.load(path))}
    code = load_language(path)[0].vocabulary
    if isinstance(code, Vocabulary):
        mode = "lines" if code.boundary else "running text"
        return {"kind": f"characters, {mode}", "symbols": len(code)}
    unknown = " and one for unknown ones" if code.unknown else ""
    return {"kind": f"{code.unit}, running text{unknown}", "symbols": len(code)}


def _history(run: Run) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "steps": run.step,
        "epochs": run.epochs,
        "seconds": run.seconds,
    }
    if run.history:
        last = run.history[-1]
        facts |= {"first loss": run.history[0].loss, "last loss": last.loss}
    if run.best.step:
        facts |= {"best validation": run.best.loss, "best step": run.best.step}
    return facts


def _verify(path: Path, facts: dict[str, Any]) -> list[str]:
    """Read all checkpoints; what is wrong with those that are damaged."""
    files = sorted((path / "ckpt").glob("step-*.safetensors")) if path.is_dir() else []
    damaged = []
    for file in files:
        try:
            read_model(file)
        except FormatError as error:
            damaged.append(str(error))
    whole = max(len(files), 1) - len(damaged)
    facts["verified"] = f"{whole} of {max(len(files), 1)} files"
    return damaged


def _shown(fact: object) -> str:
    if isinstance(fact, float):
        return f"{fact:,.4g}" if abs(fact) >= 1000 else f"{fact:.4f}"
    if isinstance(fact, int):
        return f"{fact:,}"
    if isinstance(fact, dict):
        return ", ".join(f"{name}={value}" for name, value in fact.items())
    if isinstance(fact, list):
        return ", ".join(map(str, fact))
    return str(fact)
