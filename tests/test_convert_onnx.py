"""Exported models run in ONNX Runtime: the same numbers, states in and out."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import oracle
import recurrentnn as rnn
from cases import spread
from recurrentnn import convert
from recurrentnn.convert.onnx import ops
from recurrentnn.errors import ArgumentError, ArgumentTypeError
from support import assert_close, require

onnx = require("onnx")
runtime = require("onnxruntime")

Array = NDArray[Any]

# Six steps at the most are unrolled; ONNX Runtime's own tanh is good to 1e-7.
BOUND = {"float32": 1e-6, "float64": 1e-13}
HAS_DIRECTIONS = "bidirectional" in rnn.LSTM(1, 1, 1).config()


class Leaky(rnn.Cell):
    """Two states, of which the second is of no name that the library knows."""

    state = ("hidden", "slow")

    def __init__(self, rate: float = 0.9) -> None:
        self.rate = rate

    def build(self, p: Any, inputs: int, size: int) -> None:
        p.gate("forget", inputs, size)
        p.gate("candidate", inputs, size)
        p.add("scale", size, 1, "bias", 0.3)

    def step(self, p: Any, x: Any, s: Any) -> Any:
        f = p.forget(x, s.hidden).sigmoid()
        n = p.candidate(x, f * s.hidden).tanh()
        slow = self.rate * s.slow + (1.0 - self.rate) * p.scale * n
        return s.replace(hidden=(1 - f) * s.hidden + f * n + slow, slow=slow)


SIZES: dict[str, Any] = {"input_size": 3, "hidden_sizes": [4, 5], "output_size": 2}
PLAIN: dict[str, tuple[Any, dict[str, Any]]] = {
    "rnn": (rnn.RNN, {}),
    "rnn relu": (rnn.RNN, {"activation": "relu"}),
    "lstm": (rnn.LSTM, {}),
    "lstm one layer": (rnn.LSTM, {"hidden_sizes": 4}),
    "gru after": (rnn.GRU, {}),
    "gru before": (rnn.GRU, {"reset": "before"}),
    "gru bare": (rnn.GRU, {"output_size": None}),
    "lstm symbols": (rnn.LSTM, {"embedding_size": 4}),
}
if HAS_DIRECTIONS:
    PLAIN |= {
        f"{kind} both": (getattr(rnn, kind), {"bidirectional": True})
        for kind in ("RNN", "LSTM", "GRU")
    }
CONNECTED = {"input_to_all": True, "all_to_output": True}
OTHER: dict[str, tuple[Any, dict[str, Any]]] = {
    "lstm connected": (rnn.LSTM, CONNECTED),
    "gru symbols connected": (rnn.GRU, {"embedding_size": 4, **CONNECTED}),
    "gfrnn": (rnn.GFRNN, {}),
    "gfrnn relu": (rnn.GFRNN, {"activation": "relu"}),
    "gfgru": (rnn.GFGRU, {"gate": "vector"}),
    "gfgru paper": (rnn.GFGRU, {"paper": True}),
    "gflstm": (rnn.GFLSTM, {"embedding_size": 4}),
    "gflstm paper": (rnn.GFLSTM, {"paper": True, "gate": "vector"}),
    "lstm learned": (rnn.LSTM, {"learned_state": True}),
    "lstm peepholes": (rnn.LSTM, {"peepholes": True}),
    "lstm projected": (rnn.LSTM, {"projection_size": 3}),
    "lstm clipped": (rnn.LSTM, {"cell_clip": 0.1, "hidden_clip": 0.05}),
    "gru normalised": (rnn.GRU, {"layer_norm": True}),
    "gru residual": (rnn.GRU, {"hidden_sizes": [4, 4], "residual": True}),
    "gru tied": (
        rnn.GRU,
        {"embedding_size": 5, "output_size": 3, "tied_embedding": True},
    ),
    "own": (rnn.Model, {"cell": Leaky}),
    "own connected": (rnn.Model, {"cell": Leaky(0.5), **CONNECTED}),
    "own symbols": (rnn.Model, {"cell": Leaky, "embedding_size": 4}),
}
# Options that nets will have: tried from the day on which they do.
KNOWN = {*rnn.LSTM(1, 1, 1).config(), "paper"}
OTHER = {name: (net, o) for name, (net, o) in OTHER.items() if o.keys() <= KNOWN}


def net_of(name: str, dtype: str) -> rnn.Model:
    kind, options = {**PLAIN, **OTHER}[name]
    net: rnn.Model = kind(**{**SIZES, **options}, dtype=dtype)
    oracle.stir(net)
    if "relu" in name:
        # What nothing bounds would grow, and rounding with it.
        for parameter, m in net.parameters().items():
            m.value = m.value * (0.4 if parameter.endswith("weight_h") else 1.0)
    return net


def inputs(net: rnn.Model, batch: int, time: int) -> Array:
    if net.embedding_size is not None:
        return (np.arange(batch * time) * 7 % net.input_size).reshape(batch, time)
    x = spread(batch * time, net.input_size).reshape(batch, time, net.input_size)
    return x.astype(net.dtype)


def vectors(state: rnn.State) -> list[Array]:
    """In the order of the export's inputs and outputs."""
    more = [v for same in state.more.values() for v in same]
    return [np.asarray(v) for v in (*state.hidden, *state.cell, *more)]


def state_of(feed: dict[str, Array], net: rnn.Model) -> rnn.State:
    """The hidden vectors and cells of what is fed."""
    given = list(feed.values())[1:]
    layers = len(net.hidden_sizes)
    return rnn.State(tuple(given[:layers]), tuple(given[layers:]))


def session(model: bytes) -> Any:
    onnx.checker.check_model(model, full_check=True)
    return runtime.InferenceSession(model, providers=["CPUExecutionProvider"])


def zeros(loaded: Any, batch: int, dtype: str) -> dict[str, Array]:
    names = loaded.get_inputs()[1:]
    return {i.name: np.zeros((batch, i.shape[1]), dtype) for i in names}


def nodes(model: bytes) -> set[str]:
    return {node.op_type for node in onnx.load_from_string(model).graph.node}


@pytest.mark.parametrize("name", [*PLAIN, *OTHER])
def test_outputs_and_states_are_the_nets(name: str, dtype: str) -> None:
    """Of several sizes of batch and time, by one model; the second call goes on."""
    net = net_of(name, dtype)
    if dtype == "float64" and net.config().get("bidirectional"):
        with pytest.raises(ArgumentError, match="float32"):
            convert.to_onnx(net)
        return
    loaded = session(convert.to_onnx(net))
    for batch, time in ((1, 1), (3, 5), (2, 6)):
        x = inputs(net, batch, time)
        feed = {loaded.get_inputs()[0].name: x, **zeros(loaded, batch, dtype)}
        # A learned first state is the caller's to give, if states are.
        state = state_of(feed, net) if "learned" in name else None
        for _ in range(2):
            y, state = net(x, state)
            found, *after = loaded.run(None, feed)
            assert found.dtype == dtype
            assert_close(found, np.asarray(y), BOUND[dtype], "output")
            for end, expected in zip(after, vectors(state), strict=True):
                assert_close(end, expected, BOUND[dtype], "state")
            feed |= dict(zip(list(feed)[1:], after, strict=True))


@pytest.mark.parametrize("name", ["lstm", "gru before", "gflstm", "own"])
def test_one_tick_at_a_time_is_the_whole(name: str) -> None:
    net = net_of(name, "float32")
    loaded, x = session(convert.to_onnx(net)), inputs(net, 2, 6)
    feed = zeros(loaded, 2, "float32")
    outputs = []
    for t in range(6):
        tick = {loaded.get_inputs()[0].name: x[:, t : t + 1]}
        y, *after = loaded.run(None, {**tick, **feed})
        outputs.append(y)
        feed = dict(zip(feed, after, strict=True))
    whole = np.asarray(net(x)[0])
    assert_close(np.concatenate(outputs, axis=1), whole, BOUND["float32"])


@pytest.mark.parametrize("name", [*PLAIN, *OTHER])
def test_a_plain_float32_net_is_onnxs_own_op_and_else_a_scan(name: str) -> None:
    net = net_of(name, "float32")
    ops_used = nodes(convert.to_onnx(net))
    assert ("Scan" in ops_used) == (name in OTHER)
    assert (net.cell.upper() in ops_used) == (name in PLAIN)


@pytest.mark.parametrize(
    "name",
    [
        *("lstm", "gru after", "gfgru", "own", "lstm symbols"),
        *(name for name in [*PLAIN, *OTHER] if "both" in name or "learned" in name),
    ],
)
def test_without_states_every_call_starts_where_the_net_does(
    name: str, dtype: str
) -> None:
    net = net_of(name, dtype)
    if dtype == "float64" and "both" in name:
        return
    loaded = session(convert.to_onnx(net, stateful=False))
    assert len(loaded.get_inputs()) == len(loaded.get_outputs()) == 1
    x = inputs(net, 3, 5)
    for _ in range(2):
        (y,) = loaded.run(None, {loaded.get_inputs()[0].name: x})
        assert_close(y, np.asarray(net(x)[0]), BOUND[dtype])


def test_names_and_free_sizes_are_as_told() -> None:
    loaded = session(convert.to_onnx(net_of("lstm", "float32")))
    shown = {i.name: i.shape for i in loaded.get_inputs()}
    assert shown == {
        "x": ["batch", "time", 3],
        "hidden_0": ["batch", 4],
        "hidden_1": ["batch", 5],
        "cell_0": ["batch", 4],
        "cell_1": ["batch", 5],
    }
    names = [o.name for o in loaded.get_outputs()]
    assert names == ["output", *(f"{name}_next" for name in list(shown)[1:])]
    model = onnx.load_from_string(convert.to_onnx(net_of("own", "float32")))
    assert [i.name for i in model.graph.input][3:] == ["slow_0", "slow_1"]
    assert model.opset_import[0].version == 17
    assert model.ir_version == 9


def test_symbols_without_embedding_are_one_hot() -> None:
    net = net_of("lstm", "float32")
    loaded = session(convert.to_onnx(net, stateful=False, symbols=True))
    symbols = np.array([[0, 2, 1], [1, 1, 2]])
    (y,) = loaded.run(None, {"symbols": symbols})
    assert_close(y, np.asarray(net(symbols)[0]), BOUND["float32"])
    with pytest.raises(ArgumentError, match="reads symbols, not features"):
        convert.to_onnx(net_of("lstm symbols", "float32"), symbols=False)


def test_a_file_is_written(tmp_path: Path) -> None:
    net = net_of("gru after", "float32")
    data = convert.to_onnx(net, tmp_path / "net.onnx")
    assert (tmp_path / "net.onnx").read_bytes() == data


# Every op that can stand in a step, as it is called there.
CALLS: dict[str, Any] = {
    **{name: lambda h, _, name=name: getattr(h, name)() for name in ops.OPS},
    "exp": lambda h, _: h.tanh().exp(),
    "log": lambda h, _: (h.square() + 1.0).log(),
    "sqrt": lambda h, _: (h.square() + 1.0).sqrt(),
    "scale": lambda h, _: h.scale(0.3),
    "shift": lambda h, _: h.shift(-0.2),
    "pow": lambda h, _: (h.square() + 1.0) ** -0.5,
    "clip": lambda h, _: h.clip(-0.1, 0.2),
    "elu": lambda h, _: h.elu(0.7),
    "leaky_relu": lambda h, _: h.leaky_relu(0.2),
    "add": lambda h, p: h.add(p.bias, 0.3),
    "sub": lambda h, p: 0.5 - (h - p.bias),
    "mul": lambda h, p: h * p.bias,
    "div": lambda h, _: h / (h * h + 1.0),
    "maximum": lambda h, p: h.maximum(p.other @ h),
    "minimum": lambda h, p: h.minimum(p.other @ h),
    "where": lambda h, p: h.relu().where(h, p.other @ h),
    "matmul": lambda h, p: p.other @ h,
    "concat": lambda h, p: p.wide @ h.concat(h.tanh()),
    "slice_rows": lambda h, _: h * h.slice_rows(1, 2),
    "transpose": lambda h, p: p.other.T @ h,
    "sum": lambda h, _: h * h.sum(0),
    "mean": lambda h, _: h * h.mean(axis=0),
    "max": lambda h, _: h * h.max(0),
    "logsumexp": lambda h, _: h * h.logsumexp(),
    "layer_norm": lambda h, p: h.layer_norm(p.gain, p.bias),
}


class Calls(rnn.Cell):
    """A simple net through one more op."""

    def __init__(self, call: Any) -> None:
        self.call = call

    def build(self, p: Any, inputs: int, size: int) -> None:
        p.add("weight", size, inputs)
        p.add("other", size, size, "recurrent")
        p.add("wide", size, 2 * size, "recurrent")
        p.add("gain", size, 1, "bias", 1.0)
        p.add("bias", size, 1, "bias")

    def step(self, p: Any, x: Any, s: Any) -> Any:
        h = (p.weight @ x) + s.hidden * 0.5
        kept = (p.other @ h + p.bias + p.gain) + p.wide @ h.concat(h)
        return s.replace(hidden=self.call(h, p) + 0.01 * kept)


@pytest.mark.parametrize("op", ops.OPS)
def test_every_op_of_a_step_is_the_same_in_onnx(op: str) -> None:
    net = rnn.Model(Calls(CALLS[op]), 3, 4, None)
    oracle.stir(net)
    x = inputs(net, 3, 3)
    (y,) = session(convert.to_onnx(net, stateful=False)).run(None, {"x": x})
    assert_close(y, np.asarray(net(x)[0]), BOUND["float32"])


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda h, p: p.other.reshape(4, 4) @ h, "the step uses reshape, which is not"),
        (lambda h, p: p.other.select_rows([3, 1, 0, 2]) @ h, "uses select_rows"),
    ],
    ids=["reshape", "select_rows"],
)
def test_what_cannot_be_exported_is_refused_by_name(call: Any, words: str) -> None:
    net = rnn.Model(Calls(call), 3, 4, None)
    with pytest.raises(ArgumentError, match=f"to_onnx: .*{words}"):
        convert.to_onnx(net)


def test_without_the_package_the_extra_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delitem(sys.modules, "recurrentnn.convert.onnx.export")
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ArgumentError, match=r"pip install recurrentnn\[onnx\]"):
        convert.to_onnx(rnn.LSTM(2, 3, 1))


def test_what_is_no_net_is_refused() -> None:
    bad: Any = "net"
    with pytest.raises(ArgumentTypeError, match="to_onnx: net must be a Model but is"):
        convert.to_onnx(bad)
