"""Whether memory stays what it is, over 10^6 steps of a stream and 10^4 of training.

`python benches/memory.py` prints a row of JSON for each, with the resident memory in MB
after each hundredth of its steps. Training steps have another time and batch each, so
that memories of runs, freed buffers and the C library's pieces are of all sizes.
"""

from __future__ import annotations

import argparse
import json
import statistics
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import recurrentnn as rnn

_LOOKS = 100
_SYMBOLS = 50


def resident(process: int | str = "self") -> float:
    """Memory of a process in MB."""
    status = Path(f"/proc/{process}/status").read_text(encoding="utf-8")
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


def growth(values: Sequence[float]) -> float:
    """How much more the last third has than the one before it, as a share."""
    third = len(values) // 3
    middle, last = values[third : 2 * third], values[2 * third :]
    return statistics.median(last) / statistics.median(middle) - 1


def streaming() -> Callable[[], object]:
    """A step of a stream that makes its result, as most callers do."""
    stream = rnn.LSTM(_SYMBOLS, [64, 64], _SYMBOLS).stream()
    x = np.ones(_SYMBOLS)
    return lambda: stream(x)


def training() -> Callable[[], object]:
    """An update with another time and batch each."""
    net = rnn.LSTM(_SYMBOLS, [64, 64], _SYMBOLS)
    optimizer = rnn.RMSProp(0.001)
    random = np.random.default_rng(1)

    def update() -> None:
        shape = random.integers(1, 33), random.integers(1, 51)
        symbols = random.integers(0, _SYMBOLS, shape)
        with rnn.Graph() as graph:
            logits, _ = net(symbols)
            loss = graph.softmax_cross_entropy(logits, symbols)
        graph.backward(loss)
        optimizer.step(net)

    return update


def over(step: Callable[[], object], steps: int) -> list[float]:
    """Resident memory, from time to time."""
    seen = []
    for _ in range(_LOOKS):
        for _ in range(steps // _LOOKS):
            step()
        seen.append(resident())
    return seen


def row(what: str, step: Callable[[], object], steps: int) -> dict[str, Any]:
    """What came of so many steps."""
    seen = over(step, steps)
    rounded = [round(value, 2) for value in seen]
    return {"what": what, "steps": steps, "growth": growth(seen), "resident": rounded}


def main() -> None:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stream", type=int, default=1_000_000, help="steps")
    parser.add_argument("--training", type=int, default=10_000, help="steps")
    given = parser.parse_args()
    print(json.dumps(row("stream", streaming(), given.stream)), flush=True)
    print(json.dumps(row("training", training(), given.training)))


if __name__ == "__main__":
    main()
