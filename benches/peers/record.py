"""What was measured, one JSON object a line: a run that stops goes on where it was."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "benches" / "record"
PACKAGES = ("recurrentnn", "torch", "jax", "onnxruntime", "numpy")


class Record:
    """The lines of one file.

    Parameters
    ----------
    path
        JSON lines, appended to; made, with a line that describes the machine, if it is
        not there.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lines: list[dict[str, Any]] = []
        if path.exists():
            text = path.read_text(encoding="utf-8")
            self.lines = [json.loads(line) for line in text.splitlines()]
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            self.add({"kind": "about", "key": "about", **about()})

    def __contains__(self, key: str) -> bool:
        """Whether this was measured already."""
        return any(line["key"] == key for line in self.lines)

    def of(self, kind: str) -> list[dict[str, Any]]:
        """All lines of a kind."""
        return [line for line in self.lines if line["kind"] == kind]

    def add(self, line: dict[str, Any]) -> None:
        """Append a line, at once."""
        self.lines.append(line)
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")


def about() -> dict[str, Any]:
    """CPU, versions, commit and command: what a figure is worth without the machine."""
    versions = {}
    for package in PACKAGES:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            versions[package] = "not installed"
    commit = subprocess.run(
        ["git", "describe", "--always", "--dirty"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    ).stdout.strip()
    return {
        "cpu": _cpu(),
        "processors": len(os.sched_getaffinity(0)),
        "python": platform.python_version(),
        "versions": versions,
        "commit": commit or "unknown",
        "command": " ".join(["peers.py", *sys.argv[1:]]),
    }


def _cpu() -> str:
    path = Path("/proc/cpuinfo")
    if path.exists():
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or "unknown"
