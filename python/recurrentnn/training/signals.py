"""Ctrl-C between two updates, never within one."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any, Self

_Handler = Callable[[int, FrameType | None], Any]


class Signals:
    """Lets SIGINT and SIGTERM wait while an update changes weights, counters and place.

    Else each goes at once to the handler that was there before, which may raise:
    whoever catches that finds everything as after the last update. Where the process
    would just die of a signal, it still does.

    >>> with Signals() as signals:
    ...     with signals.held():
    ...         pass  # Ctrl-C raises KeyboardInterrupt at the end of this block
    """

    def __init__(self) -> None:
        self._before: dict[int, _Handler] = {}
        self._holding = False
        self._waiting: int | None = None

    def __enter__(self) -> Self:
        """Put our handler before those that are there; only the main thread can."""
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                before = signal.getsignal(number)
                if callable(before):
                    self._before[number] = before
                    signal.signal(number, self._caught)
        return self

    def __exit__(self, *_exc: object) -> None:
        """Put them back."""
        for number, before in self._before.items():
            if signal.getsignal(number) == self._caught:
                signal.signal(number, before)

    def held(self) -> Held:
        """A block that is not interrupted."""
        return Held(self)

    def _caught(self, number: int, frame: FrameType | None) -> None:
        if self._holding:
            self._waiting = number
        else:
            self._before[number](number, frame)

    def _hold(self) -> None:
        self._holding = True

    def _release(self) -> None:
        self._holding = False
        number, self._waiting = self._waiting, None
        if number is not None:
            self._before[number](number, None)


class Held:
    """The block of `Signals.held`."""

    def __init__(self, signals: Signals) -> None:
        self._signals = signals

    def __enter__(self) -> None:
        """From here on signals wait."""
        self._signals._hold()

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        """Hand on the signal that waited, if there is one."""
        self._signals._release()
