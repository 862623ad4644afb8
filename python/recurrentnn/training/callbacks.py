"""Who is told how a run goes, and may end it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from recurrentnn.arguments import wrong_type
from recurrentnn.progress import Progress
from recurrentnn.training.records import Record, Update

if TYPE_CHECKING:
    from recurrentnn.training.trainer import Trainer

OnRecord: TypeAlias = "Callable[[Trainer, Record], object]"


class Callback:
    """Called while a `Trainer` learns; override what you need. Exceptions go through.

    Nothing is half done during a call: the model, `trainer.run` and a checkpoint made
    of them are those after the last update.
    """

    def on_start(self, trainer: Trainer) -> None:
        """Learning begins or goes on."""

    def on_update(self, trainer: Trainer, update: Update) -> object:
        """An update is made, and what was due after it; a true result ends learning."""

    def on_record(self, trainer: Trainer, record: Record) -> object:
        """There is a new record; a true result ends learning."""

    def on_epoch(self, trainer: Trainer) -> None:
        """An epoch is whole."""

    def on_checkpoint(self, trainer: Trainer, path: Path) -> None:
        """A checkpoint is on the disk."""

    def on_exception(self, trainer: Trainer, error: BaseException) -> None:
        """Learning ends by an exception, Ctrl-C among them."""

    def on_end(self, trainer: Trainer) -> None:
        """Learning has ended, by whatever."""


class Each(Callback):
    """A plain function of trainer and record, as a callback."""

    def __init__(self, call: OnRecord) -> None:
        self._call = call

    def on_record(self, trainer: Trainer, record: Record) -> object:
        """Hand it on."""
        return self._call(trainer, record)


class Bar(Callback):
    """A progress bar on stderr, or lines."""

    def __init__(self) -> None:
        self._progress = Progress()

    def on_record(self, trainer: Trainer, record: Record) -> None:
        """Show it."""
        self._progress(trainer, record)

    def on_end(self, trainer: Trainer) -> None:
        """Leave the bar where it is."""
        del trainer
        self._progress.close()


def callbacks(given: Iterable[Callback | OnRecord]) -> list[Callback]:
    """Callbacks, and functions as such."""
    found: list[Callback] = []
    for call in given:
        if isinstance(call, Callback):
            found.append(call)
        elif callable(call):
            found.append(Each(call))
        else:
            raise wrong_type("Trainer", "callbacks", "callables", call)
    return found
