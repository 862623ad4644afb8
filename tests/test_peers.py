"""The harness that measures peers: on tiny nets, that it compares and that it times."""

from collections.abc import Iterator
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from peers import contest, curves, layout, rows, sweep
from peers.cli import main
from peers.contest import Contest, Disagreement, Entry, Workers
from peers.ours import Ours
from peers.record import Record
from peers.work import Work
from support import require

TINY = Work("lstm", (5,), 2, 3, symbols=7, inputs=4, outputs=7)
CELLS = [
    replace(TINY, cell=cell, dtype=dtype)
    for cell in ("rnn", "lstm", "gru")
    for dtype in ("float32", "float64")
]
ORDERS: dict[str, Any] = {"torch": layout.ORDER, "onnx": layout.ONNX_ORDER}


@pytest.fixture(scope="module")
def workers() -> Iterator[Workers]:
    """Processes that the tests of this file share."""
    found = Workers()
    yield found
    found.close()


def held(work: Work, workers: Workers, peer: str) -> dict[str, Any]:
    entries = (Entry("ours", "ours", work), Entry(peer, peer, work))
    return contest.hold(Contest("smoke", entries), workers, 0.01)


@pytest.mark.parametrize("work", CELLS, ids=lambda work: work.key)
def test_pytorch_computes_the_same_and_is_timed(work: Work, workers: Workers) -> None:
    require("torch")
    for mode in ("train", "infer", "step"):
        found = held(replace(work, mode=mode), workers, "torch")
        assert set(found["times"]) == {"ours", "torch"}
        assert found["ratios"]["ours"] == [1, 1, 1]
        assert not found["left_out"]


def test_what_is_composed_in_pytorch_computes_the_same(workers: Workers) -> None:
    require("torch")
    for cell in ("lstm", "gflstm"):
        work = replace(TINY, cell=cell, hidden=(5, 4))
        assert "composed" in held(work, workers, "composed")["times"]


@pytest.mark.parametrize("peer", ["jax", "onnxruntime"])
def test_the_other_peers_compute_the_same_where_they_are(
    peer: str, workers: Workers
) -> None:
    """They come with `make bench-peers` alone; without, the harness says what lacks."""
    for work in CELLS[::2]:
        found = held(replace(work, mode="infer"), workers, peer)
        if find_spec(peer) is None:
            assert "not installed" in found["left_out"][peer]
        else:
            assert peer in found["times"]


def test_a_difference_is_found() -> None:
    """One wrong element of one gradient, or one that is not a number."""
    entry = Entry("peer", "torch", TINY)
    expected = {"loss": np.array(2.0), "gradient": np.array([[1e-3, -2e-3]])}
    contest.check(expected, expected, entry)
    for wrong in (1.01e-3, np.nan):
        answer = {**expected, "gradient": np.array([[wrong, -2e-3]])}
        with pytest.raises(Disagreement, match="gradient differs"):
            contest.check(answer, expected, entry)
    with pytest.raises(Disagreement, match="gradient on one side only"):
        contest.check({"loss": np.array(2.0)}, expected, entry)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru", "gflstm"])
def test_what_is_stacked_comes_apart_again(cell: str, order: str) -> None:
    if cell == "gflstm" and order == "onnx":
        return
    work = replace(TINY, cell=cell, hidden=(5, 4))
    parameters = Ours(work, None, 1).parameters()
    plan = layout.plan(work, ORDERS[order])
    again = layout.unstack(layout.stack(parameters, plan), plan, parameters)
    assert again.keys() == parameters.keys()
    for name, value in parameters.items():
        np.testing.assert_array_equal(again[name], value)


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru", "gflstm"])
def test_the_nominal_work_is_that_of_the_weights(cell: str) -> None:
    """6 x weights x symbols; a gather saves the first layer's part beyond the table."""
    work = replace(TINY, cell=cell, hidden=(5, 4), batch=6, time=10)
    parameters = Ours(work, None, 1).parameters()
    weights = {
        name: value.size
        for name, value in parameters.items()
        if "weight" in name and not name.startswith("embedding")
    }
    assert work.nominal_flops() == 6 * sum(weights.values()) * 60
    first = [n for n in weights if n.startswith("layers.0.") and n.endswith("weight_x")]
    saved = sum(weights[name] for name in first) * (60 - 7)
    assert work.executed_flops() == work.nominal_flops() - 6 * saved


def test_the_lists_are_those_of_the_plan() -> None:
    """No step is over the limit, a tenth has all peers, no key comes twice."""
    cells = sweep.contests(1)
    assert max(c.entries[0].work.nominal_flops() for c in cells) <= sweep.LARGEST_FLOPS
    everywhere = [c for c in cells if len(c.entries) > 2]
    assert len(everywhere) == 2 * len(sweep.CELLS) * len(sweep.TENTH)
    assert 10 * len(sweep.TENTH) == len(sweep.HIDDEN) * len(sweep.BATCH) * len(
        sweep.TIME
    )
    all_of_them = [*cells, *rows.rows(1), *rows.two_threads(), *curves.contests(1)]
    # The base of the curves stands on each of them under its own name.
    assert len({each.key for each in all_of_them}) == len(all_of_them)


def test_a_record_goes_on_and_becomes_tables(tmp_path: Path) -> None:
    require("torch")
    sizes = "infer lstm 8 B=1 T=1 "
    command = ["x", "--what", "sweep", "--only", f"{sizes}.*float64", "--budget"]
    command += ["0.01", "--folder", str(tmp_path)]
    main(command, standalone_mode=False)
    (line,) = Record(tmp_path / "x.jsonl").of("sweep")
    main(command, standalone_mode=False)
    assert Record(tmp_path / "x.jsonl").of("sweep") == [line]
    table = (tmp_path / "x.md").read_text()
    assert "1 cells" in table
    assert sizes in table
