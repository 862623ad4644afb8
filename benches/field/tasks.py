"""The adding problem and the copy task, with the library's defaults.

    python benches/field/tasks.py adding lstm gru rnn
    python benches/field/tasks.py copy lstm gru
    python benches/field/tasks.py --optimizer Adam adding lstm

Adding (Hochreiter & Schmidhuber 1997, in the form of Bai et al. 2018): 200 steps of a
value U[0, 1] and a mark, two steps marked, one in each half; the target is their sum,
the error that of the last output. Solved: mean squared error below 0.01 on 1,000
sequences that were not learnt from; predicting 1 gives 1/6. At most 20,000 updates of
64.

Copy: ten of eight symbols, 20 blanks, a sign, and the ten symbols back: solved when the
loss over those ten is below 0.01 nats; without memory it is ln 8 = 2.08.

A line of JSON for each net and seed goes to `benches/record/tasks.jsonl`.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

import recurrentnn as rnn

RECORD = Path(__file__).parents[1] / "record" / "tasks.jsonl"
NETS = {"lstm": rnn.LSTM, "rnn": rnn.RNN, "gru": rnn.GRU}
SEEDS = (1, 2, 3)
BATCH, UPDATES, TIME = 64, 20_000, 200
BLANK, SIGN, WORD, DELAY = 0, 9, 10, 20

Loss = Callable[[rnn.Model, rnn.Graph, np.random.Generator, int], rnn.Matrix]


def adding(
    net: rnn.Model, graph: rnn.Graph, random: np.random.Generator, batch: int
) -> rnn.Matrix:
    """Mean squared error of the last outputs of some sequences."""
    x = np.zeros((batch, TIME, 2))
    x[..., 0] = random.random((batch, TIME))
    marks = random.integers(0, TIME // 2, (2, batch))
    marks[1] += TIME // 2
    x[np.arange(batch), marks, 1] = 1.0
    sums = (x[..., 0] * x[..., 1]).sum(1)
    output, _ = net(x.astype(np.float32))
    last = graph.select_columns(output, np.arange(batch) * TIME + TIME - 1)
    return graph.squared_error(last, sums[None].astype(np.float32))


def copy(
    net: rnn.Model, graph: rnn.Graph, random: np.random.Generator, batch: int
) -> rnn.Matrix:
    """Mean cross-entropy of the ten symbols given back."""
    word = random.integers(1, SIGN, (batch, WORD))
    x = np.full((batch, WORD + DELAY + WORD), BLANK)
    x[:, :WORD] = word
    x[:, WORD + DELAY - 1] = SIGN
    targets = np.zeros_like(x)
    targets[:, -WORD:] = word
    mask = np.zeros(x.shape, bool)
    mask[:, -WORD:] = True
    logits, _ = net(x)
    return graph.softmax_cross_entropy(logits, targets, mask)


def solve(task: str, cell: str, seed: int, rule: str) -> dict[str, object]:
    """One net and seed, until solved or out of updates."""
    loss_of: Loss = {"adding": adding, "copy": copy}[task]
    sizes = (2, 64, 1) if task == "adding" else (10, 128, 10)
    net = NETS[cell](*sizes, seed=seed)
    optimizer = getattr(rnn, rule)(clip_norm=1.0)
    random = np.random.default_rng(seed)
    start = time.perf_counter()
    error = np.inf
    for update in range(1, UPDATES + 1):
        with rnn.Graph() as graph:
            loss = loss_of(net, graph, random, BATCH)
        graph.backward(loss)
        optimizer.step(net)
        if update % 250 == 0:
            with rnn.Graph(recording=False) as graph:
                error = loss_of(net, graph, np.random.default_rng(10**6), 1000).item()
            print(task, cell, seed, update, f"{error:.4f}", file=sys.stderr, flush=True)
            if error < 0.01:
                break
    return {
        "task": task,
        "cell": cell,
        "size": sizes[1],
        "optimizer": rule,
        "seed": seed,
        "updates": update,
        "error": round(error, 5),
        "seconds": round(time.perf_counter() - start),
    }


if __name__ == "__main__":
    rule, arguments = "RMSProp", sys.argv[1:]
    if arguments[0] == "--optimizer":
        _, rule, *arguments = arguments
    task, *cells = arguments
    for cell in cells:
        for seed in SEEDS:
            result = json.dumps(solve(task, cell, seed, rule))
            print(result)
            with RECORD.open("a", encoding="utf-8") as file:
                file.write(result + "\n")
