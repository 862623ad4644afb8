"""Three minutes of the live page: nothing grows, and learning hardly notices it."""

from typing import Any

import pytest

from live_page import soak

pytest.importorskip("starlette")
pytest.importorskip("websockets")


@pytest.mark.slow
def test_memory_is_flat_and_learning_keeps_its_speed(chromium: Any) -> None:
    """`python -m live_page.soak` does the same for an hour."""
    found = soak.run(chromium, seconds=90.0, pairs=7)
    assert found["looks"] > 20
    assert found["steps_seen"] == found["looks"]
    assert found["heap_growth"] < 0.05
    assert found["resident_growth"] < 0.03
    assert found["speed"] >= 0.9


def test_growth_is_seen() -> None:
    assert soak.growth([5.0] * 30) == 0
    assert soak.growth([float(n) for n in range(1, 31)]) > 0.5
