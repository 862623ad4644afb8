"""A run's folder: checkpoints, which of them are the last and the best, the table.

::

    metrics.csv                       every record
    ckpt/step-00001000.safetensors    whole checkpoints
    last, best                        each the name of one of them

Whatever moment the process dies at, each file is the old one or the new one.
"""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Iterator
from pathlib import Path

from recurrentnn._recurrentnn import write_file
from recurrentnn.errors import ArgumentError

_NAME = re.compile(r"step-(\d{8,})\.safetensors")
# As the writer of files names what it has not yet renamed.
_TEMPORARY = re.compile(r"\..*\.\d+-\d+\.tmp")


class Folder:
    """A run's folder, made if it is not there, for one run at a time.

    Parameters
    ----------
    path
        Where.
    keep
        How many of the newest checkpoints stay, beside the best.
    """

    def __init__(self, path: str | os.PathLike[str], keep: int = 3) -> None:
        self.path = Path(path)
        self._checkpoints = self.path / "ckpt"
        self._keep = keep
        self._lock: int | None = None
        self._checkpoints.mkdir(parents=True, exist_ok=True)

    def open(self) -> None:
        """Take the folder, and remove what a run that was killed left half written.

        Raises
        ------
        ArgumentError
            Another process is using it.
        """
        if self._lock is not None:
            return
        try:
            import fcntl
        except ImportError:  # not on Windows, where nobody is kept out
            pass
        else:
            lock = os.open(self.path, os.O_RDONLY)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                os.close(lock)
                raise ArgumentError(
                    f"{self.path}: another process is training in this folder"
                ) from None
            self._lock = lock
        for folder in (self.path, self._checkpoints):
            for file in folder.iterdir():
                if _TEMPORARY.fullmatch(file.name):
                    file.unlink()

    def close(self) -> None:
        """Give the folder free."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def save(self, step: int, data: bytes, *, best: int | None) -> Path:
        """Write a checkpoint and drop old ones; when it returns, it is on the disk.

        Parameters
        ----------
        step
            Names it.
        data
            What it holds.
        best
            The step of the best checkpoint; None: there is none.
        """
        path = self._at(step)
        write_file(path, data)
        write_file(self.path / "last", path.name.encode())
        self._drop(best)
        return path

    def mark_best(self, step: int) -> None:
        """Let `best` name a checkpoint, if it is there."""
        if self._at(step).exists():
            write_file(self.path / "best", self._at(step).name.encode())

    def newest_first(self) -> Iterator[Path]:
        """The checkpoints."""
        numbers = sorted(self._steps(), reverse=True)
        return (self._at(number) for number in numbers)

    def write_metrics(self, text: str) -> None:
        """Replace the table."""
        write_file(self.path / "metrics.csv", text.encode())

    def append_metrics(self, row: str) -> None:
        """Add a row to the table."""
        with (self.path / "metrics.csv").open("a", encoding="utf-8") as file:
            file.write(row)

    def skip(self, path: Path, error: Exception) -> None:
        """Say that a checkpoint cannot be used."""
        warnings.warn(f"{path.name} is skipped: {error}", RuntimeWarning, stacklevel=3)

    def _drop(self, best: int | None) -> None:
        old = sorted(self._steps())[: -self._keep]
        for step in old:
            if step != best:
                self._at(step).unlink(missing_ok=True)

    def _steps(self) -> list[int]:
        names = (_NAME.fullmatch(file.name) for file in self._checkpoints.iterdir())
        return [int(name[1]) for name in names if name]

    def _at(self, step: int) -> Path:
        return self._checkpoints / f"step-{step:08}.safetensors"
