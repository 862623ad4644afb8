"""Bidirectional nets of several layers and packed sequences in PyTorch."""

from typing import Any

import numpy as np
import pytest

import oracle
import recurrentnn as rnn
from cases import CLASSES, spread
from support import assert_close, require, tolerance

torch = require("torch")

GATES = {
    "rnn": ("hidden",),
    "lstm": ("input", "forget", "candidate", "output"),
    "gru": ("reset", "update", "candidate"),
}
MODULES = {"rnn": torch.nn.RNN, "lstm": torch.nn.LSTM, "gru": torch.nn.GRU}
SIZE, LAYERS, BATCH, TIME = 6, 2, 4, 7
LENGTHS = [3, 7, 1, 5]


def pairs(cell: str, model: Any, module: Any) -> list[tuple[rnn.Matrix, Any, slice]]:
    """Each parameter of ours, PyTorch's tensor that holds it, and the rows."""
    found = []
    for layer in range(LAYERS):
        for way, suffix in (("", ""), ("reverse.", "_reverse")):
            for position, gate in enumerate(GATES[cell]):
                rows = slice(position * SIZE, (position + 1) * SIZE)
                names = [("weight_x", "weight_ih"), ("weight_h", "weight_hh")]
                names.append(("bias", "bias_ih"))
                if cell == "gru" and gate == "candidate":
                    names.append(("bias_h", "bias_hh"))
                for ours, theirs in names:
                    matrix = model[f"layers.{layer}.{way}{gate}.{ours}"]
                    tensor = getattr(module, f"{theirs}_l{layer}{suffix}")
                    found.append((matrix, tensor, rows))
    return found


@pytest.mark.parametrize("lengths", [None, LENGTHS], ids=["dense", "packed"])
@pytest.mark.parametrize("cell", GATES)
def test_a_net_equals_pytorch_in_values_and_all_gradients(
    cell: str, lengths: list[int] | None, dtype: str
) -> None:
    model: Any = getattr(rnn, CLASSES[cell])(
        5, [SIZE] * LAYERS, None, bidirectional=True, dtype=dtype
    )
    oracle.stir(model, 0.1)
    kind = getattr(torch, dtype)
    module = MODULES[cell](5, SIZE, LAYERS, bidirectional=True, batch_first=True)
    module = module.to(kind)
    with torch.no_grad():
        for ours, theirs, rows in pairs(cell, model, module):
            values = torch.tensor(np.array(ours.value))
            theirs[rows] = values.reshape(theirs[rows].shape)
        for name, tensor in module.named_parameters():
            if name.startswith("bias_hh"):
                tensor[: -SIZE if cell == "gru" else None] = 0.0

    x = spread(BATCH * TIME, 5).reshape(BATCH, TIME, 5).astype(dtype)
    start = [spread(BATCH, SIZE, -0.9, 0.9, shift=k) for k in range(2 * LAYERS)]
    cells = [spread(BATCH, SIZE, -0.9, 0.9, shift=9 + k) for k in range(2 * LAYERS)]
    cells = cells if cell == "lstm" else []
    our_start = [rnn.Matrix(v.T, dtype=dtype) for v in start]
    our_cells = [rnn.Matrix(v.T, dtype=dtype) for v in cells]
    with rnn.Graph() as g:
        y, state = model(
            x, rnn.State(tuple(our_start), tuple(our_cells)), lengths=lengths
        )
        loss = y.square().mean()
        total = loss + sum(m.square().sum() for m in (*state.hidden, *state.cell))
    g.backward(total)

    their_start = torch.tensor(np.array(start), dtype=kind, requires_grad=True)
    their_cells = torch.tensor(np.array(cells), dtype=kind, requires_grad=True)
    given = (their_start, their_cells) if cell == "lstm" else their_start
    sequence: Any = torch.tensor(x)
    rnn_utils = torch.nn.utils.rnn
    if lengths is None:
        their_y, end = module(sequence, given)
    else:
        packed = rnn_utils.pack_padded_sequence(
            sequence, lengths, batch_first=True, enforce_sorted=False
        )
        packed, end = module(packed, given)
        their_y, _ = rnn_utils.pad_packed_sequence(packed, batch_first=True)
    ends = end if cell == "lstm" else (end,)
    their_total = (their_y**2).mean() + sum((m**2).sum() for m in ends)
    their_total.backward()

    bound = tolerance(dtype)
    assert_close(y.sequence, their_y.detach(), bound, "output")
    for vectors, theirs in zip((state.hidden, state.cell), ends, strict=False):
        for k, vector in enumerate(vectors):
            assert_close(vector.value.T, theirs[k].detach(), bound, f"state {k}")
    bound = tolerance(dtype, "gradient")
    for ours, tensor, rows in pairs(cell, model, module):
        gradient = tensor.grad[rows].reshape(ours.shape)
        assert_close(ours.grad, gradient, bound, "weight")
    for vectors, theirs in ((our_start, their_start), (our_cells, their_cells)):
        for k, vector in enumerate(vectors):
            assert_close(vector.grad.T, theirs.grad[k], bound, f"initial state {k}")
