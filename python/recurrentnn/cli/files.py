"""Texts and models that a command line names."""

from __future__ import annotations

import errno
import os
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
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        error.reason = f"{error.reason}: {name} is not UTF-8 text"
        raise


def check_output(name: str) -> None:
    """See that a model can be written there, before time is spent on one.

    Raises
    ------
    OSError
        There is no such folder, or something that is not a regular file.
    """
    path = Path(name)
    if path.exists() and not path.is_file():
        raise OSError(errno.EINVAL, "not a regular file", name)
    folder = path.resolve().parent
    if not folder.is_dir():
        raise FileNotFoundError(errno.ENOENT, "no such folder", str(folder))
    if not os.access(folder, os.W_OK):
        raise PermissionError(errno.EACCES, "the folder cannot be written", str(folder))


def load_model(name: str) -> CharModel:
    """The character model in a file.

    Raises
    ------
    OSError, FormatError
        The file cannot be read, or holds no character model.
    """
    return CharModel.load(name)
