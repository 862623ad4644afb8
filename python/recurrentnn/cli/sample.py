"""`recurrentnn sample`: let a model write."""

from __future__ import annotations

import json

import click

from recurrentnn.cli.files import load_model, read_text

EXAMPLE = """\b
Example:
  recurrentnn sample model.safetensors --prompt "The " --temperature 0.7 --count 3
"""


@click.command(epilog=EXAMPLE)
@click.argument("model")
@click.option(
    "-n",
    "--length",
    type=click.IntRange(min=0),
    default=200,
    show_default=True,
    help="Most characters to write; a line may end earlier.",
)
@click.option("--prompt", default="", help="Text to go on from; - reads it from stdin.")
@click.option(
    "--temperature",
    type=click.FloatRange(min=0, min_open=True),
    default=1.0,
    show_default=True,
    help="Below 1 plays safe, above 1 takes risks.",
)
@click.option("--greedy", is_flag=True, help="Always the most probable character.")
@click.option(
    "--count",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Samples to write, of seeds SEED, SEED+1, ...",
)
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="The same seed gives the same text.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object per sample.")
def sample(
    model: str,
    length: int,
    prompt: str,
    temperature: float,
    greedy: bool,
    count: int,
    seed: int,
    as_json: bool,
) -> None:
    """Write text with the model in the file MODEL."""
    char_model = load_model(model)
    if prompt == "-":
        prompt = read_text("-")
    # Greedy text has no seed: more of it would be the same.
    for number in range(1 if greedy else count):
        if greedy:
            text = char_model.greedy(prompt, length)
        else:
            text = char_model.sample(prompt, length, temperature, seed + number)
        click.echo(json.dumps({"text": text}) if as_json else text)
