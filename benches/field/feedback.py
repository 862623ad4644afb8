"""Gated feedback against stacked and single layers of as many parameters (paper mode).

    python benches/field/feedback.py

The beginning of enwik8, bytes, one-hot, split 90/5/5. As Chung et al. (2015) have it:
100 streams of 100 steps, the state carried and zeroed after every 100 updates; RMSProp
with momentum 0.9 (rate 1e-3), the gradient's norm clipped to 1; the input goes to all
layers and all layers to the output; gates of the feedback nets see all layers. 25
epochs, of which the weights of the best validation loss count. Losses of one stream
from the zero state, in bits per byte.

A line of JSON for each net goes to `benches/record/feedback.jsonl`.
"""

from __future__ import annotations

import json
import math
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from warpeace import loss_of, streams

import recurrentnn as rnn

DATA = Path(__file__).parents[3] / "shared" / "data" / "enwik8_first1M.txt"
RECORD = Path(__file__).parents[1] / "record" / "feedback.jsonl"
EPOCHS, SEED, RESET, UNITS = 25, 1, 100, 32
SKIPS = {"input_to_all": True, "all_to_output": True}


def parameters(net: rnn.Model) -> int:
    """How many numbers are learnt."""
    return sum(m.value.size for m in net.parameters().values())


def nets(symbols: int, cell: Any, feedback: Any) -> list[rnn.Model]:
    """The feedback net of 3 layers, and a stack and one layer of its size."""
    last = feedback(symbols, [UNITS] * 3, symbols, paper=True, seed=SEED)

    def like(layers: int) -> rnn.Model:
        def build(units: int) -> rnn.Model:
            options = SKIPS if layers > 1 else {}
            net: rnn.Model = cell(
                symbols, [units] * layers, symbols, seed=SEED, **options
            )
            return net

        def gap(units: int) -> int:
            return abs(parameters(build(units)) - parameters(last))

        return build(min(range(UNITS, 6 * UNITS), key=gap))

    return [like(1), like(3), last]


def train(net: rnn.Model, parts: list[Any]) -> dict[str, object]:
    """One net, from its initial weights to its test loss."""
    training, validation, test = parts
    optimizer = rnn.RMSProp(learning_rate=1e-3, momentum=0.9, clip_norm=1.0)
    best, best_epoch, best_weights = np.inf, 0, rnn.parameters_to_vector(net)
    start, updates, state = time.perf_counter(), 0, None
    for epoch in range(1, EPOCHS + 1):
        losses = []
        for x, y in streams(training):
            with rnn.Graph() as graph:
                logits, state = net(x, state)
                loss = graph.softmax_cross_entropy(logits, y)
            graph.backward(loss)
            optimizer.step(net)
            updates += 1
            losses.append(loss.item())
            state = None if updates % RESET == 0 else state.detach()
        now = loss_of(net, validation)
        if now < best:
            best, best_epoch, best_weights = now, epoch, rnn.parameters_to_vector(net)
        print(
            f"{type(net).__name__} {epoch}: training {np.mean(losses):.4f}, "
            f"validation {now:.4f} nats, {time.perf_counter() - start:.0f} s",
            file=sys.stderr,
            flush=True,
        )
    rnn.vector_to_parameters(best_weights, net)
    return {
        "cell": type(net).__name__,
        "sizes": list(net.hidden_sizes),
        "parameters": parameters(net),
        "seed": SEED,
        "epoch": best_epoch,
        "validation": round(best / math.log(2), 4),
        "test": round(loss_of(net, test) / math.log(2), 4),
        "seconds": round(time.perf_counter() - start),
    }


def main() -> None:
    """All nets, one after the other."""
    text = np.frombuffer(DATA.read_bytes(), np.uint8)
    values, found = np.unique(text, return_inverse=True)
    ends = [int(len(text) * 0.9), int(len(text) * 0.95)]
    parts = np.split(found.astype(np.int64), ends)
    for kinds in ((rnn.LSTM, rnn.GFLSTM), (rnn.GRU, rnn.GFGRU)):
        for net in nets(len(values), *kinds):
            result = json.dumps(train(net, parts))
            print(result)
            with RECORD.open("a", encoding="utf-8") as file:
                file.write(result + "\n")


if __name__ == "__main__":
    main()
