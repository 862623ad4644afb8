"""Cells by size: {RNN, LSTM, GRU} x hidden x batch x time, training and inference.

One layer, 100 symbols, embedded in as many numbers as there are units, at most 128.
"""

from __future__ import annotations

from itertools import product

from peers.contest import Contest, Entry
from peers.work import Mode, Work

CELLS = ("rnn", "lstm", "gru")
HIDDEN = (8, 32, 128, 512, 1024)
BATCH = (1, 4, 16, 64, 128)
TIME = (1, 10, 50, 200)
MODES: tuple[Mode, ...] = ("train", "infer")
LARGEST_FLOPS = 50e9
LARGEST_HIDDEN_OF_FLOAT64 = 128
WIDEST_EMBEDDING = 128

# (hidden, batch, time) where JAX and onnxruntime run too: a tenth of the 100.
TENTH = {
    (8, 1, 1),
    (8, 64, 50),
    (32, 1, 200),
    (32, 16, 10),
    (128, 1, 50),
    (128, 16, 50),
    (128, 128, 10),
    (512, 1, 10),
    (512, 16, 50),
    (1024, 4, 10),
}


def work(
    cell: str, size: tuple[int, int, int], mode: Mode, dtype: str = "float32"
) -> Work:
    """Return one cell of the sweep."""
    hidden, batch, time = size
    inputs = min(hidden, WIDEST_EMBEDDING)
    return Work(cell, (hidden,), batch, time, mode, inputs=inputs, dtype=dtype)


def contests(threads: int) -> list[Contest]:
    """All cells that are not too large, small ones first."""
    found = []
    for dtype, cell, mode, *size in product(
        ("float32", "float64"), CELLS, MODES, HIDDEN, BATCH, TIME
    ):
        hidden, batch, time = size
        if dtype == "float64" and hidden > LARGEST_HIDDEN_OF_FLOAT64:
            continue
        this = work(cell, (hidden, batch, time), mode, dtype)
        if this.nominal_flops() > LARGEST_FLOPS:
            continue
        peers = ["torch"]
        if dtype == "float32" and (hidden, batch, time) in TENTH:
            peers += ["jax"] if mode == "train" else ["jax", "onnxruntime"]
        sides = (Entry(side, side, this, threads) for side in ("ours", *peers))
        found.append(Contest("sweep", tuple(sides), ">= 0.97x"))
    return sorted(found, key=lambda contest: contest.entries[0].work.nominal_flops())
