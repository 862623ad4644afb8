"""The table of ops, in the compiled core's order."""

from .arithmetic import add, div, matmul, maximum, minimum, mul, sub, where
from .columns import layer_norm, log_softmax, logsumexp, softmax
from .elementwise import (
    abs_,
    clip,
    dropout,
    elu,
    exp_,
    gelu,
    hard_sigmoid,
    leaky_relu,
    log_,
    neg,
    pow_,
    relu,
    scale,
    shift,
    sigmoid,
    softplus,
    sqrt_,
    square,
    tanh,
)
from .losses import (
    absolute_error,
    binary_cross_entropy,
    huber,
    softmax_cross_entropy,
    squared_error,
)
from .reductions import max_, mean, sum_
from .rule import Op
from .shaping import (
    concat,
    concat_columns,
    reshape,
    select_columns,
    select_rows,
    slice_columns,
    slice_rows,
    transpose,
)

__all__ = ["OPS", "Op"]

# fmt: off
_TABLE = (
    # elementwise
    tanh, sigmoid, relu, neg, exp_, log_, sqrt_, square, abs_, softplus, gelu,
    hard_sigmoid, scale, shift, pow_, clip, elu, leaky_relu, dropout,
    # arithmetic
    add, sub, mul, div, maximum, minimum, where, matmul,
    # shaping
    concat, concat_columns, slice_rows, slice_columns, select_rows, select_columns,
    reshape, transpose,
    # reductions and columns
    sum_, mean, max_, logsumexp, softmax, log_softmax, layer_norm,
    # losses
    softmax_cross_entropy, squared_error, absolute_error, huber, binary_cross_entropy,
)
# fmt: on

OPS: dict[str, Op] = {op.name: op for op in _TABLE}
