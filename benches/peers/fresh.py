"""What only a new process shows: the first call, the import, and what is installed."""

from __future__ import annotations

import importlib.util
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

from peers.contest import Entry
from peers.record import ROOT
from peers.work import Arrays, Missing
from peers.worker import Worker

# What a later call may cost and the first one not: the goal of the first.
LATER_CALLS = 5
IMPORTS = 7
MEBIBYTE = 2**20

# A package, and what of it is installed under another name.
PACKAGES = {"recurrentnn": (), "torch": (), "jax": ("jaxlib",), "onnxruntime": ()}

IMPORT = """
import time, numpy
start = time.perf_counter()
import {package}
print(time.perf_counter() - start)
"""


def first_calls(entries: tuple[Entry, ...]) -> dict[str, Any]:
    """Seconds of the first call and the median of later ones, of each entry.

    The first entry is ours. Building the net is not counted, compiling it is.
    """
    found: dict[str, Any] = {}
    parameters: Arrays | None = None
    for entry in entries:
        worker = Worker(entry.side, entry.threads)
        try:
            worker.build(entry.work, parameters)
            if parameters is None:
                parameters = worker.parameters()
            (first,) = worker.time(1)
            later = statistics.median(worker.time(LATER_CALLS))
            found[entry.label] = {"first": first, "later": later}
        except Missing as reason:
            found[entry.label] = {"missing": str(reason)}
        finally:
            worker.close()
    return found


def imports(wheels: tuple[Path, ...]) -> dict[str, Any]:
    """Seconds to import each package over NumPy, and its size."""
    found: dict[str, Any] = {}
    for package, parts in PACKAGES.items():
        if importlib.util.find_spec(package) is None:
            found[package] = {"missing": f"{package} is not installed"}
            continue
        program = IMPORT.format(package=package)
        seconds = [float(_output(program)) for _ in range(IMPORTS)]
        found[package] = {
            "import": statistics.median(seconds[1:]),  # the first reads the disk
            "installed": sum(map(_size, (package, *parts))) / MEBIBYTE,
            "wheel": _wheel(package, wheels),
        }
    return found


def _output(program: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout


def _size(package: str) -> int:
    spec = importlib.util.find_spec(package)
    folders = (spec.submodule_search_locations or []) if spec else []
    files = (file for folder in folders for file in Path(folder).rglob("*"))
    sizes = (f.stat().st_size for f in files if f.is_file() and f.suffix != ".pyc")
    return sum(sizes)


def _wheel(package: str, wheels: tuple[Path, ...]) -> float | None:
    """MiB of the wheel, from `dist` or the folders given."""
    for folder in (ROOT / "dist", *wheels):
        for wheel in sorted(folder.glob(f"{package}-*.whl")):
            return wheel.stat().st_size / MEBIBYTE
    return None
