"""Arrays that somebody else made: NumPy's, tensors, lists; checked as they come in."""

import numpy as np

from recurrentnn.convert.gates import Array
from recurrentnn.errors import DTypeError, FormatError


def as_array(caller: str, name: str, given: object) -> Array:
    """The numbers of an array or tensor: float32 or float64, each finite.

    Half precision widens to float32 without loss. A tensor that is tracked for
    gradients or lies on another device is copied to here.

    Raises
    ------
    DTypeError
        If it does not hold real numbers of floating point.
    FormatError
        If a number is not finite: names the place.
    """
    array = _numpy(given)
    if array.dtype.kind != "f":
        raise DTypeError(
            f"{caller}: {name} must hold floating-point numbers but is {array.dtype}"
        )
    wide = np.float64 if array.dtype.itemsize >= 8 else np.float32
    array = np.ascontiguousarray(array, dtype=wide)
    if not np.isfinite(array).all():
        place = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
        raise FormatError(f"{caller}: {name}{list(place)} is {array[place]}")
    return array


def _numpy(given: object) -> Array:
    if isinstance(given, np.ndarray):
        return given
    detach = getattr(given, "detach", None)
    if detach is None:
        return np.asarray(given)
    tensor = detach().cpu()
    # NumPy has no bfloat16.
    return np.asarray(tensor.float() if tensor.element_size() < 4 else tensor)
