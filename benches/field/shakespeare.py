"""Tiny Shakespeare with the defaults and the split of char-rnn: an LSTM of 2 x 128.

    python benches/field/shakespeare.py

The text as 50 streams in chunks of 50 steps; the last 5 % of the chunks are for
validation, which begins with the zero state, as in char-rnn. RMSProp 2e-3 with decay
rate 0.95, the rate times 0.97 each epoch after the tenth; initial weights
U(-0.08, 0.08), forget bias 1; the sum over time clipped to 5; 50 epochs.

A line of JSON goes to `benches/record/shakespeare.jsonl`.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import numpy as np

import recurrentnn as rnn

DATA = Path(__file__).parents[3] / "shared" / "data" / "tinyshakespeare.txt"
RECORD = Path(__file__).parents[1] / "record" / "shakespeare.jsonl"
BATCH, TIME, EPOCHS, SEED = 50, 50, 50, 1


def main() -> None:
    """Train, and record the best validation loss."""
    text = DATA.read_text(encoding="utf-8")
    vocabulary = rnn.Vocabulary.from_text(text)
    symbols = np.asarray(vocabulary.encode(text))
    chunks = len(symbols) // (BATCH * TIME)
    cut = symbols[: chunks * BATCH * TIME]
    after = np.append(cut[1:], cut[0])
    x, y = (each.reshape(BATCH, chunks, TIME).swapaxes(0, 1) for each in (cut, after))
    learnt = int(chunks * 0.95)

    size = len(vocabulary)
    net = rnn.LSTM(size, [128, 128], size, init="uniform", std=0.08, seed=SEED)
    optimizer = rnn.RMSProp(learning_rate=2e-3, decay_rate=0.95, clip_value=5 / TIME)
    best, best_epoch, start = np.inf, 0, time.perf_counter()
    state = None
    for epoch in range(1, EPOCHS + 1):
        optimizer.learning_rate = 2e-3 * 0.97 ** max(0, epoch - 10)
        losses = []
        for i in range(learnt):
            with rnn.Graph() as graph:
                logits, state = net(x[i], state)
                loss = graph.softmax_cross_entropy(logits, y[i])
            graph.backward(loss)
            optimizer.step(net)
            state = state.detach()
            losses.append(loss.item())
        held, inner = [], None
        for i in range(learnt, chunks):
            with rnn.Graph(recording=False) as graph:
                logits, inner = net(x[i], inner)
                held.append(graph.softmax_cross_entropy(logits, y[i]).item())
        if (now := float(np.mean(held))) < best:
            best, best_epoch = now, epoch
        print(
            f"epoch {epoch}: training {np.mean(losses):.4f}, validation {now:.4f}, "
            f"best {best:.4f}, {time.perf_counter() - start:.0f} s",
            file=sys.stderr,
            flush=True,
        )
    result = json.dumps(
        {
            "cell": "lstm",
            "sizes": [128, 128],
            "seed": SEED,
            "epoch": best_epoch,
            "validation": round(best, 4),
            "seconds": round(time.perf_counter() - start),
        }
    )
    print(result)
    with RECORD.open("a", encoding="utf-8") as file:
        file.write(result + "\n")


if __name__ == "__main__":
    main()
