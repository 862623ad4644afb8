"""Cells of your own, each a few lines that read like the paper, and a net of no cell.

A cell names its parameters in `build` and states one step in `step`. Letters: x is the
input, h and c are the state of the step before, W, U, b belong to the gate in the name:
``p.forget(x, h)`` is W x + U h + b of gate `forget`.
"""

import numpy as np

import recurrentnn as rnn
from recurrentnn.cell import CellState as State
from recurrentnn.cell import Parameters

GATES = ("input", "forget", "candidate", "output")


class MGU(rnn.Cell):
    """Minimal gated unit (Zhou et al. 2016): one gate forgets and updates."""

    def build(self, p: Parameters, inputs: int, size: int) -> None:
        p.gate("forget", inputs, size)
        p.gate("candidate", inputs, size)

    def step(self, p: Parameters, x: rnn.Symbol, s: State) -> State:
        f = p.forget(x, s.hidden).sigmoid()
        n = p.candidate(x, f * s.hidden).tanh()
        return s.replace(hidden=(1 - f) * s.hidden + f * n)


class LSTM(rnn.Cell):
    """The library's own, written anew: the same numbers."""

    state = ("hidden", "cell")

    def build(self, p: Parameters, inputs: int, size: int) -> None:
        for name in GATES:
            p.gate(name, inputs, size, bias=1 if name == "forget" else 0)

    def step(self, p: Parameters, x: rnn.Symbol, s: State) -> State:
        i, f = p.input(x, s.hidden).sigmoid(), p.forget(x, s.hidden).sigmoid()
        n, o = p.candidate(x, s.hidden).tanh(), p.output(x, s.hidden).sigmoid()
        cell = f * s.cell + i * n
        return s.replace(cell=cell, hidden=o * cell.tanh())


class PeepholeLSTM(LSTM):
    """Gates that see the cell (Gers and Schmidhuber 2000)."""

    def build(self, p: Parameters, inputs: int, size: int) -> None:
        super().build(p, inputs, size)
        for name in ("peep_input", "peep_forget", "peep_output"):
            p.add(name, size, 1, "recurrent", init=(-0.1, 0.1))

    def step(self, p: Parameters, x: rnn.Symbol, s: State) -> State:
        i = (p.input(x, s.hidden) + p.peep_input * s.cell).sigmoid()
        f = (p.forget(x, s.hidden) + p.peep_forget * s.cell).sigmoid()
        cell = f * s.cell + i * p.candidate(x, s.hidden).tanh()
        o = (p.output(x, s.hidden) + p.peep_output * cell).sigmoid()
        return s.replace(cell=cell, hidden=o * cell.tanh())


class LayerNormLSTM(rnn.Cell):
    """Every gate's sum normalised over the layer (Ba et al. 2016, one norm a gate)."""

    state = ("hidden", "cell")

    def build(self, p: Parameters, inputs: int, size: int) -> None:
        for name in GATES:
            p.gate(name, inputs, size).add("gain", size, 1, init="ones")

    def step(self, p: Parameters, x: rnn.Symbol, s: State) -> State:
        gates = [p.input, p.forget, p.candidate, p.output]
        sums = [g.weight_x @ x + g.weight_h @ s.hidden for g in gates]
        norms = zip(sums, gates, strict=True)
        i, f, n, o = (z.layer_norm(g.gain, g.bias) for z, g in norms)
        cell = f.sigmoid() * s.cell + i.sigmoid() * n.tanh()
        return s.replace(cell=cell, hidden=o.sigmoid() * cell.tanh())


class CoupledLSTM(rnn.Cell):
    """What is forgotten is written (Greff et al. 2017): i = 1 - f."""

    state = ("hidden", "cell")

    def build(self, p: Parameters, inputs: int, size: int) -> None:
        for name in GATES[1:]:
            p.gate(name, inputs, size)

    def step(self, p: Parameters, x: rnn.Symbol, s: State) -> State:
        f, o = p.forget(x, s.hidden).sigmoid(), p.output(x, s.hidden).sigmoid()
        cell = f * s.cell + (1 - f) * p.candidate(x, s.hidden).tanh()
        return s.replace(cell=cell, hidden=o * cell.tanh())


class IndRNN(rnn.Cell):
    """Units that hear only themselves (Li et al. 2018): relu(W x + u * h + b)."""

    def build(self, p: Parameters, inputs: int, size: int) -> None:
        p.add("weight_x", size, inputs)
        p.add("weight_h", size, 1, "recurrent", init=(0.0, 1.0))
        p.add("bias", size, 1, "bias")

    def step(self, p: Parameters, x: rnn.Symbol, s: State) -> State:
        return s.replace(
            hidden=(p.weight_x @ x + p.weight_h * s.hidden + p.bias).relu()
        )


class Leaky(rnn.Cell):
    """Leaky integrator of an echo-state net (Jaeger et al. 2007)."""

    def __init__(self, leak: float = 0.3) -> None:
        self.leak = leak

    def build(self, p: Parameters, inputs: int, size: int) -> None:
        p.gate("hidden", inputs, size)

    def step(self, p: Parameters, x: rnn.Symbol, s: State) -> State:
        n = p.hidden(x, s.hidden).tanh()
        return s.replace(hidden=(1 - self.leak) * s.hidden + self.leak * n)


CELLS: list[type[rnn.Cell] | rnn.Cell] = [
    MGU,
    LSTM,
    PeepholeLSTM,
    LayerNormLSTM,
    CoupledLSTM,
    IndRNN,
    Leaky(leak=0.3),
]


def learn(cell: type[rnn.Cell] | rnn.Cell, steps: int = 60) -> tuple[float, float]:
    """Teach two layers the sum of the last two numbers; the first and the last loss."""
    net = rnn.Model(cell, 1, [16, 16], 1)
    optimizer = rnn.RMSProp(learning_rate=1e-2)
    random = np.random.default_rng(0)
    losses = []
    for _ in range(steps):
        x = random.normal(scale=0.5, size=(16, 8, 1))  # (batch, time, features)
        target = x + np.concatenate([np.zeros((16, 1, 1)), x[:, :-1]], axis=1)
        with rnn.Graph() as graph:
            output, _ = net(x)
            loss = graph.squared_error(output, target)
        graph.backward(loss)
        optimizer.step(net)
        losses.append(loss.item())
    return losses[0], losses[-1]


def perceptron(parameters: dict[str, rnn.Matrix], x: np.ndarray) -> rnn.Matrix:
    """A net of no cell: two layers, an expression over matrices."""
    hidden = (parameters["V"] @ x + parameters["a"]).tanh()
    return parameters["W"] @ hidden + parameters["b"]


def learn_xor(steps: int = 200) -> float:
    """Teach the perceptron exclusive or; the last loss in nats."""
    x, classes = np.array([[0.0, 0, 1, 1], [0, 1, 0, 1]]), [0, 1, 1, 0]
    parameters = {
        "V": rnn.Matrix.normal(8, 2, seed=1),
        "a": rnn.Matrix.zeros(8, 1),
        "W": rnn.Matrix.normal(2, 8, seed=2),
        "b": rnn.Matrix.zeros(2, 1),
    }
    optimizer = rnn.RMSProp(learning_rate=0.05)
    for _ in range(steps):
        with rnn.Graph() as graph:
            logits = perceptron(parameters, x)
            loss = graph.softmax_cross_entropy(logits, classes)
        graph.backward(loss)
        optimizer.step(parameters)
    return loss.item()


if __name__ == "__main__":
    for cell in CELLS:
        name = cell.__name__ if isinstance(cell, type) else repr(cell)
        first, last = learn(cell)
        print(f"{name:16} squared error {first:.3f} -> {last:.4f}")
    print(f"exclusive or, a net of no cell: {learn_xor():.4f} nats")
