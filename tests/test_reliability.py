"""A slice of `make reliability`: nothing corrupt, nothing lost, nothing left behind."""

import random
import sys
from pathlib import Path

import pytest

from reliability import Figures, damage, kills, resumes


def assert_good(figures: Figures) -> None:
    assert not {k: v for k, v in figures.items() if k.startswith("bad: ") and v}


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="forks and kills")
def test_killed_at_random_instants(tmp_path: Path) -> None:
    figures = kills.check(tmp_path, 25, random.Random(1))
    assert_good(figures)
    assert figures["kills"] == 25


@pytest.mark.slow
def test_interrupted_and_resumed(tmp_path: Path) -> None:
    assert_good(resumes.check(tmp_path, 14, random.Random(1)))


@pytest.mark.slow
def test_cut_and_flipped(tmp_path: Path) -> None:
    assert_good(damage.check(tmp_path, 1500, random.Random(1)))
