"""The text that a command learns from: its symbols, what is held out, its batches."""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import click
from click.core import ParameterSource

from recurrentnn._recurrentnn import Vocabulary
from recurrentnn.builtin_text import Text, default_text, grammar_text
from recurrentnn.cell_options import builder
from recurrentnn.char_model import CharModel
from recurrentnn.cli.files import read_bytes, read_text
from recurrentnn.cli.plan import Learning
from recurrentnn.data import Alphabet, Lines, Streams, open_text
from recurrentnn.data.documents import files, pieces
from recurrentnn.data.files import open_once
from recurrentnn.data.text import clean, read
from recurrentnn.data.units import UNITS
from recurrentnn.errors import ArgumentError, ArgumentTypeError
from recurrentnn.text_model import TextLanguage, TextModel
from recurrentnn.training import TextBatches

Symbols: TypeAlias = Vocabulary | Alphabet

UNIT_NAMES = {"bytes": "bytes", "chars": "characters", "words": "words"}


class Corpus(NamedTuple):
    """A text, read.

    Attributes
    ----------
    source
        Its symbols.
    symbols
        What they stand for.
    name
        Tells it apart from other texts.
    description
        For the user.
    """

    source: Lines | Streams
    symbols: Symbols
    name: str
    description: str

    @property
    def seq_length(self) -> int:
        """As `CharModel` has it: lines are rarely cut."""
        return 256 if isinstance(self.source, Lines) else 64


def open_corpus(
    plan: Learning,
    known: Symbols | None = None,
    cache: Path | None = None,
    scratch: Path | None = None,
    given: Text | None = None,
) -> Corpus:
    """Read the text of a plan.

    Parameters
    ----------
    plan
        Names it.
    known
        The symbols of a model that is there already; None: those of the text.
    cache
        A folder for the file of symbols from which a running text is mapped, so that it
        may be larger than memory; None: that file is nobody's.
    scratch
        A folder with room for such a one; None: the system's for temporary files.
    given
        A text that is in memory already, in the place of the one that the plan names.
    """
    lines = plan.text is None if plan.lines is None else plan.lines
    lines = lines and plan.unit == "chars" and plan.max_symbols is None
    unit = plan.unit
    if known is not None:
        lines = isinstance(known, Vocabulary) and known.boundary
        unit = getattr(known, "unit", "chars")
    if given is not None or plan.text is None or plan.text == "-" or lines:
        return _in_memory(plan, known, unit, given, lines=lines)
    return _mapped(plan, plan.text, known, unit, cache, scratch)


def language_of(
    symbols: Symbols, plan: Learning, options: dict[str, Any]
) -> TextLanguage:
    """A new model of these symbols."""
    try:
        net = builder(plan.cell)(
            len(symbols),
            plan.sizes,
            len(symbols),
            embedding_size=plan.embedding_size,
            seed=plan.seed,
            dtype=plan.dtype,
            **options,
        )
    except (ArgumentError, ArgumentTypeError) as error:
        raise click.UsageError(str(error)) from None
    if isinstance(symbols, Vocabulary):
        return CharModel(net, symbols)
    return TextModel(net, symbols)


def batches(
    ctx: click.Context, corpus: Corpus, plan: Learning
) -> tuple[TextBatches, TextBatches | None]:
    """Batches to learn from, and held out; a short text holds out only if asked to."""
    fraction = plan.validation_fraction
    asked = ctx.get_parameter_source("validation_fraction")
    if asked is ParameterSource.DEFAULT and not corpus.source.held_out(fraction):
        fraction = 0.0
        ctx.params["validation_fraction"] = fraction
    source, held_out = corpus.source.split(fraction, plan.seed)
    cut = functools.partial(
        TextBatches,
        batch_size=plan.batch_size,
        seq_length=plan.seq_length or corpus.seq_length,
        seed=plan.seed,
    )
    train = cut(source, name=f"{corpus.name} {fraction!r}")
    return train, None if held_out is None else cut(held_out)


def _in_memory(
    plan: Learning,
    known: Symbols | None,
    unit: str,
    given: Text | None,
    *,
    lines: bool,
) -> Corpus:
    if plan.text is None or given is not None:
        built_in = grammar_text if plan.built_in == "grammar" else default_text
        text, title = given or built_in()
        raw: str | bytes = text.encode() if unit == "bytes" else text
    else:
        title = "stdin" if plan.text == "-" else plan.text
        raw = read_bytes(plan.text) if unit == "bytes" else clean(read_text(plan.text))
    symbols = known
    if symbols is None and unit == "chars" and plan.max_symbols is None:
        symbols = Vocabulary.from_text(clean(raw), boundary=lines)
    if symbols is None:
        symbols = Alphabet.of(raw, unit, max_size=plan.max_symbols)
    source: Lines | Streams
    if isinstance(symbols, Vocabulary):
        source = read(clean(raw), symbols)
    else:
        source = Streams(symbols.encode(raw))
    if not source.symbols:
        raise ArgumentError(f"text: needs at least 2 {unit}")
    digest = hashlib.sha256(raw if isinstance(raw, bytes) else raw.encode())
    size = f"{len(raw):,} {'bytes' if unit == 'bytes' else 'characters'}"
    return _corpus(source, symbols, digest.hexdigest(), f"{title}: {size}")


def _mapped(
    plan: Learning,
    path: str,
    known: Symbols | None,
    unit: str,
    cache: Path | None,
    scratch: Path | None,
) -> Corpus:
    alphabet = (
        Alphabet("chars", known.symbols) if isinstance(known, Vocabulary) else known
    )
    max_size = plan.max_symbols if alphabet is None else None
    if cache is None:
        text = open_once(
            path, unit, alphabet=alphabet, max_size=max_size, folder=scratch
        )
    else:
        text = open_text(path, unit, alphabet=alphabet, max_size=max_size, cache=cache)
    symbols = known or text.alphabet
    if symbols is text.alphabet and unit == "chars" and not text.alphabet.unknown:
        symbols = text.alphabet.vocabulary()
    size = f"{text.symbols + text.documents:,} {UNIT_NAMES[unit]}"
    name = _of_text(path, unit) if cache is None else text.sha256
    return _corpus(text, symbols, name, f"{path}: {size}")


def _of_text(path: str, unit: str) -> str:
    """What tells a model file's text apart: what is read, wherever it came from."""
    digest = hashlib.sha256()
    for file in files(path):
        for piece in pieces(file, UNITS[unit], None):
            raw = piece.text
            digest.update(raw if isinstance(raw, bytes) else raw.encode())
    return digest.hexdigest()


def _corpus(
    source: Lines | Streams, symbols: Symbols, name: str, description: str
) -> Corpus:
    mode = "lines" if isinstance(source, Lines) else "running text"
    description = f"{description}, {len(symbols)} symbols, {mode}"
    return Corpus(source, symbols, name, description)
