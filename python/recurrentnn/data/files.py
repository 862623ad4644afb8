"""Texts in files, of any size: read once, then mapped from a file of symbols."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recurrentnn.arguments import wrong_type
from recurrentnn.data import cache as cache_file
from recurrentnn.data.alphabet import Alphabet
from recurrentnn.data.documents import PathLike, files, pieces
from recurrentnn.data.streams import Streams
from recurrentnn.data.units import Unit, unit_of
from recurrentnn.errors import ArgumentError, FormatError, VocabularyError


class Text(Streams):
    """The documents in some files, as `open_text` gives them.

    Attributes
    ----------
    alphabet
        Which number stands for what.
    cache
        The file of symbols that they are mapped from.
    sha256
        Of the files, each by its own.
    """

    def __init__(
        self,
        encoded: cache_file.Encoded,
        cache: Path,
        sha256: str,
        *,
        shuffle: bool = True,
    ) -> None:
        begins = np.concatenate([[0], encoded.ends[:-1]])[: len(encoded.ends)]
        borders = np.stack([begins, encoded.ends], axis=1)
        super().__init__(encoded.symbols, borders, shuffle=shuffle)
        self.alphabet = encoded.alphabet
        self.cache = cache
        self.sha256 = sha256


def open_text(
    paths: PathLike | Sequence[PathLike],
    unit: str = "chars",
    *,
    alphabet: Alphabet | None = None,
    min_count: int = 1,
    max_size: int | None = None,
    separator: str | None = None,
    cache: PathLike | None = None,
    shuffle: bool = True,
) -> Text:
    r"""Texts in files as a source of batches, however large they are.

    The first call reads them piece by piece, once for the alphabet and once for the
    symbols, and writes these into one file, 1, 2 or 4 bytes each. Later calls find it,
    if files (by name and SHA-256) and options are the same, and check it; a damaged one
    is made anew.

    Parameters
    ----------
    paths
        A file, several, or a folder with all that are in it. Each file is a document.
    unit
        What a symbol is: "bytes", "chars" (code points) or "words"; see
        `recurrentnn.data.units`.
    alphabet
        That of an earlier text, as a model has it; None: that of this one.
    min_count, max_size
        Rarer symbols, and those beyond the most frequent, become unknown; see
        `Alphabet.of_counts`. For a new alphabet only.
    separator
        A document ends behind each of these in a file, as behind ``"\n\n"``; it belongs
        to the document, so that a model learns to end one.
    cache
        The folder for the file of symbols; None: that of the first file or folder.
    shuffle
        Whether each epoch has the documents in an order of its own.

    Raises
    ------
    FormatError
        A file is not UTF-8; names the byte.
    VocabularyError
        A symbol that the given alphabet lacks, if it has no unknown one.
    ArgumentError
        A bad option, no file, or nothing to predict in them.
    OSError
        A file cannot be read, or that of symbols not be written.
    """
    reads = unit_of("open_text", unit)
    if alphabet is not None:
        if not isinstance(alphabet, Alphabet):
            raise wrong_type("open_text", "alphabet", "an Alphabet", alphabet)
        if alphabet.unit != unit:
            raise ArgumentError(
                f"open_text: alphabet must be of {unit}, is of {alphabet.unit}"
            )
        if min_count != 1 or max_size is not None:
            raise ArgumentError(
                "open_text: min_count and max_size are for a new alphabet, got one"
            )
    if separator is not None and not isinstance(separator, str):
        raise wrong_type("open_text", "separator", "a string", separator)
    if separator == "":
        raise ArgumentError("open_text: separator must not be empty")
    sources = files(paths)
    options = {
        "unit": unit,
        "alphabet": None if alphabet is None else alphabet.config(),
        "min_count": min_count,
        "max_size": max_size,
        "separator": separator,
    }
    path = _cache_path(paths, cache, options)
    sha256 = _sha256(sources)
    key = _digest([options, [source.name for source in sources], sha256])
    try:
        encoded = cache_file.read(path, key)
    except (FormatError, FileNotFoundError):
        if alphabet is None:
            alphabet = _count(sources, reads, separator, min_count, max_size)
        try:
            cache_file.write(path, key, alphabet, _encode(sources, alphabet, separator))
        except PermissionError as error:
            error.add_note("open_text: cache=folder names another place for symbols")
            raise
        encoded = cache_file.read(path, key)
    text = Text(encoded, path, sha256, shuffle=shuffle)
    if not text.symbols:
        raise ArgumentError(
            f"open_text: needs a document of at least 2 {unit}, got none"
        )
    return text


def open_once(
    paths: PathLike | Sequence[PathLike],
    unit: str = "chars",
    *,
    alphabet: Alphabet | None = None,
    max_size: int | None = None,
    folder: PathLike | None = None,
) -> Text:
    """As `open_text`, from a file of symbols that nobody sees and no call finds again.

    Parameters
    ----------
    folder
        Where there is room for it, up to 4 bytes a symbol; None: the system's place for
        temporary files.
    """
    # What is mapped can be read when its name is gone; where it cannot go, it stays.
    with tempfile.TemporaryDirectory(
        prefix=".recurrentnn-", dir=folder, ignore_cleanup_errors=True
    ) as cache:
        return open_text(paths, unit, alphabet=alphabet, max_size=max_size, cache=cache)


def _count(
    sources: Sequence[Path],
    unit: Unit,
    separator: str | None,
    min_count: int,
    max_size: int | None,
) -> Alphabet:
    counter = unit.counter()
    for source in sources:
        for piece in pieces(source, unit, separator):
            counter.add(piece.text)
    counts = counter.counts()
    if not counts:
        raise ArgumentError("open_text: the files are empty")
    return Alphabet.of_counts(unit.name, counts, min_count=min_count, max_size=max_size)


def _encode(
    sources: Sequence[Path], alphabet: Alphabet, separator: str | None
) -> Iterator[tuple[NDArray[np.int64], bool]]:
    unit = unit_of("open_text", alphabet.unit)
    for source in sources:
        before = 0
        for piece in pieces(source, unit, separator):
            try:
                symbols = alphabet.numbers(piece.text, before)
            except VocabularyError as error:
                raise VocabularyError(f"{source}: {error}") from None
            yield symbols, piece.ends
            before += len(symbols)


def _cache_path(
    paths: PathLike | Sequence[PathLike], folder: PathLike | None, options: object
) -> Path:
    """Where symbols are kept: other options have another file, other contents not."""
    if isinstance(paths, (str, os.PathLike)):
        first, others = Path(paths).resolve(), ""
    else:
        first, others = (
            Path(paths[0]).resolve(),
            _digest([*map(str, paths)]),
        )
    place = first.parent if folder is None else Path(folder)
    digest = _digest([options, others])[:12]
    return place / f"{first.name}.{digest}.symbols"


def _sha256(sources: Sequence[Path]) -> str:
    """The checksum of the checksums of some files.

    Nothing less notices every change: within the clock's tick a file keeps its time.
    """
    digest = hashlib.sha256()
    for source in sources:
        with source.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()
