"""Matrices and their views: construction, conversion, sharing and lifetime."""

import copy
import pickle
from typing import Any

import numpy as np
import pytest
from numpy.typing import ArrayLike, DTypeLike

import recurrentnn as rnn

DTYPES = ("float32", "float64")


# --- constructors -----------------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(2, 3), (1, 1), (0, 3), (3, 0), (0, 0)])
def test_constructors_give_the_shape_dtype_and_values_asked_for(
    dtype: str, shape: tuple[int, int]
) -> None:
    zeros = rnn.Matrix.zeros(*shape, dtype=dtype)
    ones = rnn.Matrix.ones(*shape, dtype=dtype)
    np.testing.assert_array_equal(zeros.value, np.zeros(shape))
    np.testing.assert_array_equal(ones.value, np.ones(shape))
    uniform = rnn.Matrix.uniform(*shape, -2.0, 5.0, seed=1, dtype=dtype)
    normal = rnn.Matrix.normal(*shape, 1.0, 0.5, seed=1, dtype=dtype)
    for m in (zeros, ones, uniform, normal):
        assert m.shape == (m.rows, m.cols) == shape
        assert m.dtype == m.value.dtype == m.grad.dtype == np.dtype(dtype)
        assert m.value.shape == m.grad.shape == shape
        assert not m.grad.any()


def test_constructors_default_to_float32() -> None:
    for m in (
        rnn.Matrix.zeros(1, 1),
        rnn.Matrix.ones(1, 1),
        rnn.Matrix.uniform(1, 1),
        rnn.Matrix.normal(1, 1),
        rnn.Matrix(np.zeros((1, 1))),
    ):
        assert m.dtype == np.float32


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ([[1, 2], [3, 4], [5, 6]], [[1, 2], [3, 4], [5, 6]]),
        (((1.5, 2.5),), [[1.5, 2.5]]),
        ([1.0, 2.0, 3.0], [[1.0], [2.0], [3.0]]),
        (np.arange(3), [[0], [1], [2]]),
        (np.array([[True, False]]), [[1, 0]]),
        (np.array([[1, 2]], dtype=np.int16), [[1, 2]]),
        (np.array([[1, 2]], dtype=np.uint64), [[1, 2]]),
        (np.array([[0.5]], dtype=np.float16), [[0.5]]),
        (np.zeros((0, 4)), np.zeros((0, 4))),
        ([], np.zeros((0, 1))),
    ],
    ids=repr,
)
def test_a_matrix_is_made_of_lists_and_arrays_of_any_numbers(
    data: ArrayLike, expected: ArrayLike
) -> None:
    for dtype in DTYPES:
        m = rnn.Matrix(data, dtype=dtype)
        np.testing.assert_array_equal(m.value, expected)
        assert m.dtype == np.dtype(dtype)


@pytest.mark.parametrize("dtype", [np.float64, np.dtype("float64"), "f8", "float64"])
def test_a_dtype_is_spelled_as_numpy_spells_it(dtype: DTypeLike) -> None:
    assert rnn.Matrix([[1.0]], dtype=dtype).dtype == np.float64


BASE = np.arange(24, dtype=np.float64).reshape(4, 6) - 7.5

LAYOUTS = {
    "C order": BASE,
    "Fortran order": np.asfortranarray(BASE),
    "transposed": BASE.T,
    "rows strided": BASE[::2],
    "columns strided": BASE[:, 1::3],
    "rows reversed": BASE[::-1],
    "columns reversed": BASE[:, ::-1],
    "both reversed and strided": BASE[::-2, ::-2],
    "big endian": BASE.astype(">f8"),
    "big endian float32": BASE.astype(">f4"),
    "big endian integers": BASE.astype(">i4"),
    "broadcast": np.broadcast_to(BASE[0], (3, 6)),
    "one column cut out": BASE[:, 2:3],
    "an unaligned field": np.array(
        [[(0, 1.5), (1, 2.5)]], dtype=np.dtype([("pad", "u1"), ("x", "f8")])
    )["x"],
}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_an_array_of_any_layout_is_copied_right(layout: str, dtype: str) -> None:
    array = LAYOUTS[layout]
    before = array.copy()
    m = rnn.Matrix(array, dtype=dtype)
    np.testing.assert_array_equal(m.value, array.astype(dtype))
    m.value[...] = 0.0
    np.testing.assert_array_equal(array, before)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_an_array_of_any_layout_can_be_assigned_and_be_an_operand(layout: str) -> None:
    array = LAYOUTS[layout]
    m = rnn.Matrix(np.zeros(array.shape), dtype="float64")
    m.value = array
    m.grad = array
    np.testing.assert_array_equal(m.value, array)
    np.testing.assert_array_equal(m.grad, array)
    np.testing.assert_array_equal((m + array).value, 2.0 * array.astype(np.float64))


def test_a_read_only_array_is_read_and_stays_as_it_is() -> None:
    array = np.ones((2, 3))
    array.flags.writeable = False
    m = rnn.Matrix(array, dtype="float64")
    m.value[0, 0] = 5.0
    assert m.value.flags.writeable
    m.value = array
    np.testing.assert_array_equal((m * array).value, np.ones((2, 3)))
    np.testing.assert_array_equal(array, np.ones((2, 3)))


def test_float64_data_is_rounded_to_float32_as_numpy_rounds() -> None:
    array = np.array([[1.0 / 3.0, 1e300, -1e-300, 16777217.0]])
    with np.errstate(over="ignore"):
        expected = array.astype(np.float32)
        m = rnn.Matrix(array)
    np.testing.assert_array_equal(m.value, expected)


def test_a_matrix_made_of_a_matrix_is_a_copy() -> None:
    m = rnn.Matrix([[1.0, 2.0]], dtype="float64")
    other = rnn.Matrix(m, dtype="float64")
    other.value[0, 0] = 9.0
    np.testing.assert_array_equal(m.value, [[1.0, 2.0]])


# --- assignment -------------------------------------------------------------


@pytest.mark.parametrize("name", ["value", "grad", "w", "dw"])
def test_assignment_copies_in_and_keeps_the_memory(name: str) -> None:
    m = rnn.Matrix.zeros(2, 3, dtype="float64")
    view = getattr(m, name)
    array = np.arange(6.0).reshape(2, 3)
    setattr(m, name, array)
    array[...] = -1.0
    np.testing.assert_array_equal(view, np.arange(6.0).reshape(2, 3))


@pytest.mark.parametrize("name", ["value", "grad"])
@pytest.mark.parametrize("shape", [(3, 2), (2, 2), (1, 3), (2, 1), (0, 3), (6,)])
def test_assignment_of_another_shape_is_refused(
    name: str, shape: tuple[int, ...]
) -> None:
    m = rnn.Matrix.ones(2, 3, dtype="float64")
    setattr(m, name, np.full((2, 3), 5.0))
    with pytest.raises(rnn.ShapeError, match="2x3"):
        setattr(m, name, np.zeros(shape))
    np.testing.assert_array_equal(getattr(m, name), np.full((2, 3), 5.0))


def test_assigning_a_matrix_its_own_transposed_or_reversed_view_is_safe() -> None:
    m = rnn.Matrix([[1.0, 2.0], [3.0, 4.0]], dtype="float64")
    m.value = m.value.T
    np.testing.assert_array_equal(m.value, [[1.0, 3.0], [2.0, 4.0]])
    m.value = m.value[::-1, ::-1]
    np.testing.assert_array_equal(m.value, [[4.0, 2.0], [3.0, 1.0]])


def test_shape_and_dtype_cannot_be_assigned() -> None:
    m = rnn.Matrix.ones(2, 3)
    for name in ("rows", "cols", "shape", "dtype", "no_such_attribute"):
        with pytest.raises(AttributeError):
            setattr(m, name, 1)


# --- out again --------------------------------------------------------------


def test_numpy_takes_a_matrix_as_an_array() -> None:
    m = rnn.Matrix([[1.0, 2.0]], dtype="float64")
    np.testing.assert_array_equal(np.asarray(m), [[1.0, 2.0]])
    assert np.asarray(m, dtype=np.float32).dtype == np.float32
    duplicate = np.array(m)
    duplicate[0, 0] = 9.0
    assert m.value[0, 0] == 1.0
    assert np.linalg.norm(m) == pytest.approx(5.0**0.5)


def test_item_and_float_read_a_1x1() -> None:
    m = rnn.Matrix([[2.5]])
    assert m.item() == float(m) == 2.5
    assert isinstance(m.item(), float)
    for wrong in (rnn.Matrix.ones(2, 1), rnn.Matrix.zeros(0, 1)):
        with pytest.raises(rnn.ShapeError, match="1x1"):
            wrong.item()
        with pytest.raises(rnn.ShapeError, match="1x1"):
            float(wrong)


def duplicates(m: rnn.Matrix) -> dict[str, rnn.Matrix]:
    made = {
        "copy method": m.copy(),
        "copy.copy": copy.copy(m),
        "copy.deepcopy": copy.deepcopy(m),
    }
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
        made[f"pickle {protocol}"] = pickle.loads(pickle.dumps(m, protocol))
    return made


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(2, 3), (0, 3), (0, 0)])
def test_copies_and_pickles_hold_the_same_numbers_in_memory_of_their_own(
    dtype: str, shape: tuple[int, int]
) -> None:
    m = rnn.Matrix.normal(*shape, seed=2, dtype=dtype)
    for how, other in duplicates(m).items():
        np.testing.assert_array_equal(other.value, m.value, err_msg=how)
        assert other.dtype == m.dtype, how
        assert not np.shares_memory(other.value, m.value), how
        other.value[...] = 7.0
        assert not (m.value == 7.0).any(), how


def test_the_repr_of_a_small_matrix_makes_it_again() -> None:
    for dtype in DTYPES:
        m = rnn.Matrix([[1.5, -2.0, 0.1]], dtype=dtype)
        again = eval(repr(m), {"Matrix": rnn.Matrix})
        np.testing.assert_array_equal(again.value, m.value)
        assert again.dtype == m.dtype


def test_the_repr_of_a_large_matrix_tells_shape_and_dtype() -> None:
    text = repr(rnn.Matrix.zeros(200, 300, dtype="float64"))
    assert len(text) < 1000
    for word in ("Matrix", "200x300", "float64"):
        assert word in text


def test_a_matrix_can_be_a_key_and_a_member_of_a_set() -> None:
    m = rnn.Matrix.ones(1, 1)
    table = {m: "one"}
    assert table[m] == "one"
    assert m in {m}
    assert m.copy() not in table


# --- sequences --------------------------------------------------------------


def test_sequence_views_a_recorded_output_as_batch_time_features() -> None:
    net: Any = rnn.GRU(3, [4], 2, dtype="float64")
    x = np.linspace(-1.0, 1.0, 5 * 7 * 3).reshape(5, 7, 3)
    expected, _ = net(x)
    with rnn.Graph():
        y, _ = net(x)
    assert y.shape == (2, 5 * 7)
    assert y.sequence.shape == (5, 7, 2)
    assert np.shares_memory(y.sequence, y.value)
    np.testing.assert_allclose(y.sequence, expected, rtol=0.0, atol=1e-12)
    np.testing.assert_array_equal(y.sequence[3, 2], y.value[:, 3 * 7 + 2])


def test_sequence_of_a_matrix_that_is_no_sequence_is_an_error() -> None:
    with pytest.raises(rnn.RecurrentNNError, match="sequence"):
        _ = rnn.Matrix.ones(2, 6).sequence
