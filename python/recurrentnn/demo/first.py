"""The model that comes with the demo: made on first use, kept in the user's cache.

What is kept is never needed: a file that is not there, or not whole, is made again.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import os
import sys
from pathlib import Path
from typing import Any

from recurrentnn._recurrentnn import __version__, write_file
from recurrentnn.builtin_text import Text, default_text
from recurrentnn.demo.files import Found, read_upload
from recurrentnn.errors import RecurrentNNError

SETTINGS: dict[str, Any] = {"lines": True}
"""Those of `recurrentnn train` without a text."""

STEPS = 600
"""Updates that it has made; a few seconds."""

_MOST_BYTES = 64_000_000


@functools.cache
def text() -> Text:
    """What it has learnt."""
    return default_text()


def find() -> Found | None:
    """The model, if there is one that is whole."""
    with contextlib.suppress(OSError, RecurrentNNError):
        file = path()
        if file.stat().st_size <= _MOST_BYTES:
            return read_upload(file.read_bytes())
    return None


def keep(model: bytes) -> None:
    """Write the file, all of it or nothing; a folder that cannot be written is none."""
    with contextlib.suppress(OSError):
        path().parent.mkdir(parents=True, exist_ok=True)
        write_file(path(), model)


def path() -> Path:
    """The file; of another version or text it has another name."""
    of = json.dumps([__version__, text().text, SETTINGS, STEPS])
    return cache() / f"demo-{hashlib.sha256(of.encode()).hexdigest()[:16]}.safetensors"


def cache() -> Path:
    """The folder for what can be made again."""
    if sys.platform == "win32":
        given, usual = os.environ.get("LOCALAPPDATA"), Path.home() / "AppData" / "Local"
    elif sys.platform == "darwin":
        given, usual = None, Path.home() / "Library" / "Caches"
    else:
        given, usual = os.environ.get("XDG_CACHE_HOME"), Path.home() / ".cache"
    return (Path(given) if given else usual) / "recurrentnn"
