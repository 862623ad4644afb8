"""The FMA peak of this minute, from `cargo run --release --example fma_peak`."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from peers.record import ROOT
from peers.worker import processors


def default_program() -> Path:
    """Where cargo puts it."""
    target = os.environ.get("CARGO_TARGET_DIR", ROOT / "target")
    return Path(target) / "release" / "examples" / "fma_peak"


def peak(program: Path, threads: int, dtype: str) -> float | None:
    """GFLOP/s of all threads together, or None where the program was not built."""
    if not program.exists():
        return None
    allowed = processors(threads)
    done = subprocess.run(
        [program, str(threads)],
        capture_output=True,
        text=True,
        check=True,
        preexec_fn=lambda: os.sched_setaffinity(0, allowed),
    )
    found = dict(line.split() for line in done.stdout.splitlines())
    return float(found[dtype]) * threads
