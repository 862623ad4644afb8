"""Parameters and gradients as one vector, for optimizers that know nothing of nets.

>>> import numpy as np
>>> from recurrentnn import RNN
>>> net = RNN(3, [4], 2)
>>> vector = parameters_to_vector(net)
>>> vector.shape
(42,)
>>> vector_to_parameters(vector / 2, net)
>>> bool(np.array_equal(parameters_to_vector(net), vector / 2))
True
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from recurrentnn._recurrentnn import Matrix, Model
from recurrentnn.errors import ArgumentTypeError, DTypeError, ShapeError

Parameters: TypeAlias = Model | Mapping[str, Matrix] | Iterable[Matrix]


def parameters_to_vector(parameters: Parameters) -> NDArray[Any]:
    """Copy the values of all parameters into one vector, in their order.

    Parameters
    ----------
    parameters
        A model, a mapping of names to Matrix or an iterable of Matrix. Each matrix
        counts once, row after row, as NumPy's `ravel` has it.

    Returns
    -------
    ndarray
        One number a weight, in the parameters' dtype.
    """
    return _joined(m.value for m in _matrices("parameters_to_vector", parameters))


def gradients_to_vector(parameters: Parameters) -> NDArray[Any]:
    """Copy the gradients of all parameters, as `parameters_to_vector` their values."""
    return _joined(m.grad for m in _matrices("gradients_to_vector", parameters))


def vector_to_parameters(vector: ArrayLike, parameters: Parameters) -> None:
    """Assign all parameters from one vector, in the order of `parameters_to_vector`.

    Raises
    ------
    ShapeError
        Unless the vector has one number a weight; nothing is changed.
    DTypeError
        Unless they are real numbers.
    """
    call = "vector_to_parameters"
    matrices = _matrices(call, parameters)
    numbers = np.asarray(vector)
    size = sum(m.rows * m.cols for m in matrices)
    if numbers.shape != (size,):
        raise ShapeError(f"{call}: vector must be ({size},) but is {numbers.shape}")
    if numbers.dtype.kind not in "biuf":
        raise DTypeError(f"{call}: vector must be real but is of {numbers.dtype}")
    start = 0
    for m in matrices:
        stop = start + m.rows * m.cols
        m.value = numbers[start:stop].reshape(m.shape)
        start = stop


def _matrices(call: str, parameters: object) -> list[Matrix]:
    def given() -> Iterator[object]:
        if isinstance(parameters, Model):
            yield from parameters.parameters().values()
        elif isinstance(parameters, Mapping):
            yield from parameters.values()
        elif isinstance(parameters, Iterable):
            yield from parameters
        else:
            raise _wrong(call, parameters)

    matrices: dict[Matrix, None] = {}  # a set that keeps the order
    for m in given():
        if not isinstance(m, Matrix):
            raise _wrong(call, m)
        matrices[m] = None
    dtypes = {m.dtype for m in matrices}
    if len(dtypes) > 1:
        raise DTypeError(f"{call}: parameters must have one dtype, not two")
    return list(matrices)


def _joined(arrays: Iterable[NDArray[Any]]) -> NDArray[Any]:
    flat = [array.ravel() for array in arrays]
    return np.concatenate(flat) if flat else np.zeros(0, np.float32)


def _wrong(call: str, given: object) -> ArgumentTypeError:
    return ArgumentTypeError(
        f"{call}: parameters must be a model, a mapping of names to Matrix or an "
        f"iterable of Matrix but is {type(given).__name__}"
    )
