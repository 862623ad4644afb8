"""Options of cells beside PyTorch: `proj_size`; what it has no module for, by hand."""

from typing import Any

import numpy as np
import pytest

import oracle
import recurrentnn as rnn
from cases import spread
from support import assert_close, require, tolerance

torch = require("torch")

GATES = ("input", "forget", "candidate", "output")
BATCH, TIME, INPUTS = 3, 6, 4


def tensors(net: rnn.Model) -> dict[str, Any]:
    """The parameters as tensors that want gradients."""
    return {
        name: torch.tensor(np.array(m.value), requires_grad=True)
        for name, m in net.parameters().items()
    }


def inputs() -> Any:
    steps = [spread(BATCH, INPUTS, shift=t) for t in range(TIME)]
    return np.stack(steps, axis=1)


def ours(net: Any, x: Any) -> Any:
    """Return the output (batch, time, features), the gradients left in the net."""
    with rnn.Graph() as g:
        y, _ = net(x)
        loss = (y * y).sum()
    g.backward(loss)
    return np.array(y.sequence)


def lstm(
    p: dict[str, Any],
    x: Any,
    h: Any,
    c: Any,
    *,
    peepholes: bool = False,
    coupled: bool = False,
    norm: bool = False,
) -> tuple[Any, Any]:
    """One tick of one layer, a row a sample."""

    def gate(name: str, seen: Any = None) -> Any:
        z = x @ p[f"{name}.weight_x"].T + h @ p[f"{name}.weight_h"].T
        if peepholes and seen is not None:
            z = z + seen * p[f"{name}.peephole"][:, 0]
        bias = p[f"{name}.bias"][:, 0]
        return normal(z, p[f"{name}.gain"][:, 0], bias) if norm else z + bias

    def normal(z: Any, gain: Any, bias: Any) -> Any:
        return torch.nn.functional.layer_norm(z, z.shape[1:], gain, bias)

    i = torch.sigmoid(gate("input", c))
    f = 1.0 - i if coupled else torch.sigmoid(gate("forget", c))
    c = f * c + i * torch.tanh(gate("candidate"))
    o = torch.sigmoid(gate("output", c))
    if norm:
        squashed = normal(c, p["cell.gain"][:, 0], p["cell.bias"][:, 0])
        return o * torch.tanh(squashed), c
    return o * torch.tanh(c), c


def by_hand(
    p: dict[str, Any], x: Any, layers: int, size: int, *, residual: bool, **options: Any
) -> Any:
    """Run all layers, without a decoder."""
    h = [torch.zeros(BATCH, size, dtype=torch.float64) for _ in range(layers)]
    c = list(h)
    outputs = []
    for t in range(TIME):
        up = torch.tensor(x[:, t])
        for j in range(layers):
            prefix = f"layers.{j}."
            own = {
                name.removeprefix(prefix): m
                for name, m in p.items()
                if name.startswith(prefix)
            }
            h[j], c[j] = lstm(own, up, h[j], c[j], **options)
            up = h[j] + up if residual and j > 0 else h[j]
        outputs.append(up)
    return torch.stack(outputs, dim=1)


@pytest.mark.parametrize(
    ("ours_options", "theirs"),
    [
        ({"peepholes": True}, {"peepholes": True}),
        ({"coupled_gates": True}, {"coupled": True}),
        ({"layer_norm": True}, {"norm": True}),
        ({"residual": True}, {"residual": True}),
        (
            {"layer_norm": True, "peepholes": True, "residual": True},
            {"norm": True, "peepholes": True, "residual": True},
        ),
    ],
    ids=str,
)
def test_an_option_has_the_numbers_of_its_loop_in_pytorch(
    ours_options: dict[str, Any], theirs: dict[str, Any]
) -> None:
    net = rnn.LSTM(INPUTS, [7, 7, 7], None, dtype="float64", **ours_options)
    oracle.stir(net)
    p, x = tensors(net), inputs()
    y = by_hand(p, x, 3, 7, **({"residual": False} | theirs))
    (y * y).sum().backward()
    assert_close(ours(net, x), y.detach().numpy(), tolerance("float64"))
    for name, m in net.parameters().items():
        bound = tolerance("float64", "gradient")
        assert_close(m.grad, p[name].grad.numpy(), bound, name)


def test_a_projection_is_pytorchs() -> None:
    net = rnn.LSTM(INPUTS, [6, 6], None, projection_size=3, dtype="float64")
    oracle.stir(net)
    peer = torch.nn.LSTM(INPUTS, 6, 2, proj_size=3, batch_first=True).double()
    names = {"weight_x": "weight_ih", "weight_h": "weight_hh", "bias": "bias_ih"}
    with torch.no_grad():
        for j in (0, 1):
            getattr(peer, f"bias_hh_l{j}").zero_()
            for part, theirs in names.items():
                stack = [net[f"layers.{j}.{gate}.{part}"].value for gate in GATES]
                into = getattr(peer, f"{theirs}_l{j}")
                into[:] = torch.tensor(np.concatenate(stack)).reshape(into.shape)
            weight = np.array(net[f"layers.{j}.projection.weight"].value)
            getattr(peer, f"weight_hr_l{j}")[:] = torch.tensor(weight)
    x = inputs()
    y, (h, c) = peer(torch.tensor(x))
    (y * y).sum().backward()
    bound = tolerance("float64")
    assert_close(ours(net, x), y.detach().numpy(), bound)
    _, state = net(x)
    for j in (0, 1):
        assert_close(state.hidden[j], h[j].detach().numpy(), bound, "hidden")
        assert_close(state.cell[j], c[j].detach().numpy(), bound, "cell")
        for part, theirs in names.items():
            grad = getattr(peer, f"{theirs}_l{j}").grad.numpy()
            for k, gate in enumerate(GATES):
                m = net[f"layers.{j}.{gate}.{part}"]
                rows = grad[6 * k : 6 * (k + 1)].reshape(m.shape)
                assert_close(m.grad, rows, 1e-10, f"{gate}.{part}")
        grad = getattr(peer, f"weight_hr_l{j}").grad.numpy()
        assert_close(net[f"layers.{j}.projection.weight"].grad, grad, 1e-10)


def test_a_tied_embedding_has_the_sum_of_both_gradients() -> None:
    net = rnn.GRU(5, 4, 5, embedding_size=4, tied_embedding=True, dtype="float64")
    loose = rnn.GRU(5, 4, 5, embedding_size=4, dtype="float64")
    for name, m in net.parameters().items():
        loose[name].value = m.value
    loose["decoder.weight"].value = net["embedding.weight"].value
    x = np.array([[0, 3, 3, 1], [2, 4, 0, 0]])
    np.testing.assert_array_equal(ours(net, x), ours(loose, x))
    both = loose["embedding.weight"].grad + loose["decoder.weight"].grad
    assert_close(net["embedding.weight"].grad, both, 1e-12)
    assert "decoder.weight" not in net.parameters()
