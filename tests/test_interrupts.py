"""Ctrl-C: at once, between two updates, with the last checkpoint on the disk."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

import runs
from recurrentnn.training import Record, Trainer
from recurrentnn.training.signals import Signals

PROGRAM = """
import pathlib, sys
sys.path.insert(0, {tests!r})
import runs
def tell(trainer, record):
    print("step", record.step, flush=True)
folder = pathlib.Path({folder!r})
trainer = runs.trainer(folder, report_every=1, callbacks=[tell])
trainer.fit(runs.text_batches(), epochs=10**6)
"""


def test_a_process_ends_by_it_and_what_it_wrote_is_resumed(tmp_path: Path) -> None:
    program = PROGRAM.format(tests=str(Path(__file__).parent), folder=str(tmp_path))
    with subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        for _ in range(5):
            process.stdout.readline()
        process.send_signal(signal.SIGINT)
        steps, errors = process.stdout.read(), process.stderr.read()
    assert "KeyboardInterrupt" in errors
    assert process.returncode == -signal.SIGINT
    last = int((["step 5", *steps.split("\n")][-2]).split()[1])
    trainer = runs.trainer(tmp_path)
    assert trainer.resume()
    assert last <= trainer.run.step <= last + 1


@pytest.mark.parametrize("step", [1, 3, 4, 9])
def test_wherever_it_comes_the_run_is_whole(step: int, tmp_path: Path) -> None:
    """The signal is sent while the optimizer steps: the update is finished first."""
    whole = runs.trainer()
    whole.fit(runs.text_batches(), steps=12)
    trainer = runs.trainer(tmp_path)
    inner = trainer.optimizer

    class Interrupting:
        learning_rate, rate_factor = inner.learning_rate, 1.0

        def step(self, parameters: Any) -> Any:
            stats = inner.step(parameters)
            if trainer.run.step == step - 1:
                signal.raise_signal(signal.SIGINT)
            return stats

        def state(self, parameters: Any) -> Any:
            return inner.state(parameters)

        def restore(self, parameters: Any, state: Any) -> None:
            inner.restore(parameters, state)

    Interrupting.__name__ = type(inner).__name__
    trainer.optimizer = Interrupting()
    with pytest.raises(KeyboardInterrupt):
        trainer.fit(runs.text_batches(), steps=12)
    assert trainer.run.step == step
    resumed = runs.trainer(tmp_path)
    assert resumed.resume()
    assert resumed.run.step == step
    resumed.fit(runs.text_batches(), steps=12)
    assert runs.same_bits(whole, resumed)


def interrupt() -> str:
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(0.01)
    return "over"


def test_a_signal_in_a_held_block_waits_for_its_end() -> None:
    done: list[str] = []
    with Signals() as signals:
        with pytest.raises(KeyboardInterrupt), signals.held():
            done.append(interrupt())
        with pytest.raises(KeyboardInterrupt):
            done.append(interrupt())
    assert len(done) == 1
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_learning_in_another_thread_leaves_signals_alone() -> None:
    seen: list[Any] = []

    def look(_trainer: Trainer, _record: Record) -> None:
        seen.append(signal.getsignal(signal.SIGINT))

    trainer = runs.trainer(callbacks=[look])
    thread = threading.Thread(target=lambda: trainer.fit(runs.text_batches(), steps=1))
    thread.start()
    thread.join()
    assert seen == [signal.default_int_handler]
