"""The same nets in PyTorch, values and all gradients.

Layers of unequal sizes are PyTorch modules of one layer, one upon the other. Its two
biases are only ever added, save in the GRU's candidate: the second one is 0 there.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import oracle
import recurrentnn as rnn
from cases import CLASSES, spread
from support import assert_close, require, tolerance

torch = require("torch")

# PyTorch's order of the gates within its stacked weights.
GATES = {
    "rnn": ("hidden",),
    "lstm": ("input", "forget", "candidate", "output"),
    "gru": ("reset", "update", "candidate"),
}
MODULES = {"rnn": torch.nn.RNN, "lstm": torch.nn.LSTM, "gru": torch.nn.GRU}

# Names of ours, of PyTorch's, and what one has to do to the other.
WEIGHTS = (("weight_x", "weight_ih_l0"), ("weight_h", "weight_hh_l0"))


@dataclass(frozen=True)
class Net:
    """One net to build on both sides and the sequences to run through it."""

    cell: str
    hidden_sizes: tuple[int, ...]
    options: dict[str, Any]
    batch: int
    time: int
    input_size: int = 7
    output_size: int = 5

    def __str__(self) -> str:
        sizes = "-".join(map(str, self.hidden_sizes))
        kind = self.options.get("activation", "")
        return f"{self.cell} {kind} {sizes} B={self.batch} T={self.time}"


NETS = [
    Net(cell, sizes, options, batch, time)
    for cell, options in (
        ("rnn", {"activation": "tanh"}),
        ("rnn", {"activation": "relu"}),
        ("lstm", {}),
        ("gru", {"reset": "after"}),
    )
    for sizes, batch, time in (
        ((6,), 1, 1),
        ((32,), 8, 20),
        ((16, 16), 3, 11),
        ((9, 17), 8, 5),
        ((12, 5, 20), 2, 7),
        ((31, 32, 30), 1, 20),
    )
]


class Peer:
    """The net in PyTorch with the parameters of ours."""

    def __init__(self, net: Net, model: rnn.Model, dtype: str) -> None:
        self.net = net
        self.model = model
        self.layers = []
        width = net.input_size
        kind = {"nonlinearity": net.options["activation"]} if net.cell == "rnn" else {}
        for size in net.hidden_sizes:
            module = MODULES[net.cell](width, size, batch_first=True, **kind)
            self.layers.append(module.to(getattr(torch, dtype)))
            width = size
        self.decoder = torch.nn.Linear(width, net.output_size)
        self.decoder = self.decoder.to(getattr(torch, dtype))
        with torch.no_grad():
            for ours, theirs, rows in self.pairs():
                values = torch.tensor(np.array(ours.value))
                theirs[rows] = values.reshape(theirs[rows].shape)
            for number, module in enumerate(self.layers):
                size = net.hidden_sizes[number]
                module.bias_hh_l0[: -size if net.cell == "gru" else None] = 0.0

    def pairs(self) -> list[tuple[rnn.Matrix, Any, slice]]:
        """Each parameter of ours, PyTorch's tensor that holds it, and the rows."""
        found = []
        for number, module in enumerate(self.layers):
            size = self.net.hidden_sizes[number]
            for position, gate in enumerate(GATES[self.net.cell]):
                rows = slice(position * size, (position + 1) * size)
                prefix = f"layers.{number}.{gate}"
                names = [*WEIGHTS, ("bias", "bias_ih_l0")]
                if self.net.cell == "gru" and gate == "candidate":
                    names.append(("bias_h", "bias_hh_l0"))
                for ours, theirs in names:
                    matrix = self.model[f"{prefix}.{ours}"]
                    found.append((matrix, getattr(module, theirs), rows))
        everything = slice(None)
        found.append((self.model["decoder.weight"], self.decoder.weight, everything))
        found.append((self.model["decoder.bias"], self.decoder.bias, everything))
        return found

    def __call__(self, x: Any, hidden: list[Any], cell: list[Any]) -> tuple[Any, ...]:
        """Return the output (batch, time, features) and the new states per layer."""
        ends, cells = [], []
        for number, module in enumerate(self.layers):
            start = hidden[number][None]
            if self.net.cell == "lstm":
                x, (end, end_cell) = module(x, (start, cell[number][None]))
                cells.append(end_cell[0])
            else:
                x, end = module(x, start)
            ends.append(end[0])
        return self.decoder(x), ends, cells


def start_states(net: Net) -> tuple[list[NDArray[Any]], list[NDArray[Any]]]:
    hidden = [spread(net.batch, n, -0.9, 0.9, shift=n) for n in net.hidden_sizes]
    cells = [spread(net.batch, n, -0.9, 0.9, shift=n + 50) for n in net.hidden_sizes]
    return hidden, cells if net.cell == "lstm" else []


@pytest.mark.parametrize("net", NETS, ids=str)
def test_a_net_equals_pytorch_in_values_and_all_gradients(net: Net, dtype: str) -> None:
    model = getattr(rnn, CLASSES[net.cell])(
        net.input_size,
        list(net.hidden_sizes),
        net.output_size,
        dtype=dtype,
        **net.options,
    )
    oracle.stir(model, 0.1)
    peer = Peer(net, model, dtype)
    x = spread(net.batch * net.time, net.input_size).astype(dtype)
    x = x.reshape(net.batch, net.time, net.input_size)
    targets = np.arange(net.batch * net.time).reshape(net.batch, net.time) * 3 % 5
    hidden, cell = start_states(net)

    our_hidden = [rnn.Matrix(h.T, dtype=dtype) for h in hidden]
    our_cell = [rnn.Matrix(c.T, dtype=dtype) for c in cell]
    with rnn.Graph() as g:
        y, state = model(x, rnn.State(tuple(our_hidden), tuple(our_cell)))
        loss = g.softmax_cross_entropy(y, targets)
        total = loss + sum(m.square().sum() for m in (*state.hidden, *state.cell))
    g.backward(total)

    kind = getattr(torch, dtype)
    their_hidden = [torch.tensor(h, dtype=kind, requires_grad=True) for h in hidden]
    their_cell = [torch.tensor(c, dtype=kind, requires_grad=True) for c in cell]
    their_y, ends, end_cells = peer(torch.tensor(x), their_hidden, their_cell)
    their_loss = torch.nn.functional.cross_entropy(
        their_y.flatten(0, 1), torch.tensor(targets).flatten()
    )
    their_total = their_loss + sum((m**2).sum() for m in (*ends, *end_cells))
    their_total.backward()

    bound = tolerance(dtype)
    assert_close(y.sequence, their_y.detach(), bound, "output")
    assert_close(loss.value, their_loss.detach().reshape(1, 1), bound, "loss")
    for ours, theirs in zip(
        (*state.hidden, *state.cell), (*ends, *end_cells), strict=True
    ):
        assert_close(ours.value.T, theirs.detach(), bound, "state")
    bound = tolerance(dtype, "gradient")
    for ours, theirs, rows in peer.pairs():
        assert_close(ours.grad, theirs.grad[rows].reshape(ours.shape), bound, "weight")
    for ours, theirs in zip(
        our_hidden + our_cell, their_hidden + their_cell, strict=True
    ):
        assert_close(ours.grad.T, theirs.grad, bound, "initial state")


@pytest.mark.parametrize("net", NETS[::4], ids=str)
def test_the_gradient_of_the_inputs_equals_pytorch(net: Net) -> None:
    model = getattr(rnn, CLASSES[net.cell])(
        net.input_size,
        list(net.hidden_sizes),
        net.output_size,
        dtype="float64",
        **net.options,
    )
    oracle.stir(model, 0.1)
    peer = Peer(net, model, "float64")
    ticks = [spread(net.input_size, net.batch, shift=t) for t in range(net.time)]
    inputs = [rnn.Matrix(tick, dtype="float64") for tick in ticks]
    g, prev = rnn.Graph(), None
    losses = []
    for x in inputs:
        prev = model.forward(g, x, prev)
        losses.append(g.sum(g.square(prev.output)))
    g.backward(g.add(*losses))

    x = torch.tensor(np.stack([t.T for t in ticks], axis=1), requires_grad=True)
    zeros = [torch.zeros(net.batch, n).double() for n in net.hidden_sizes]
    their_y, _, _ = peer(x, zeros, zeros)
    (their_y**2).sum().backward()
    for t, ours in enumerate(inputs):
        assert_close(ours.grad.T, x.grad[:, t], 1e-10, f"input of tick {t}")
