"""Central differences, extrapolated, as the judge of derivatives."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

# The truncation error is of order STEP**4 = 1e-14, the rounding error 1e-16/STEP; a
# smaller step also meets fewer kinks.
STEP = 3e-4
DIFFERENCE_BOUND = 1e-7


def richardson(f: Callable[[Array], float], x: Array) -> Array:
    """Return df/dx by (4 D(h/2) - D(h)) / 3, D(h) = (f(x+h) - f(x-h)) / (2h)."""
    slope = np.zeros_like(x)
    for at in np.ndindex(x.shape):

        def central(step: float, at: tuple[int, ...] = at) -> float:
            up, down = x.copy(), x.copy()
            up[at] += step
            down[at] -= step
            return (f(up) - f(down)) / (2.0 * step)

        slope[at] = (4.0 * central(STEP / 2.0) - central(STEP)) / 3.0
    return slope
