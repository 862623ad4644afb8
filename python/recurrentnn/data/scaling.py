"""Series on one scale: each to about zero and one, and back."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from recurrentnn.errors import ArgumentError, FormatError, ShapeError

Series: TypeAlias = NDArray[np.float64]

KINDS = ("standard", "minmax", "robust", "none")


class Scaling:
    """z = (y - center) / scale, for each series by itself.

    Parameters
    ----------
    center, scale
        (series,); scales are above 0.

    Examples
    --------
    >>> scaling = Scaling.of([[1.0, 10.0], [3.0, 30.0]], "minmax")
    >>> scaling.apply([[2.0, 30.0]]).tolist()
    [[0.5, 1.0]]
    >>> scaling.invert([[0.5, 1.0]]).tolist()
    [[2.0, 30.0]]
    """

    def __init__(self, center: ArrayLike, scale: ArrayLike) -> None:
        self.center = np.array(center, dtype=np.float64)
        self.scale = np.array(scale, dtype=np.float64)
        if self.center.ndim != 1 or self.center.shape != self.scale.shape:
            raise ShapeError(
                f"Scaling: center and scale must be two lists of one length, got "
                f"shapes {self.center.shape} and {self.scale.shape}"
            )
        if not (np.isfinite(self.center) & np.isfinite(self.scale)).all():
            raise ArgumentError("Scaling: center and scale must be finite")
        if not (self.scale > 0).all():
            raise ArgumentError("Scaling: scale must be above 0")

    @classmethod
    def of(cls, series: ArrayLike, kind: str = "standard") -> Scaling:
        """The scaling that some series, (time, series), ask for.

        Parameters
        ----------
        series
            What to go by: the part that is trained on, and nothing behind it.
        kind
            "standard": mean 0, standard deviation 1 (that of the population).
            "minmax": from 0 to 1. "robust": median 0, quartiles 1 apart. "none".

        Notes
        -----
        A series that does not vary, by this measure, is only moved.
        """
        y = as_series("Scaling", "series", series)
        if kind not in KINDS:
            raise ArgumentError(
                f"Scaling: kind must be one of {', '.join(KINDS)}, got {kind!r}"
            )
        if not len(y):
            raise ShapeError("Scaling: series must have a row, got none")
        if kind == "standard":
            center, scale = y.mean(axis=0), y.std(axis=0)
        elif kind == "minmax":
            center, scale = y.min(axis=0), np.ptp(y, axis=0)
        elif kind == "robust":
            low, center, high = np.quantile(y, [0.25, 0.5, 0.75], axis=0)
            scale = high - low
        else:
            center, scale = np.zeros(y.shape[1]), np.ones(y.shape[1])
        # A difference that is rounding alone is none.
        nothing = scale <= 1e-14 * np.abs(center)
        return cls(center, np.where(nothing, 1.0, scale))

    def apply(self, series: ArrayLike) -> Series:
        """Scale arrays (.., series)."""
        y = np.asarray(series, dtype=np.float64)
        return (self._expect("apply", y) - self.center) / self.scale

    def invert(self, scaled: ArrayLike) -> Series:
        """What `apply` was given."""
        z = np.asarray(scaled, dtype=np.float64)
        return self._expect("invert", z) * self.scale + self.center

    def _expect(self, call: str, values: Series) -> Series:
        if values.ndim < 1 or values.shape[-1] != len(self.center):
            raise ShapeError(
                f"{call}: expected (.., {len(self.center)}) numbers, got {values.shape}"
            )
        return values

    def config(self) -> dict[str, Any]:
        """A value of JSON's kinds, for `from_config`."""
        return {"center": self.center.tolist(), "scale": self.scale.tolist()}

    @classmethod
    def from_config(cls, config: object) -> Scaling:
        """The scaling of which `config` was called.

        Raises
        ------
        FormatError
            The value is not of that kind.
        """
        match config:
            case {"center": list(center), "scale": list(scale)}:
                try:
                    return cls(center, scale)
                except (ValueError, TypeError) as error:
                    raise FormatError(f"scaling: {error}") from None
        raise FormatError("scaling: must be a center and a scale")


def as_series(call: str, name: str, values: ArrayLike) -> Series:
    """Numbers as (time, series), without a copy where they are that; one is a column.

    Raises
    ------
    ShapeError
        Neither (time, series) nor (time,).
    ArgumentError
        A number that is missing (NaN) or infinite: names the first one's place.
    """
    y = np.asarray(values)
    if y.dtype != np.float32:
        y = np.asarray(y, dtype=np.float64)
    if y.ndim == 1:
        y = y[:, None]
    if y.ndim != 2 or not y.shape[1]:
        raise ShapeError(
            f"{call}: {name} must be (time, series) or (time,), got {y.shape}"
        )
    finite = np.isfinite(y)
    if not finite.all():
        row, column = np.argwhere(~finite)[0]
        raise ArgumentError(
            f"{call}: {name} must be numbers all through, "
            f"got {y[row, column]} in row {row}, column {column}"
        )
    return y
