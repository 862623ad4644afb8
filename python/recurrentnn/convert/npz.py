"""`.npz`: the same arrays under the same names in NumPy's own container.

Beside the parameters it holds `__metadata__`, the text entries of a model file (the
configuration among them) as JSON in UTF-8. Reading goes through the model file's
reader, so a file must have exactly the names and shapes that its configuration demands.
"""

import io
import json
import os
import zipfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from recurrentnn._recurrentnn import Model, write_file
from recurrentnn.cell import Cell
from recurrentnn.convert import tensors
from recurrentnn.convert.gates import Array
from recurrentnn.convert.nets import expect_net
from recurrentnn.errors import FormatError
from recurrentnn.models import from_bytes

MAX_BYTES = 1 << 32  # of all arrays together, decompressed
MAX_RATIO = 100  # of decompressed to compressed; weights hardly compress at all
_METADATA = "__metadata__"


def to_npz(net: Model, path: str | os.PathLike[str]) -> None:
    """Write a net of any cell, uncompressed.

    `numpy.load(path)` reads the arrays, by the names of `net.parameters()`.
    """
    data = expect_net("to_npz", net).to_bytes()
    found, metadata = tensors.parse("to_npz", data)
    # Every member of a zip has its own.
    metadata.pop("sha256", None)
    text = np.frombuffer(json.dumps(metadata).encode(), np.uint8)
    file = io.BytesIO()
    np.savez(file, allow_pickle=False, **{_METADATA: text}, **found)
    write_file(path, file.getvalue())


def from_npz(
    path: str | os.PathLike[str], cells: Iterable[type[Cell] | Cell] = ()
) -> Model:
    """The net of a file that `to_npz` wrote, or another program in its manner.

    Parameters
    ----------
    cells
        As for `load`: the cells of your own that the file may be made of.

    Raises
    ------
    FormatError
        If it is no such file, is larger than it looks (a zip bomb), or its arrays are
        not those of its configuration. Nothing in it is ever run.
    """
    found = _read(os.fspath(path))
    text = found.pop(_METADATA, None)
    if text is None or text.dtype != np.uint8 or text.ndim != 1:
        raise FormatError(f"{path}: no {_METADATA} (JSON in UTF-8 as bytes) in it")
    metadata = _metadata(os.fspath(path), text.tobytes())
    for name, array in found.items():
        if array.dtype not in (np.float32, np.float64):
            raise FormatError(f"{path}: {name} must be float but is {array.dtype}")
    try:
        return from_bytes(tensors.dump(found, metadata, checksum=True), cells)
    except FormatError as error:
        raise FormatError(f"{path}: {error}") from None


def _metadata(path: str, text: bytes) -> dict[str, str]:
    try:
        metadata = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise FormatError(f"{path}: {_METADATA} is no JSON: {error}") from None
    if not isinstance(metadata, dict) or not all(
        isinstance(value, str) for value in metadata.values()
    ):
        raise FormatError(f"{path}: {_METADATA} must be texts by name")
    return metadata


def _read(path: str) -> dict[str, Array]:
    """All arrays of the file, after its sizes were looked at."""
    with Path(path).open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        if size > MAX_BYTES:
            raise FormatError(f"{path}: {size} bytes, of which {MAX_BYTES} are allowed")
        # In memory an offset that leads nowhere is no error of the system.
        data = io.BytesIO(file.read())
    try:
        with zipfile.ZipFile(data) as archive:
            _check_sizes(path, archive.infolist())
        with np.load(data, allow_pickle=False) as arrays:
            return {name: np.ascontiguousarray(arrays[name]) for name in arrays.files}
    except FormatError:
        raise
    except Exception as error:
        # zipfile, zlib and NumPy's header parser raise each their own kinds.
        raise FormatError(f"{path}: no .npz file: {error}") from None


def _check_sizes(path: str, members: list[zipfile.ZipInfo]) -> None:
    """Raise before anything is decompressed that is not worth its bytes.

    zipfile stops at the size that a member claims, so the claims are what counts.
    """
    if len(members) > tensors.MAX_TENSORS:
        raise FormatError(
            f"{path}: {len(members)} arrays, of which {tensors.MAX_TENSORS} are allowed"
        )
    names = [member.filename for member in members]
    if len(set(names)) != len(names):
        raise FormatError(f"{path}: an array is there twice")
    if not all(name.endswith(".npy") for name in names):
        raise FormatError(f"{path}: not all members are arrays (.npy)")
    total = sum(member.file_size for member in members)
    if total > MAX_BYTES:
        raise FormatError(f"{path}: {total} bytes, of which {MAX_BYTES} are allowed")
    for member in members:
        if member.file_size > 4096 + MAX_RATIO * member.compress_size:
            raise FormatError(
                f"{path}: {member.filename} claims {member.file_size} bytes "
                f"in {member.compress_size}: a zip bomb?"
            )
