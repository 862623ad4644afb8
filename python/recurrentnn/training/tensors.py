"""Arrays as the tensors of a file, and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

# Element type by the format's name, shape, bytes: C-ordered and little-endian.
Parts: TypeAlias = tuple[str, Sequence[int], bytes]

_KINDS = {
    "BOOL": "?",
    "U8": "u1",
    "U16": "<u2",
    "U32": "<u4",
    "U64": "<u8",
    "I32": "<i4",
    "I64": "<i8",
    "F32": "<f4",
    "F64": "<f8",
}
_NAMES = {np.dtype(code): name for name, code in _KINDS.items()}


def to_parts(array: NDArray[Any]) -> Parts:
    """An array as a file holds it."""
    little = array.dtype.newbyteorder("<")
    ordered = np.ascontiguousarray(array, dtype=little)
    return _NAMES[little], array.shape, ordered.tobytes()


def from_parts(parts: Parts) -> NDArray[Any]:
    """The array of what a file held, whose sizes the reader has checked."""
    kind, shape, data = parts
    array = np.frombuffer(data, dtype=_KINDS[kind]).reshape(shape)
    return array.astype(array.dtype.newbyteorder("="))
