"""`recurrentnn eval`: how well a model predicts a text."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import click
from numpy.typing import NDArray

from recurrentnn._recurrentnn import Vocabulary
from recurrentnn.cli.command import Command, example, option
from recurrentnn.cli.files import load_model, read_bytes, read_text
from recurrentnn.cli.options import json_option, threads_option
from recurrentnn.cli.report import say
from recurrentnn.data import Streams
from recurrentnn.data.text import clean, read
from recurrentnn.errors import ArgumentError
from recurrentnn.text_model import TextLanguage
from recurrentnn.training import LanguageModel
from recurrentnn.training.evaluate import evaluate as measure
from recurrentnn.training.tasks import AnyBatch


class _Scored(LanguageModel):
    """The next symbol, and how often the most probable one is it."""

    def metrics(self, outputs: NDArray[Any], batch: AnyBatch) -> Mapping[str, float]:
        return self._accuracy(outputs, batch)


@click.command(
    "eval", cls=Command, epilog=example("recurrentnn eval runs/book other.txt")
)
@click.argument("model")
@click.argument("text")
@option(
    "--batch-size",
    type=click.IntRange(min=1),
    default=1,
    help="Parallel streams; all but the first begin without context.",
)
@json_option
@threads_option
def evaluate(
    model: str, text: str, *, batch_size: int, as_json: bool, threads: int | None
) -> None:
    """Measure how well MODEL predicts the file TEXT (- for stdin).

    MODEL is a model file or a run's folder. Nats are per symbol, perplexity is their
    exp; bits are per character (of a model of bytes or words, too) and count the END
    of each line, which is no character. Accuracy is how often the most probable symbol
    is the right one. A character that the model does not know is refused, unless rare
    ones are unknown to it: `train --max-symbols N`.
    """
    del threads
    result = _measure(load_model(model), text, batch_size)
    if as_json:
        say(result)
        return
    click.echo(
        f"loss {result['loss']:.4f} nats  {result['bits_per_char']:.4f} bits/char  "
        f"perplexity {result['perplexity']:.3f}  accuracy {result['accuracy']:.2%}  "
        f"{result['symbols']:,} symbols  {result['chars']:,} chars"
    )


def _measure(language: TextLanguage, name: str, batch_size: int) -> dict[str, Any]:
    code = language.vocabulary
    if isinstance(code, Vocabulary):
        source = read(clean(read_text(name)), code)
        chars = None
        length = 256 if code.boundary else 64
        size = max(batch_size, 32) if code.boundary else batch_size
    else:
        raw = read_bytes(name) if code.unit == "bytes" else clean(read_text(name))
        symbols = code.encode(raw)
        if len(symbols) < 2:
            raise ArgumentError(f"text: needs at least 2 {code.unit}")
        first = code.decode(symbols[:1]) if code.unit != "words" else None
        source = Streams(symbols)
        chars = _chars(raw) - (1 if first is None else _chars(first))
        length, size = 64, batch_size
    result = measure(language.net, _Scored(), source.in_order(size, length))
    values: dict[str, Any] = result._asdict()
    values |= values.pop("metrics")
    if chars is not None:
        bits = result.loss * result.symbols / math.log(2)
        values |= {"bits_per_char": bits / max(chars, 1), "chars": chars}
    return values


def _chars(text: str | bytes) -> int:
    """Code points; of bytes, those that begin one."""
    if isinstance(text, str):
        return len(text)
    return sum(byte & 0xC0 != 0x80 for byte in text)
