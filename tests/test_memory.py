"""Nothing grows from step to step: a slice of what `benches/memory.py` does."""

import json
import subprocess
import sys

import pytest

import memory
from support import ROOT


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_memory_is_flat() -> None:
    # In a process of its own: others' memory would hide what grows.
    command = [sys.executable, str(ROOT / "benches" / "memory.py")]
    asked = ["--stream", "50000", "--training", "1000"]
    done = subprocess.run([*command, *asked], capture_output=True, check=True)
    stream, training = map(json.loads, done.stdout.splitlines())
    assert stream["growth"] < 0.005
    assert training["growth"] < 0.01


def test_growth_is_seen() -> None:
    assert memory.growth([5.0] * 30) == 0
    assert memory.growth([float(n) for n in range(1, 31)]) > 0.5
