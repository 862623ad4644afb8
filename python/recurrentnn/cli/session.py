"""One call of `recurrentnn train`, from its plan to the files that it leaves."""

from __future__ import annotations

import contextlib
import json
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TypeAlias, TypedDict

import click

from recurrentnn._recurrentnn import write_file
from recurrentnn.char_model import SETTINGS_KEY
from recurrentnn.cli.classes import cell_options, optimizer_of, schedule_of
from recurrentnn.cli.corpus import Corpus, batches, language_of, open_corpus
from recurrentnn.cli.files import check_output, model_file
from recurrentnn.cli.plan import MODEL_SETTINGS, Training
from recurrentnn.cli.report import Report, say
from recurrentnn.cli.run_folder import text_changed, write_run
from recurrentnn.cli.settings import GIVEN, settings_values, tables_of
from recurrentnn.errors import FormatError, NonFiniteError
from recurrentnn.text_model import TextLanguage, load_language
from recurrentnn.training import Best, Folder, Trainer, checkpoint, optimizers
from recurrentnn.training.snapshot import set_dropout_step
from recurrentnn.training.tensors import Parts

_Past: TypeAlias = tuple[TextLanguage, dict[str, str], dict[str, Parts]]


class Limits(TypedDict):
    """When to stop, as a trainer takes it."""

    steps: int | None
    epochs: int | None
    minutes: float | None


class Session:
    """A trainer with its language and text.

    Parameters
    ----------
    ctx
        The command, whose options are in force.
    plan
        What they say.
    folder
        Of the run; None: there will be a model file alone.
    """

    def __init__(self, ctx: click.Context, plan: Training, folder: Path | None) -> None:
        self._ctx, self._plan, self._folder = ctx, plan, folder
        self._refuse(plan)
        past = self._past()
        options = {} if past else cell_options(plan)
        schedule = schedule_of(plan)
        known = past[0].vocabulary if past else None
        scratch = Path(plan.output).absolute().parent
        corpus = open_corpus(plan, known, folder, scratch)
        self._language = past[0] if past else language_of(corpus.symbols, plan, options)
        self._optimizer = optimizer_of(plan, plan.seq_length or corpus.seq_length)
        self._train, self._held_out = batches(ctx, corpus, plan)
        if plan.patience is not None and self._held_out is None:
            raise click.UsageError("--patience needs a text held out, see --val-frac")
        self._report = Report(
            self._language, plan.sample_every, quiet=plan.quiet, as_json=plan.as_json
        )
        self._trainer = Trainer(
            self._language.net,
            optimizer=self._optimizer,
            schedule=schedule,
            validate_every=plan.validate_every,
            patience=plan.patience,
            restore_best=plan.patience is not None,
            report_every=plan.report_every,
            folder=folder,
            save_every=plan.save_every,
            keep=plan.keep,
            notes=self._notes,
            callbacks=[self._report],
            tensorboard="tensorboard" in plan.log,
        )
        if past and not plan.resume:
            self._take(*past)
        self._introduce(corpus)

    def learn(self) -> None:
        """Learn until a limit; whatever ends it, what is learnt is kept."""
        plan = self._plan
        limits: Limits = {
            "steps": plan.steps,
            "epochs": plan.epochs,
            "minutes": plan.minutes or (None if plan.steps or plan.epochs else 1.0),
        }
        overflowed = False
        try:
            if self._folder is None:
                self._trainer.learn_more(self._train, self._held_out, **limits)
            else:
                self._begin(self._folder)
                self._trainer.fit(self._train, self._held_out, **limits)
        except NonFiniteError:
            overflowed = True
            raise
        finally:
            self._report.end(self._optimizer.learning_rate, overflowed=overflowed)
            if self._report.last is not None:
                self._keep()
        if self._report.last is None:
            self._report.note(
                f"step {self._trainer.run.step}: nothing left to learn; a higher limit "
                "goes on, such as --steps N"
            )
            if plan.as_json:
                self._keep()

    def _refuse(self, plan: Training) -> None:
        """What this output or net cannot have."""
        if self._folder is None:
            check_output(plan.output)
            if "tensorboard" in plan.log:
                raise click.UsageError("--log tensorboard needs a run: -o runs/NAME")
        elif plan.text not in (None, "-"):
            Path(str(plan.text)).stat()
        if plan.init_from is None or plan.resume:
            return
        for name in MODEL_SETTINGS:
            if self._ctx.get_parameter_source(name) in GIVEN:
                option = f"--{name.replace('_', '-')}"
                raise click.UsageError(
                    f"{option} belongs to a new model, not --init-from"
                )
        if self._folder is None and (plan.schedule or plan.warm_up):
            # The file goes on counting updates, which a schedule begins with 0.
            raise click.UsageError(
                "--schedule with --init-from needs a new run: -o runs/NAME"
            )

    def _past(self) -> _Past | None:
        """The model that there is already."""
        if self._folder is not None:
            self._folder.mkdir(parents=True, exist_ok=True)
        if self._plan.resume:
            assert self._folder is not None
            for path in Folder(self._folder).newest_first():
                # The trainer tells of those that are damaged.
                with contextlib.suppress(FormatError):
                    return load_language(path)
        elif self._plan.init_from is not None:
            return load_language(model_file(self._plan.init_from))
        return None

    def _take(
        self,
        language: TextLanguage,
        metadata: Mapping[str, str],
        tensors: Mapping[str, Parts],
    ) -> None:
        """Go on with the optimizer's memory; in a model file, with the counts, too."""
        if checkpoint.KEY not in metadata:
            return
        net = language.net
        run, optimizer, _ = checkpoint.understand(metadata, tensors, net)
        # That of another rule, or of other options of it, begins anew.
        with contextlib.suppress(FormatError):
            optimizers.restore(self._optimizer, optimizer, net)
        set_dropout_step(net, run.dropout_step)
        if self._folder is None:
            run.best = Best()
            self._trainer.run = run

    def _begin(self, folder: Path) -> None:
        """Write the settings, or take up the run."""
        if self._plan.resume:
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always", RuntimeWarning)
                self._trainer.resume(override=self._plan.override)
            for warning in caught:
                click.echo(f"recurrentnn: {warning.message}", err=True)
            before = self._trainer.run.place.plan
            if before not in (None, self._train.plan) and not self._plan.override:
                raise text_changed(folder)
        write_run(self._ctx, folder)

    def _notes(self) -> dict[str, str]:
        """What files have beside net and run."""
        tables = tables_of(self._ctx, self._ctx.params["overrides"])
        settings = settings_values(self._ctx, tables)
        notes = self._language.notes(self._trainer.run)
        return {**notes, SETTINGS_KEY: json.dumps(settings)}

    def _keep(self) -> None:
        plan, step = self._plan, self._trainer.run.step
        if self._folder is None:
            write_file(plan.output, self._trainer.to_bytes())
        last = model_file(
            plan.output if self._folder is None else f"{plan.output}/last"
        )
        best = model_file(plan.output)
        if plan.as_json:
            say({"model": str(best), "last": str(last), "step": step})
            return
        better = "" if best == last else f"; the best is {best.name}"
        click.echo(
            f"wrote {last} ({last.stat().st_size:,} bytes){better}; "
            f"try: recurrentnn sample {plan.output}"
        )
        unfinished = self._report.last is not None and self._report.last.done < 1
        if self._folder is not None and unfinished:
            self._report.note(f"go on: recurrentnn train -o {plan.output} --resume")

    def _introduce(self, corpus: Corpus) -> None:
        net = self._language.net
        parameters = sum(matrix.value.size for matrix in net.parameters().values())
        sizes = ",".join(map(str, net.hidden_sizes))
        self._report.note(
            f"{corpus.description}\n{net.cell} {sizes}: {parameters:,} parameters"
        )
