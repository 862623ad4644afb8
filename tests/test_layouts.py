"""Arrays of any layout are read as NumPy reads them, or refused before anything is."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import recurrentnn as rnn

DTYPES = ("float32", "float64")
FEATURES = 3


def net(dtype: str) -> rnn.LSTM:
    return rnn.LSTM(FEATURES, [4], 2, dtype=dtype, seed=1)


def packed_field(x: NDArray[Any]) -> NDArray[Any]:
    """Numbers one byte more than their size apart."""
    whole = np.zeros(x.shape, dtype=np.dtype([("pad", "u1"), ("x", x.dtype)]))
    whole["x"] = x
    return whole["x"]


def behind_a_byte(x: NDArray[Any]) -> NDArray[Any]:
    """Numbers without gaps that begin at an odd address."""
    bytes_ = np.zeros(x.nbytes + 1, dtype=np.uint8)
    odd = bytes_[1:].view(x.dtype).reshape(x.shape)
    odd[...] = x
    return odd


def every_second(x: NDArray[Any]) -> NDArray[Any]:
    wide = np.zeros((*x.shape[:-1], 2 * x.shape[-1]), dtype=x.dtype)
    wide[..., ::2] = x
    return wide[..., ::2]


LAYOUTS: dict[str, Callable[[NDArray[Any]], NDArray[Any]]] = {
    "packed field": packed_field,
    "behind a byte": behind_a_byte,
    "every second": every_second,
    "Fortran": np.asfortranarray,
    "reversed": lambda x: np.ascontiguousarray(x[::-1])[::-1],
    "other byte order": lambda x: x.astype(x.dtype.newbyteorder()),
}

each_layout = pytest.mark.parametrize("layout", LAYOUTS)
each_dtype = pytest.mark.parametrize("dtype", DTYPES)


def numbers(dtype: str, *shape: int) -> NDArray[Any]:
    return np.random.default_rng(2).normal(size=shape).astype(dtype)


@each_layout
@each_dtype
def test_a_sequence(layout: str, dtype: str) -> None:
    model, x = net(dtype), numbers(dtype, 2, 5, FEATURES)
    given = LAYOUTS[layout](x)
    np.testing.assert_array_equal(given, x)
    expected, _ = model(x)
    np.testing.assert_array_equal(model(given)[0], expected)
    np.testing.assert_array_equal(model(given, lengths=[5, 3])[0][0], expected[0])
    np.testing.assert_array_equal(model([LAYOUTS[layout](x[0])])[0][0], expected[0])
    turned = LAYOUTS[layout](np.ascontiguousarray(x.transpose(1, 0, 2)))
    found, _ = model(turned, time_major=True)
    np.testing.assert_array_equal(found.transpose(1, 0, 2), expected)


@each_layout
@each_dtype
def test_a_step_of_a_stream(layout: str, dtype: str) -> None:
    model, x = net(dtype), numbers(dtype, 2, FEATURES)
    stream, other = model.stream(batch=2), model.stream(batch=2)
    for _ in range(2):
        np.testing.assert_array_equal(stream(LAYOUTS[layout](x)), other(x))


@each_dtype
def test_an_output_that_cannot_be_written_leaves_the_state(dtype: str) -> None:
    model, x = net(dtype), numbers(dtype, FEATURES)
    for layout in ("packed field", "behind a byte", "every second", "other byte order"):
        stream, other = model.stream(), model.stream()
        bad = LAYOUTS[layout](np.zeros(2, dtype=dtype))
        with pytest.raises(rnn.ShapeError, match="stream: out must be"):
            stream(x, out=bad)
        np.testing.assert_array_equal(bad, 0)
        np.testing.assert_array_equal(stream(x), other(x))
        with pytest.raises(rnn.ShapeError, match="stream: out must be"):
            stream(x, out=bad)
        np.testing.assert_array_equal(stream(x), other(x))
