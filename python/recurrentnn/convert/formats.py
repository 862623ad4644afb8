"""The one table of files: who reads a suffix and who writes it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from recurrentnn._recurrentnn import Model
from recurrentnn.cell import Cell
from recurrentnn.convert import tensors
from recurrentnn.convert.nets import expect_net, refuse
from recurrentnn.convert.npz import from_npz, to_npz
from recurrentnn.convert.onnx import to_onnx
from recurrentnn.convert.pytorch import from_torch, read_state_dict
from recurrentnn.convert.recurrentjs import from_recurrentjs, to_recurrentjs
from recurrentnn.models import load


class Format(NamedTuple):
    """A row of the table.

    Attributes
    ----------
    name
        Whose it is.
    read
        Path and cells of one's own to a net, or None.
    write
        Net and path to a file, or None.
    """

    name: str
    read: Callable[[str, Iterable[type[Cell] | Cell]], Model] | None
    write: Callable[[Model, str], object] | None


def read(
    path: str | os.PathLike[str], cells: Iterable[type[Cell] | Cell] = ()
) -> Model:
    """The net in a file of any format that can be read, by its suffix.

    A `.safetensors` file may be this library's or hold a PyTorch state_dict, whose
    modules, beside the recurrent one, are called "decoder" and "embedding";
    `from_torch` takes other names. Of a RecurrentJS file it is the net alone.

    Parameters
    ----------
    cells
        As for `load`: the cells of your own that the file may be made of.

    Raises
    ------
    ArgumentError
        If nothing is read from files of this suffix.
    FormatError
        If the contents are not of the format.
    """
    name = os.fspath(path)
    reader = _row("read", name).read
    if reader is None:
        refuse("read", f"{name}: such a file can be written but not read")
    return reader(name, cells)


def write(net: Model, path: str | os.PathLike[str]) -> None:
    """Write a net in the format of the path's suffix; `.safetensors` is `net.save`.

    Raises
    ------
    ArgumentError
        If nothing is written to files of this suffix, or naming what the net has and
        the format has not.
    """
    expect_net("write", net)
    name = os.fspath(path)
    writer = _row("write", name).write
    if writer is None:
        others = ", ".join(s for s, found in FORMATS.items() if found.write)
        refuse(
            "write",
            f"{name}: such a file can be read but not written; written are {others}",
        )
    writer(net, name)


def _row(caller: str, path: str) -> Format:
    suffix = Path(path).suffix
    if suffix not in FORMATS:
        refuse(caller, f"{path} must end in {', '.join(FORMATS)}")
    return FORMATS[suffix]


def _read_safetensors(path: str, cells: Iterable[type[Cell] | Cell]) -> Model:
    if tensors.read_metadata(path).get("format") == "recurrentnn":
        return load(path, cells)
    return _read_torch(tensors.read(path)[0])


def _read_pt(path: str, _: object) -> Model:
    return _read_torch(read_state_dict(path))


def _read_torch(found: Mapping[str, Any]) -> Model:
    names = {name.rpartition(".")[0] for name in found}
    return from_torch(
        found,
        decoder="decoder" if "decoder" in names else None,
        embedding="embedding" if "embedding" in names else None,
    )


def _read_json(path: str, _: object) -> Model:
    return from_recurrentjs(Path(path).read_bytes()).model


FORMATS: dict[str, Format] = {
    ".safetensors": Format(
        "recurrentnn and PyTorch", _read_safetensors, lambda net, path: net.save(path)
    ),
    ".npz": Format("NumPy", from_npz, to_npz),
    ".json": Format("RecurrentJS", _read_json, to_recurrentjs),
    ".onnx": Format("ONNX", None, to_onnx),
    ".pt": Format("PyTorch", _read_pt, None),
    ".pth": Format("PyTorch", _read_pt, None),
}
"""By suffix."""
