"""RecurrentNN.jl's equations in NumPy: what its forwardprop computes, layer by layer.

Written from Andy-P/RecurrentNN.jl, src/rnn.jl, lstm.jl, gru.jl, gflstm.jl, gfgru.jl,
with that package's names: `p["wix0"]` is layer 0's `wix`, `p["wgx0.1"]` its `wgx[1]`.
Every function is analytic (relu away from 0), so that complex numbers pass through and
a step of 1e-30 along the imaginary axis gives derivatives without cancellation.
"""

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[Any]
Weights: TypeAlias = dict[str, Array]
# (weights, layer, input, every layer's h(t-1), this layer's c(t-1)) -> h(t), c(t)
Cell: TypeAlias = Callable[
    [Weights, int, Array, Sequence[Array], Array], tuple[Array, Array]
]


def sigmoid(a: Array) -> Array:
    """1 / (1 + exp(-a))."""
    return np.asarray(1 / (1 + np.exp(-a)))


def relu(a: Array) -> Array:
    """The test is a < 0, so the derivative at 0 is 1."""
    return np.where(a.real < 0, 0, a)


def _gate(p: Weights, name: str, d: int, x: Array, h: Array) -> Array:
    return sigmoid(p[f"w{name}x{d}"] @ x + p[f"w{name}h{d}"] @ h + p[f"b{name}{d}"])


def _feedback(p: Weights, d: int, x: Array, hs: Sequence[Array]) -> list[Array]:
    """Return g_k * (wch_k h_k): the gates are vectors, one number per unit."""
    hstar = np.vstack(hs)
    return [
        sigmoid(p[f"wgx{d}.{k}"] @ x + p[f"wgh{d}.{k}"] @ hstar + p[f"bg{d}.{k}"])
        * (p[f"wch{d}.{k}"] @ h)
        for k, h in enumerate(hs)
    ]


def rnn(
    p: Weights, d: int, x: Array, hs: Sequence[Array], c: Array
) -> tuple[Array, Array]:
    """rnn.jl."""
    return relu(p[f"wxh{d}"] @ x + p[f"whh{d}"] @ hs[d] + p[f"bhh{d}"]), c


def _remember(
    p: Weights, d: int, x: Array, h: Array, c: Array, write: Array
) -> tuple[Array, Array]:
    new = _gate(p, "f", d, x, h) * c + _gate(p, "i", d, x, h) * write
    return _gate(p, "o", d, x, h) * np.tanh(new), new


def lstm(
    p: Weights, d: int, x: Array, hs: Sequence[Array], c: Array
) -> tuple[Array, Array]:
    """lstm.jl."""
    write = np.tanh(p[f"wcx{d}"] @ x + p[f"wch{d}"] @ hs[d] + p[f"bc{d}"])
    return _remember(p, d, x, hs[d], c, write)


def gflstm(
    p: Weights, d: int, x: Array, hs: Sequence[Array], c: Array
) -> tuple[Array, Array]:
    """gflstm.jl."""
    write = np.tanh(p[f"wcx{d}"] @ x + p[f"bc{d}"] + sum(_feedback(p, d, x, hs)))
    return _remember(p, d, x, hs[d], c, write)


def _update(p: Weights, d: int, x: Array, h: Array, candidate: Array) -> Array:
    u = _gate(p, "u", d, x, h)
    return np.asarray((1 - u) * h + u * candidate)


def gru(
    p: Weights, d: int, x: Array, hs: Sequence[Array], c: Array
) -> tuple[Array, Array]:
    """gru.jl: resets before the product."""
    h = hs[d]
    reset = p[f"wch{d}"] @ (_gate(p, "r", d, x, h) * h)
    return _update(p, d, x, h, np.tanh(p[f"wcx{d}"] @ x + reset + p[f"bc{d}"])), c


def gfgru(
    p: Weights, d: int, x: Array, hs: Sequence[Array], c: Array
) -> tuple[Array, Array]:
    """gfgru.jl: resets the gated sum, after the products."""
    h = hs[d]
    reset = _gate(p, "r", d, x, h) * sum(_feedback(p, d, x, hs))
    return _update(p, d, x, h, np.tanh(p[f"wcx{d}"] @ x + reset + p[f"bc{d}"])), c


def outputs(
    cell: Cell, p: Weights, sizes: Sequence[int], xs: Sequence[Array]
) -> list[Array]:
    """Return the decoder's output at each tick, from a zero state."""
    batch = xs[0].shape[1]
    hs = [np.zeros((size, batch)) for size in sizes]
    cs = [np.zeros((size, batch)) for size in sizes]
    result = []
    for x in xs:
        below, new = x, []
        for d in range(len(sizes)):
            below, cs[d] = cell(p, d, below, hs, cs[d])
            new.append(below)
        hs = new
        result.append(p["whd"] @ below + p["bd"])
    return result


def gradients(
    cell: Cell,
    p: Weights,
    sizes: Sequence[int],
    xs: Sequence[Array],
    seeds: Sequence[Array],
) -> Weights:
    """Return d/dw of sum_t <seed_t, output_t> for every weight, by complex steps."""
    step = 1e-30
    result = {}
    for name, weight in p.items():
        gradient = np.zeros(weight.shape)
        for index in np.ndindex(weight.shape):
            moved = weight.astype(complex)
            moved[index] += step * 1j
            outs = outputs(cell, {**p, name: moved}, sizes, xs)
            moves = (
                np.sum(seed * out.imag) for seed, out in zip(seeds, outs, strict=True)
            )
            gradient[index] = sum(moves) / step
        result[name] = gradient
    return result
