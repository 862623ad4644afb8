"""The oracle has an oracle: closed forms, differences and numbers worked out by hand.

Nothing here touches the compiled core, and no expected number comes from the reference.
"""

import gc
import math
from collections.abc import Callable
from statistics import NormalDist
from typing import Any

import pytest

from recurrentnn import reference as ref
from recurrentnn.reference import random
from recurrentnn.reference.ieee import divide, power, total

INF, NAN = math.inf, math.nan
GOLDEN = (math.sqrt(5.0) - 1.0) / 2.0


def spread(
    rows: int, cols: int, low: float = -1.5, high: float = 1.5, shift: int = 0
) -> ref.Matrix:
    """Distinct numbers that fill [low, high), without randomness."""
    parts = [math.fmod((k + 1 + 100 * shift) * GOLDEN, 1.0) for k in range(rows * cols)]
    return ref.Matrix.from_flat(rows, cols, [low + (high - low) * p for p in parts])


# --- ops: values by hand ----------------------------------------------------

E1 = math.e
# op, operands, attributes, value, gradients of the operands for an output gradient of 1
BY_HAND: list[tuple[str, list[Any], dict[str, Any], Any, list[Any]]] = [
    ("tanh", [[[math.log(2.0)]]], {}, [[0.6]], [[[0.64]]]),
    ("sigmoid", [[[math.log(3.0), 0]]], {}, [[0.75, 0.5]], [[[0.1875, 0.25]]]),
    ("relu", [[[-1, 0, 2]]], {}, [[0, 0, 2]], [[[0, 0, 1]]]),
    ("relu", [[[-1, 0, 2]]], {"slope_at_zero": 1}, [[0, 0, 2]], [[[0, 1, 1]]]),
    ("neg", [[[3]]], {}, [[-3]], [[[-1]]]),
    ("exp", [[[0, 1]]], {}, [[1, E1]], [[[1, E1]]]),
    ("log", [[[1, 4]]], {}, [[0, math.log(4)]], [[[1, 0.25]]]),
    ("sqrt", [[[9]]], {}, [[3]], [[[1 / 6]]]),
    ("square", [[[-3]]], {}, [[9]], [[[-6]]]),
    ("abs", [[[-2, 0, 2]]], {}, [[2, 0, 2]], [[[-1, 0, 1]]]),
    ("softplus", [[[0, -800]]], {}, [[math.log(2), 0]], [[[0.5, 0]]]),
    ("softplus", [[[800]]], {}, [[800]], [[[1]]]),
    ("gelu", [[[0, -40]]], {}, [[0, 0]], [[[0.5, 0]]]),
    ("hard_sigmoid", [[[-3, 0, 3]]], {}, [[0, 0.5, 1]], [[[0, 1 / 6, 0]]]),
    ("scale", [[[3]]], {"factor": -2}, [[-6]], [[[-2]]]),
    ("shift", [[[3]]], {"amount": -2}, [[1]], [[[1]]]),
    ("pow", [[[2]]], {"exponent": 3}, [[8]], [[[12]]]),
    ("pow", [[[-2]]], {"exponent": -1}, [[-0.5]], [[[-0.25]]]),
    (
        "clip",
        [[[-2, -1, 0, 1, 2]]],
        {"low": -1, "high": 1},
        [[-1, -1, 0, 1, 1]],
        [[[0, 1, 1, 1, 0]]],
    ),
    ("elu", [[[2, 0]]], {"alpha": 3}, [[2, 0]], [[[1, 3]]]),
    ("elu", [[[-1]]], {}, [[1 / E1 - 1]], [[[1 / E1]]]),
    ("leaky_relu", [[[2, 0, -2]]], {}, [[2, 0, -0.02]], [[[1, 0.01, 0.01]]]),
    ("dropout", [[[2, 3]]], {"rate": 0, "seed": 1}, [[2, 3]], [[[1, 1]]]),
    ("add", [[[1], [2]], [[3, 4]]], {}, [[4, 5], [5, 6]], [[[2], [2]], [[2, 2]]]),
    ("sub", [[[1, 2]], 5], {}, [[-4, -3]], [[[1, 1]], [[-2]]]),
    ("mul", [[[1, 2], [3, 4]], [[5, 6]]], {}, [[5, 12], [15, 24]], [None, [[4, 6]]]),
    ("div", [[[6, 3]], [[2]]], {}, [[3, 1.5]], [[[0.5, 0.5]], [[-2.25]]]),
    ("maximum", [[[1, 5, 2]], [[3, 4, 2]]], {}, [[3, 5, 2]], [[[0, 1, 0.5]], None]),
    ("minimum", [[[1, 5, 2]], [[3, 4, 2]]], {}, [[1, 4, 2]], [[[1, 0, 0.5]], None]),
    (
        "where",
        [[[1, 0]], [[2, 3]], [[4, 5]]],
        {},
        [[2, 5]],
        [[[0, 0]], [[1, 0]], [[0, 1]]],
    ),
    ("matmul", [[[1, 2], [3, 4]], [[5], [6]]], {}, [[17], [39]], [None, [[4], [6]]]),
    ("concat", [[[1, 2]], [[3, 4]]], {}, [[1, 2], [3, 4]], [[[1, 1]], [[1, 1]]]),
    ("concat_columns", [[[1]], [[2, 3]]], {}, [[1, 2, 3]], [[[1]], [[1, 1]]]),
    ("slice_rows", [[[1], [2], [3]]], {"start": 1, "stop": 3}, [[2], [3]], [None]),
    ("slice_columns", [[[1, 2, 3]]], {"start": 0, "stop": 1}, [[1]], [[[1, 0, 0]]]),
    (
        "select_rows",
        [[[1, 2], [3, 4]]],
        {"indices": [1, 1, 0]},
        [[3, 3, 1], [4, 4, 2]],
        [[[1, 1], [2, 2]]],
    ),
    ("select_columns", [[[1, 2]]], {"indices": [1, 1]}, [[2, 2]], [[[0, 2]]]),
    ("reshape", [[[1, 2], [3, 4]]], {"rows": 1, "cols": 4}, [[1, 3, 2, 4]], [None]),
    ("transpose", [[[1, 2]]], {}, [[1], [2]], [[[1, 1]]]),
    ("sum", [[[1, 2], [3, 4]]], {}, [[10]], [[[1, 1], [1, 1]]]),
    ("sum", [[[1, 2], [3, 4]]], {"axis": 0}, [[4, 6]], [None]),
    ("mean", [[[1, 2], [3, 4]]], {"axis": 1}, [[1.5], [3.5]], [[[0.5] * 2] * 2]),
    ("max", [[[1, 7], [7, 7]]], {"axis": 0}, [[7, 7]], [[[0, 1], [1, 0]]]),
    ("max", [[[1, 7], [7, 7]]], {"axis": 1}, [[7], [7]], [[[0, 1], [1, 0]]]),
    ("logsumexp", [[[0], [math.log(3)]]], {}, [[math.log(4)]], [[[0.25], [0.75]]]),
    ("softmax", [[[0], [math.log(3)]]], {}, [[0.25], [0.75]], [[[0], [0]]]),
    (
        "log_softmax",
        [[[0], [math.log(3)]]],
        {},
        [[math.log(0.25)], [math.log(0.75)]],
        [[[0.5], [-0.5]]],
    ),
    ("log_softmax", [[[1e6], [1e6]]], {}, [[-math.log(2)]] * 2, [None]),
    ("logsumexp", [[[1e6], [1e6]]], {}, [[1e6 + math.log(2)]], [[[0.5], [0.5]]]),
    # mean 2, biased variance 1
    (
        "layer_norm",
        [[[1], [3]], [[2], [2]], [[5], [6]]],
        {"eps": 0},
        [[3], [8]],
        [[[0], [0]], [[-1], [1]], [[1], [1]]],
    ),
    (
        "softmax_cross_entropy",
        [[[0, 9], [math.log(3), 9]]],
        {"targets": [1, 7], "mask": [1, 0]},
        [[-math.log(0.75)]],
        [[[0.25, 0], [-0.25, 0]]],
    ),
    (
        "softmax_cross_entropy",
        [[[1e6, -1e6], [-1e6, 1e6]]],
        {"targets": [[0], [0]]},
        [[1e6]],
        [[[0, -0.5], [0, 0.5]]],
    ),
    ("squared_error", [[[1, 2]], [[4, 0]]], {}, [[6.5]], [[[-3, 2]], [[3, -2]]]),
    ("absolute_error", [[[1, 2]], [[1, 0]]], {}, [[1]], [[[0, 0.5]], [[0, -0.5]]]),
    ("huber", [[[0.5, 3]], [[0, 0]]], {}, [[1.3125]], [[[0.25, 0.5]], None]),
    ("huber", [[[0.5, 3]], [[0, 0]]], {"delta": 2}, [[2.0625]], [[[0.25, 1]], None]),
    (
        "binary_cross_entropy",
        [[[0, math.log(3)]], [[1, 0]]],
        {},
        [[(math.log(2) + math.log(4)) / 2]],
        [[[-0.25, 0.375]], [[0, -math.log(3) / 2]]],
    ),
]


@pytest.mark.parametrize("case", BY_HAND, ids=lambda case: case[0])
def test_an_op_gives_the_numbers_worked_out_by_hand(case: Any) -> None:
    op, data, attributes, value, gradients = case
    operands = [ref.Matrix(rows) for rows in data]
    graph = ref.Graph()
    out = getattr(graph, op)(*operands, **attributes)
    out.grad = [1.0] * out.shape.size
    graph.backward()
    assert_rows(out.tolist(), value)
    for m, expected in zip(operands, gradients, strict=True):
        if expected is not None:
            assert_rows(ref.Matrix.from_flat(*m.shape, m.grad).tolist(), expected)


def assert_rows(got: list[list[float]], expected: list[list[float]]) -> None:
    assert len(got) == len(expected)
    for row, expected_row in zip(got, expected, strict=True):
        assert row == pytest.approx(expected_row, rel=1e-15, abs=1e-15)


def test_every_op_is_worked_out_by_hand() -> None:
    assert {case[0] for case in BY_HAND} == set(ref.OPS)
    assert all(op.name == name for name, op in ref.OPS.items())


def test_gelu_weighs_by_the_normal_distribution() -> None:
    normal = NormalDist()
    for x in (-3.0, -0.5, 0.7, 2.0):
        m = ref.Matrix(x)
        graph = ref.Graph()
        y = graph.gelu(m)
        graph.backward(y)
        assert y.item() == pytest.approx(x * normal.cdf(x), rel=1e-13, abs=0.0)
        assert m.grad[0] == pytest.approx(
            normal.cdf(x) + x * normal.pdf(x), rel=1e-13, abs=0.0
        )


def test_dropout_keeps_what_its_draws_say() -> None:
    x = ref.Matrix.ones(50, 20)
    y = x.dropout(0.25, seed=9, step=2)
    for k, value in enumerate(y.value):
        keeps = random.uniform(9, random.DROPOUT, 2, k) >= 0.25
        assert value == (1.0 / 0.75 if keeps else 0.0)
    assert abs(y.value.count(0.0) - 250) < 60


# --- ops: derivatives -------------------------------------------------------

A, B, COLUMN, ROW = spread(3, 4), spread(3, 4, shift=1), spread(3, 1), spread(1, 4)
POSITIVE = spread(3, 4, 0.3, 2.5, shift=2)
CHANCE = spread(3, 4, 0.1, 0.9)

DERIVATIVES: list[tuple[str, list[ref.Matrix], dict[str, Any]]] = [
    *((op, [A], {}) for op in ("tanh", "sigmoid", "relu", "neg", "exp", "square")),
    *((op, [A], {}) for op in ("abs", "softplus", "gelu", "hard_sigmoid", "elu")),
    *((op, [POSITIVE], {}) for op in ("log", "sqrt")),
    ("scale", [A], {"factor": -2.5}),
    ("shift", [A], {"amount": 0.75}),
    ("pow", [POSITIVE], {"exponent": 2.5}),
    ("pow", [A], {"exponent": 3.0}),
    ("clip", [A], {"low": -0.7, "high": 0.6}),
    ("elu", [A], {"alpha": 0.5}),
    ("leaky_relu", [A], {"slope": 0.3}),
    ("dropout", [A], {"rate": 0.5, "seed": 3}),
    *(
        (op, pair, {})
        for op in ("add", "sub", "mul")
        for pair in ([A, B], [A, COLUMN], [ROW, A], [COLUMN, ROW], [A, spread(1, 1)])
    ),
    *(("div", [a, POSITIVE], {}) for a in (A, COLUMN, ROW)),
    ("div", [POSITIVE, spread(1, 4, 0.5, 2.0)], {}),
    ("add", [A, COLUMN, ROW, B], {}),
    *((op, [A, B], {}) for op in ("maximum", "minimum", "concat", "concat_columns")),
    ("where", [ref.Matrix([[0.0, 1.0]]), spread(1, 2), spread(1, 2, shift=1)], {}),
    ("matmul", [A, spread(4, 2)], {}),
    ("slice_rows", [A], {"start": 1, "stop": 3}),
    ("slice_columns", [A], {"start": 1, "stop": 3}),
    ("select_rows", [A], {"indices": [2, 0, 2]}),
    ("select_columns", [A], {"indices": [3, 3, 0]}),
    ("reshape", [A], {"rows": 6, "cols": 2}),
    ("transpose", [A], {}),
    *((op, [A], {"axis": axis}) for op in ("sum", "mean") for axis in (None, 0, 1)),
    *(("max", [A], {"axis": axis}) for axis in (0, 1)),
    *((op, [A], {}) for op in ("logsumexp", "softmax", "log_softmax")),
    ("layer_norm", [A, COLUMN, spread(3, 1, shift=1)], {"eps": 0.1}),
    ("softmax_cross_entropy", [A], {"targets": [0, 2, 1, 1], "mask": [1, 1, 0, 1]}),
    *((op, [A, B], {}) for op in ("squared_error", "absolute_error")),
    *(("huber", [A, B], {"delta": delta}) for delta in (0.5, 1.0)),
    ("binary_cross_entropy", [A, CHANCE], {}),
]


@pytest.mark.parametrize("case", DERIVATIVES, ids=lambda case: case[0])
def test_a_derivative_equals_central_differences(case: Any) -> None:
    op, operands, attributes = case
    ref.gradcheck(lambda g: getattr(g, op)(*operands, **attributes), operands)


def test_every_derivative_is_compared_with_differences() -> None:
    assert {case[0] for case in DERIVATIVES} == set(ref.OPS)


@pytest.mark.parametrize(
    "op", ["add", "sub", "mul", "div", "maximum", "matmul", "concat", "squared_error"]
)
def test_a_matrix_twice_gets_both_gradients(op: str) -> None:
    square = spread(3, 3, 0.4, 1.9)
    ref.gradcheck(lambda g: getattr(g, op)(square, square), [square])


def test_layer_norm_of_one_column_three_times() -> None:
    ref.gradcheck(lambda g: g.layer_norm(COLUMN, COLUMN, COLUMN), [COLUMN])


@pytest.mark.parametrize("factor", [-1.0, 1.000001, NAN])
def test_gradcheck_fails_on_a_wrong_derivative(
    factor: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    def rule(m: ref.Matrix) -> tuple[ref.Matrix, Callable[[], None]]:
        out, right = tanh.rule(m)

        def wrong() -> None:
            out.grad = [factor * g for g in out.grad]
            right()

        return out, wrong

    tanh = ref.OPS["tanh"]
    assert ref.gradcheck(lambda g: g.tanh(A), [A]) < 1e-9
    monkeypatch.setitem(ref.OPS, "tanh", type(tanh)("tanh", 1, rule))
    with pytest.raises(AssertionError, match=r"gradient of A at \(0, 0\)"):
        ref.gradcheck(lambda _: A.tanh(), {"A": A})


def test_gradcheck_leaves_its_matrices_alone() -> None:
    m, touched = spread(2, 2), spread(2, 2)
    touched.grad = [1.0, 2.0, 3.0, 4.0]
    value = list(m.value)
    ref.gradcheck(lambda _: m * touched, [m, touched])
    assert m.value == value
    assert not m.has_grad
    assert touched.grad == [1.0, 2.0, 3.0, 4.0]


# --- ops: edges -------------------------------------------------------------


def test_real_functions_answer_as_ieee_does() -> None:
    assert [divide(1.0, -0.0), divide(-1.0, 0.0)] == [-INF, -INF]
    assert math.isnan(divide(0.0, 0.0))
    assert [power(0.0, -2.0), power(-0.0, -1.0), power(-10.0, 309.0)] == [
        INF,
        -INF,
        -INF,
    ]
    assert math.isnan(power(-1.0, 0.5))
    assert total([1e16, 1.0, 1.0]) == 1e16
    assert ref.Matrix([[1000.0, -1000.0]]).exp().value == [INF, 0.0]
    assert ref.Matrix([[0.0]]).log().value == [-INF]
    m = ref.Matrix([[0.0]])
    graph = ref.Graph()
    graph.backward(graph.sqrt(m))
    assert m.grad == [INF]


def test_nan_in_is_nan_out() -> None:
    attributes: dict[str, dict[str, Any]] = {
        "scale": {"factor": 0.0},
        "shift": {"amount": 1.0},
        "pow": {"exponent": 0.0},
        "clip": {"low": -1.0, "high": 1.0},
        "dropout": {"rate": 0.9, "seed": 1},
    }
    unary = list(ref.OPS)[: list(ref.OPS).index("add")]
    for op in unary:
        y = ref.apply(op, ref.Matrix(NAN), **attributes.get(op, {}))
        assert math.isnan(y.item()), op
    for op in ("maximum", "minimum"):
        y = ref.apply(op, ref.Matrix([[NAN, 1.0]]), ref.Matrix([[1.0, NAN]]))
        assert all(map(math.isnan, y.value)), op


def test_empty_matrices_where_the_result_is_defined() -> None:
    zeros = ref.Matrix.zeros
    assert (zeros(2, 0) @ zeros(0, 3)).tolist() == [[0.0] * 3] * 2
    assert zeros(0, 3).sum(axis=0).value == [0.0] * 3
    assert (zeros(0, 4) + zeros(1, 4)).shape == (0, 4)
    assert zeros(3, 0).softmax().shape == (3, 0)
    assert zeros(3, 0).max(axis=0).shape == (1, 0)
    for op, axis in (("mean", None), ("mean", 0), ("max", 0)):
        with pytest.raises(ValueError, match=f"{op}: nothing to reduce in 0x3"):
            ref.apply(op, zeros(0, 3), axis=axis)
    with pytest.raises(ValueError, match="logsumexp: nothing"):
        zeros(0, 3).logsumexp()


MISTAKES: list[tuple[Callable[[], Any], type[Exception], str]] = [
    (lambda: A @ B, ValueError, "matmul: left is 3x4 but right has 3 rows"),
    (lambda: A + spread(2, 4), ValueError, "add: shapes 3x4 and 2x4 do not"),
    (lambda: A.maximum(COLUMN), ValueError, "maximum: operands must have one shape"),
    (lambda: A.slice_rows(2, 1), IndexError, "slice_rows: expected 0 <= start"),
    (lambda: A.select_rows([3]), IndexError, "select_rows: index 3 is not below"),
    (lambda: A.select_columns([-1]), IndexError, "select_columns: index -1"),
    (lambda: A.reshape(5, 2), ValueError, "reshape: 3x4 has 12 elements"),
    (lambda: A.sum(axis=2), ValueError, "sum: axis must be 0, 1 or None but is 2"),
    (lambda: A.clip(1.0, 0.0), ValueError, "clip: low must not exceed high"),
    (lambda: ref.Matrix.zeros(0, 2).clip(1.0, 0.0), ValueError, "clip: low"),
    (lambda: A.dropout(1.0, seed=0), ValueError, "dropout: rate must be in"),
    (lambda: A.softmax_cross_entropy([0]), ValueError, "expected one per column, 4"),
    (lambda: A.softmax_cross_entropy([3] * 4), IndexError, "target 3 of column 0"),
    (
        lambda: A.softmax_cross_entropy([0] * 4, mask=[0] * 4),
        ValueError,
        "expected a column to count",
    ),
    (lambda: A.binary_cross_entropy(B), ValueError, "target must be in"),
    (lambda: ref.Matrix([[1.0], [2.0, 3.0]]), ValueError, "rows must be of one length"),
    (lambda: ref.Matrix([["a"]]), TypeError, "expected real numbers"),  # type: ignore[arg-type]
    (lambda: ref.Graph().add(), ValueError, "add: takes at least one matrix"),
    (lambda: ref.Graph().matmul(A), TypeError, "matmul: takes 2 matrices but 1 came"),
    (lambda: bool(A), TypeError, "neither true nor false"),
    (lambda: A.item(), ValueError, "item: expected 1x1 but matrix is 3x4"),
    (lambda: ref.RNN(2, [0], 1), ValueError, "a size must be >= 1 but is 0"),
    (lambda: ref.LSTM(2, 2, 1, activation="relu"), ValueError, "activation means"),
    (lambda: ref.GRU(2, 2, 1, paper=True), ValueError, "all_to_gates means nothing"),
    (lambda: ref.RNN(2, 2, 1)([3]), IndexError, "symbols below 2 but holds 3"),
    (lambda: ref.RNN(2, 2, 1)([[1.0]]), ValueError, "x must have 2 rows but is 1x1"),
]


@pytest.mark.parametrize(("call", "error", "text"), MISTAKES)
def test_a_mistake_is_named(
    call: Callable[[], Any], error: type[Exception], text: str
) -> None:
    with pytest.raises(error, match=text):
        call()


# --- graph ------------------------------------------------------------------


def test_ops_are_methods_that_dir_and_help_show() -> None:
    no_method = {"concat", "concat_columns", "where"}
    assert set(ref.OPS) <= set(dir(ref.Graph))
    assert set(ref.OPS) & set(dir(ref.Matrix)) == set(ref.OPS) - no_method
    for owner in (ref.Graph, ref.Matrix):
        method = vars(owner)["tanh"]
        assert method.__qualname__ == f"{owner.__name__}.tanh"
        assert method.__doc__ == ref.OPS["tanh"].rule.__doc__
    with pytest.raises(AttributeError, match="no attribute 'where'"):
        _ = ref.Matrix(1.0).where


def test_a_matrix_has_the_ancestors_names_of_value_and_gradient() -> None:
    m = ref.Matrix([[1, 2, 3], [4, 5, 6]])
    assert m.shape == (2, 3)
    assert m.w is m.value
    assert m.w == [1, 4, 2, 5, 3, 6]
    m.w, m.dw = [0.0] * 6, [2.0] * 6
    assert (m.value, m.grad) == ([0.0] * 6, [2.0] * 6)


def test_operators_record_in_the_innermost_graph() -> None:
    w, x = ref.Matrix([[2.0]]), ref.Matrix([[3.0]])
    with ref.Graph() as outer:
        y = w @ x + 1.0
        with ref.Graph() as inner:
            z = -w / 4.0 - 1.0
        y = (2.0 * y) ** 2
    assert (len(outer), len(inner)) == (4, 3)
    outer.backward(y)
    inner.backward(z)
    assert y.item() == 196.0
    assert w.grad == [2 * 14 * 2 * 3 - 0.25]
    assert (w * x).made_by is None


def test_leaf_gradients_accumulate_and_a_recording_is_used_once() -> None:
    w = ref.Matrix(3.0)
    for expected in (6.0, 12.0):
        graph = ref.Graph()
        loss = graph.square(w)
        graph.backward(loss)
        assert w.grad == [expected]
    with pytest.raises(RuntimeError, match="consumed by an earlier backward"):
        graph.backward(loss)
    with pytest.raises(RuntimeError, match="square: the recording was consumed"):
        graph.square(w)
    graph.clear()
    graph.backward(graph.square(w))
    assert w.grad == [18.0]


def test_a_retained_recording_runs_again_from_clean_gradients() -> None:
    w = ref.Matrix(3.0)
    graph = ref.Graph()
    y = graph.square(w)
    loss = graph.scale(y, 2.0)
    graph.backward(loss, retain=True)
    graph.backward(loss, retain=True)
    assert (y.grad, w.grad) == ([2.0], [24.0])
    with pytest.raises(RuntimeError, match="expected new seeds"):
        graph.backward()
    graph.zero_grad()
    y.grad = [1.0]
    graph.backward()
    assert w.grad == [30.0]


def finish_by_backward(graph: ref.Graph, y: ref.Matrix) -> None:
    graph.backward(y)


def finish_by_clear(graph: ref.Graph, y: ref.Matrix) -> None:  # noqa: ARG001
    graph.clear()


@pytest.mark.parametrize("finish", [finish_by_backward, finish_by_clear])
def test_a_finished_graph_enters_another_by_value(
    finish: Callable[[ref.Graph, ref.Matrix], None],
) -> None:
    w = ref.Matrix(3.0)
    first, second = ref.Graph(), ref.Graph()
    y = first.square(w)
    with pytest.raises(RuntimeError, match="another graph that is still open"):
        second.exp(y)
    finish(first, y)
    w.zero_grad()
    before = list(y.grad)
    second.backward(second.scale(y, 5.0))
    assert (w.grad, y.grad) == ([0.0], before)


def test_a_dropped_graph_and_one_without_recording_are_finished() -> None:
    w = ref.Matrix(3.0)
    graph = ref.Graph()
    y = graph.square(w)
    del graph
    gc.collect()
    silent = ref.Graph(recording=False)
    z = silent.square(w)
    assert len(silent) == 0
    graph = ref.Graph()
    graph.backward(graph.add(y, z))
    assert not w.has_grad
    with pytest.raises(RuntimeError, match="recording off"):
        silent.backward()


def test_a_loss_must_be_a_number_of_this_graph() -> None:
    graph = ref.Graph()
    y = graph.square(A)
    with pytest.raises(ValueError, match="loss must be 1x1 but is 3x4"):
        graph.backward(y)
    with pytest.raises(RuntimeError, match="not recorded in it"):
        graph.backward(ref.Matrix(1.0))


def test_a_long_recording_is_differentiated_and_dropped_without_recursion() -> None:
    w = ref.Matrix(1.0)
    graph = ref.Graph()
    y = w
    for _ in range(20_000):
        y = graph.shift(y, 1.0)
    graph.backward(y)
    del graph, y
    assert w.grad == [1.0]


def test_graphviz_text_has_a_box_per_matrix() -> None:
    graph = ref.Graph()
    w = spread(2, 3)
    graph.tanh(graph.add(w, w))
    dot = graph.to_dot()
    assert dot.count("label=") == 3
    assert dot.count("m0 -> m1;") == 2
    assert "tanh 2x3" in dot
