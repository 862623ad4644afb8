"""`recurrentnn sample`: let a model write."""

from __future__ import annotations

from typing import Any, cast

import click

from recurrentnn.cli.command import Command, example, option, options, section
from recurrentnn.cli.files import load_model
from recurrentnn.cli.options import (
    COUNT,
    FOREIGN,
    given_text,
    json_option,
    seed_option,
)
from recurrentnn.cli.report import say
from recurrentnn.data import Alphabet
from recurrentnn.generation import Drawing
from recurrentnn.text_model import TextLanguage


class _Sample(Command):
    foreign = FOREIGN


CHOICE = section(
    "How a symbol is chosen",
    option(
        "--temperature",
        type=click.FloatRange(min=0, min_open=True),
        default=1.0,
        help="Below 1 plays safe, above 1 takes risks.",
    ),
    option("--greedy", is_flag=True, help="Always the most probable symbol."),
    # char-rnn's `-sample 0` is greedy.
    option("--sample", "draw", type=click.IntRange(0, 1), hidden=True),
    option("--top-k", type=COUNT, help="Only the K most probable.  [default: all]"),
    option(
        "--top-p",
        type=click.FloatRange(0, 1, min_open=True),
        help="Only the most probable that together have this share.  [default: all]",
    ),
    option(
        "--min-p",
        type=click.FloatRange(0, 1),
        help="Only those with this share of the largest probability.  [default: all]",
    ),
    option(
        "--repetition-penalty",
        type=click.FloatRange(min=0, min_open=True),
        default=1.0,
        help="Above 1 makes symbols rarer that were written before.",
    ),
    option(
        "--repetition-window",
        type=COUNT,
        help="How many symbols before count.  [default: all]",
    ),
    option("--allowed", metavar="CHARS", help="Only these.  [default: all]"),
    option("--banned", metavar="CHARS", default="", help="Never these."),
    option("--stop", multiple=True, metavar="TEXT", help="End before this text."),
    option(
        "--unknown",
        type=click.Choice(["error", "skip", "replace"]),
        default="error",
        help="What happens to characters of the prompt that the model does not know.",
    ),
)

SEARCH = section(
    "Beam search",
    option("--beam", type=COUNT, metavar="WIDTH", help="Search for the most probable."),
    option(
        "--length-penalty",
        type=float,
        default=1.0,
        help="Of --beam: ranks by ln P / length^PENALTY.",
    ),
)

OUTPUT = section(
    "What is written",
    option(
        "--count",
        type=COUNT,
        default=1,
        help="Samples to write, of seeds SEED, SEED+1, ...",
    ),
    seed_option,
    option("--stream", is_flag=True, help="Show one sample while it is written."),
    json_option,
)


@click.command(
    cls=_Sample,
    epilog=example(
        'recurrentnn sample runs/book --prompt "The " --temperature 0.7 --count 3'
    ),
)
@click.argument("model")
@option(
    "-n",
    "--length",
    type=click.IntRange(min=0),
    default=200,
    help="Most symbols to write; a line may end earlier.",
)
@option(
    "--prompt",
    also=["primetext", "start-text"],
    default="",
    metavar="TEXT|-|@FILE",
    callback=given_text,
    show_default=False,
    help="What to go on from; - is stdin.",
)
@options(CHOICE, SEARCH, OUTPUT)
def sample(
    model: str,
    length: int,
    prompt: str,
    *,
    temperature: float,
    greedy: bool,
    draw: int | None,
    beam: int | None,
    length_penalty: float,
    count: int,
    seed: int,
    stream: bool,
    as_json: bool,
    **choice: Any,  # noqa: ANN401
) -> None:
    """Write text with MODEL, a model file or a run's folder."""
    greedy = greedy or draw == 0
    if stream and (as_json or count > 1 or beam is not None):
        raise click.UsageError("--stream shows one sample, without --json or --beam")
    language = load_model(model)
    if beam is not None:
        _search(language, prompt, length, beam, length_penalty, choice, as_json=as_json)
        return
    drawing = _drawing(language, choice)
    if stream:
        click.echo(prompt, nl=False)
        pieces = language.stream_text(
            prompt,
            length,
            seed=seed,
            temperature=temperature,
            greedy=greedy,
            **drawing,
        )
        for piece in pieces:
            click.echo(piece, nl=False)
        click.echo()
        return
    # Greedy text has no seed: more of it would be the same.
    for number in range(1 if greedy else count):
        if greedy:
            text = language.greedy(prompt, length, **drawing)
        else:
            text = language.sample(
                prompt, length, temperature, seed + number, **drawing
            )
        if as_json:
            said = {"text": text}
            say(said if greedy else said | {"seed": seed + number})
        else:
            click.echo(text)


def _drawing(language: TextLanguage, choice: dict[str, Any]) -> Drawing:
    """The options of drawing; the unknown symbol is not written unless asked for."""
    chosen = {**choice, "stop": list(choice["stop"]) or None}
    chosen["banned"] = _banned(language, choice["banned"])
    return cast(Drawing, chosen)


def _banned(language: TextLanguage, given: str) -> Any:  # noqa: ANN401
    """The symbol for unknown ones is not written, unless others are banned."""
    code = language.vocabulary
    if isinstance(code, Alphabet) and code.unknown and not given:
        return [Alphabet.UNKNOWN]
    return given


def _search(
    language: TextLanguage,
    prompt: str,
    length: int,
    width: int,
    penalty: float,
    choice: dict[str, Any],
    *,
    as_json: bool,
) -> None:
    """The continuations that beam search found, the best first; as text the best."""
    found = language.beam(
        prompt,
        length,
        width=width,
        length_penalty=penalty,
        allowed=choice["allowed"],
        banned=_banned(language, choice["banned"]),
        unknown=choice["unknown"],
    )
    for one in found if as_json else found[:1]:
        if as_json:
            say(one._asdict())
        else:
            click.echo(one.text)
