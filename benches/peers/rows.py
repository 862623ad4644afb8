"""The rows of the design's table of figures, each a contest."""

from __future__ import annotations

from dataclasses import replace

from peers.contest import Contest, Entry
from peers.work import Work

ONLINE = Work("lstm", (20, 20), 1, 62, symbols=51, inputs=5, outputs=51)
CHAR_RNN = Work("lstm", (128, 128), 50, 50, symbols=65, inputs=64, outputs=65)
LARGE = Work("lstm", (512,), 64, 100)
OWN = Work("lstm", (128,), 1, 62, symbols=65, inputs=64, outputs=65)
STREAM = Work("lstm", (128,), 1, 100, "step", symbols=65, inputs=64, outputs=65)
INFERENCE = Work("lstm", (512,), 32, 100, "infer", outputs=None)


def rows(threads: int) -> list[Contest]:
    """All rows that compare with peers, with this number of threads."""
    hundred = replace(ONLINE, hidden=(100, 100))
    three = replace(CHAR_RNN, cell="gflstm", hidden=(128, 128, 128))

    def row(name: str, work: Work, goal: str, *peers: str) -> Contest:
        entries = (Entry(side, side, work, threads) for side in ("ours", *peers))
        return Contest(name, tuple(entries), goal)

    both = ("torch", "jax")
    all_three = (*both, "onnxruntime")
    sequence = replace(STREAM, mode="infer")
    found = [
        row("online, LSTM 20-20", ONLINE, "<= 4 us/char", *both),
        row("online, LSTM 100-100", hundred, "<= 16 us/char", *both),
        row("LSTM 2x128", CHAR_RNN, ">= 1.5x, >= 75 %", *both),
        row("LSTM 1x512", LARGE, ">= 1.5x, >= 80 %", *both),
        row("GRU 2x128", replace(CHAR_RNN, cell="gru"), ">= 2.2x", *both),
        row("GRU 1x512", replace(LARGE, cell="gru"), ">= 1.7x", *both),
        row("RNN 2x128", replace(CHAR_RNN, cell="rnn"), ">= 2x", *both),
        row("RNN 1x512", replace(LARGE, cell="rnn"), ">= 1.5x", *both),
        row("GF-LSTM 3x128", three, ">= 6x", "composed"),
        row("step by calls", STREAM, "<= 8 us", *all_three),
        row("stream", replace(STREAM, mode="stream"), "<= 8 us", *all_three),
        row("steps of a sequence", sequence, "<= 5 us/step", *all_three),
        row(
            "inference, dense", replace(INFERENCE, symbols=None), ">= 1.1x", *all_three
        ),
        row("inference, symbols", INFERENCE, ">= 1.35x", *all_three),
    ]
    for batch, time, goal in ((1, 62, "own <= 1.3x; >= 20x"), (50, 50, "own <= 1.3x")):
        found += _own_cells(replace(OWN, batch=batch, time=time), goal, threads)
    return found


def _own_cells(plain: Work, goal: str, threads: int) -> list[Contest]:
    """A user's LSTM, MGU and layer-norm LSTM beside our LSTM and PyTorch composed."""
    found = []
    for cell, wanted in (
        ("own-lstm", goal),
        ("mgu", goal),
        ("ln-lstm", "own <= 1.5x the plain LSTM"),
    ):
        work = replace(plain, cell=cell)
        entries = (
            Entry("own", "ours", work, threads),
            Entry("built-in", "ours", plain, threads),
            Entry("composed", "composed", work, threads),
        )
        found.append(Contest(f"{cell} of one's own, B={plain.batch}", entries, wanted))
    return found


def two_threads() -> list[Contest]:
    """What a second thread gains, on both sides, B >= 16."""
    found = []
    for name, work in (
        ("LSTM 2x128", CHAR_RNN),
        ("LSTM 1x512", LARGE),
        ("LSTM 1x1024", Work("lstm", (1024,), 16, 50)),
        ("GRU 1x512", replace(LARGE, cell="gru")),
    ):
        entries = tuple(
            Entry(f"{side} on {threads}", side, work, threads)
            for side in ("ours", "torch")
            for threads in (2, 1)
        )
        found.append(Contest(f"two threads, {name}", entries, ">= 1.85x our one"))
    return found
