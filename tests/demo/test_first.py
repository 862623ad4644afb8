"""The model that comes with the demo, and the race on the old demo's set-up."""

import math
from pathlib import Path

import pytest

from live import PATIENCE, TEXT
from recurrentnn.demo import first, race
from recurrentnn.demo.form import effective
from recurrentnn.demo.session import Session
from recurrentnn.demo.snapshot import Board
from recurrentnn.training import Update


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of its own, and a first model that is made at once."""
    monkeypatch.setattr(first, "cache", lambda: tmp_path / "deep" / "cache")
    monkeypatch.setattr(first, "text", lambda: TEXT)
    monkeypatch.setattr(first, "STEPS", 3)
    monkeypatch.setattr(first, "SETTINGS", {"lines": True, "hidden_sizes": "8"})
    return first.path()


def begin() -> tuple[str, int, str]:
    """Phase, step and greedy line of a session that begins with it."""
    session = Session(TEXT)
    session.start()
    try:
        session.begin().result(PATIENCE)
        while session.board.step < 3:
            session.ask(lambda: None).result(PATIENCE)
        phase = session.board.phase
        session.pause().result(PATIENCE)
        assert session.board.greedy is not None
        return phase, session.board.step, session.board.greedy["text"]
    finally:
        session.close()


def test_it_is_made_once_and_then_there_at_once(kept: Path) -> None:
    assert first.find() is None
    phase, _, _ = begin()
    assert phase == "learning"
    assert kept.is_file()
    made = kept.read_bytes()
    phase, step, _ = begin()
    assert (phase, step) == ("paused", 3)
    assert kept.read_bytes() == made
    assert [path.name for path in kept.parent.iterdir()] == [kept.name]


@pytest.mark.parametrize("damage", ["cut", "flip", "empty", "folder", "other"])
def test_any_damage_means_making_it_again(kept: Path, damage: str) -> None:
    begin()
    made = kept.read_bytes()
    kept.unlink()
    if damage == "cut":
        kept.write_bytes(made[:-10])
    elif damage == "flip":
        kept.write_bytes(made[:-10] + bytes([made[-10] ^ 1]) + made[-9:])
    elif damage == "empty":
        kept.write_bytes(b"")
    elif damage == "other":
        kept.write_bytes(b"{}")
    else:
        kept.mkdir()
    assert first.find() is None
    phase, _, _ = begin()
    assert phase == "learning"
    if damage != "folder":
        assert first.find() is not None


def test_a_cache_that_cannot_be_written_is_none(
    kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept.parent.parent.write_text("a file where the folder should be")
    monkeypatch.setattr(first, "cache", lambda: kept.parent.parent / "cache")
    phase, _, _ = begin()
    assert phase == "learning"


def test_the_name_is_that_of_version_text_and_settings(
    kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(first, "__version__", "9.9.9")
    assert first.path() != kept


def test_the_old_demos_settings_are_known_when_they_are_chosen() -> None:
    assert race.is_set_up(race.SETTINGS)
    assert race.is_set_up(effective(race.SETTINGS))
    assert race.is_set_up({**race.SETTINGS, "seed": 7})
    for other in (
        {"hidden_sizes": "20"},
        {"learning_rate": 0.02},
        {"model.dropout": 0.1},
        {"lines": False},
        {"optimizer": "adam"},
    ):
        assert not race.is_set_up({**race.SETTINGS, **other})
    assert not race.is_set_up({})


def test_the_race_counts_characters_and_seconds_of_learning() -> None:
    """RecurrentJS's time for a perplexity is that for as many characters."""
    board, run = Board(), race.Race()
    board.begin({}, phase="learning")
    for step in range(1, 301):
        update = Update(math.log(15.5), 60, 1.0, 0.0, 2e-4)
        board.update(step, 0.0, update)
        run.update(board, update)
    assert board.race is not None
    assert board.race["perplexity"] == pytest.approx(15.5)
    assert board.race["seconds"] == pytest.approx(300 * 2e-4)
    assert board.race["symbols"] == 300 * 60
    assert board.race["theirs"] == pytest.approx([300 * 60 * 180e-6, 300 * 60 * 285e-6])
    assert [one["perplexity"] for one in board.race["reached"]] == [30.0, 20.0]
    assert board.race["reached"][0]["symbols"] == 50 * 60
    assert race.described()["cpu"]


def test_the_race_runs_on_a_session() -> None:
    session = Session(TEXT)
    session.start()
    try:
        session.learn(race.SETTINGS).result(PATIENCE)
        while session.board.step < 200:
            session.ask(lambda: None).result(PATIENCE)
        session.pause().result(PATIENCE)
        found = session.board.race
        assert found is not None
        assert found["reached"]
        assert found["seconds"] < found["theirs"][0]
        session.learn({**race.SETTINGS, "hidden_sizes": "8"}).result(PATIENCE)
        assert session.board.race is None
    finally:
        session.close()
