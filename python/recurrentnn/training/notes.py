"""JSON from a file, hostile until read: each entry has the type that is asked for."""

from __future__ import annotations

import json
import math
from typing import Any

from recurrentnn.errors import FormatError


class Notes:
    """A JSON object, read by name and type; anything else is a `FormatError`."""

    def __init__(self, entries: dict[str, Any], where: str) -> None:
        self._entries = entries
        self._where = where

    @classmethod
    def parse(cls, text: str, where: str) -> Notes:
        """The object in a text."""
        try:
            entries = json.loads(text)
        except (ValueError, RecursionError):
            entries = None
        if not isinstance(entries, dict):
            raise FormatError(f"{where}: expected a JSON object")
        return cls(entries, where)

    def whole(self, name: str) -> int:
        """An integer from 0."""
        value = self._entries.get(name)
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise self._wrong(name, "a whole number")
        if value >= 2**63:
            raise self._wrong(name, "below 2**63")
        return value

    def real(self, name: str) -> float:
        """A number."""
        value = self._entries.get(name)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise self._wrong(name, "a number")
        try:
            return float(value)
        except OverflowError:
            return math.inf

    def flag(self, name: str) -> bool:
        """True or false."""
        value = self._entries.get(name)
        if not isinstance(value, bool):
            raise self._wrong(name, "true or false")
        return value

    def text(self, name: str) -> str:
        """A string."""
        value = self._entries.get(name)
        if not isinstance(value, str):
            raise self._wrong(name, "a string")
        return value

    def inner(self, name: str) -> Notes:
        """An object."""
        value = self._entries.get(name)
        if not isinstance(value, dict):
            raise self._wrong(name, "an object")
        return Notes(value, f"{self._where}.{name}")

    def value(self, name: str) -> object:
        """Whatever it is, or None."""
        return self._entries.get(name)

    def has(self, name: str) -> bool:
        """Whether there is an entry, and it is not null."""
        return self._entries.get(name) is not None

    def names(self) -> list[str]:
        """The names of all entries."""
        return list(self._entries)

    def plain(self) -> dict[str, Any]:
        """Numbers, strings and nulls, by name."""
        for name, value in self._entries.items():
            if not isinstance(value, (int, float, str, type(None))):
                raise self._wrong(name, "a number or a string")
        return dict(self._entries)

    def _wrong(self, name: str, expected: str) -> FormatError:
        return FormatError(f"{self._where}: {name} must be {expected}")
