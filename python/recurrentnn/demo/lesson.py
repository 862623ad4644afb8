"""A net, what it learns and how: all that is begun anew by "learn" or by a file."""

from __future__ import annotations

import contextlib
import copy
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import click

from recurrentnn._recurrentnn import Model, Optimizer
from recurrentnn.builtin_text import Text
from recurrentnn.char_model import SETTINGS_KEY
from recurrentnn.cli.classes import cell_options, optimizer_of
from recurrentnn.cli.corpus import batches, language_of, open_corpus
from recurrentnn.data import Alphabet
from recurrentnn.demo.form import form
from recurrentnn.demo.look import described
from recurrentnn.demo.settings import Chosen, check_size, choose
from recurrentnn.errors import ArgumentError, FormatError, RecurrentNNError
from recurrentnn.sampling import Filters
from recurrentnn.text_model import TextLanguage
from recurrentnn.training import Callback, TextBatches, Trainer, checkpoint, optimizers
from recurrentnn.training.snapshot import set_dropout_step
from recurrentnn.training.tensors import Parts


@dataclass
class Lesson:
    """What one learns from and with.

    Attributes
    ----------
    language
        Net and symbols.
    chosen
        The settings.
    optimizer
        Makes the updates.
    train, held_out
        The text; without `train` there is nothing to learn here, for the reason in
        `why_not`.
    """

    language: TextLanguage
    chosen: Chosen
    optimizer: Optimizer
    train: TextBatches | None
    held_out: TextBatches | None
    why_not: str = ""

    @classmethod
    def begin(cls, settings: Mapping[str, Any], text: Text) -> Lesson:
        """A net that has learnt nothing yet, of the symbols of a text.

        Raises
        ------
        ArgumentError
            What `recurrentnn train` refuses, or what is too large for a page.
        """
        chosen = choose(settings)
        ctx, plan, _ = chosen
        corpus = open_corpus(plan, given=text)
        seq_length = plan.seq_length or corpus.seq_length
        check_size(plan, len(corpus.symbols), seq_length)
        try:
            language = language_of(corpus.symbols, plan, cell_options(plan))
        except click.UsageError as error:
            raise ArgumentError(error.format_message()) from None
        optimizer = optimizer_of(plan, seq_length)
        return cls(language, chosen, optimizer, *batches(ctx, corpus, plan))

    @classmethod
    def of(
        cls, language: TextLanguage, settings: Mapping[str, Any], text: Text
    ) -> Lesson:
        """A net that is there already; a text that it cannot read is not learnt."""
        known = {"lines": language.lines, **settings_of_net(language.net)}
        chosen = choose({**settings, **known})
        ctx, plan, _ = chosen
        optimizer = optimizer_of(plan, plan.seq_length or 1)
        try:
            corpus = open_corpus(plan, language.vocabulary, given=text)
            check_size(plan, 2, plan.seq_length or corpus.seq_length)
            optimizer = optimizer_of(plan, plan.seq_length or corpus.seq_length)
            train, held_out = batches(ctx, corpus, plan)
        except RecurrentNNError as error:
            why = f"this net cannot learn the text: {error}"
            return cls(language, chosen, optimizer, None, None, why)
        return cls(language, chosen, optimizer, train, held_out)

    def trainer(self, callback: Callback) -> Trainer:
        """What learns it."""
        trainer = Trainer(
            self.language.net,
            optimizer=self.optimizer,
            restore_best=False,
            report_every=self.chosen.plan.report_every,
            notes=lambda: self._notes(trainer),
            callbacks=[callback],
        )
        return trainer

    def take(
        self,
        trainer: Trainer,
        metadata: Mapping[str, str],
        tensors: Mapping[str, Parts],
    ) -> None:
        """Go on with the counts of a file, and with its optimizer's memory if it fits.

        Raises
        ------
        FormatError
            They are damaged.
        """
        if checkpoint.KEY not in metadata:
            return
        net = self.language.net
        run, optimizer, _ = checkpoint.understand(metadata, tensors, net)
        with contextlib.suppress(FormatError):
            optimizers.restore(self.optimizer, optimizer, net)
        set_dropout_step(net, run.dropout_step)
        trainer.run = run

    def _notes(self, trainer: Trainer) -> dict[str, str]:
        """What a file has beside net and run."""
        settings = json.dumps(self.chosen.settings)
        return {**self.language.notes(trainer.run), SETTINGS_KEY: settings}

    def copied(self) -> TextLanguage:
        """The language with a net of its own, for another thread."""
        same = copy.copy(self.language)
        same.net = copy.copy(self.language.net)
        return same


def drawing(language: TextLanguage) -> Filters:
    """The symbol for unknown ones is not written."""
    code = language.vocabulary
    unknown = isinstance(code, Alphabet) and code.unknown
    return {"banned": [Alphabet.UNKNOWN]} if unknown else {}


def settings_of_net(net: Model) -> dict[str, Any]:
    """What a net is, as settings of the form."""
    config = net.config()
    found = described(net)
    for field in form():
        table, _, name = field.name.partition(".")
        if table == "model" and name in config:
            found[field.name] = config[name]
    for gate, kind in (config.get("activations") or {}).items():
        found[f"model.activations.{gate}"] = kind
    cell = net.cell
    mine = {f.name for f in form() if f.cells is None or cell in f.cells}
    return {name: value for name, value in found.items() if name in mine}


def settings_of(metadata: Mapping[str, str]) -> dict[str, Any]:
    """The settings in a file of a page, of the command or of neither; all are checked.

    What a page does not know, or what does not go with the rest, is left out.
    """
    try:
        found = json.loads(metadata.get(SETTINGS_KEY, "{}"))
        if not isinstance(found, dict):
            return {}
        tables = found.pop("set", {})
        for table in ("model", "optimizer"):
            for key, value in tables.get(table, {}).items():
                found[f"{table}.{key}"] = value
        settings = {name: _plain(value) for name, value in found.items()}
    except (ValueError, RecursionError, AttributeError):
        return {}
    known: dict[str, Any] = {}
    # Options of classes come last: which there are follows from cell and optimizer.
    for name in sorted(settings, key=lambda name: "." in name):
        value = settings[name]
        if value in (None, ""):
            continue
        with contextlib.suppress(ArgumentError):
            choose({**known, name: value})
            known[name] = value
    return known


def _plain(value: object) -> object:
    return ",".join(map(str, value)) if isinstance(value, list) else value
