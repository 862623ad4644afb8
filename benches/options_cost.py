"""What options cost beside the plain net, and ragged batches beside their share.

    python benches/options_cost.py NAME [--only REGEX] [--rounds 25]

Prints two tables, and appends them, below a line about the machine, to
`benches/record/NAME.jsonl`, an object a row.

- *options*: a training update (forward, cross-entropy, backward, RMSProp) with an
  option, over that of the plain net: 128 units, 50 samples, 50 ticks. Inputs are
  features; where an option is about an embedding, there are more symbols than the batch
  has ticks, so that no table of symbols is gathered (`Program::variant`).
- *ragged*: 32 samples of up to 100 ticks, lengths uniform, over the same net's dense
  batch times the share of the ticks that there are; training with masked targets, as a
  `Trainer` does it, and inference.

All of a group run in one process and thread, one after the other in each round; a ratio
is that of one round, the figure the median of the rounds, beside it the quartiles.
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import recurrentnn as rnn
from peers.record import FOLDER, about

CELLS: dict[str, Callable[..., rnn.Model]] = {
    "rnn": rnn.RNN,
    "lstm": rnn.LSTM,
    "gru": rnn.GRU,
}
ALL = tuple(CELLS)
GATED = ("lstm", "gru")
HARD = "hard_sigmoid"


@dataclass(frozen=True)
class Case:
    """An option, and the net that it is beside."""

    name: str
    options: dict[str, Any]
    cells: tuple[str, ...] = ALL
    layers: int = 1
    inputs: str = "features"
    goal: float = 1.1


CASES = (
    Case("dropout", {"dropout": 0.2}, layers=2),
    Case("variational dropout", {"dropout": 0.2, "variational": True}, layers=2),
    Case("recurrent dropout", {"recurrent_dropout": 0.2}),
    Case(
        "variational recurrent dropout",
        {"recurrent_dropout": 0.2, "variational": True},
    ),
    Case("zoneout of h", {"zoneout_hidden": 0.1}),
    Case("zoneout of c", {"zoneout_cell": 0.1}, ("lstm",)),
    Case("zoneout of h and c", {"zoneout_hidden": 0.1, "zoneout_cell": 0.1}, ("lstm",)),
    Case("weight drop", {"weight_drop": 0.2}),
    Case("embedding dropout", {"embedding_dropout": 0.2}, inputs="symbols"),
    Case("layer norm", {"layer_norm": True}, goal=1.5),
    Case("projection", {"projection_size": 64}, ("lstm",)),
    Case("peepholes", {"peepholes": True}, ("lstm",)),
    Case("coupled gates", {"coupled_gates": True}, ("lstm",)),
    Case("relu", {"activation": "relu"}, ("rnn",)),
    Case("relu candidate", {"activations": {"candidate": "relu"}}, GATED),
    Case(
        "hard sigmoid gates",
        {"activations": {"input": HARD, "forget": HARD, "output": HARD}},
        ("lstm",),
    ),
    Case(
        "hard sigmoid gates", {"activations": {"update": HARD, "reset": HARD}}, ("gru",)
    ),
    Case("clipped h", {"hidden_clip": 3.0}),
    Case("clipped c", {"cell_clip": 3.0}, ("lstm",)),
    Case("residual", {"residual": True}, layers=2),
    Case("tied embedding", {"tied_embedding": True}, inputs="all symbols"),
)


@dataclass(frozen=True)
class Size:
    """How large nets and batches are."""

    units: int = 128
    outputs: int = 100
    batch: int = 50
    ticks: int = 50
    ragged_batch: int = 32
    ragged_ticks: int = 100


Run = Callable[[], object]


def training(net: rnn.Model, x: Any, targets: Any, **rows: Any) -> Run:
    """An update, by a rate so small that the numbers stay what they are."""
    optimizer = rnn.RMSProp(1e-12, clip_value=0.1)
    lengths = rows.get("lengths")
    mask = None if lengths is None else np.arange(x.shape[1]) < lengths[:, None]

    def update() -> None:
        with rnn.Graph() as graph:
            logits, _ = net(x, **rows)
            loss = graph.softmax_cross_entropy(logits, targets, mask)
        graph.backward(loss)
        optimizer.step(net)

    return update


def in_turns(runs: dict[str, Run], rounds: int) -> dict[str, list[float]]:
    """The seconds of each, round by round."""
    for run in runs.values():
        run()
        run()
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for number in range(rounds):
        # Nobody always comes behind the same one.
        names = list(runs)[number % len(runs) :] + list(runs)[: number % len(runs)]
        for name in names:
            begin = time.perf_counter()
            runs[name]()
            seconds[name].append(time.perf_counter() - begin)
    return seconds


def ratios(seconds: list[float], plain: list[float], share: float = 1.0) -> list[float]:
    """The median ratio of the rounds, and the quartiles."""
    each = [a / (b * share) for a, b in zip(seconds, plain, strict=True)]
    if len(each) < 2:
        return each * 3
    low, middle, high = statistics.quantiles(each, n=4)
    return [middle, low, high]


def measure_options(size: Size, rounds: int, only: re.Pattern[str]) -> Iterator[Any]:
    """Rows of the first table, group by group."""
    rng = np.random.default_rng(0)
    shape = (size.batch, size.ticks)
    symbols = size.batch * size.ticks + 1
    features = rng.normal(size=(*shape, size.units)).astype(np.float32)
    words = rng.integers(symbols, size=shape)
    for cell, build in CELLS.items():
        groups: dict[tuple[str, int], list[Case]] = {}
        for case in CASES:
            if cell in case.cells and only.search(f"options {cell} {case.name}"):
                groups.setdefault((case.inputs, case.layers), []).append(case)
        for (inputs, layers), cases in groups.items():
            outputs = symbols if inputs == "all symbols" else size.outputs
            targets = rng.integers(outputs, size=shape)
            dense = inputs == "features"
            hidden = [size.units] * layers
            runs: dict[str, Run] = {}
            for name, options in [("plain", {}), *((c.name, c.options) for c in cases)]:
                if not dense:
                    options = {**options, "embedding_size": size.units}
                read = size.units if dense else symbols
                net = build(read, hidden, outputs, seed=1, **options)
                runs[name] = training(net, features if dense else words, targets)
            seconds = in_turns(runs, rounds)
            for case in cases:
                yield {
                    "kind": "options",
                    "cell": cell,
                    "name": case.name,
                    "beside": f"{layers} of {size.units}, {inputs}",
                    "plain": statistics.median(seconds["plain"]),
                    "seconds": statistics.median(seconds[case.name]),
                    "ratio": ratios(seconds[case.name], seconds["plain"]),
                    "goal": case.goal,
                }


def measure_ragged(size: Size, rounds: int, only: re.Pattern[str]) -> Iterator[Any]:
    """Rows of the second table."""
    rng = np.random.default_rng(0)
    shape = (size.ragged_batch, size.ragged_ticks)
    x = rng.normal(size=(*shape, size.units)).astype(np.float32)
    targets = rng.integers(size.outputs, size=shape)
    lengths = rng.integers(1, size.ragged_ticks, size=size.ragged_batch, endpoint=True)
    share = float(lengths.mean() / size.ragged_ticks)
    for cell, build in CELLS.items():
        for mode in ("training", "inference"):
            if not only.search(f"ragged {cell} {mode}"):
                continue
            nets = [build(size.units, size.units, size.outputs, seed=1) for _ in "dr"]
            runs: dict[str, Run]
            if mode == "training":
                runs = {
                    "dense": training(nets[0], x, targets),
                    "ragged": training(nets[1], x, targets, lengths=lengths),
                }
            else:
                runs = {
                    "dense": partial(nets[0], x),
                    "ragged": partial(nets[1], x, lengths=lengths),
                }
            seconds = in_turns(runs, rounds)
            yield {
                "kind": "ragged",
                "cell": cell,
                "name": mode,
                "beside": f"{share:.3f} of the dense batch",
                "plain": statistics.median(seconds["dense"]),
                "seconds": statistics.median(seconds["ragged"]),
                "ratio": ratios(seconds["ragged"], seconds["dense"], share),
                "goal": 1.1,
            }


def shown(row: dict[str, Any]) -> str:
    """A line of a table."""
    middle, low, high = row["ratio"]
    above = " above" if middle > row["goal"] else ""
    return (
        f"{row['cell']:5} {row['name']:30} {row['plain'] * 1e3:8.2f} ms "
        f"{row['seconds'] * 1e3:8.2f} ms {middle:6.3f}x  {low:.3f} to {high:.3f}  "
        f"beside {row['beside']}; goal {row['goal']}x{above}"
    )


def main(arguments: list[str] | None = None, size: Size | None = None) -> int:
    """Measure, print, append."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("name", help="of the record")
    parser.add_argument("--only", type=re.compile, default=re.compile(""))
    parser.add_argument("--rounds", type=int, default=25)
    parser.add_argument("--folder", default=str(FOLDER))
    given = parser.parse_args(arguments)
    size = size or Size()
    path = Path(given.folder) / f"{given.name}.jsonl"
    before = rnn.get_num_threads()
    rnn.set_num_threads(1)
    try:
        with path.open("a", encoding="utf-8") as file:
            command = " ".join(["options_cost.py", *(arguments or sys.argv[1:])])
            line = {"kind": "about", **about(), "command": command, "threads": 1}
            file.write(json.dumps(line) + "\n")
            for measure in (measure_options, measure_ragged):
                print(f"{measure.__name__.removeprefix('measure_')}:")
                for row in measure(size, given.rounds, given.only):
                    print(shown(row), flush=True)
                    file.write(json.dumps(row) + "\n")
                    file.flush()
    finally:
        rnn.set_num_threads(before)
    return 0


if __name__ == "__main__":
    sys.exit(main())
