"""The bridge to `recurrentnn.reference`, the oracle: numbers in, numbers out."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

import recurrentnn as rnn
from recurrentnn import reference as ref

Array = NDArray[np.float64]


def to_reference(array: ArrayLike) -> ref.Matrix:
    """Return the reference's matrix of the same numbers."""
    values = np.asarray(array, dtype=np.float64)
    rows, cols = values.shape
    return ref.Matrix.from_flat(rows, cols, values.ravel(order="F").tolist())


def value(matrix: ref.Matrix) -> Array:
    """Return the value of a matrix of the reference, (rows, cols)."""
    return np.array(matrix.value).reshape(matrix.rows, matrix.cols, order="F")


def gradient(matrix: ref.Matrix) -> Array:
    """Return the gradient of a matrix of the reference, (rows, cols)."""
    return np.array(matrix.grad).reshape(matrix.rows, matrix.cols, order="F")


def copy_parameters(source: rnn.Model, target: Any) -> None:
    """Give a model of the reference the parameters of ours."""
    ours, theirs = source.parameters(), target.parameters()
    assert list(ours) == list(theirs)
    for name, matrix in ours.items():
        theirs[name].value = matrix.value.astype(np.float64).ravel(order="F").tolist()


def stir(model: rnn.Model, scale: float = 0.3) -> None:
    """Add to every parameter numbers of its own, so that no bias stays 0.

    A bias of 0 cannot tell which gate it belongs to.
    """
    for seed, matrix in enumerate(model.parameters().values(), start=100):
        draw = rnn.Matrix.normal(*matrix.shape, std=scale, seed=seed, dtype="float64")
        matrix.value += draw.value.astype(matrix.dtype)
