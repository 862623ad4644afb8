"""One call of `Trainer.fit`: update after update, and what is due after each."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from itertools import islice
from typing import TYPE_CHECKING

from recurrentnn._recurrentnn import Graph
from recurrentnn.errors import NonFiniteError
from recurrentnn.state import State
from recurrentnn.training.batches import Batches
from recurrentnn.training.evaluate import measure
from recurrentnn.training.history import table_row
from recurrentnn.training.limits import Limits, Used
from recurrentnn.training.nonfinite import bad_input, bad_weights, blame
from recurrentnn.training.records import Evaluation, Measured, Record, Totals, Update
from recurrentnn.training.run import Best, Place, Run
from recurrentnn.training.signals import Signals
from recurrentnn.training.snapshot import Snapshot, weights_of
from recurrentnn.training.tasks import AnyBatch

if TYPE_CHECKING:
    from recurrentnn.training.trainer import Trainer


class Loop:
    """One call of `fit`; it alone changes `trainer.run`."""

    def __init__(
        self,
        trainer: Trainer,
        train: Batches,
        validation: Batches | None,
        limits: Limits,
        target_loss: float | None,
    ) -> None:
        self._trainer = trainer
        self._model, self._task = trainer.model, trainer.task
        self._train, self._validation = train, validation
        self._limits, self._target_loss = limits, target_loss
        self._before = trainer.run.seconds
        self._start = time.perf_counter()
        self._good = self._snapshot()
        self._columns = trainer.run.history.metrics()
        self._ended = False

    def go(self, signals: Signals) -> None:
        """Learn until a limit is reached."""
        run = self._trainer.run
        self._model.zero_grad()  # an interrupted update may have left gradients behind
        if run.dropout_step is None:
            run.dropout_step = getattr(self._model, "dropout_step", None)
        self._report(signals)
        while not self._over():
            place = run.place
            if place.plan != self._train.plan or place.epoch != run.epochs:
                place = Place(self._train.plan, run.epochs)
            batches = self._train.epoch(place.epoch, place.batches)
            while group := tuple(islice(batches, self._trainer.accumulate)):
                place, update = self._update(group, place, signals)
                self._report(signals)
                self._tell(update)
                if self._over():
                    return

    def _update(
        self, group: Sequence[AnyBatch], place: Place, signals: Signals
    ) -> tuple[Place, Update]:
        """One update, all of it or nothing."""
        trainer, run = self._trainer, self._trainer.run
        began = time.perf_counter()
        state, measured = self._gradients(group, place.state)
        with signals.held():
            if trainer.schedule is not None:
                trainer.optimizer.rate_factor = trainer.schedule(run.step)
            try:
                stats = trainer.optimizer.step(self._model)
            except NonFiniteError as error:
                inputs = (bad_input(batch) for batch in group)
                cause = next((f" ({bad})" for bad in inputs if bad), "")
                raise self._diverged(f"{error}{cause}") from error
            now = time.perf_counter()
            place = place.after(group, state)
            run.place = place
            run.step += 1
            run.seconds = self._before + now - self._start
            run.dropout_step = getattr(self._model, "dropout_step", None)
            for batch, numbers in zip(group, measured, strict=True):
                run.totals.sums.add(batch.symbols, batch.chars, numbers)
            run.totals.add(stats, now - began)
            run.reported = False
            if place.symbols == self._train.symbols:
                run.epochs += 1
        weight = sum(numbers.weight for numbers in measured)
        return place, Update(
            loss=sum(numbers.loss * numbers.weight for numbers in measured) / weight,
            symbols=sum(batch.symbols for batch in group),
            grad_norm=stats.grad_norm,
            clipped_fraction=stats.clipped_fraction,
            seconds=now - began,
        )

    def _gradients(
        self, group: Sequence[AnyBatch], state: State | None
    ) -> tuple[State, list[Measured]]:
        """Add up the gradients of the mean over all targets of some batches."""
        measured = []
        carried = state
        for batch in group:
            with Graph() as graph:
                mean, outputs, after, numbers = measure(
                    graph, self._model, self._task, batch, carried
                )
                if len(group) > 1:
                    # A sum over its targets, until it is known how many there are.
                    mean = graph.scale(mean, numbers.weight)
            if not math.isfinite(numbers.loss):
                before = None if batch.first else carried
                raise self._diverged(
                    f"the loss is {numbers.loss}: "
                    + blame(self._model, batch, before, outputs.value)
                )
            graph.backward(mean)
            carried = after.detach()
            measured.append(numbers)
        if len(group) > 1:
            total = sum(numbers.weight for numbers in measured)
            for matrix in self._model.parameters().values():
                gradient = matrix.grad
                gradient /= gradient.dtype.type(total)
        assert carried is not None
        return carried, measured

    def _report(self, signals: Signals) -> None:
        """What is due after an update: validation, record, checkpoint."""
        trainer, run = self._trainer, self._trainer.run
        if run.reported:
            return
        whole = run.place.symbols == self._train.symbols
        done = self._done()
        every = trainer.validate_every
        validates = self._validation is not None and (
            whole or done == 1.0 or (every is not None and run.step % every == 0)
        )
        record: Record | None = None
        improved = False
        held_out = self._evaluate() if validates else None
        with signals.held():
            if held_out is not None:
                improved = self._judge(held_out.loss)
            if (
                validates
                or run.step == 1
                or run.step % trainer.report_every == 0
                or done == 1.0
            ):
                record = self._record(done, held_out)
                run.history.append(record)
                run.totals = Totals()
            run.reported = True
        if record is not None:
            self._good = self._snapshot()
            self._write(record)
            if self._reached(record) or trainer.tell(
                lambda call: call.on_record(trainer, record)
            ):
                self._ended = True
        if whole:
            trainer.tell(lambda call: call.on_epoch(trainer))
        trainer.save_if_due(improved=improved)

    def _tell(self, update: Update) -> None:
        trainer = self._trainer
        self._ended |= trainer.tell(lambda call: call.on_update(trainer, update))

    def _snapshot(self) -> tuple[Snapshot, Run, int]:
        run = self._trainer.run
        snapshot = Snapshot(self._model, self._trainer.optimizer)
        return snapshot, run.copy(), len(run.history)

    def _write(self, record: Record) -> None:
        """Add a record to the table, which begins anew with a metric it has not."""
        folder = self._trainer.folder
        if folder is None:
            return
        if set(record.metrics) <= set(self._columns):
            folder.append_metrics(table_row(record, self._columns))
        else:
            self._columns = self._trainer.run.history.metrics()
            folder.write_metrics(self._trainer.run.history.to_csv())

    def _evaluate(self) -> Evaluation:
        assert self._validation is not None
        return self._trainer.evaluate(self._validation)

    def _judge(self, loss: float) -> bool:
        """Whether a validation is the best; ends learning if patience is at its end."""
        trainer, best = self._trainer, self._trainer.run.best
        if trainer.schedule is not None:
            trainer.schedule.observe(loss)
        improved = loss < best.loss - trainer.min_delta
        if improved:
            weights = weights_of(self._model) if trainer.restore_best else {}
            trainer.run.best = Best(loss, trainer.run.step, 0, weights)
        else:
            best.waited += 1
            patience = trainer.patience
            self._ended |= patience is not None and best.waited >= patience
        return improved

    def _record(self, done: float, held_out: Evaluation | None) -> Record:
        run, totals = self._trainer.run, self._trainer.run.totals
        optimizer = self._trainer.optimizer
        means = totals.sums.evaluation(in_nats=self._task.in_nats)
        metrics = dict(means.metrics)
        if held_out is not None:
            metrics |= {f"validation_{n}": v for n, v in held_out.metrics.items()}
        return Record(
            step=run.step,
            epoch=run.place.epoch + run.place.symbols / self._train.symbols,
            seconds=run.seconds - self._limits.start.seconds,
            done=done,
            loss=means.loss,
            bits_per_char=means.bits_per_char,
            perplexity=means.perplexity,
            grad_norm=totals.grad_norm / totals.updates,
            clipped_fraction=totals.clipped_fraction / totals.updates,
            chars_per_second=means.chars / totals.seconds,
            validation_loss=None if held_out is None else held_out.loss,
            learning_rate=optimizer.learning_rate * optimizer.rate_factor,
            remaining=self._limits.remaining(self._used()),
            metrics=metrics,
        )

    def _reached(self, record: Record) -> bool:
        """Whether the target is."""
        loss = record.loss
        if self._validation is not None:
            if record.validation_loss is None:
                return False
            loss = record.validation_loss
        return self._target_loss is not None and loss <= self._target_loss

    def _over(self) -> bool:
        return self._ended or self._done() == 1.0

    def _done(self) -> float:
        return self._limits.done(self._used())

    def _used(self) -> Used:
        return self._trainer.used(self._train)

    def _diverged(self, why: str) -> NonFiniteError:
        """The exception, with the last good weights put back."""
        trainer = self._trainer
        step = trainer.run.step + 1
        if trainer.on_nonfinite == "rollback" or bad_weights(self._model):
            snapshot, trainer.run, records = self._good
            snapshot.restore()
            del trainer.run.history[records:]
            if trainer.on_nonfinite == "rollback" and trainer.folder is not None:
                # A callback may have changed the optimizer since.
                trainer.load_newest(trainer.folder, override=True)
        return NonFiniteError(f"update {step}: {why}")
