"""One side in a process of its own, with its threads limited before its library loads.

Processes keep thread pools, allocators and environment variables of one library from
touching another's. They take turns: only the one that is asked computes.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import traceback
from multiprocessing.connection import Connection
from time import perf_counter
from typing import Any

from peers import sides
from peers.work import Arrays, Missing, Work

VARIABLES = ("RECURRENTNN_NUM_THREADS", "RAYON_NUM_THREADS", "OMP_NUM_THREADS")


class WorkerError(RuntimeError):
    """What went wrong in a worker, with its traceback."""


class Worker:
    """A process that builds sides and times them.

    Parameters
    ----------
    side
        A key of `sides.SIDES`.
    threads
        How many it may use; it is bound to that many processors.
    """

    def __init__(self, side: str, threads: int) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(
            target=_serve, args=(theirs, side, threads), daemon=True
        )
        self._process.start()
        theirs.close()

    def build(self, work: Work, parameters: Arrays | None) -> float:
        """Build the side; return the seconds that took."""
        seconds: float = self._ask("build", work, parameters)
        return seconds

    def parameters(self) -> Arrays:
        """Our side's parameters by name."""
        found: Arrays = self._ask("parameters")
        return found

    def answer(self) -> Arrays:
        """See `sides.Side.answer`."""
        found: Arrays = self._ask("answer")
        return found

    def time(self, runs: int) -> list[float]:
        """Seconds of each of so many runs."""
        seconds: list[float] = self._ask("time", runs)
        return seconds

    def close(self) -> None:
        """End the process."""
        self._pipe.close()
        self._process.join(5)
        if self._process.is_alive():
            self._process.terminate()

    def _ask(self, *question: Any) -> Any:
        try:
            self._pipe.send(question)
            kind, answer = self._pipe.recv()
        except (EOFError, OSError):
            raise WorkerError("the process ended") from None
        if kind == "missing":
            raise Missing(answer)
        if kind == "error":
            raise WorkerError(answer)
        return answer


def processors(threads: int) -> set[int]:
    """Those to bind so many threads to: the last ones, away from the system's own."""
    allowed = sorted(os.sched_getaffinity(0))
    if threads > len(allowed):
        raise Missing(f"{threads} threads want as many processors, not {len(allowed)}")
    return set(allowed[-threads:])


def _limit(threads: int) -> None:
    os.sched_setaffinity(0, processors(threads))
    for name in VARIABLES:
        os.environ[name] = str(threads)
    parallel = "true" if threads > 1 else "false"
    os.environ["XLA_FLAGS"] = f"--xla_cpu_multi_thread_eigen={parallel}"
    os.environ["JAX_PLATFORMS"] = "cpu"


def _serve(pipe: Connection, name: str, threads: int) -> None:
    side: Any = None
    while True:
        try:
            command, *arguments = pipe.recv()
        except (EOFError, KeyboardInterrupt):
            return
        try:
            answer: Any = None
            if command == "build":
                _limit(threads)
                side = None  # the last one's memory goes first
                gc.collect()
                start = perf_counter()
                work, parameters = arguments
                side = sides.build(name, work, parameters, threads)
                answer = perf_counter() - start
            elif command == "time":
                answer = _time(side, *arguments)
            else:
                answer = getattr(side, command)()
            pipe.send(("done", answer))
        except Missing as reason:
            pipe.send(("missing", str(reason)))
        except Exception:
            pipe.send(("error", traceback.format_exc()))


def _time(side: sides.Side, runs: int) -> list[float]:
    run, seconds = side.run, []
    gc.disable()
    for _ in range(runs):
        start = perf_counter()
        run()
        seconds.append(perf_counter() - start)
    gc.enable()
    return seconds
