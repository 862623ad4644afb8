"""Symbols in a file larger than memory, read where they are asked for."""

from __future__ import annotations

import mmap
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recurrentnn.data.batch import Symbols

# Pages of so many bytes read may stay with the process; the system keeps what it can.
_KEPT = 1 << 22


class Mapped:
    """An array of symbols in a file, mapped into memory.

    What was read is given back to the system now and then, so that a process that reads
    a whole text does not grow by its size. The file may be renamed or deleted
    meanwhile; whoever shortens it ends the process.
    """

    def __init__(
        self, path: Path, dtype: np.dtype[Any], count: int, offset: int
    ) -> None:
        self._arguments = (path, dtype, count, offset)
        with path.open("rb") as file:
            self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        self._symbols: NDArray[Any] = np.frombuffer(self._map, dtype, count, offset)
        self._read = 0

    def __len__(self) -> int:
        return len(self._symbols)

    def __getitem__(self, positions: Symbols) -> NDArray[np.integer]:
        """The symbols at some places, copied."""
        taken: NDArray[np.integer] = self._symbols[positions]
        self._read += taken.nbytes
        if self._read > _KEPT and hasattr(mmap, "MADV_DONTNEED"):
            self._map.madvise(mmap.MADV_DONTNEED)
            self._read = 0
        return taken

    def __reduce__(self) -> tuple[Any, ...]:
        return Mapped, self._arguments
