"""The one loop that every net learns in."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Literal

from recurrentnn._recurrentnn import Model
from recurrentnn.arguments import boolean, integer, real, wrong_type
from recurrentnn.errors import ArgumentError, FormatError
from recurrentnn.optimizers import RMSProp
from recurrentnn.training import checkpoint, optimizers
from recurrentnn.training.batches import Batches
from recurrentnn.training.callbacks import Bar, Callback, OnRecord, callbacks
from recurrentnn.training.evaluate import evaluate
from recurrentnn.training.files import load_checkpoint
from recurrentnn.training.finder import RateSweep, sweep
from recurrentnn.training.folder import Folder
from recurrentnn.training.history import History
from recurrentnn.training.limits import Limits, Used
from recurrentnn.training.loop import Loop
from recurrentnn.training.optimizers import GivenSchedule, Optimizer
from recurrentnn.training.records import Evaluation
from recurrentnn.training.run import Run
from recurrentnn.training.signals import Signals
from recurrentnn.training.snapshot import (
    Ended,
    set_dropout_step,
    set_weights,
    weights_of,
)
from recurrentnn.training.tasks import LanguageModel, Task
from recurrentnn.training.tensorboard import TensorBoard


class Trainer:
    """Teaches a model a task: updates, validations, records, checkpoints.

    Parameters
    ----------
    model
        Learns, in place.
    task
        What its loss is; None: a `LanguageModel`.
    optimizer
        Makes the updates; None: `RMSProp(5e-3, clip_norm=1.0)`.
    schedule
        Gives the factor of the learning rate at each update: what
        `recurrentnn.schedules` has, or a function of the number of updates made.
    accumulate
        Batches in an update: their gradient is that of one batch of all of them.
    validate_every
        Updates between validations, beside the one after each epoch; None: no more.
    patience
        Ends after so many validations in a row without improvement; None: never.
    min_delta
        By how much a loss must fall to be an improvement.
    restore_best
        At the end, give the model the weights of the best validation, bit for bit. The
        last checkpoint has those of the last update.
    report_every
        Updates in a record; the first is of the first update alone.
    folder
        Where checkpoints and `metrics.csv` go (see `Folder`); None: nowhere.
    save_every, save_minutes
        Updates, and minutes, between checkpoints; None: no such rule. There is one
        with each improvement and one at the end, whatever ends it, too.
    keep
        How many of the newest checkpoints stay, beside the best.
    notes
        Gives text entries to be kept in checkpoints.
    callbacks
        `Callback`s, or functions of trainer and record; a true result ends learning.
    progress
        Whether to show a bar on stderr; a line for each record if it is no terminal.
    tensorboard
        Whether to write events for TensorBoard into the folder, too (the extra
        ``recurrentnn[tensorboard]``).
    on_nonfinite
        After a loss or gradient that is infinite or NaN, "raise" with the last good
        weights, or "rollback" to the last checkpoint (without a folder, the last
        record) and raise.

    Attributes
    ----------
    run : Run
        What it has come to: step, epochs, place in the data, history, best validation.

    Every option but `folder` is an attribute, too.

    Examples
    --------
    >>> import numpy as np
    >>> import recurrentnn as rnn
    >>> from recurrentnn.training import Sequences, Classification
    >>> x = np.random.default_rng(0).normal(size=(64, 9, 1))
    >>> y = (x.sum(axis=(1, 2)) > 0).astype(int)
    >>> trainer = Trainer(rnn.GRU(1, 8, 2), Classification())
    >>> train, held_out = Sequences(x, y, batch_size=16).split(0.25)
    >>> history = trainer.fit(train, held_out, epochs=20)
    >>> history[-1].metrics["accuracy"] > 0.8
    True
    """

    def __init__(
        self,
        model: Model,
        task: Task | None = None,
        optimizer: Optimizer | None = None,
        *,
        schedule: GivenSchedule | None = None,
        accumulate: int = 1,
        validate_every: int | None = None,
        patience: int | None = None,
        min_delta: float = 0.0,
        restore_best: bool = True,
        report_every: int = 50,
        folder: str | os.PathLike[str] | None = None,
        save_every: int | None = None,
        save_minutes: float | None = 5.0,
        keep: int = 3,
        notes: Callable[[], Mapping[str, str]] = dict,
        callbacks: Iterable[Callback | OnRecord] = (),
        progress: bool = False,
        tensorboard: bool = False,
        on_nonfinite: Literal["raise", "rollback"] = "raise",
    ) -> None:
        call = "Trainer"
        if not isinstance(model, Model):
            raise wrong_type(call, "model", "a Model", model)
        if not (task is None or isinstance(task, Task)):
            raise wrong_type(call, "task", "a Task", task)
        if on_nonfinite not in ("raise", "rollback"):
            raise ArgumentError(
                f"{call}: on_nonfinite must be raise or rollback, got {on_nonfinite!r}"
            )
        self.model = model
        self.task = LanguageModel() if task is None else task
        self.optimizer: Optimizer = optimizer or RMSProp(5e-3, clip_norm=1.0)
        self.run = Run()
        self.schedule = optimizers.schedule_of(schedule)
        self.accumulate = integer(call, "accumulate", accumulate)
        self.validate_every = _count(call, "validate_every", validate_every)
        self.patience = _count(call, "patience", patience)
        self.min_delta = real(call, "min_delta", min_delta, zero=True)
        self.restore_best = boolean(call, "restore_best", restore_best)
        self.report_every = integer(call, "report_every", report_every)
        self._save_every = _count(call, "save_every", save_every)
        self._save_seconds = (
            None
            if save_minutes is None
            else 60 * real(call, "save_minutes", save_minutes, zero=True)
        )
        self._notes = notes
        self._callbacks = _callbacks(callbacks, progress=progress)
        self.on_nonfinite = on_nonfinite
        keep = integer(call, "keep", keep)
        if tensorboard:
            if folder is None:
                raise ArgumentError(f"{call}: tensorboard needs a folder")
            self._callbacks.append(TensorBoard(folder))
        self.folder = None if folder is None else Folder(folder, keep)
        self._saved = 0.0, -1  # seconds and step of the last checkpoint
        self._ended = Ended()

    def fit(
        self,
        train: Batches,
        validation: Batches | None = None,
        *,
        steps: int | None = None,
        epochs: int | None = None,
        minutes: float | None = None,
        target_loss: float | None = None,
    ) -> History:
        """Learn, from where the run is, until a limit is reached.

        A run that has ended goes on under higher limits as if they had been these at
        once, with the weights of its last update, unless others were assigned since.

        Parameters
        ----------
        train
            To learn from. In mid-epoch it goes on if the plan is the one before, else
            the epoch begins anew.
        validation
            Measured after each epoch and at the end; None: nothing is.
        steps, epochs, minutes
            Limits of the whole run, what came before `fit` included; the first one
            reached ends it. None at all: 10 epochs.
        target_loss
            Ends when the validation loss, or without validation that of a record, is
            not above it.

        Returns
        -------
        History
            Of the whole run, that is `trainer.run.history`.

        Raises
        ------
        NonFiniteError
            A loss or a gradient is infinite or NaN; the message names the first tensor
            that is, and the weights are those before that update.
        ArgumentError, ArgumentTypeError
            A limit that makes no sense; another process trains in the folder.
        """
        limits = Limits.of("fit", train.symbols, steps, epochs, minutes)
        if target_loss is not None:
            target_loss = real("fit", "target_loss", target_loss, zero=True)
        return self._learn(train, validation, limits, target_loss)

    def learn_more(
        self,
        train: Batches,
        validation: Batches | None = None,
        *,
        steps: int | None = None,
        epochs: int | None = None,
        minutes: float | None = None,
    ) -> History:
        """As `fit`, but the limits are of this call, and so is `record.seconds`.

        An epoch's worth may begin and end within epochs.
        """
        used = self.used(train)
        limits = Limits.of("learn_more", train.symbols, steps, epochs, minutes, used)
        return self._learn(train, validation, limits, None)

    def used(self, train: Batches) -> Used:
        """How much the run has used up, in what `train` counts."""
        run, place = self.run, self.run.place
        begun = place.plan == train.plan and place.epoch == run.epochs
        symbols = run.epochs * train.symbols + (place.symbols if begun else 0)
        return Used(run.step, symbols, run.seconds)

    def _learn(
        self,
        train: Batches,
        validation: Batches | None,
        limits: Limits,
        target_loss: float | None,
    ) -> History:
        self._ended.undo(self.model)
        loop = Loop(self, train, validation, limits, target_loss)
        if self.folder is not None:
            self.folder.open()
            self.folder.write_metrics(self.run.history.to_csv())
        try:
            with Signals() as signals:
                self.tell(lambda call: call.on_start(self))
                try:
                    loop.go(signals)
                except BaseException as error:
                    self._stopped(error)
                    raise
                self._finish()
        finally:
            if self.folder is not None:
                self.folder.close()
            self.tell(lambda call: call.on_end(self))
        return self.run.history

    def evaluate(self, batches: Batches) -> Evaluation:
        """Loss and metrics, without learning."""
        return evaluate(self.model, self.task, batches.in_order())

    def to_bytes(self) -> bytes:
        """The checkpoint of now: `load`, `resume` and `recurrentnn.load` read it."""
        metadata, tensors = checkpoint.describe(
            self.run,
            optimizers.saved(self.optimizer, self.model),
            {} if self.schedule is None else self.schedule.state(),
        )
        return self.model.to_bytes({**self._notes(), **metadata}, tensors)

    def load(self, path: str | os.PathLike[str], *, override: bool = False) -> None:
        """Go on from a checkpoint: weights, optimizer, schedule and run.

        Parameters
        ----------
        path
            Its file.
        override
            Whether the trainer's optimizer and schedule may be others. Where what the
            file remembers does not fit them, they begin anew.

        Raises
        ------
        ArgumentError
            The optimizer's rule or options are not those of the checkpoint: names them.
            Nothing is changed then.
        FormatError
            It is damaged, or of another model or schedule. Nothing is changed then.
        OSError
            The file cannot be read.
        """
        weights, run, optimizer, schedule = load_checkpoint(path, self.model)
        before = optimizers.saved(self.optimizer, self.model)
        fit = contextlib.suppress(FormatError) if override else contextlib.nullcontext()
        try:
            if not override:
                optimizers.expect_same(self.optimizer, optimizer)
            with fit:
                optimizers.restore(self.optimizer, optimizer, self.model)
            with fit:
                optimizers.restore_schedule(self.schedule, schedule)
        except (ArgumentError, FormatError) as error:
            optimizers.restore(self.optimizer, before, self.model)
            raise type(error)(f"{os.fspath(path)}: {error}") from None
        self._ended = Ended()
        set_weights(self.model, weights)
        set_dropout_step(self.model, run.dropout_step)
        self.run = run
        self._saved = run.seconds, run.step

    def resume(self, *, override: bool = False) -> bool:
        """Go on from the newest checkpoint in the folder; False: there is none.

        Optimizer and schedule must be those of before unless `override` says otherwise,
        as in `load`; limits are those of `fit`, so that a run may be made longer.

        One that is damaged is skipped with a `RuntimeWarning`, and the one before is
        taken. What a killed run has left half written is removed.
        """
        if self.folder is None:
            raise ArgumentError("resume: the trainer has no folder")
        self.folder.open()
        try:
            return self.load_newest(self.folder, override=override)
        finally:
            self.folder.close()

    def find_learning_rate(
        self,
        train: Batches,
        *,
        low: float = 1e-6,
        high: float = 1.0,
        steps: int = 100,
    ) -> RateSweep:
        """Losses at rates from low to high, each one update; nothing is changed.

        Model, optimizer and random state are bit for bit those before.
        """
        return sweep(
            self.model,
            self.task,
            self.optimizer,
            train,
            low=low,
            high=high,
            steps=steps,
        )

    def save(self) -> Path:
        """Write a checkpoint into the folder; when this returns, it is on the disk."""
        if self.folder is None:
            raise ArgumentError("save: the trainer has no folder")
        best = self.run.best.step or None
        path = self.folder.save(self.run.step, self.to_bytes(), best=best)
        if best == self.run.step:
            self.folder.mark_best(best)
        self._saved = self.run.seconds, self.run.step
        self.tell(lambda call: call.on_checkpoint(self, path))
        return path

    def load_newest(self, folder: Folder, *, override: bool) -> bool:
        """Go on from the newest checkpoint that is whole, if there is one."""
        for path in folder.newest_first():
            try:
                self.load(path, override=override)
            except FormatError as error:
                folder.skip(path, error)
                continue
            if self.run.best.step:
                folder.mark_best(self.run.best.step)
            return True
        return False

    def save_if_due(self, *, improved: bool) -> None:
        """Write a checkpoint if a rule says so."""
        if self.folder is None:
            return
        seconds, step = self._saved
        every, most = self._save_every, self._save_seconds
        if (
            improved
            or (every is not None and self.run.step % every == 0)
            or (most is not None and self.run.seconds - seconds >= most)
        ) and step != self.run.step:
            self.save()

    def _finish(self) -> None:
        if self.folder is not None:
            self.save()
        if self.restore_best and self.run.best.weights:
            self._ended = Ended(weights_of(self.model), self.run.best.weights)
            set_weights(self.model, self.run.best.weights)

    def _stopped(self, error: BaseException) -> None:
        """After an exception all is as after the last update, and on the disk."""
        self.model.zero_grad()
        set_dropout_step(self.model, self.run.dropout_step)
        if self.folder is not None:
            if self._saved[1] != self.run.step:
                self.save()
            self.folder.write_metrics(self.run.history.to_csv())
        self.tell(lambda call: call.on_exception(self, error))

    def tell(self, tell: Callable[[Callback], object]) -> bool:
        """Call all callbacks; whether one of them gave a true result."""
        answers = [tell(call) for call in self._callbacks]
        return any(answers)


def _count(call: str, name: str, value: int | None) -> int | None:
    return None if value is None else integer(call, name, value)


def _callbacks(
    given: Iterable[Callback | OnRecord], *, progress: bool
) -> list[Callback]:
    found = callbacks(given)
    if boolean("Trainer", "progress", progress):
        found.append(Bar())
    return found
