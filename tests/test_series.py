"""Windows, scalings, naive forecasts and tables of series."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import recurrentnn as rnn
from recurrentnn import data
from recurrentnn import reference as ref
from support import assert_close, require_data

SERIES = np.random.default_rng(1).normal(5, 3, (23, 2)).round(2)


@pytest.mark.parametrize(("length", "horizon", "stride"), [(4, 1, 1), (5, 3, 2)])
def test_windows_are_those_of_the_reference_and_views(
    length: int, horizon: int, stride: int
) -> None:
    windows = data.Windows(SERIES, length, horizon, stride, past=SERIES, known=SERIES)
    expected = ref.series.windows(SERIES.tolist(), length, horizon, stride)
    assert len(windows) == len(expected)
    for number, (history, future) in enumerate(expected):
        window = windows[number]
        assert window.history.tolist() == history
        assert window.future.tolist() == future
        assert window.past is not None
        assert window.past.tolist() == history
        assert window.known is not None
        assert window.known.tolist() == [*history, *future]
        for view in window:
            assert view is not None
            assert np.shares_memory(view, SERIES)
    assert np.shares_memory(windows[1:3].history, SERIES)
    assert windows[np.array([2, 0])].future[1].tolist() == expected[0][1]


@pytest.mark.parametrize("kind", ["standard", "minmax", "robust", "none"])
def test_scalings_are_those_of_the_reference_and_invert(kind: str) -> None:
    series = np.column_stack([SERIES, np.full(23, 0.1)])
    scaling = data.Scaling.of(series, kind)
    for number, column in enumerate(series.T):
        center, scale = ref.series.scaling(column.tolist(), kind)
        assert_close(scaling.center[number], center, 1e-12)
        assert_close(scaling.scale[number], scale, 1e-12)
    assert_close(scaling.invert(scaling.apply(series)), series, 1e-12)
    assert data.Scaling.from_config(scaling.config()).config() == scaling.config()


@pytest.mark.parametrize("season", [1, 3])
@pytest.mark.parametrize("steps", [1, 3, 8])
def test_naive_forecasts_and_errors_are_those_of_the_reference(
    steps: int, season: int
) -> None:
    history, truth = SERIES[:10], SERIES[10 : 10 + steps]
    found = data.seasonal(history, steps, season)
    rows = history.tolist()
    assert found.tolist() == ref.series.seasonal(rows, steps, season)
    assert data.persistence(history, steps).tolist() == (
        ref.series.persistence(rows, steps)
    )
    naive = data.naive_error(history, season)
    assert_close(naive, ref.series.naive_error(rows, season), 1e-12)
    errors = data.Errors.of(found, truth, naive)
    expected = ref.series.errors(found.tolist(), truth.tolist(), naive.tolist())
    assert_close(errors, expected, 1e-12)


def test_persistence_on_etth1_is_as_published() -> None:
    """All 7 series, horizon 24, standardised by the training part: MSE 1.222."""
    table = data.read_csv(require_data("timeseries/ETTh1.csv"))
    assert table.names == ("HUFL", "HULL", "MUFL", "MULL", "LUFL", "LULL", "OT")
    z = data.Scaling.of(table.values[:8640]).apply(table.values[:14400])
    windows = data.Windows(z[11520 - 96 :], 96, 24)
    errors = data.Errors.of(
        data.persistence(windows.history, 24), windows.future, np.ones(7)
    )
    assert (round(errors.mse, 3), round(errors.mae, 3)) == (1.222, 0.671)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_missing_number_is_named_by_its_place(bad: float) -> None:
    series = SERIES.copy()
    series[7, 1] = series[9, 0] = bad
    for call in (
        lambda: data.Windows(series, 3),
        lambda: data.Windows(SERIES, 3, known=series),
        lambda: data.Scaling.of(series),
        lambda: rnn.Forecaster.train(series),
    ):
        with pytest.raises(rnn.ArgumentError, match=f"got {bad} in row 7, column 1"):
            call()


def _table(path: Path, text: str, *args: Any, **options: Any) -> data.Table:
    path.write_text(text, encoding="utf-8")
    return data.read_csv(path, *args, **options)


def test_tables_are_read_as_they_come(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    plain = _table(
        path, "\ufeffdate,a,b\r\n2020-01-01,1,2.5\r\n\r\n2020-01-02,-3,4e1\r\n"
    )
    assert plain.names == ("a", "b")
    assert plain.values.tolist() == [[1, 2.5], [-3, 40]]
    bare = _table(path, "1;2\n3;4")
    assert (bare.names, bare.values.tolist()) == (("0", "1"), [[1, 2], [3, 4]])
    quoted = _table(path, '"Month","All, of them"\n"1949-01",112\n')
    assert (quoted.names, quoted.values.tolist()) == (("All, of them",), [[112]])
    chosen = _table(path, "a\tb\tc\n1\t2\t3\n", ["c", "a"])
    assert (chosen.names, chosen.values.tolist()) == (("c", "a"), [[3, 1]])
    assert _table(path, "a:b\n1:2\n", delimiter=":").names == ("a", "b")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no line"),
        ("a,b\n", "no line behind the header"),
        ("d,a\nx,1\nx,\n", r"line 3, column a: must be a number, got ''"),
        ("d,a\nx,1\nx,n/a\n", r"line 3, column a: must be a number, got 'n/a'"),
        ("a,b\n1,2\n\n3\n", r"line 4 must have 2 fields, got 1"),
        ("a,b\nx,y\n", "line 2 has no number"),
    ],
)
def test_a_table_that_is_none_is_refused_with_its_line(
    tmp_path: Path, text: str, message: str
) -> None:
    with pytest.raises(rnn.FormatError, match=message):
        _table(tmp_path / "t.csv", text)


def test_mistakes_are_named(tmp_path: Path) -> None:
    with pytest.raises(rnn.ShapeError, match="at least 24 rows, length 20 and horizon"):
        data.Windows(SERIES, 20, 4)
    with pytest.raises(rnn.ShapeError, match="past must have the 23 rows"):
        data.Windows(SERIES, 2, past=SERIES[1:])
    with pytest.raises(rnn.ShapeError, match=r"\(time, series\)"):
        data.Windows(np.zeros((2, 3, 4)), 2)
    with pytest.raises(rnn.ArgumentError, match="standard, minmax, robust, none"):
        data.Scaling.of(SERIES, "max")
    with pytest.raises(rnn.ShapeError, match=r"expected \(.., 2\) numbers"):
        data.Scaling.of(SERIES).apply(SERIES[:, :1])
    with pytest.raises(rnn.ArgumentError, match="above 0"):
        data.Scaling([0.0], [0.0])
    for config in (
        None,
        {},
        {"center": [1], "scale": ["x"]},
        {"center": 1, "scale": 2},
    ):
        with pytest.raises(rnn.FormatError, match="scaling"):
            data.Scaling.from_config(config)
    with pytest.raises(rnn.ShapeError, match="at least 30 rows"):
        data.seasonal(SERIES, 3, 30)
    with pytest.raises(rnn.ShapeError, match="more than 23 rows"):
        data.naive_error(SERIES, 23)
    with pytest.raises(rnn.ArgumentError, match="columns must be among a, b, got 'c'"):
        _table(tmp_path / "t.csv", "a,b\n1,2\n", ["c"])
    (tmp_path / "t.csv").write_bytes(b"a\n\xff\n")
    with pytest.raises(rnn.FormatError, match="not UTF-8"):
        data.read_csv(tmp_path / "t.csv")
