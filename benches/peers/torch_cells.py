"""Cells composed from PyTorch's operations, written with care for speed.

Weights of one operand are stacked and act in one product; those of a layer's input act
on the whole sequence at once where the equations allow it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import torch
from torch.nn import functional

from peers.work import Missing, Work

Tensors: TypeAlias = dict[str, Any]
# (the layer's tensors, its input's part of the gates, state) -> state; [0] goes up.
Step: TypeAlias = Callable[[Tensors, Any, tuple[Any, ...]], tuple[Any, ...]]


def _memory(i: Any, f: Any, n: Any, o: Any, c: Any) -> tuple[Any, ...]:
    c = f * c + i * n
    return o * c.tanh(), c


def _lstm(p: Tensors, on_input: Any, state: tuple[Any, ...]) -> tuple[Any, ...]:
    h, c = state
    i, f, n, o = torch.addmm(on_input, h, p["weight_h"].t()).chunk(4, 1)
    return _memory(i.sigmoid(), f.sigmoid(), n.tanh(), o.sigmoid(), c)


def _mgu(p: Tensors, on_input: Any, state: tuple[Any, ...]) -> tuple[Any, ...]:
    (h,) = state
    of_f, of_n = on_input.chunk(2, 1)
    u_f, u_n = p["weight_h"].chunk(2, 0)
    f = torch.addmm(of_f, h, u_f.t()).sigmoid()
    n = torch.addmm(of_n, f * h, u_n.t()).tanh()
    return ((1 - f) * h + f * n,)


def _layer_norm_lstm(
    p: Tensors, on_input: Any, state: tuple[Any, ...]
) -> tuple[Any, ...]:
    h, c = state
    gates = torch.addmm(on_input, h, p["weight_h"].t()).unflatten(1, (4, -1))
    gates = functional.layer_norm(gates, gates.shape[-1:])
    gates = torch.addcmul(p["bias"], gates.flatten(1), p["gain"])
    i, f, n, o = gates.chunk(4, 1)
    return _memory(i.sigmoid(), f.sigmoid(), n.tanh(), o.sigmoid(), c)


# Step and the number of its state's vectors.
STEPS: dict[str, tuple[Step, int]] = {
    "lstm": (_lstm, 2),
    "own-lstm": (_lstm, 2),
    "mgu": (_mgu, 1),
    "ln-lstm": (_layer_norm_lstm, 2),
}


def layers(work: Work) -> Callable[[Tensors, Any, Any], tuple[Any, Any]]:
    """What runs all layers of `work` over a sequence (time, batch, features)."""
    if work.cell == "gflstm":
        return lambda tensors, x, state: _feedback(work, tensors, x, state)
    if work.cell not in STEPS:
        raise Missing(f"{work.cell} is not composed here")
    return lambda tensors, x, state: _stacked(work, tensors, x, state)


def _stacked(work: Work, tensors: Tensors, x: Any, state: Any) -> tuple[Any, Any]:
    step, vectors = STEPS[work.cell]
    ends = []
    for layer, size in enumerate(work.hidden):
        p = _of(tensors, layer)
        bias = None if work.cell == "ln-lstm" else p["bias"]
        on_input = functional.linear(x, p["weight_x"], bias)
        zeros = x.new_zeros(x.shape[1], size)
        now = state[layer] if state else (zeros,) * vectors
        outputs = []
        for tick in on_input.unbind(0):
            now = step(p, tick, now)
            outputs.append(now[0])
        x = torch.stack(outputs)
        ends.append(now)
    return x, ends


def _feedback(work: Work, tensors: Tensors, x: Any, state: Any) -> tuple[Any, Any]:
    """Gated feedback: every layer reads all layers' hidden vectors of the step before.

    Only the first layer's input is known before the loop.
    """
    count = len(work.hidden)
    ps = [_of(tensors, layer) for layer in range(count)]
    first = functional.linear(x, ps[0]["weight_x"], ps[0]["bias"])
    zeros = [x.new_zeros(x.shape[1], size) for size in work.hidden]
    hs, cs = state or (zeros, zeros)
    outputs = []
    for tick in first.unbind(0):
        before, hs, cs = (hs, list(cs)), [], list(cs)
        everything = torch.cat(before[0], 1)
        for layer, (p, size) in enumerate(zip(ps, work.hidden, strict=True)):
            if layer:
                tick = torch.addmm(p["bias"], hs[-1], p["weight_x"].t())
            i, f, o, n, g = tick.split([size] * 4 + [count], 1)
            on_h = before[0][layer] @ p["weight_h"].t()
            u_i, u_f, u_o = on_h.chunk(3, 1)
            g = torch.addmm(g, everything, p["gates_h"].t()).sigmoid()
            for source, h in enumerate(before[0]):
                fed = h @ p[f"feedback.{source}.weight_h"].t()
                n = torch.addcmul(n, g[:, source : source + 1], fed)
            h, cs[layer] = _memory(
                (i + u_i).sigmoid(),
                (f + u_f).sigmoid(),
                n.tanh(),
                (o + u_o).sigmoid(),
                before[1][layer],
            )
            hs.append(h)
        outputs.append(hs[-1])
    return torch.stack(outputs), (hs, cs)


def _of(tensors: Tensors, layer: int) -> Tensors:
    prefix = f"layers.{layer}."
    return {
        name.removeprefix(prefix): tensor
        for name, tensor in tensors.items()
        if name.startswith(prefix)
    }
