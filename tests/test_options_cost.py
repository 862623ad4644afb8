"""The bench of options: every option has a row, and a tiny run leaves a record."""

import json
from pathlib import Path

import pytest

import options_cost
from recurrentnn.options import LSTMOptions


def test_every_option_of_the_compiled_step_has_a_row() -> None:
    measured = {name for case in options_cost.CASES for name in case.options}
    assert measured - {"activation"} == set(LSTMOptions.__annotations__)


@pytest.mark.parametrize(
    ("only", "rows"),
    [
        ("options gru .*(zoneout|tied)", ["gru zoneout of h", "gru tied embedding"]),
        ("options lstm .*activ|ragged rnn", ["rnn training", "rnn inference"]),
    ],
)
def test_rows_are_shown_and_recorded(
    only: str, rows: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    size = options_cost.Size(4, 3, 5, 6, 5, 7)
    arguments = ["tiny", "--only", only, "--rounds", "3", "--folder", str(tmp_path)]
    assert options_cost.main(arguments, size) == 0
    text = (tmp_path / "tiny.jsonl").read_text()
    about, *found = [json.loads(line) for line in text.splitlines()]
    assert about["command"].startswith("options_cost.py tiny --only")
    assert [f"{row['cell']} {row['name']}" for row in found] == rows
    for row in found:
        middle, low, high = row["ratio"]
        assert 0 < low <= middle <= high
    assert len(capsys.readouterr().out.splitlines()) == 2 + len(rows)


def test_a_share_counts_only_the_ticks_that_there_are() -> None:
    assert options_cost.ratios([2.0, 2.0, 2.0], [8.0, 8.0, 8.0], 0.5) == [0.5] * 3
    assert options_cost.ratios([1.0, 2.0, 9.0], [1.0, 1.0, 1.0])[0] == 2.0
