"""Texts and models that a command line names."""

from __future__ import annotations

import sys
from pathlib import Path

from recurrentnn.char_model import CharModel


def read_text(name: str) -> str:
    """The UTF-8 text of a file, or of stdin for `-`; a byte order mark is dropped.

    Raises
    ------
    OSError
        The file cannot be read.
    UnicodeDecodeError
        It is not UTF-8.
    """
    raw = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    return raw.decode("utf-8-sig")


def load_model(name: str) -> CharModel:
    """The character model in a file.

    Raises
    ------
    OSError, FormatError
        The file cannot be read, or holds no character model.
    """
    return CharModel.load(name)
