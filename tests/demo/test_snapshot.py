"""What a page is sent: what is new, never more than there is room for."""

import itertools
import json
import math

import pytest

from recurrentnn.demo.curve import MOST_POINTS, Curve, Kept, Seen, plain
from recurrentnn.demo.snapshot import MOST_SAMPLES, Board, Cursor
from recurrentnn.training import Update


def update(loss: float) -> Update:
    return Update(loss, 10, 1.0, 0.5, 1e-3)


def test_a_curve_stays_short_and_is_that_of_means() -> None:
    """Each point is the mean of as many updates as the others."""
    curve = Curve(100)
    losses = [math.sin(i / 500) for i in range(10_000)]
    for step, loss in enumerate(losses, start=1):
        curve.add(step, loss)
        assert len(curve.entries) <= 100
    points = curve.entries
    assert len(points) >= 40
    stride = points[1].step - points[0].step
    for before, point in itertools.pairwise(points):
        assert point.step - before.step == stride
        mean = sum(losses[before.step : point.step]) / stride
        assert point.loss == pytest.approx(mean)
    assert points[-1].smoothed == pytest.approx(losses[-1], abs=0.15)


def test_a_reader_that_asks_at_any_time_has_the_whole() -> None:
    """What it was sent, put together, is the list as it is."""
    for every in (1, 3, 7, 50, 1000):
        kept: Kept[int] = Kept(20)
        has: list[int] = []
        seen = Seen()
        for number in range(500):
            kept.append(number)
            if number % every == 0:
                new, whole = kept.since(seen)
                has = new if whole else has + new
                seen = kept.seen
                assert has == kept.entries
        assert len(kept.entries) <= 20
        assert kept.entries[0] == 0
        assert kept.entries[-1] == 499


def test_a_page_is_sent_what_is_new_and_a_new_one_everything() -> None:
    board = Board()
    board.begin({}, phase="learning")
    board.update(1, 0.1, update(3.0))
    first, cursor = board.now(Cursor(board.lesson))
    assert [point[0] for point in first["points"]] == [1]
    board.update(2, 0.2, update(2.0))
    board.sample(2, "text", "greedy")
    board.held_out(2, 2.5)
    more, cursor = board.now(cursor)
    assert [point[0] for point in more["points"]] == [2]
    assert (more["samples"], more["held_out"]) == (
        [{"step": 2, "text": "text"}],
        [[2, 2.5]],
    )
    assert more["whole"] == []
    assert more["greedy"] == {"step": 2, "text": "greedy"}
    nothing, _ = board.now(cursor)
    assert (nothing["points"], nothing["samples"]) == ([], [])
    all_of_it, _ = board.now(Cursor(board.lesson))
    assert [point[0] for point in all_of_it["points"]] == [1, 2]
    assert all_of_it["whole"] == ["points", "held_out", "samples"]


def test_another_lesson_is_told_before_its_points_count() -> None:
    """It may begin between two messages: the page must not take it for the old one."""
    board = Board()
    board.begin({}, phase="learning")
    board.update(1, 0.1, update(3.0))
    _, cursor = board.now(Cursor(board.lesson))
    board.begin({}, phase="learning")
    board.update(1, 0.1, update(3.0))
    _, cursor = board.now(cursor)
    assert cursor.lesson != board.lesson
    message, cursor = board.now(Cursor(board.lesson))
    assert cursor.lesson == board.lesson
    assert message["whole"] == ["points", "held_out", "samples"]


def test_a_hundred_thousand_updates_make_no_larger_message() -> None:
    board = Board()
    board.begin({}, phase="learning")
    for step in range(1, 100_001):
        board.update(step, step / 100, update(1.0))
    for step in range(1000):
        board.sample(step, "x" * 140, "y")
        board.held_out(step, 1.0)
    message, _ = board.now(Cursor(board.lesson))
    assert len(message["points"]) <= MOST_POINTS
    assert len(message["samples"]) <= MOST_SAMPLES
    assert message["samples"][0]["step"] == 0
    assert message["samples"][-1]["step"] == 999
    assert len(json.dumps(message)) < 200_000


def test_numbers_that_json_has_not_are_null() -> None:
    found = plain({"a": math.nan, "b": [math.inf, (1.5, "x")], "c": None, "d": 3})
    assert found == {"a": None, "b": [None, [1.5, "x"]], "c": None, "d": 3}
    json.dumps(found, allow_nan=False)
