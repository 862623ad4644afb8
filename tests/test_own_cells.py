"""Cells of one's own: those of the examples, everything a model does, every misuse."""

import ast
import importlib.util
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

import recurrentnn as rnn
from recurrentnn import _recurrentnn as compiled
from recurrentnn.cell import CellState, Parameters
from support import ROOT

Own = type[rnn.Cell] | rnn.Cell
BATCH, TIME, INPUTS = 2, 4, 3
PATH = ROOT / "examples" / "07_cells.py"


def _example() -> ModuleType:
    """Load `examples/07_cells.py`, whose name is no identifier."""
    spec = importlib.util.spec_from_file_location("own_cells", PATH)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


example = _example()
CELLS: list[Own] = example.CELLS


def name_of(cell: Own) -> str:
    return cell.__name__ if isinstance(cell, type) else type(cell).__name__


def net_of(cell: Any, sizes: tuple[int, ...] = (4, 3), **options: Any) -> rnn.Model:
    """A float64 net whose parameters are no simple numbers: a lost one would show."""
    net = rnn.Model(cell, INPUTS, list(sizes), 2, dtype="float64", **options)
    shake(net)
    return net


def shake(net: rnn.Model) -> None:
    random = np.random.default_rng(3)
    for matrix in net.parameters().values():
        matrix.value += random.normal(scale=0.3, size=matrix.shape)


def sequence() -> np.ndarray:
    return np.random.default_rng(1).normal(size=(BATCH, TIME, INPUTS))


own_cells = pytest.mark.parametrize("cell", CELLS, ids=name_of)


@own_cells
@pytest.mark.parametrize("bidirectional", [False, True])
def test_a_row_has_the_bits_that_it_has_alone(cell: Own, bidirectional: bool) -> None:
    net: Any = net_of(cell, bidirectional=bidirectional, learned_state=True)
    rows = [sequence()[0, :1], sequence()[1], sequence()[0, :0]]
    found, state = net(rows)
    for b, row in enumerate(rows):
        alone, after = net(row[np.newaxis])
        np.testing.assert_array_equal(found[b], alone[0])
        for one, other in zip(state.hidden, after.hidden, strict=True):
            np.testing.assert_array_equal(one[b], other[0])


def test_a_cell_of_the_examples_has_at_most_15_lines() -> None:
    source = PATH.read_text(encoding="utf-8")
    kinds = [node for node in ast.parse(source).body if isinstance(node, ast.ClassDef)]
    assert len(kinds) == len(CELLS)
    for kind in kinds:
        text = ast.get_source_segment(source, kind) or ""
        assert len([line for line in text.splitlines() if line.strip()]) <= 15, (
            kind.name
        )


@own_cells
def test_gradients_are_derivatives(cell: Own) -> None:
    net, x = net_of(cell), sequence()
    first = {
        name: rnn.Matrix(np.full((size, BATCH), 0.3), dtype="float64")
        for name, size in (("h0", 4), ("h1", 3), ("c0", 4), ("c1", 3))
    }
    h, c = (first["h0"], first["h1"]), (first["c0"], first["c1"])
    begin = rnn.State(h, c if "cell" in _states(cell) else ())

    def run(graph: rnn.Graph) -> rnn.Matrix:
        output, state = net(x, begin)
        assert isinstance(output, rnn.Matrix)
        vectors = (*state.hidden, *state.cell)
        terms = [graph.sum(graph.square(m)) for m in vectors]
        return graph.add(graph.sum(output.square()), *terms)

    leaves = {**net.parameters(), **{k: m for k, m in first.items() if k[0] == "h"}}
    if begin.cell:
        leaves.update({k: m for k, m in first.items() if k[0] == "c"})
    assert rnn.gradcheck(run, leaves, tolerance=1e-8) < 1e-8


def _states(cell: Own) -> tuple[str, ...]:
    return cell.state


class Eager:
    """Parameters and state as matrices: the same step, carried out op by op."""

    def __init__(self, graph: rnn.Graph, net: rnn.Model, layer: int) -> None:
        self.graph = graph
        self.tree = SimpleNamespace()
        for name, matrix in net.parameters().items():
            first, *path = name.split(".")
            if (first, path[0]) != ("layers", str(layer)):
                continue
            node = self.tree
            for part in path[1:-1]:
                if not hasattr(node, part):
                    setattr(node, part, EagerGate())
                node = getattr(node, part)
            setattr(node, path[-1], matrix)


class EagerGate(SimpleNamespace):
    def __call__(self, x: rnn.Matrix, h: rnn.Matrix) -> rnn.Matrix:
        total: rnn.Matrix = self.weight_x @ x + self.weight_h @ h + self.bias
        return total


class EagerState(SimpleNamespace):
    def replace(self, **vectors: rnn.Matrix) -> "EagerState":
        return EagerState(**{**vars(self), **vectors})


@own_cells
def test_a_recorded_step_is_the_step_op_by_op(cell: Own) -> None:
    """Values and gradients, of ticks and of a sequence, through two layers."""
    net, x = net_of(cell), sequence()
    thing: Any = cell() if isinstance(cell, type) else cell
    with rnn.Graph() as graph:
        zeros = [rnn.Matrix(np.zeros((n, BATCH)), dtype="float64") for n in (4, 3)]
        states = [EagerState(**dict.fromkeys(thing.state, zero)) for zero in zeros]
        outputs = []
        for t in range(TIME):
            below: Any = rnn.Matrix(x[:, t].T, dtype="float64")
            for layer in range(2):
                p = Eager(graph, net, layer).tree
                states[layer] = thing.step(p, below, states[layer])
                below = states[layer].hidden
            outputs.append(net["decoder.weight"] @ below + net["decoder.bias"])
        loss = graph.concat(*outputs).square().sum()
    graph.backward(loss)
    grads = {name: m.grad.copy() for name, m in net.parameters().items()}
    net.zero_grad()

    with rnn.Graph() as graph:
        y, state = net(x)
        assert isinstance(y, rnn.Matrix)
        loss = y.square().sum()
    graph.backward(loss)
    expected = np.stack([m.value.T for m in outputs], axis=1)
    np.testing.assert_allclose(y.sequence, expected, rtol=1e-13, atol=1e-13)
    np.testing.assert_allclose(
        np.asarray(state.hidden[1]), states[1].hidden.value, rtol=1e-12
    )
    for name, matrix in net.parameters().items():
        np.testing.assert_allclose(matrix.grad, grads[name], rtol=1e-10, atol=1e-12)

    prev = None
    for t in range(TIME):
        prev = net.forward(rnn.Graph(), x[:, t].T, prev)
        np.testing.assert_allclose(prev.output.value.T, expected[:, t], rtol=1e-12)


def copied(net: rnn.Model, values: dict[str, np.ndarray]) -> rnn.Model:
    for name, value in values.items():
        net[name].value = value
    return net


def test_the_lstm_written_anew_has_the_library_s_numbers() -> None:
    theirs = rnn.LSTM(INPUTS, [4, 3], 2, seed=7)
    ours = rnn.Model(example.LSTM, INPUTS, [4, 3], 2, seed=7)
    assert list(ours.parameters()) == list(theirs.parameters())
    for name, matrix in theirs.parameters().items():
        np.testing.assert_array_equal(ours[name].value, matrix.value)
    (y, state), (expected, end) = ours(sequence()), theirs(sequence())
    np.testing.assert_array_equal(np.asarray(y), np.asarray(expected))
    for one, other in zip(
        (*state.hidden, *state.cell), (*end.hidden, *end.cell), strict=True
    ):
        np.testing.assert_array_equal(np.asarray(one), np.asarray(other))


def test_cells_are_the_library_s_where_they_coincide() -> None:
    """Peepholes of 0, units that hear themselves by a diagonal, a leak of 1."""
    plain = net_of(example.LSTM)
    values = {name: m.value.copy() for name, m in plain.parameters().items()}
    peeping = copied(net_of(example.PeepholeLSTM), values)
    for name, matrix in peeping.parameters().items():
        if ".peep_" in name:
            matrix.value = np.zeros(matrix.shape)

    independent = net_of(example.IndRNN)
    full = rnn.RNN(INPUTS, [4, 3], 2, activation="relu", dtype="float64")
    for name, matrix in full.parameters().items():
        own = independent[name.replace(".hidden.", ".")].value
        matrix.value = np.diag(own[:, 0]) if name.endswith("weight_h") else own

    leaky = net_of(example.Leaky(leak=1.0))
    tanh = rnn.RNN(INPUTS, [4, 3], 2, dtype="float64")
    copied(tanh, {name: m.value.copy() for name, m in leaky.parameters().items()})

    for ours, theirs in ((peeping, plain), (independent, full), (leaky, tanh)):
        y, expected = ours(sequence())[0], theirs(sequence())[0]
        np.testing.assert_allclose(np.asarray(y), np.asarray(expected), rtol=1e-12)


def test_layer_norm_and_coupling_are_the_equations() -> None:
    """One unit of state is enough for the coupling; the norm needs several."""

    def sigmoid(x: np.ndarray) -> np.ndarray:
        return np.asarray(1 / (1 + np.exp(-x)))

    x = sequence()[:, :1]
    state = rnn.State((np.full((BATCH, 4), 0.3),), (np.full((BATCH, 4), -0.4),))
    for cell in (example.CoupledLSTM, example.LayerNormLSTM):
        net = net_of(cell, (4,))

        def gate(name: str, net: rnn.Model = net) -> np.ndarray:
            p = {k: m.value for k, m in net.parameters().items()}
            name = f"layers.0.{name}."
            z = p[name + "weight_x"] @ x[:, 0].T
            z += p[name + "weight_h"] @ np.full((4, BATCH), 0.3)
            if name + "gain" not in p:
                return np.asarray(z + p[name + "bias"])
            z = (z - z.mean(0)) / np.sqrt(z.var(0) + 1e-5)
            return np.asarray(p[name + "gain"] * z + p[name + "bias"])

        f, n, o = sigmoid(gate("forget")), np.tanh(gate("candidate")), gate("output")
        i = 1 - f if cell is example.CoupledLSTM else sigmoid(gate("input"))
        c = f * -0.4 + i * n
        _, after = net(x, state)
        np.testing.assert_allclose(np.asarray(after.cell[0]).T, c, rtol=1e-10)
        np.testing.assert_allclose(
            np.asarray(after.hidden[0]).T, sigmoid(o) * np.tanh(c), rtol=1e-10
        )


class Counter(rnn.Cell):
    """An echo of its input, and how often it stepped, in a state of another name."""

    state = ("hidden", "ticks")
    runs = 0

    def build(self, p: Parameters, inputs: int, size: int) -> None:
        p.add("weight", size, inputs)
        p.scope("deep").scope("er").add("half", size, 1, init=0.5)

    def step(self, p: Parameters, x: rnn.Symbol, s: CellState) -> CellState:
        type(self).runs += 1
        deep = p.deep.er.half * s.hidden
        return s.replace(hidden=(p.weight @ x + deep).tanh(), ticks=1 + s.ticks)


def test_a_state_of_any_name_goes_in_and_comes_out() -> None:
    net, x = net_of(Counter), sequence()
    y, state = net(x)
    assert state.cell == ()
    for ticks, size in zip(state.ticks, (4, 3), strict=True):
        np.testing.assert_array_equal(np.asarray(ticks), np.full((BATCH, size), TIME))
    half = net(x[:, :2])[1]
    rest, after = net(x[:, 2:], half)
    np.testing.assert_array_equal(np.asarray(rest), np.asarray(y)[:, 2:])
    np.testing.assert_array_equal(
        np.asarray(after.ticks[0]), np.asarray(state.ticks[0])
    )
    with rnn.Graph() as graph:
        prev = net.forward(graph, x[:, 0].T)
        prev = net.forward(graph, x[:, 1].T, prev)
        _, inside = net(x[:, 2:], prev)  # type: ignore[arg-type]
    assert prev.ticks[1].value[0, 0] == 2
    assert np.asarray(inside.ticks[1])[0, 0] == TIME
    assert len(prev) == 3
    with pytest.raises(rnn.ArgumentError, match="ticks, one vector per layer"):
        net(x, rnn.State(state.hidden))
    with pytest.raises(rnn.ArgumentError, match="a ticks per layer, 2, but has 1"):
        net(x, rnn.State(state.hidden, more={"ticks": state.ticks[:1]}))
    with pytest.raises(rnn.ArgumentError, match="has a cell"):
        net(x, rnn.State(state.hidden, state.hidden, {"ticks": state.ticks}))


def test_a_step_runs_once_a_layer(tmp_path: Path) -> None:
    before = Counter.runs
    net = net_of(Counter)
    assert Counter.runs == before + 2
    net(sequence())
    net.forward(rnn.Graph(), np.ones((INPUTS, 1)))
    net.save(tmp_path / "net.safetensors")
    assert Counter.runs == before + 2
    rnn.load(tmp_path / "net.safetensors", cells=[example.MGU, Counter])
    assert Counter.runs == before + 4


@own_cells
def test_a_net_does_what_every_net_does(cell: Own, tmp_path: Path) -> None:
    net = rnn.Model(cell, 5, [4, 3], 5, embedding_size=2, input_to_all=True, seed=4)
    assert net.cell == name_of(cell)
    assert net.config()["cell"] is cell
    again = rnn.Model(**net.config())
    logits, _ = net([[1, 2, 3], [4, 0, 1]])
    np.testing.assert_array_equal(
        np.asarray(again([[1, 2, 3], [4, 0, 1]])[0]), np.asarray(logits)
    )
    shown = repr(cell) if isinstance(cell, rnn.Cell) else cell.__name__
    assert repr(net) == (
        f"Model({shown}, 5, [4, 3], 5, embedding_size=2, seed=4, input_to_all=True)"
    )
    assert net.summary().startswith(f"{name_of(cell)} [4, 3], float32")
    symbols, _ = net.generate([1, 2], 6, seed=1)
    assert len(symbols) == 6

    path = tmp_path / "net.safetensors"
    net.save(path, {"note": "mine"})
    loaded = rnn.load(path, cells=[Counter, cell])
    assert repr(loaded) == repr(net)
    assert loaded.generate([1, 2], 6, seed=1)[0] == symbols
    with pytest.raises(rnn.ArgumentError, match=r"no cell of this library.*cells=\["):
        rnn.load(path)


def test_a_file_is_held_against_the_class(tmp_path: Path) -> None:
    path = tmp_path / "net.safetensors"
    rnn.Model(example.MGU, 3, 4, 2).save(path)

    def named(**members: Any) -> Own:
        return type("MGU", (example.MGU,), members)

    def build(_: Any, p: Parameters, inputs: int, size: int) -> None:
        p.gate("forget", inputs, size)
        p.gate("candidate", inputs, size, state=size).add("more", 1, 1)

    for cell, error, words in (
        (named(build=build), rnn.FormatError, "has 9 parameters but the file 8"),
        (named(state=("hidden", "cell")), rnn.ArgumentError, "in its definition"),
        (3, rnn.ArgumentTypeError, "but is int"),
    ):
        with pytest.raises(error, match=words):
            rnn.load(path, cells=[cell])  # type: ignore[list-item]
    for cells in (3, example.MGU):
        with pytest.raises(rnn.ArgumentTypeError, match="a list of cells"):
            rnn.load(path, cells=cells)  # type: ignore[arg-type]


def test_a_file_is_held_against_the_options(tmp_path: Path) -> None:
    """The same class with another leak would compute other numbers."""
    path = tmp_path / "net.safetensors"
    rnn.Model(example.Leaky(leak=0.1), 3, 4, 2).save(path)
    with pytest.raises(rnn.ArgumentError, match=r"\(leak=0.1\) in .* \(leak=0.3\)"):
        rnn.load(path, cells=[example.Leaky])
    net = rnn.load(path, cells=[example.Leaky, example.Leaky(0.1)])
    assert repr(net) == "Model(Leaky(leak=0.1), 3, [4], 2)"


def test_a_cell_learns_text_and_comes_back(tmp_path: Path) -> None:
    text = "to be, or not to be: that is the question. " * 9
    cells: list[Own] = [example.MGU]
    lm = rnn.CharModel.train(text, cell=example.MGU, hidden_sizes=[32], steps=30)
    lm.save(tmp_path / "lm.safetensors")
    back = rnn.CharModel.load(tmp_path / "lm.safetensors", cells=cells)
    assert back.greedy("to be", length=9) == lm.greedy("to be", length=9)
    assert "MGU" in repr(back)
    with pytest.raises(rnn.ArgumentError, match="cell_options"):
        rnn.CharModel.create(text, cell=example.MGU, cell_options={"gate": "scalar"})
    with pytest.raises(rnn.ArgumentTypeError, match="cell"):
        rnn.CharModel.create(text, cell=3)  # type: ignore[arg-type]


def test_parameters_begin_as_they_are_told() -> None:
    class Told(rnn.Cell):
        def build(self, p: Parameters, inputs: int, size: int) -> None:
            p.gate("forget", inputs, size, bias=2.5)
            p.add("low_high", size, 3, init=(0.5, 0.6))
            p.add("ones", size, 1, init="ones")
            p.add("zeros", size, 1, init="zeros")
            p.add("turn", size, size, init="orthogonal")
            p.add("plain", size, size, "recurrent")
            p.add("bias_of_mine", size, 1, "bias")

        def step(self, p: Parameters, x: rnn.Symbol, s: CellState) -> CellState:
            return s.replace(hidden=p.forget(x, s.hidden))

    net = rnn.Model(Told, INPUTS, 4, None, dtype="float64")
    value = {k.removeprefix("layers.0."): m.value for k, m in net.parameters().items()}
    assert (value["forget.bias"] == 2.5).all()
    assert ((value["low_high"] >= 0.5) & (value["low_high"] < 0.6)).all()
    assert (value["ones"] == 1).all()
    assert not value["zeros"].any()
    assert not value["bias_of_mine"].any()
    for name in ("turn", "plain"):
        np.testing.assert_allclose(value[name].T @ value[name], np.eye(4), atol=1e-12)


def test_what_build_named_is_completed_and_described() -> None:
    seen: dict[str, Any] = {}

    class Seen(Counter):
        def step(self, p: Parameters, x: rnn.Symbol, s: CellState) -> CellState:
            seen.update(p=dir(p), s=dir(s), reprs=[repr(p), repr(s), repr(x)])
            seen.update(cols=(x.cols, p.weight.cols), rows=(x.rows, p.weight.rows))
            return super().step(p, x, s)

    rnn.Model(Seen, INPUTS, 4, None)
    assert {"weight", "deep"} <= set(seen["p"])
    assert {"hidden", "ticks", "replace"} <= set(seen["s"])
    assert seen["reprs"] == [
        "Parameters(weight, deep)",
        "CellState(hidden, ticks)",
        "Symbol(3xbatch)",
    ]
    assert (seen["cols"], seen["rows"]) == ((None, 3), (3, 4))


def test_every_op_is_a_method_of_symbol() -> None:
    lacks = set(compiled.OPS) - set(dir(rnn.Symbol))
    assert lacks == {"concat_columns", "softmax_cross_entropy"}


def test_numbers_on_either_side_are_what_they_are_for_matrices() -> None:
    def step(_: Any, p: Any, x: Any, s: Any) -> Any:  # noqa: ARG001
        y = 1 - (2 * s.hidden / 4 - 1) ** 2 + 0.5 / s.hidden.exp()
        y = y.add(1, y, 2.0) - 3
        z = y.concat(-y).slice_rows(2, 6)
        return s.replace(hidden=(z - y).where(z, y).clip(-5, 5))

    def build(_: Any, p: Any, inputs: int, size: int) -> None:  # noqa: ARG001
        p.add("w", size, 1)

    kind = type("Numbers", (rnn.Cell,), {"build": build, "step": step})
    net = rnn.Model(kind, 3, 4, 2)
    h = np.linspace(-1, 1, 8).reshape(2, 4)
    state = net(np.zeros((2, 1, 3)), rnn.State((h,)))[1]
    y = 1 - (2 * h / 4 - 1) ** 2 + 0.5 / np.exp(h)
    y = y + 1 + y + 2 - 3
    z = np.concatenate([y, -y], axis=1)[:, 2:6]
    expected = np.where(z - y != 0, z, y)
    np.testing.assert_allclose(np.asarray(state.hidden[0]), expected, rtol=1e-5)
