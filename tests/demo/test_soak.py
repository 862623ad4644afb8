"""Some minutes of the live page: nothing grows."""

from typing import Any

import pytest

from live_page import soak

pytest.importorskip("starlette")
pytest.importorskip("websockets")


@pytest.mark.slow
def test_memory_is_flat(chromium: Any) -> None:
    """`python -m live_page.soak` does the same for an hour, and measures the speed."""
    found = soak.run(chromium, seconds=180.0, pairs=1)
    assert found["looks"] > 20
    assert found["steps_seen"] == found["looks"]
    assert found["heap_growth"] < 0.05
    assert found["resident_growth"] < 0.03
