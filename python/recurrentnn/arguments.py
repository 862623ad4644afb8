"""Arguments as they should be, or the exception that names call, argument and value."""

from __future__ import annotations

import math
import numbers
import operator

from recurrentnn.errors import ArgumentError, ArgumentTypeError


def integer(
    call: str, name: str, value: object, *, least: int = 1, most: float = math.inf
) -> int:
    """An argument as an int, be it NumPy's; a bool is none."""
    try:
        number = operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        number = None
    if number is None or isinstance(value, bool):
        raise wrong_type(call, name, "an integer", value)
    if not least <= number <= most:
        expected = f"at least {least}" if number < least else f"at most {most}"
        raise ArgumentError(f"{call}: {name} must be {expected}, got {number}")
    return number


def real(
    call: str, name: str, value: object, *, zero: bool = False, below: float = math.inf
) -> float:
    """An argument as a float from 0, allowed or not, to below a limit."""
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise wrong_type(call, name, "a real number", value)
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not 0 <= number < below or (number == 0 and not zero):
        expected = f"in {'[' if zero else '('}0, {below:g})"
        raise ArgumentError(f"{call}: {name} must be {expected}, got {number:g}")
    return number


def boolean(call: str, name: str, value: object) -> bool:
    """An argument as a bool, which nothing else is."""
    if not isinstance(value, bool):
        raise wrong_type(call, name, "a bool", value)
    return value


def wrong_type(call: str, name: str, expected: str, value: object) -> ArgumentTypeError:
    """The exception for an argument of the wrong type."""
    given = value if isinstance(value, numbers.Number) else type(value).__name__
    return ArgumentTypeError(f"{call}: {name} must be {expected}, got {given}")
