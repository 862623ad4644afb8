"""Series in a text file: numbers in columns, one moment a line."""

from __future__ import annotations

import csv
import itertools
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from recurrentnn.data.scaling import Series
from recurrentnn.errors import ArgumentError, FormatError

_DELIMITERS = ",;\t|"


class Table(NamedTuple):
    """Columns with names: `values` is (time, series)."""

    names: tuple[str, ...]
    values: Series


def read_csv(
    path: str | os.PathLike[str],
    columns: Sequence[str] | None = None,
    *,
    delimiter: str | None = None,
) -> Table:
    """The columns of numbers in a file of comma-separated values.

    Parameters
    ----------
    path
        UTF-8 text. The first line is a header if no field of it is a number; without
        one, columns are named "0", "1" and so on.
    columns
        Which, in which order; None: all but those that begin with something else than
        a number, as dates do.
    delimiter
        None: the one of comma, semicolon, tab and bar that the first line has most of.

    Raises
    ------
    FormatError
        A field that is no number, a line with another number of fields, bytes that are
        no text, or no line at all: names line and column.
    ArgumentError
        A column that there is none of.
    OSError
        The file cannot be read.
    """
    name = os.fspath(path)
    try:
        with Path(path).open(encoding="utf-8-sig", newline="") as file:
            first = file.readline()
            lines = itertools.chain([first], file)
            if delimiter is None:
                delimiter = max(_DELIMITERS, key=first.count)
            return _table(name, csv.reader(lines, delimiter=delimiter), columns)
    except UnicodeDecodeError as error:
        raise FormatError(f"{name}: not UTF-8: {error.reason}") from None
    except csv.Error as error:
        raise FormatError(f"{name}: {error}") from None
    except TypeError as error:
        raise ArgumentError(f"read_csv: delimiter: {error}") from None


def _table(
    name: str, reader: Iterator[list[str]], columns: Sequence[str] | None
) -> Table:
    # Blank lines have no fields.
    rows = [(n, row) for n, row in enumerate(reader, start=1) if row]
    if not rows:
        raise FormatError(f"{name}: no line")
    _, first = rows[0]
    names = [field.strip() for field in first]
    if any(map(_is_number, first)):
        names = [str(n) for n in range(len(first))]
    else:
        del rows[0]
    if not rows:
        raise FormatError(f"{name}: no line behind the header")
    if columns is None:
        _, row = rows[0]
        used = [n for n, field in enumerate(row) if _is_number(field) or not field]
    else:
        for column in columns:
            if column not in names:
                raise ArgumentError(
                    f"read_csv: columns must be among {', '.join(names)}, "
                    f"got {column!r}"
                )
        used = [names.index(column) for column in columns]
    if not used:
        raise FormatError(f"{name}: line {rows[0][0]} has no number")
    values: list[float] = []
    for number, row in rows:
        if len(row) != len(names):
            raise FormatError(
                f"{name}: line {number} must have {len(names)} fields, got {len(row)}"
            )
        for n in used:
            try:
                values.append(float(row[n]))
            except ValueError:
                raise FormatError(
                    f"{name}: line {number}, column {names[n]}: must be a number, "
                    f"got {row[n]!r}"
                ) from None
    shape = -1, len(used)
    return Table(tuple(names[n] for n in used), np.array(values).reshape(shape))


def _is_number(field: str) -> bool:
    try:
        float(field)
    except ValueError:
        return False
    return True
