"""`recurrentnn eval`: how well a model predicts a text."""

from __future__ import annotations

import json

import click

from recurrentnn.cli.files import load_model, read_text

EXAMPLE = """\b
Example:
  recurrentnn eval model.safetensors other.txt
"""


@click.command("eval", epilog=EXAMPLE)
@click.argument("model")
@click.argument("text")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def evaluate(model: str, text: str, as_json: bool) -> None:
    """Measure how well MODEL predicts the UTF-8 file TEXT (- for stdin).

    Loss is in nats per symbol; bits per character count the END of each line as bits
    but not as a character; perplexity is exp(loss).
    """
    result = load_model(model).evaluate(read_text(text))
    if as_json:
        click.echo(json.dumps(result._asdict()))
        return
    click.echo(
        f"loss {result.loss:.4f} nats  {result.bits_per_char:.4f} bits/char  "
        f"perplexity {result.perplexity:.3f}  {result.chars:,} chars"
    )
