"""What tests share: tolerances, closeness, and the peers and data they compare with."""

import importlib
import os
import warnings
from pathlib import Path
from types import ModuleType
from typing import Literal

import numpy as np
import pytest
from numpy.typing import ArrayLike, DTypeLike

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("RECURRENTNN_DATA", ROOT.parent / "shared" / "data"))
REQUIRE = os.environ.get("RECURRENTNN_REQUIRE") == "1"

Kind = Literal["value", "gradient"]

_TOLERANCES: dict[tuple[str, Kind], float] = {
    ("float64", "value"): 1e-12,
    ("float64", "gradient"): 1e-10,
    ("float32", "value"): 1e-5,
    ("float32", "gradient"): 1e-5,
}


def tolerance(dtype: DTypeLike, kind: Kind = "value") -> float:
    """Return how far two right computations of the same thing may lie apart.

    Rounding to nearest errs by at most u = 2**-53 (float64) or 2**-24 (float32),
    relative, and n roundings of random sign add up to about n**0.5 * u. The nets of
    the tests sum at most 100 terms in a product and pass at most 100 products one
    after the other: 10**4 roundings, 100 * u = 1e-14 and 6e-6. Values keep 1e-12
    and 1e-5. A gradient multiplies by the weights once more on its way back and
    sums over time and samples, which costs float64 two digits; the float32 cases
    are small enough to keep theirs.
    A test that needs more says why where it asks for it.
    """
    return _TOLERANCES[np.dtype(dtype).name, kind]


def assert_close(
    actual: ArrayLike, expected: ArrayLike, bound: float, name: str = "result"
) -> None:
    """Check max|a - b| <= bound * max(1, max|b|), shapes and non-finite values exactly.

    The measure is per tensor: an element far below the largest carries its rounding.
    """
    a = np.asarray(actual, dtype=np.float64)
    b = np.asarray(expected, dtype=np.float64)
    assert a.shape == b.shape, f"{name}: expected shape {b.shape}, got {a.shape}"
    finite = np.isfinite(b)
    np.testing.assert_array_equal(a[~finite], b[~finite], err_msg=name)
    if not finite.any():
        return
    difference = np.abs(a[finite] - b[finite]).max()
    allowed = bound * max(1.0, np.abs(b[finite]).max())
    assert difference <= allowed, (
        f"{name}: differs by {difference:.3g}, allowed are {allowed:.3g}\n"
        f"actual\n{a}\nexpected\n{b}"
    )


def require(name: str) -> ModuleType:
    """Import a peer, `require("torch")`, or skip the test or the whole module.

    With RECURRENTNN_REQUIRE=1 whatever is skipped fails (see conftest.py).
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
        pytest.skip(f"{name} is not installed", allow_module_level=True)


def require_data(name: str) -> Path:
    """Return the path of a data file, `require_data("tinyshakespeare.txt")`, or skip.

    Data lies in `../shared/data`, or where RECURRENTNN_DATA says.
    """
    path = DATA / name
    if not path.is_file():
        pytest.skip(f"no data file {path}", allow_module_level=True)
    return path
