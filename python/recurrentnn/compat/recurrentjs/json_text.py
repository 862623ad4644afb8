"""The pieces of a JSON document, each checked as it is taken out.

Every function names the place of what is wrong in a `FormatError`. JSON has no NaN:
`JSON.stringify` writes one as null, Python's own reader takes `NaN`; both are refused.
"""

import json
import math
from collections.abc import Mapping, Sequence
from numbers import Real
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from recurrentnn.errors import ArgumentTypeError, FormatError

# A 1x512 LSTM over 100 symbols is 60 MB with its solver; beyond this it is no model.
MAX_CHARACTERS = 1 << 29


def fail(where: str, what: str) -> NoReturn:
    """Raise the FormatError of this reader."""
    raise FormatError(f"from_recurrentjs: {where}: {what}")


def parse(document: Mapping[str, Any] | str | bytes) -> Mapping[str, Any]:
    """Return the document as a mapping, parsing JSON text (UTF-8 if bytes)."""
    if isinstance(document, Mapping):
        return document
    if not isinstance(document, str | bytes):
        raise ArgumentTypeError(
            "from_recurrentjs: document must be a mapping or JSON text, "
            f"got {type(document).__name__}"
        )
    if len(document) > MAX_CHARACTERS:
        fail("document", f"longer than {MAX_CHARACTERS} characters ({len(document)})")
    try:
        text = document.decode("utf-8-sig") if isinstance(document, bytes) else document
        parsed = json.loads(text, parse_constant=lambda name: fail("document", name))
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, character {error.pos} of {len(text)}"
        ended = error.pos >= len(text.rstrip()) or error.msg.startswith("Unterminated")
        cause = "; the text is cut off" if ended else ""
        fail("document", f"no JSON at {place}: {error.msg}{cause}")
    except UnicodeDecodeError as error:
        fail("document", f"no UTF-8 at byte {error.start} of {len(document)}")
    except RecursionError:
        fail("document", "nested too deeply")
    except FormatError:
        raise
    except ValueError as error:  # an integer of thousands of digits
        fail("document", str(error))
    if not isinstance(parsed, dict):
        fail("document", f"must be an object, got {type(parsed).__name__}")
    return parsed


def member(parent: Mapping[str, Any], key: str, where: str) -> Any:  # noqa: ANN401
    """Return `parent[key]`, which must be there."""
    if key not in parent:
        fail(where, f"{key!r} is missing")
    return parent[key]


def mapping(value: object, where: str) -> Mapping[str, Any]:
    """Return `value`, which must be an object."""
    if not isinstance(value, Mapping):
        fail(where, f"must be an object, got {type(value).__name__}")
    return value


def size(value: object, where: str) -> int:
    """Return a number of rows, columns or units: a whole number above 0."""
    real = number(value, where)
    if real < 1 or not real.is_integer():
        fail(where, f"must be a whole number above 0, got {value!r}")
    return int(real)


def sizes(value: object, where: str) -> list[int]:
    """Return a list of sizes, at least one."""
    if isinstance(value, str | bytes) or not isinstance(value, Sequence) or not value:
        fail(where, f"must be a list of sizes, got {value!r}")
    return [size(item, f"{where}[{i}]") for i, item in enumerate(value)]


def number(value: object, where: str) -> float:
    """Return a finite number."""
    if isinstance(value, bool) or not isinstance(value, Real):
        hint = " (JSON.stringify writes NaN so)" if value is None else ""
        fail(where, f"must be a number, got {value!r}{hint}")
    try:
        real = float(value)
    except OverflowError:
        real = math.inf
    if not math.isfinite(real):
        fail(where, f"must be finite, got {value!r}")
    return real


def matrix(value: object, where: str) -> NDArray[np.float64]:
    """Return {"n": rows, "d": cols, "w": numbers row by row} as a (rows, cols) array.

    `w` is a list, or the object {"0": ..., "1": ...} that `JSON.stringify` makes of a
    typed array. Its length is compared with n and d before anything is allocated.
    """
    fields = mapping(value, where)
    n = size(member(fields, "n", where), f"{where}.n")
    d = size(member(fields, "d", where), f"{where}.d")
    w = member(fields, "w", where)
    if isinstance(w, str | bytes) or not isinstance(w, Sequence | Mapping | np.ndarray):
        fail(f"{where}.w", f"must be a list or an object, got {type(w).__name__}")
    if len(w) != n * d:
        fail(f"{where}.w", f"has {len(w)} numbers, but n x d is {n} x {d}")
    if isinstance(w, Mapping):
        items = [member(w, str(i), f"{where}.w") for i in range(n * d)]
    else:
        items = list(w)
    numbers = [number(item, f"{where}.w[{i}]") for i, item in enumerate(items)]
    return np.array(numbers, dtype=np.float64).reshape(n, d)
