"""Texts and models that a command line names."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path

from recurrentnn.errors import FormatError
from recurrentnn.text_model import TextLanguage, load_language


def read_bytes(name: str) -> bytes:
    """What is in a file, or comes from stdin for `-`."""
    return sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()


def read_text(name: str) -> str:
    """The UTF-8 text of a file, or of stdin for `-`; a byte order mark is dropped.

    Raises
    ------
    OSError
        The file cannot be read.
    UnicodeDecodeError
        It is not UTF-8.
    """
    try:
        return read_bytes(name).decode("utf-8-sig")
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


def model_file(name: str) -> Path:
    """The file that is meant: a file, or of a run's folder the best one, else the last.

    A run's `best` and `last` name a file, too.

    Raises
    ------
    FileNotFoundError
        A folder without a run, or without a checkpoint.
    """
    path = Path(name)
    if path.is_dir():
        marks = [path / mark for mark in ("best", "last") if (path / mark).is_file()]
        if not marks:
            raise FileNotFoundError(
                errno.ENOENT, "no model file, and no run's folder with one", name
            )
        path = marks[0]
    if path.name in ("best", "last") and (path.parent / "ckpt").is_dir():
        target = path.read_text(encoding="utf-8").strip()
        if Path(target).name != target or not target:
            raise FormatError(f"{path}: must name a checkpoint")
        return path.parent / "ckpt" / target
    return path


def load_model(name: str) -> TextLanguage:
    """The text model in a file or a run's folder.

    Raises
    ------
    OSError, FormatError
        The file cannot be read, or holds no text model.
    """
    return load_language(model_file(name))[0]
