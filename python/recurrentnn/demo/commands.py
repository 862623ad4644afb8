"""What a page may say over its socket: one JSON object, every field checked."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from recurrentnn.errors import ArgumentError

MOST_BYTES = 64_000
"""In a message."""

MOST_LETTERS = 5000
"""In a continuation."""

_MOST_ID = 2**53
_MOST_NAME = 200
_MOST_TEXT = 20_000


class Command(NamedTuple):
    """A checked message.

    Attributes
    ----------
    do
        Which.
    values
        Its other fields.
    """

    do: str
    values: Mapping[str, Any]


class Malformed(ArgumentError):
    """A message that is none.

    Attributes
    ----------
    do, number
        Which one it would have been, as far as it says so, and its `id`.
    """

    def __init__(self, message: str, do: str | None, number: int | None) -> None:
        super().__init__(message)
        self.do, self.number = do, number


def read(text: str) -> Command:
    """A message of a page.

    Raises
    ------
    Malformed
        It is no JSON object, has a field too many or too few, or one that is none.
    """
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise Malformed("a message must be JSON", None, None) from None
    if not isinstance(found, dict) or not isinstance(found.get("do"), str):
        raise Malformed("a message must be an object with a word `do`", None, None)
    do, number = found.pop("do"), found.get("id")
    if type(number) is not int or not 0 <= number <= _MOST_ID:
        number = None
    if do not in COMMANDS:
        raise Malformed(f"there is no {do[:_MOST_NAME]!r}", None, number)
    fields = COMMANDS[do]
    for name in found:
        if name not in fields:
            raise Malformed(f"{do}: no field {name[:_MOST_NAME]!r}", do, number)
    for name, check in fields.items():
        if name in _MAY_LACK and name not in found:
            continue
        if name not in found:
            raise Malformed(f"{do}: {name} is missing", do, number)
        why = check(found[name])
        if why is not None:
            raise Malformed(f"{do}: {name} must be {why}", do, number)
    return Command(do, found)


Check = Callable[[object], str | None]
"""What a value must be, or None if it is."""


def _whole(least: int, most: int) -> Check:
    def check(value: object) -> str | None:
        right = type(value) is int and least <= value <= most
        return None if right else f"a whole number from {least} to {most}"

    return check


def _between(low: float, high: float) -> Check:
    def check(value: object) -> str | None:
        right = type(value) in (int, float) and low <= value <= high  # type: ignore[operator]
        return None if right else f"a number from {low:g} to {high:g}"

    return check


def _text(most: int) -> Check:
    def check(value: object) -> str | None:
        right = isinstance(value, str) and len(value) <= most and _is_utf8(value)
        return None if right else f"a text of at most {most} characters"

    return check


def _settings(value: object) -> str | None:
    if not isinstance(value, dict) or len(value) > 100:
        return "an object of settings"
    return None if all(map(_plain, value.values())) else "of numbers, flags and words"


def _plain(value: object) -> bool:
    """JSON as Python reads it has NaN, and infinity as 1e999."""
    if isinstance(value, float):
        return math.isfinite(value)
    return value is None or isinstance(value, (bool, int, str))


def _is_utf8(text: str) -> bool:
    """JSON can hold half of a surrogate pair, which is no character."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


_ID = _whole(0, _MOST_ID)
_MAY_LACK = ("first",)

COMMANDS: dict[str, dict[str, Check]] = {
    "learn": {"settings": _settings},
    "begin": {},
    "pause": {},
    "resume": {},
    "step": {},
    "rate": {"value": _between(1e-9, 1e3)},
    "temperature": {"value": _between(0.01, 100.0)},
    "continue": {
        "id": _ID,
        "prompt": _text(_MOST_TEXT),
        "length": _whole(1, MOST_LETTERS),
    },
    "silence": {"id": _ID},
    "look": {
        "id": _ID,
        "text": _text(_MOST_TEXT),
        "layer": _whole(0, 1000),
        "signal": _text(_MOST_NAME),
        "first": _whole(0, 2**31),
    },
    "weights": {"id": _ID, "name": _text(_MOST_NAME)},
}
"""Each command with its fields."""
