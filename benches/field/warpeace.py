"""War and Peace as Karpathy, Johnson and Fei-Fei (2015) trained on it.

    python benches/field/warpeace.py lstm 64 rnn 141 gru 77 lstm 128 rnn 272 gru 151
    python benches/field/warpeace.py --rate 0.01 lstm 64

Bytes, one-hot (K = 87); split 80/10/10; 100 streams of 100 steps, the state carried;
RMSProp 2e-3 (or `--rate`) with decay rate 0.95, the rate times 0.95 each epoch after
the tenth;
initial weights U(-0.08, 0.08); the sum over time clipped to 5, which is 5/100 on our
mean; 50 epochs, of which the weights of the best validation loss count. Validation and
test losses are of one stream from the zero state, in nats per byte.

A line of JSON for each net goes to `benches/record/warpeace.jsonl`.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import recurrentnn as rnn

DATA = Path(__file__).parents[3] / "shared" / "data" / "warpeace_input.txt"
RECORD = Path(__file__).parents[1] / "record" / "warpeace.jsonl"
BATCH, TIME, EPOCHS = 100, 100, 50
NETS = {"lstm": rnn.LSTM, "rnn": rnn.RNN, "gru": rnn.GRU}

Symbols = NDArray[np.int64]


def splits() -> tuple[int, list[Symbols]]:
    """The number of byte values, and the three parts as symbols."""
    text = np.frombuffer(DATA.read_bytes(), np.uint8)
    values, symbols = np.unique(text, return_inverse=True)
    ends = [int(len(text) * 0.8), int(len(text) * 0.9)]
    return len(values), np.split(symbols.astype(np.int64), ends)


def streams(text: Symbols) -> Iterator[tuple[Symbols, Symbols]]:
    """Batches of an epoch: each of the streams goes on from batch to batch."""
    steps = (len(text) - 1) // (BATCH * TIME) * TIME
    x = text[: BATCH * steps].reshape(BATCH, steps)
    y = text[1 : BATCH * steps + 1].reshape(BATCH, steps)
    for at in range(0, steps, TIME):
        yield x[:, at : at + TIME], y[:, at : at + TIME]


def loss_of(net: rnn.Model, text: Symbols) -> float:
    """Mean loss in nats over a text as one stream from the zero state."""
    nats, state = 0.0, None
    for at in range(0, len(text) - 1, 10_000):
        y = text[at + 1 : at + 10_001]
        with rnn.Graph(recording=False) as graph:
            logits, state = net(text[at : at + len(y)][None], state)
            nats += graph.softmax_cross_entropy(logits, y[None]).item() * len(y)
    return nats / (len(text) - 1)


def train(cell: str, size: int, rate: float, seed: int = 1) -> dict[str, object]:
    """One net, from its initial weights to its test loss."""
    symbols, (training, validation, test) = splits()
    net = NETS[cell](symbols, size, symbols, init="uniform", std=0.08, seed=seed)
    optimizer = rnn.RMSProp(learning_rate=rate, decay_rate=0.95, clip_value=5 / TIME)
    best, best_epoch, best_weights = np.inf, 0, None
    start = time.perf_counter()
    for epoch in range(1, EPOCHS + 1):
        optimizer.learning_rate = rate * 0.95 ** max(0, epoch - 10)
        state, losses = None, []
        for x, y in streams(training):
            with rnn.Graph() as graph:
                logits, state = net(x, state)
                loss = graph.softmax_cross_entropy(logits, y)
            graph.backward(loss)
            optimizer.step(net)
            losses.append(loss.item())
            state = state.detach()
        now = loss_of(net, validation)
        if now < best:
            best, best_epoch = now, epoch
            best_weights = {
                name: m.value.copy() for name, m in net.parameters().items()
            }
        seconds = time.perf_counter() - start
        print(
            f"{cell} {size} epoch {epoch}: training {np.mean(losses):.4f}, "
            f"validation {now:.4f}, best {best:.4f}, {seconds:.0f} s",
            file=sys.stderr,
            flush=True,
        )
    assert best_weights is not None
    for name, value in best_weights.items():
        net.parameters()[name].value[...] = value
    return {
        "cell": cell,
        "size": size,
        "parameters": sum(m.value.size for m in net.parameters().values()),
        "rate": rate,
        "seed": seed,
        "epoch": best_epoch,
        "validation": round(best, 4),
        "test": round(loss_of(net, test), 4),
        "seconds": round(time.perf_counter() - start),
    }


if __name__ == "__main__":
    rate, nets = 2e-3, sys.argv[1:]
    if nets[:1] == ["--rate"]:
        rate, nets = float(nets[1]), nets[2:]
    for cell, size in zip(nets[::2], map(int, nets[1::2]), strict=True):
        result = json.dumps(train(cell, size, rate))
        print(result)
        with RECORD.open("a", encoding="utf-8") as file:
            file.write(result + "\n")
