"""The thread that learns: it alone touches the net, between two updates."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import Any, TypeVar

from recurrentnn.builtin_text import Text
from recurrentnn.demo import first, look
from recurrentnn.demo.lesson import Lesson, drawing, settings_of
from recurrentnn.demo.race import Race, is_set_up
from recurrentnn.demo.settings import message_of
from recurrentnn.demo.snapshot import Board
from recurrentnn.errors import ArgumentError, NonFiniteError
from recurrentnn.text_model import TextLanguage
from recurrentnn.training import Callback, Record, Trainer, Update
from recurrentnn.training.tensors import Parts

T = TypeVar("T")

MOST_WAITING = 64
"""Requests that may wait for an update to end."""

MOST_RECORDS = 2000
"""In the history that a file keeps."""

# An hour's updates and more: nothing but a page ends learning.
_FOREVER = 2**62

_SAMPLE_LENGTH = 140
# Seconds between samples, and how many times longer than a sample that is at least.
_SAMPLE_EVERY, _SAMPLE_SHARE = 1.0, 50


class Session:
    """One net that learns one text, with whoever looks on.

    Its phase is "idle" (no net yet), "learning", "paused" or "ended".

    Parameters
    ----------
    text
        What there is to learn.
    """

    def __init__(self, text: Text) -> None:
        self.board = Board()
        self.set_text(text)
        self._asked: deque[Callable[[], None]] = deque()
        self._signal = threading.Condition()
        self._phase = "idle"
        self._lesson: Lesson | None = None
        self._trainer: Trainer | None = None
        self._single = self._keep = False
        self._race: Race | None = None
        # The learning rate that waits for the update to end, and when it is set.
        self._rate: tuple[float, Future[None]] | None = None
        self._rating = threading.Lock()
        # One net at a time is made for whoever asks.
        self._making = threading.Lock()
        self._next_sample = 0.0
        self._thread = threading.Thread(target=self._run, name="learning")

    def start(self) -> None:
        """Begin to serve what is asked."""
        self._thread.start()

    def close(self) -> None:
        """End after the update that is under way."""
        with self._signal:
            self._phase = "ended"
            self._signal.notify()
        self._thread.join()

    def ask(self, work: Callable[[], T]) -> Future[T]:
        """Have something done between two updates, in the thread that learns.

        Raises
        ------
        ArgumentError
            Too much is waiting, or the session has ended.
        """
        future: Future[T] = Future()

        def do() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                future.set_result(work())
            except Exception as error:
                future.set_exception(error)

        with self._signal:
            if self._phase == "ended":
                raise ArgumentError("the session has ended")
            if len(self._asked) >= MOST_WAITING:
                raise ArgumentError("too much is waiting, try again")
            self._asked.append(do)
            self._signal.notify()
        return future

    # What may be asked for; each returns at once, and the future tells when it is done.

    def learn(self, settings: Mapping[str, Any]) -> Future[None]:
        """Learn anew with these settings; whatever goes before stays if they are bad.

        The net is made in the thread that calls.
        """
        with self._making:
            lesson = Lesson.begin(settings, self.text)
        return self.ask(lambda: self._take(lesson, "learning"))

    def begin(self) -> Future[None]:
        """The model that comes with the demo; made here if it is not there yet."""
        with self._making:
            self.set_text(first.text())
            found = first.find()
            if found is not None:
                return self._loaded(*found)
            lesson = Lesson.begin(first.SETTINGS, self.text)
        return self.ask(lambda: self._take(lesson, "learning", keep=True))

    def load(
        self,
        language: TextLanguage,
        metadata: Mapping[str, str],
        tensors: Mapping[str, Parts],
    ) -> Future[None]:
        """Take up a model; it learns when it is told to."""
        with self._making:
            return self._loaded(language, metadata, tensors)

    def _loaded(
        self,
        language: TextLanguage,
        metadata: Mapping[str, str],
        tensors: Mapping[str, Parts],
    ) -> Future[None]:
        lesson = Lesson.of(language, settings_of(metadata), self.text)
        return self.ask(lambda: self._take(lesson, "paused", metadata, tensors))

    def set_text(self, text: Text) -> None:
        """The text that the next lesson is about."""
        self.text = text
        symbols = len(set(text.text))
        size = {"characters": len(text.text), "symbols": symbols}
        edition = self.board.text.get("edition", 0) + 1
        self.board.set(text={"name": text.source, "edition": edition, **size})

    def pause(self) -> Future[None]:
        """Stop learning after the update that is under way."""

        def pause() -> None:
            if self._phase == "learning":
                self._be("paused")

        return self.ask(pause)

    def resume(self, *, single: bool = False) -> Future[None]:
        """Go on learning; for one update only, or until told otherwise."""

        def resume() -> None:
            if self._lesson is None:
                raise ArgumentError("there is no net yet, learn first")
            if self._lesson.train is None:
                raise ArgumentError(self._lesson.why_not)
            self._single = single
            self.board.set(error=None)
            self._be("learning")

        return self.ask(resume)

    def set_rate(self, rate: float) -> Future[None]:
        """The learning rate of the next update; of several that wait, the last."""
        self._present()
        with self._rating:
            done = self._rate[1] if self._rate else self.ask(self._take_rate)
            self._rate = rate, done
            return done

    def _take_rate(self) -> None:
        with self._rating:
            assert self._rate is not None
            (rate, _), self._rate = self._rate, None
        self._present().optimizer.learning_rate = rate
        # The model that comes with the demo has its own.
        self._keep = False
        self.board.set(rate=rate)

    def set_temperature(self, temperature: float) -> None:
        """That of the next sample, and of the next letter of a continuation."""
        self.board.set(temperature=temperature)

    def copied(self) -> Future[TextLanguage]:
        """The language as it is now, for another thread to use."""

        def copied() -> TextLanguage:
            return self._present().copied()

        return self.ask(copied)

    def saved(self) -> Future[bytes]:
        """The model file of now."""

        def saved() -> bytes:
            self._present()
            assert self._trainer is not None
            return self._trainer.to_bytes()

        return self.ask(saved)

    # The thread that learns.

    def _run(self) -> None:
        while self._phase != "ended":
            try:
                self._serve(wait=self._phase != "learning")
                if self._phase == "learning":
                    self._fit()
            except NonFiniteError as error:
                self._stop(f"{error}. Lower the learning rate, then resume")
            except Exception as error:
                self._stop(message_of(error))
        self.board.set(phase="ended")
        self._serve(wait=False)

    def _serve(self, *, wait: bool) -> None:
        """Do what was asked; wait for something if nothing was."""
        with self._signal:
            while wait and not self._asked and self._phase != "ended":
                self._signal.wait()
        while self._asked:
            self._asked.popleft()()

    def _fit(self) -> None:
        """Learn until told otherwise."""
        lesson, trainer = self._lesson, self._trainer
        assert lesson is not None
        assert trainer is not None
        assert lesson.train is not None
        self.board.go_on()
        trainer.fit(lesson.train, lesson.held_out, steps=_FOREVER)

    def _after(self, trainer: Trainer, update: Update) -> bool:
        """After an update: show it, do what was asked; whether learning pauses."""
        run, lesson = trainer.run, self._present()
        assert lesson.train is not None
        epoch = run.place.epoch + run.place.symbols / lesson.train.symbols
        self.board.update(run.step, epoch, update)
        if self._race is not None:
            self._race.update(self.board, update)
        if self._keep and run.step == first.STEPS:
            first.keep(trainer.to_bytes())
        if self._single:
            self._single = False
            self._be("paused")
        if self._asked:
            self._serve(wait=False)
        due = time.perf_counter() >= self._next_sample or self._phase == "paused"
        if self._trainer is trainer and due:
            self._write()
        return self._phase != "learning" or self._trainer is not trainer

    def _take(
        self,
        lesson: Lesson,
        phase: str,
        metadata: Mapping[str, str] | None = None,
        tensors: Mapping[str, Parts] | None = None,
        *,
        keep: bool = False,
    ) -> None:
        """Another lesson in the place of this one."""
        trainer = lesson.trainer(_Watch(self))
        lesson.take(trainer, metadata or {}, tensors or {})
        run, net = trainer.run, lesson.language.net
        texts = self._written(lesson, run.step)  # what cannot write is not taken
        self._lesson, self._trainer = lesson, trainer
        self._single, self._keep = False, keep
        # A net that has learnt before has no start that times could count from.
        fresh = run.step == 0 and is_set_up(lesson.chosen.settings)
        self._race = Race() if fresh else None
        self.board.begin(
            {
                "settings": lesson.chosen.settings,
                "net": look.described(net),
                "parameters": look.parameters(net),
                "signals": look.signals(net),
            },
            step=run.step,
            epoch=float(run.epochs),
            seconds=run.seconds,
            rate=lesson.optimizer.learning_rate,
            phase=phase,
        )
        for record in run.history:
            self.board.remember(record)
        self.board.sample(run.step, *texts)
        self._be(phase)

    def _write(self) -> None:
        """Show what the net writes now."""
        step = self.board.step
        self.board.sample(step, *self._written(self._present(), step))

    def _written(self, lesson: Lesson, step: int) -> tuple[str, str]:
        """A sample and the greedy line; the slower the net, the fewer."""
        began = time.perf_counter()
        language, options = lesson.language, drawing(lesson.language)
        text = language.sample(
            length=_SAMPLE_LENGTH,
            temperature=self.board.temperature,
            seed=step,
            **options,
        )
        greedy = language.greedy(length=_SAMPLE_LENGTH, **options)
        now = time.perf_counter()
        pause = max(_SAMPLE_EVERY, _SAMPLE_SHARE * (now - began))
        self._next_sample = now + pause
        return text, greedy

    def _be(self, phase: str) -> None:
        with self._signal:
            if self._phase != "ended":
                self._phase = phase
                self.board.set(phase=phase)

    def _stop(self, error: str) -> None:
        self._single = False
        self.board.set(error=error)
        self._be("idle" if self._lesson is None else "paused")

    def _present(self) -> Lesson:
        if self._lesson is None:
            raise ArgumentError("there is no net yet, learn first")
        return self._lesson


class _Watch(Callback):
    """Tells a session how its trainer fares."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def on_update(self, trainer: Trainer, update: Update) -> bool:
        return self._session._after(trainer, update)

    def on_record(self, trainer: Trainer, record: Record) -> None:
        if record.validation_loss is not None:
            self._session.board.held_out(record.step, record.validation_loss)
        history = trainer.run.history
        if len(history) > MOST_RECORDS:
            del history[1::2]
