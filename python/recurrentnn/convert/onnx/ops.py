"""Each op in ONNX: the nodes that compute it, and the shape that comes out.

A row of the table is op -> (writer, shape). A writer takes the builder, the operands'
names and the op's attributes and gives the output's name. Matrices are (rows, batch).
What is not in the table is refused by name: losses, dropout, and what mixes samples.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from recurrentnn.errors import ArgumentError, ShapeError

if TYPE_CHECKING:
    from recurrentnn.convert.onnx.builder import Builder

# Rows, columns, and whether the columns are the samples.
Operand: TypeAlias = tuple[int, int, bool]
Writer: TypeAlias = Callable[..., str]
ShapeOf: TypeAlias = Callable[..., tuple[int, int]]


def _scalar(b: Builder, value: float) -> str:
    return b.constant(np.array(value, np.float64))


def _one(op: str, **attributes: float) -> Writer:
    """An op of one operand that ONNX has too."""
    return lambda b, x: b.node(op, x, **attributes)


def _two(op: str) -> Writer:
    return lambda b, x, y: b.node(op, x, y)


def _relu(b: Builder, x: str, slope_at_zero: float = 0.0) -> str:
    del slope_at_zero  # of the derivative
    return b.node("Relu", x)


def _gelu(b: Builder, x: str) -> str:
    erf = b.node("Erf", b.node("Mul", x, _scalar(b, 1.0 / math.sqrt(2.0))))
    share = b.node("Mul", b.node("Add", erf, _scalar(b, 1.0)), _scalar(b, 0.5))
    return b.node("Mul", x, share)


def _hard_sigmoid(b: Builder, x: str) -> str:
    line = b.node("Mul", b.node("Add", x, _scalar(b, 3.0)), _scalar(b, 1.0 / 6.0))
    return _clip(b, line, 0.0, 1.0)


def _scale(b: Builder, x: str, factor: float) -> str:
    return b.node("Mul", x, _scalar(b, factor))


def _shift(b: Builder, x: str, amount: float) -> str:
    return b.node("Add", x, _scalar(b, amount))


def _pow(b: Builder, x: str, exponent: float) -> str:
    return b.node("Pow", x, _scalar(b, exponent))


def _clip(b: Builder, x: str, low: float, high: float) -> str:
    return b.node("Clip", x, _scalar(b, low), _scalar(b, high))


def _elu(b: Builder, x: str, alpha: float = 1.0) -> str:
    return b.node("Elu", x, alpha=alpha)


def _leaky_relu(b: Builder, x: str, slope: float = 0.01) -> str:
    return b.node("LeakyRelu", x, alpha=slope)


def _add(b: Builder, *operands: str) -> str:
    total = operands[0]
    for operand in operands[1:]:
        total = b.node("Add", total, operand)
    return total


def _where(b: Builder, condition: str, x: str, y: str) -> str:
    chosen = b.node("Not", b.node("Equal", condition, _scalar(b, 0.0)))
    return b.node("Where", chosen, x, y)


def _concat(b: Builder, *operands: str) -> str:
    return b.node("Concat", *operands, axis=0)


def _slice_rows(b: Builder, x: str, start: int, stop: int) -> str:
    return b.node("Slice", x, b.integers(start), b.integers(stop), b.integers(0))


def _reduce(op: str) -> Writer:
    def write(b: Builder, x: str, axis: int | None = None) -> str:
        axes = [0, 1] if axis is None else [axis]
        if op == "ReduceSum":  # the one whose axes are an operand in this opset
            return b.node(op, x, b.integers(*axes), keepdims=1)
        return b.node(op, x, axes=axes, keepdims=1)

    return write


def _layer_norm(b: Builder, x: str, gain: str, bias: str, eps: float = 1e-5) -> str:
    centred = b.node("Sub", x, b.node("ReduceMean", x, axes=[0], keepdims=1))
    square = b.node("Mul", centred, centred)
    variance = b.node("ReduceMean", square, axes=[0], keepdims=1)
    s = b.node("Sqrt", b.node("Add", variance, _scalar(b, eps)))
    return b.node("Add", b.node("Mul", gain, b.node("Div", centred, s)), bias)


def _joint(
    name: str, operands: list[Operand], *_: object, **__: object
) -> tuple[int, int]:
    try:
        rows, cols = np.broadcast_shapes(*((r, c) for r, c, _ in operands))
    except ValueError:
        shapes = " and ".join(f"{r}x{c}" for r, c, _ in operands)
        raise ShapeError(f"{name}: shapes {shapes} do not broadcast") from None
    if cols != 1 and any(per_sample for _, _, per_sample in operands):
        raise ShapeError(f"{name}: {cols} columns beside one a sample")
    return rows, cols


def _product(name: str, operands: list[Operand]) -> tuple[int, int]:
    (rows, inner, left), (below, cols, _) = operands
    if left or inner != below:
        raise ShapeError(f"{name}: left is {rows}x{inner} but right has {below} rows")
    return rows, cols


def _stacked(name: str, operands: list[Operand]) -> tuple[int, int]:
    kinds = {(cols, per_sample) for _, cols, per_sample in operands}
    if len(kinds) != 1:
        raise ArgumentError(f"to_onnx: {name} of a parameter and of samples")
    return sum(rows for rows, _, _ in operands), operands[0][1]


def _rows_between(
    name: str, operands: list[Operand], start: int, stop: int
) -> tuple[int, int]:
    rows, cols, _ = operands[0]
    if not 0 <= start <= stop <= rows:
        raise ShapeError(f"{name}: {start} to {stop} is outside of {rows} rows")
    return stop - start, cols


def _reduced(
    name: str, operands: list[Operand], axis: int | None = None
) -> tuple[int, int]:
    rows, cols, per_sample = operands[0]
    if axis != 0 and per_sample:
        raise ArgumentError(f"to_onnx: {name} over samples is not exported")
    return (1 if axis != 1 else rows), (1 if axis != 0 else cols)


def _one_row(_: str, operands: list[Operand]) -> tuple[int, int]:
    return 1, operands[0][1]


def _turned(name: str, operands: list[Operand]) -> tuple[int, int]:
    rows, cols, per_sample = operands[0]
    if per_sample:
        raise ArgumentError(f"to_onnx: {name} of samples is not exported")
    return cols, rows


# The output has the shape that the operands broadcast to.
_OF_ONE_SHAPE: dict[str, Writer] = {
    "tanh": _one("Tanh"),
    "sigmoid": _one("Sigmoid"),
    "relu": _relu,
    "neg": _one("Neg"),
    "exp": _one("Exp"),
    "log": _one("Log"),
    "sqrt": _one("Sqrt"),
    "square": lambda b, x: b.node("Mul", x, x),
    "abs": _one("Abs"),
    "softplus": _one("Softplus"),
    "gelu": _gelu,
    "hard_sigmoid": _hard_sigmoid,
    "scale": _scale,
    "shift": _shift,
    "pow": _pow,
    "clip": _clip,
    "elu": _elu,
    "leaky_relu": _leaky_relu,
    "add": _add,
    "sub": _two("Sub"),
    "mul": _two("Mul"),
    "div": _two("Div"),
    "maximum": _two("Max"),
    "minimum": _two("Min"),
    "where": _where,
    "softmax": _one("Softmax", axis=0),
    "log_softmax": _one("LogSoftmax", axis=0),
    "layer_norm": _layer_norm,
}

OPS: dict[str, tuple[Writer, ShapeOf]] = {
    **{name: (writer, _joint) for name, writer in _OF_ONE_SHAPE.items()},
    "matmul": (_two("MatMul"), _product),
    "concat": (_concat, _stacked),
    "slice_rows": (_slice_rows, _rows_between),
    "transpose": (lambda b, x: b.node("Transpose", x, perm=[1, 0]), _turned),
    "sum": (_reduce("ReduceSum"), _reduced),
    "mean": (_reduce("ReduceMean"), _reduced),
    "max": (_reduce("ReduceMax"), _reduced),
    "logsumexp": (
        lambda b, x: b.node("ReduceLogSumExp", x, axes=[0], keepdims=1),
        _one_row,
    ),
}
"""Op -> (writer, shape of the output)."""
