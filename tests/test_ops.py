"""Every op against the reference and against central differences.

The gradient of an op is tested under a weight per element of the output, so that
no two elements can be exchanged unnoticed: loss = sum(weight * output).
"""

import inspect
import math
from functools import partial
from typing import Any

import numpy as np
import pytest
from numpy.typing import ArrayLike, NDArray

import oracle
import recurrentnn as rnn
from cases import NOT_A_NUMBER, OPS, OpCase, signed, spread
from differences import DIFFERENCE_BOUND, richardson
from recurrentnn import reference as ref
from support import assert_close, tolerance

Array = NDArray[np.float64]

EVERY_OP = pytest.mark.parametrize("case", OPS, ids=lambda case: case.name)


def distinct(case: OpCase) -> dict[int, Array]:
    """Return the arrays of a case by identity: one array, one matrix."""
    return {id(operand): operand for operand in case.operands}


def weights(shape: tuple[int, int]) -> Array:
    return spread(*shape, 0.5, 1.5, shift=11)


def ours(case: OpCase, dtype: str) -> tuple[rnn.Matrix, dict[int, rnn.Matrix]]:
    """Call the op and go backward; return its output and its operands."""
    made = {key: rnn.Matrix(a, dtype=dtype) for key, a in distinct(case).items()}
    operands = [made[id(operand)] for operand in case.operands]
    g = rnn.Graph()
    output = getattr(g, case.op)(*operands, **case.attributes)
    output.grad = weights(output.shape)
    g.backward()
    return output, made


def theirs(case: OpCase, dtype: str) -> tuple[ref.Matrix, dict[int, ref.Matrix]]:
    """Do the same in the reference, on the numbers as `dtype` holds them."""
    rounded = {key: a.astype(dtype) for key, a in distinct(case).items()}
    made = {key: oracle.to_reference(a) for key, a in rounded.items()}
    operands = [made[id(operand)] for operand in case.operands]
    attributes = {name: plain(value) for name, value in case.attributes.items()}
    g = ref.Graph()
    output = getattr(g, case.op)(*operands, **attributes)
    weight = weights((output.rows, output.cols)).astype(dtype)
    output.grad = weight.astype(np.float64).ravel(order="F").tolist()
    g.backward()
    return output, made


def plain(value: Any) -> Any:
    return value.tolist() if isinstance(value, np.ndarray) else value


@EVERY_OP
def test_an_op_equals_the_reference_in_value_and_gradients(
    case: OpCase, dtype: str
) -> None:
    output, operands = ours(case, dtype)
    expected, expected_operands = theirs(case, dtype)
    assert output.dtype == np.dtype(dtype)
    assert_close(output.value, oracle.value(expected), tolerance(dtype), "value")
    bound = tolerance(dtype, "gradient")
    for number, operand in enumerate(case.operands):
        actual = operands[id(operand)].grad
        wanted = oracle.gradient(expected_operands[id(operand)])
        assert_close(actual, wanted, bound, f"gradient of operand {number}")


def evaluate(case: OpCase, moved: int, values: Array) -> float:
    """Return sum(weight * output) with one operand's values replaced."""
    made = {
        key: rnn.Matrix(values if key == moved else array, dtype="float64")
        for key, array in distinct(case).items()
    }
    operands = [made[id(operand)] for operand in case.operands]
    g = rnn.Graph(recording=False)
    output = getattr(g, case.op)(*operands, **case.attributes)
    return math.fsum((weights(output.shape) * output.value).ravel())


SMOOTH = [case for case in OPS if case.smooth]


@pytest.mark.parametrize("case", SMOOTH, ids=lambda case: case.name)
def test_the_gradients_of_an_op_equal_central_differences(case: OpCase) -> None:
    _, operands = ours(case, "float64")
    fixed = {id(case.operands[number]) for number in case.fixed}
    for key, array in distinct(case).items():
        if key not in fixed:
            slope = richardson(partial(evaluate, case, key), array)
            assert_close(operands[key].grad, slope, DIFFERENCE_BOUND, "gradient")


@pytest.mark.parametrize("case", [c for c in OPS if c.fixed], ids=lambda c: c.name)
def test_an_operand_that_only_selects_gets_no_gradient(case: OpCase) -> None:
    _, operands = ours(case, "float64")
    for number in case.fixed:
        assert not operands[id(case.operands[number])].grad.any()


@EVERY_OP
def test_an_op_leaves_its_operands_as_they_were(case: OpCase) -> None:
    _, operands = ours(case, "float64")
    for key, array in distinct(case).items():
        np.testing.assert_array_equal(operands[key].value, array)


@EVERY_OP
def test_an_op_gives_the_same_bits_recorded_or_not_and_as_a_method(
    case: OpCase,
) -> None:
    output, _ = ours(case, "float32")
    made = {key: rnn.Matrix(a) for key, a in distinct(case).items()}
    operands = [made[id(operand)] for operand in case.operands]
    off = rnn.Graph(recording=False)
    unrecorded = getattr(off, case.op)(*operands, **case.attributes)
    np.testing.assert_array_equal(unrecorded.value, output.value)
    if hasattr(rnn.Matrix, case.op):
        method = getattr(operands[0], case.op)(*operands[1:], **case.attributes)
        np.testing.assert_array_equal(method.value, output.value)


@pytest.mark.parametrize(("op", "attributes"), NOT_A_NUMBER, ids=str)
def test_a_nan_goes_through_every_elementwise_op_and_touches_no_neighbour(
    op: str, attributes: tuple[tuple[str, Any], ...], dtype: str
) -> None:
    values = np.abs(signed(3, 11))
    values[1, 5] = math.nan
    options = dict(attributes)
    if op == "dropout":
        options["rate"] = 0.0
    output = getattr(rnn.Matrix(values, dtype=dtype), op)(**options).value
    assert math.isnan(output[1, 5])
    assert np.isnan(output).sum() == 1


@pytest.mark.parametrize("op", ["maximum", "minimum", "add", "sub", "mul", "div"])
@pytest.mark.parametrize("side", [0, 1])
def test_a_nan_on_either_side_goes_through_an_op_of_two(
    op: str, side: int, dtype: str
) -> None:
    pair = [signed(3, 11), signed(3, 11, shift=1)]
    pair[side][2, 7] = math.nan
    left, right = (rnn.Matrix(values, dtype=dtype) for values in pair)
    output = getattr(left, op)(right).value
    assert math.isnan(output[2, 7])
    assert np.isnan(output).sum() == 1


@pytest.mark.parametrize(
    ("op", "constant"),
    [
        ("add", 2.0),
        ("sub", np.float32(2.0)),
        ("mul", [[1.0, 2.0, 3.0, 4.0]]),
        ("div", signed(3, 4)),
        ("matmul", signed(4, 2)),
        ("maximum", signed(3, 4, shift=1)),
        ("squared_error", signed(3, 4).astype(">f8")),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_a_number_or_array_is_a_constant_in_the_dtype_of_the_matrix(
    op: str, constant: ArrayLike, dtype: str
) -> None:
    x = rnn.Matrix(signed(3, 4), dtype=dtype)
    leaf = rnn.Matrix(np.atleast_2d(constant), dtype=dtype)
    g = rnn.Graph()
    output = getattr(g, op)(x, constant)
    expected = getattr(rnn.Graph(recording=False), op)(x, leaf)
    assert output.dtype == np.dtype(dtype)
    np.testing.assert_array_equal(output.value, expected.value)


def test_the_mask_of_dropout_depends_on_seed_step_and_place_alone() -> None:
    long = rnn.Matrix.ones(40, 25, dtype="float64")
    short = rnn.Matrix.ones(40, 5, dtype="float64")
    mask = long.dropout(0.3, 7, 2).value
    np.testing.assert_array_equal(long.dropout(0.3, 7, 2).value, mask)
    np.testing.assert_array_equal(short.dropout(0.3, 7, 2).value, mask[:, :5])
    assert set(np.unique(mask)) == {0.0, 1.0 / 0.7}
    assert abs((mask == 0.0).mean() - 0.3) < 0.06
    for seed, step in ((8, 2), (7, 3)):
        assert (long.dropout(0.3, seed, step).value != mask).any()


def test_the_signature_of_an_op_is_the_same_on_graph_and_matrix() -> None:
    for op in rnn._recurrentnn.OPS:
        if hasattr(rnn.Matrix, op):
            on_graph = list(inspect.signature(getattr(rnn.Graph, op)).parameters)
            on_matrix = list(inspect.signature(getattr(rnn.Matrix, op)).parameters)
            if op != "add":  # its operands have no names
                assert (
                    on_graph[-len(on_matrix) + 1 :] == on_matrix[1:]
                    or len(on_matrix) == 1
                ), op
