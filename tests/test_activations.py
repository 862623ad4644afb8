"""Hidden states, cells and gates of every step, against ticks and against formulas."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import nets
import recurrentnn as rnn
from cases import MODELS, ModelCase, spread
from recurrentnn.cell import CellState, Parameters
from support import assert_close, tolerance

Array = NDArray[np.float64]

EVERY_NET = pytest.mark.parametrize("case", MODELS, ids=lambda case: case.name)
# Gates with W x + U h + b under a sigmoid.
UNIT_GATES = {
    "lstm": ("input", "forget", "output"),
    "gru": ("reset", "update"),
    "gflstm": ("input", "forget", "output"),
    "gfgru": ("reset", "update"),
}


def sequence(case: ModelCase) -> NDArray[Any]:
    """The input of a case as (batch, time) symbols or (batch, time, features)."""
    if case.takes_symbols:
        return nets.symbols(case)
    return np.stack([x.T for x in nets.features(case)], axis=1)


def start(case: ModelCase) -> rnn.State:
    hidden, cell = nets.start(case)
    return rnn.State(tuple(h.T.copy() for h in hidden), tuple(c.T.copy() for c in cell))


@EVERY_NET
def test_states_and_output_are_those_of_ticks(case: ModelCase, dtype: str) -> None:
    net, _ = nets.stirred(case, dtype)
    x, state = sequence(case), start(case)
    found = net.activations(x, state)
    g, bound = rnn.Graph(recording=False), tolerance(dtype)
    prev: Any = state
    for t in range(x.shape[1]):
        prev = net.forward(g, x[:, t] if x.ndim == 2 else x[:, t].T, prev)
        expected = {"output": prev.output}
        for kind in ("hidden", "cell"):
            for layer, matrix in enumerate(getattr(prev, kind)):
                expected[f"layers.{layer}.{kind}"] = matrix
        for name, matrix in expected.items():
            assert_close(found[name][:, t], matrix.value.T, bound, f"{name} of {t}")
    assert {values.dtype for values in found.values()} == {np.dtype(dtype)}


def sigmoid(z: Array) -> Array:
    return 1.0 / (1.0 + np.exp(-z))


class Formulas:
    """The gates of a net in NumPy, from its states before and after every step."""

    def __init__(self, net: Any, x: NDArray[Any], state: Any, after: Any) -> None:
        self.net, self.options = net, net.config()
        self.after = {k: v.astype(np.float64) for k, v in after.items()}
        if x.ndim == 2:
            identity = np.eye(net.input_size)
            embedding = net.embedding_size
            x = (identity if embedding is None else self["embedding.weight"])[x]
        self.x = x
        self.before = [
            np.concatenate([h[:, None], self.hidden(layer)[:, :-1]], axis=1)
            for layer, h in enumerate(state.hidden)
        ]
        self.stack = np.concatenate(self.before, axis=-1)

    def __getitem__(self, name: str) -> Array:
        return np.asarray(self.net[name].value, dtype=np.float64)

    def hidden(self, layer: int) -> Array:
        return np.asarray(self.after[f"layers.{layer}.hidden"])

    def below(self, layer: int) -> Array:
        if layer == 0:
            return np.asarray(self.x)
        below = self.hidden(layer - 1)
        if not self.options["input_to_all"]:
            return below
        return np.concatenate([below, self.x], axis=-1)

    def of(self, layer: int) -> dict[str, Array]:
        """The gates of a layer by name."""
        cell, scope = self.net.cell, f"layers.{layer}"
        x, h = self.below(layer), self.before[layer]
        read = self.stack if self.options.get("all_to_gates") else h

        def wx(gate: str) -> Array:
            gate = f"{scope}.{gate}"
            return x @ self[f"{gate}.weight_x"].T + self[f"{gate}.bias"].T

        def uh(gate: str, h: Array) -> Array:
            return h @ self[f"{scope}.{gate}.weight_h"].T

        names = UNIT_GATES.get(cell, ())
        gates = {name: sigmoid(wx(name) + uh(name, read)) for name in names}
        fed: Any = 0.0
        if cell.startswith("gf"):
            for i, source in enumerate(self.before):
                name = f"feedback.{i}"
                gate = sigmoid(wx(f"{name}.gate") + uh(f"{name}.gate", self.stack))
                gates[f"{name}.gate"] = gate
                fed = fed + gate * uh(name, source)
        if cell == "lstm":
            gates["candidate"] = np.tanh(wx("candidate") + uh("candidate", h))
        elif cell == "gru" and self.options["reset"] == "after":
            kept = uh("candidate", h) + self[f"{scope}.candidate.bias_h"].T
            gates["candidate"] = np.tanh(wx("candidate") + gates["reset"] * kept)
        elif cell == "gru":
            kept = uh("candidate", gates["reset"] * h)
            gates["candidate"] = np.tanh(wx("candidate") + kept)
        elif cell == "gflstm":
            gates["candidate"] = np.tanh(wx("candidate") + fed)
        elif cell == "gfgru":
            gates["candidate"] = np.tanh(wx("candidate") + gates["reset"] * fed)
        return {f"{scope}.{name}": gate for name, gate in gates.items()}


# The formulas below are those of cells without these.
OTHER = {
    "activations",
    "coupled_gates",
    "layer_norm",
    "peepholes",
    "projection_size",
    "residual",
}
PLAIN = [case for case in MODELS if not OTHER & set(case.options)]


@pytest.mark.parametrize("case", PLAIN, ids=lambda case: case.name)
def test_gates_are_what_their_formulas_say(case: ModelCase, dtype: str) -> None:
    net, _ = nets.stirred(case, dtype)
    x, state = sequence(case), start(case)
    found = net.activations(x, state)
    formulas, rest = Formulas(net, x, state, found), dict(found)
    for layer in range(len(case.hidden_sizes)):
        for name, gate in formulas.of(layer).items():
            assert_close(rest.pop(name), gate, tolerance(dtype), name)
    states = {name.rpartition(".")[2] for name in rest}
    assert states == {"hidden", "output"} | ({"cell"} if nets.has_cell(case) else set())
    assert len(rest) == 1 + len(case.hidden_sizes) * (len(states) - 1)


def test_names_come_layer_by_layer_in_the_order_of_parameters() -> None:
    found = rnn.GFLSTM(3, [2, 2], 2).activations(np.zeros((1, 4, 3)))
    gates = ("input", "forget", "output", "candidate")
    feedback = ("feedback.0.gate", "feedback.1.gate")
    names = ("hidden", "cell", *gates, *feedback)
    expected = [f"layers.{layer}.{name}" for layer in range(2) for name in names]
    assert list(found) == [*expected, "output"]
    assert found["layers.1.feedback.0.gate"].shape == (1, 4, 1)


def test_layouts_are_those_of_a_call() -> None:
    net = rnn.GRU(3, [4, 2], 5, seed=2)
    x = spread(2 * 6, 3).reshape(2, 6, 3)
    whole = net.activations(x)
    one, swapped = (
        net.activations(x[1]),
        net.activations(x.swapaxes(0, 1), time_major=True),
    )
    assert whole["layers.0.update"].shape == (2, 6, 4)
    for name, values in whole.items():
        assert values.flags.c_contiguous
        np.testing.assert_array_equal(one[name], values[1])
        np.testing.assert_array_equal(swapped[name], values.swapaxes(0, 1))
    for batch, time in ((2, 0), (0, 3)):
        empty = net.activations(np.zeros((batch, time, 3)))
        assert empty["layers.1.reset"].shape == (batch, time, 2)


def test_parameters_that_change_change_the_gates() -> None:
    net, x = rnn.LSTM(5, [4], 5), [[1, 4, 2]]
    before = net.activations(x)
    net["layers.0.forget.bias"].value[:] = 50.0
    after = net.activations(x)
    assert (after["layers.0.forget"] == 1.0).all()
    assert not np.array_equal(before["layers.0.cell"], after["layers.0.cell"])


def test_nothing_is_recorded_inside_a_graph() -> None:
    net, x = rnn.GRU(3, [4], 2), np.ones((1, 3, 3))
    with rnn.Graph() as g:
        _, state = net(x)
        recorded = len(g)
        inside = net.activations(x, state)
    assert len(g) == recorded
    outside = net.activations(x, net(x)[1])
    assert isinstance(inside["output"], np.ndarray)
    np.testing.assert_array_equal(inside["layers.0.update"], outside["layers.0.update"])


class Own(rnn.Cell):
    """Gates of every kind: normalised, of scaled weights, nested, and one no gate."""

    state = ("hidden", "slow")

    def build(self, p: Parameters, inputs: int, size: int) -> None:
        p.gate("normal", inputs, size).add("gain", size, 1, init="ones")
        p.gate("scaled", inputs, size)
        p.scope("deep").gate("slow", inputs, size)
        p.gate("linear", inputs, size)
        p.gate("slow", inputs, size)

    def step(self, p: Parameters, x: rnn.Symbol, s: CellState) -> CellState:
        z = p.normal.weight_x @ x + p.normal.weight_h @ s.hidden
        a = z.layer_norm(p.normal.gain, p.normal.bias).sigmoid()
        b = (1 - (2 * p.scaled.weight_x) @ x).softplus()
        c = p.deep.slow(x, a * s.hidden).tanh()
        slow = a * s.slow + b * c + p.linear(x, s.slow) * p.slow(x, s.slow).tanh()
        return s.replace(hidden=slow.tanh(), slow=slow)


def test_gates_of_a_cell_of_ones_own() -> None:
    net = rnn.Model(Own, 3, [4], 2, dtype="float64")
    for seed, matrix in enumerate(net.parameters().values()):
        matrix.value += rnn.Matrix.normal(
            *matrix.shape, seed=seed, dtype="float64"
        ).value
    x = spread(5, 3)
    found = net.activations(x)
    scope = "layers.0."
    gates = ["hidden", "slow", "normal", "scaled", "deep.slow"]
    assert list(found) == [*(scope + gate for gate in gates), "output"]
    w = {k.removeprefix(scope): m.value for k, m in net.parameters().items()}
    h = np.vstack([np.zeros((1, 4)), found[scope + "hidden"][:-1]])
    z = x @ w["normal.weight_x"].T + h @ w["normal.weight_h"].T
    z = z - z.mean(axis=1, keepdims=True)
    z = z / np.sqrt((z**2).mean(axis=1, keepdims=True) + 1e-5)
    a = sigmoid(z * w["normal.gain"].T + w["normal.bias"].T)
    assert_close(found[scope + "normal"], a, 1e-12, "normal")
    b = np.log1p(np.exp(1 - x @ (2 * w["scaled.weight_x"].T)))
    assert_close(found[scope + "scaled"], b, 1e-12, "scaled")
    z = x @ w["deep.slow.weight_x"].T + (a * h) @ w["deep.slow.weight_h"].T
    c = np.tanh(z + w["deep.slow.bias"].T)
    assert_close(found[scope + "deep.slow"], c, 1e-12, "deep.slow")
    _, state = net(x)
    assert_close(found[scope + "slow"][-1:], state.more["slow"][0], 1e-12, "slow")


WRONG: list[tuple[Callable[[Any], object], type[Exception], str]] = [
    (lambda net: net.activations(np.ones((2, 4, 2))), rnn.ShapeError, "3 features"),
    (lambda net: net.activations([[0, 3]]), rnn.OutOfRangeError, "below 3"),
    (lambda net: net.activations("text"), rnn.DTypeError, "real numbers"),
    (lambda net: net.activations(np.ones((4, 3)), 3), TypeError, "state"),
    (
        lambda net: net.activations(np.ones((4, 3)), time_major=1),
        TypeError,
        "time_major",
    ),
    (lambda net: net.activations(np.ones((4, 3)), None, True), TypeError, "positional"),
    (
        lambda net: net.activations(np.ones((2, 4, 3)), net(np.ones((4, 3)))[1]),
        rnn.ShapeError,
        "state",
    ),
]


@pytest.mark.parametrize(("call", "error", "words"), WRONG)
def test_mistakes_are_refused(
    call: Callable[[Any], object], error: type[Exception], words: str
) -> None:
    net = rnn.LSTM(3, [4], 2)
    with pytest.raises(error, match=words):
        call(net)
    assert net.activations(np.ones((2, 3)))["output"].shape == (2, 2)
