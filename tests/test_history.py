"""History: columns there and back, the table, the picture, the plot."""

import builtins
import csv
import math
import xml.etree.ElementTree as ET
from typing import Any

import numpy as np
import pytest

import recurrentnn as rnn
import runs
from recurrentnn.training import History
from recurrentnn.training.svg import Line, chart


@pytest.fixture(scope="module")
def history() -> History:
    return runs.trainer().fit(runs.text_batches(), runs.held_out(), steps=10)


def test_columns_give_the_same_records_bit_for_bit(history: History) -> None:
    copy = History.from_columns(history.columns())
    assert copy.to_csv() == history.to_csv()
    assert [r.loss for r in copy] == [r.loss for r in history]
    assert [r.validation_loss for r in copy] == [r.validation_loss for r in history]


def test_columns_that_are_none_are_refused(history: History) -> None:
    columns = history.columns()
    for wrong in (
        {},
        {n: c for n, c in columns.items() if n != "loss"},
        columns | {"surprise": columns["loss"]},
        columns | {"loss": columns["loss"][1:]},
    ):
        with pytest.raises(rnn.FormatError, match="history"):
            History.from_columns(wrong)
    with pytest.raises(rnn.ArgumentError, match="perplexity"):
        history.column("loess")


def test_the_table_is_exact(history: History) -> None:
    rows = list(csv.DictReader(history.to_csv().splitlines()))
    for row, record in zip(rows, history, strict=True):
        assert float(row["grad_norm"]) == record.grad_norm
        known = record.validation_loss is not None
        assert (row["validation_loss"] != "") == known


def test_a_notebook_shows_a_chart_with_both_losses(history: History) -> None:
    root = ET.fromstring(history._repr_html_())
    lines = [e for e in root if e.tag.endswith("polyline")]
    assert len(lines) == 2
    words = " ".join(e.text or "" for e in root if e.tag.endswith("text"))
    assert "training" in words
    assert "validation" in words
    assert "script" not in history._repr_html_()


def test_a_chart_stays_in_its_frame_and_escapes() -> None:
    flat = Line("<b>&", [1.0], [2.0])
    long = Line("long", list(range(10**4)), [math.sin(i) for i in range(10**4)])
    root = ET.fromstring(chart([flat, long], x_label="x", y_label="y"))
    for element in root:
        points = element.get("points", "")
        numbers = [float(n) for pair in points.split() for n in pair.split(",")]
        assert all(0 <= n <= 480 for n in numbers)
        assert len(numbers) <= 2 * 500
    assert "nothing" in History()._repr_html_()


def test_a_plot_needs_matplotlib_and_says_so(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any, **options: Any) -> Any:
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return real(name, *rest, **options)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ImportError, match=r"pip install 'recurrentnn\[plot\]'"):
        history.plot()


def test_a_plot_draws_on_axes(history: History) -> None:
    drawn: dict[str, Any] = {}

    class Axes:
        def plot(self, x: Any, y: Any, label: str) -> None:
            drawn[label] = (x, y)

        def __getattr__(self, _name: str) -> Any:
            return lambda *_: None

    axes = Axes()
    assert history.plot(axes) is axes
    np.testing.assert_array_equal(drawn["training"][1], history.column("loss"))
