"""Ops over each column, that is each sample: softmax and its kin, layer_norm."""

import math

from recurrentnn.reference.ieee import dot, exp, log, total
from recurrentnn.reference.matrix import Matrix
from recurrentnn.reference.shape import expect

from .reductions import expect_some, first_maximum
from .rule import Backward, op


@op()
def softmax(m: Matrix) -> tuple[Matrix, Backward]:
    """Turn each column into probabilities, y_i = e^x_i / sum_k e^x_k.

    dx_i = y_i (dy_i - sum_k y_k dy_k)
    """
    values: list[float] = []
    for j in range(m.cols):
        x = m.column(j)
        if x:
            values += _softmax(x)
    out = Matrix.from_flat(m.rows, m.cols, values)

    def backward() -> None:
        dy = Matrix.from_flat(out.rows, out.cols, out.grad)
        for j in range(m.cols):
            y, g = out.column(j), dy.column(j)
            along = dot(y, g)
            for i in range(m.rows):
                m.grad[j * m.rows + i] += y[i] * (g[i] - along)

    return out, backward


def _softmax(x: list[float]) -> list[float]:
    """Return e^(x-a) / sum e^(x-a); a = max x keeps e^x from overflowing."""
    a = x[first_maximum(x)]
    weights = [exp(x_i - a) for x_i in x]
    whole = total(weights)
    return [w / whole for w in weights]


def _log_sum(x: list[float]) -> tuple[float, float]:
    """Return a and b, ln sum e^x = a + b: a = max x, b = ln sum e^(x-a).

    Apart, because for large x the sum would round b away.
    """
    a = x[first_maximum(x)]
    if math.isinf(a):
        # All -inf, or one of them inf: inf - inf must not be taken.
        return a, 0.0
    return a, log(total(exp(x_i - a) for x_i in x))


@op()
def logsumexp(m: Matrix) -> tuple[Matrix, Backward]:
    """Sum exponentials per column: y = ln sum_k e^x_k, 1 x cols.

    dx = softmax(x) dy
    """
    expect_some("logsumexp", m, 0)
    out = Matrix.from_flat(
        1, m.cols, [total(_log_sum(m.column(j))) for j in range(m.cols)]
    )

    def backward() -> None:
        for j, g in enumerate(out.grad):
            for i, p in enumerate(_softmax(m.column(j))):
                m.grad[j * m.rows + i] += g * p

    return out, backward


@op()
def log_softmax(m: Matrix) -> tuple[Matrix, Backward]:
    """Turn each column into log-probabilities, y_i = x_i - ln sum_k e^x_k.

    dx_i = dy_i - e^y_i sum_k dy_k
    """
    values: list[float] = []
    for j in range(m.cols):
        x = m.column(j)
        if x:
            a, b = _log_sum(x)
            values += [(x_i - a) - b for x_i in x]
    out = Matrix.from_flat(m.rows, m.cols, values)

    def backward() -> None:
        dy = Matrix.from_flat(out.rows, out.cols, out.grad)
        for j in range(m.cols):
            y, g = out.column(j), dy.column(j)
            whole = total(g)
            for i in range(m.rows):
                m.grad[j * m.rows + i] += g[i] - exp(y[i]) * whole

    return out, backward


@op(operands=3)
def layer_norm(
    m: Matrix, gain: Matrix, bias: Matrix, eps: float = 1e-5
) -> tuple[Matrix, Backward]:
    """Normalise each column (Ba, Kiros, Hinton 2016).

    y = gain z + bias, z = (x - mean) / s, s = sqrt(variance + eps)

    The variance is the biased one, (sum (x - mean)^2) / n; gain and bias are rows x 1.
    With dz = gain dy: dx = (dz - mean(dz) - z mean(z dz)) / s, and over the columns
    dgain = sum z dy, dbias = sum dy.
    """
    for name, m_ in (("gain", gain), ("bias", bias)):
        expect(
            m_.shape == (m.rows, 1),
            f"layer_norm: {name} must be {m.rows}x1 but is {m_.shape}",
        )
    expect(eps >= 0.0, f"layer_norm: eps must not be negative but is {eps}")
    z: list[list[float]] = []
    s: list[float] = []
    for j in range(m.cols if m.rows > 0 else 0):
        x = m.column(j)
        mean = total(x) / m.rows
        variance = total((x_i - mean) * (x_i - mean) for x_i in x) / m.rows
        s.append(math.sqrt(variance + eps))
        z.append([(x_i - mean) / s[j] for x_i in x])
    out = Matrix.from_flat(
        m.rows,
        m.cols,
        [
            w * z_i + b
            for column in z
            for z_i, w, b in zip(column, gain.value, bias.value, strict=True)
        ],
    )

    def backward() -> None:
        dy = Matrix.from_flat(out.rows, out.cols, out.grad)
        for j, column in enumerate(z):
            g = dy.column(j)
            dz = [w * g_i for w, g_i in zip(gain.value, g, strict=True)]
            along_1 = total(dz) / m.rows
            along_z = dot(column, dz) / m.rows
            for i, z_i in enumerate(column):
                m.grad[j * m.rows + i] += (dz[i] - along_1 - z_i * along_z) / s[j]
                gain.grad[i] += z_i * g[i]
                bias.grad[i] += g[i]

    return out, backward
