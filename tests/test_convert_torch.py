"""PyTorch's state_dict, both ways: the same numbers, or a refusal that says what."""

import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import oracle
import recurrentnn as rnn
from cases import spread
from recurrentnn import convert
from recurrentnn.convert import nets
from recurrentnn.errors import (
    ArgumentError,
    ArgumentTypeError,
    DTypeError,
    FormatError,
    RecurrentNNError,
    ShapeError,
)
from support import assert_close, require, tolerance

Array = NDArray[Any]

CELLS: dict[str, dict[str, Any]] = {
    "RNN tanh": {},
    "RNN relu": {"activation": "relu"},
    "LSTM": {},
    "GRU": {},
}
HAS_DIRECTIONS = "bidirectional" in rnn.LSTM(1, 1, 1).config()
HAS_PROJECTION = "projection_size" in rnn.LSTM(1, 1, 1).config()


def module(name: str, dtype: str, **options: Any) -> Any:
    """A recurrent module of PyTorch with weights from its own initialisation."""
    torch = require("torch")
    torch.manual_seed(3)
    kind, _, nonlinearity = name.partition(" ")
    if nonlinearity:
        options["nonlinearity"] = nonlinearity
    made: Any = getattr(torch.nn, kind)(
        4, 6, batch_first=True, dtype=getattr(torch, dtype), **options
    )
    return made


def run(made: Any, x: Array) -> tuple[Array, list[Array]]:
    """The module's output and states, these as ours, (batch, size)."""
    torch = require("torch")
    with warnings.catch_warnings():
        # That a projection has no fast path.
        warnings.simplefilter("ignore")
        y, state = made(torch.from_numpy(x))
    states = state if isinstance(state, tuple) else (state,)
    return y.detach().numpy(), [row for s in states for row in s.detach().numpy()]


def check_same(net: rnn.Model, made: Any, dtype: str) -> None:
    x = spread(3 * 5, 4).reshape(3, 5, 4).astype(dtype)
    y, state = net(x)
    expected, states = run(made, x)
    assert net.dtype == dtype
    assert_close(np.asarray(y), expected, tolerance(dtype), "output")
    ours = [np.asarray(v) for v in (*state.hidden, *state.cell)]
    for a, b in zip(ours, states, strict=True):
        assert_close(a, b, tolerance(dtype), "state")


@pytest.mark.parametrize("bias", [True, False], ids=["bias", "no bias"])
@pytest.mark.parametrize("layers", [1, 3])
@pytest.mark.parametrize("name", CELLS)
def test_a_state_dict_gives_the_same_net_and_comes_back(
    name: str, layers: int, bias: bool, dtype: str
) -> None:
    """Out again, it loads into PyTorch and computes the same."""
    torch = require("torch")
    made = module(name, dtype, num_layers=layers, bias=bias)
    net = convert.from_torch(made.state_dict(), **CELLS[name])
    check_same(net, made, dtype)
    back = convert.to_torch(net, bias=bias)
    again = module(name, dtype, num_layers=layers, bias=bias)
    again.load_state_dict({key: torch.from_numpy(v) for key, v in back.items()})
    check_same(net, again, dtype)
    # Once more, nothing moves.
    once_more = convert.from_torch(back, **CELLS[name])
    for key, m in once_more.parameters().items():
        np.testing.assert_array_equal(m.value, net[key].value, key)


@pytest.mark.parametrize("bias", [True, False], ids=["bias", "no bias"])
@pytest.mark.parametrize("name", CELLS)
def test_both_directions_of_a_module(name: str, bias: bool, dtype: str) -> None:
    made = module(name, dtype, num_layers=2, bidirectional=True, bias=bias)
    if not HAS_DIRECTIONS:
        with pytest.raises(ArgumentError, match="has no bidirectional yet"):
            convert.from_torch(made.state_dict())
        return
    net = convert.from_torch(made.state_dict(), **CELLS[name])
    check_same(net, made, dtype)
    again = convert.from_torch(convert.to_torch(net, bias=bias), **CELLS[name])
    check_same(again, made, dtype)


@pytest.mark.parametrize("layers", [1, 2])
def test_a_projection(layers: int, dtype: str) -> None:
    made = module("LSTM", dtype, num_layers=layers, proj_size=3)
    if not HAS_PROJECTION:
        with pytest.raises(ArgumentError, match="has no projection_size yet"):
            convert.from_torch(made.state_dict())
        return
    net = convert.from_torch(made.state_dict())
    check_same(net, made, dtype)
    check_same(convert.from_torch(convert.to_torch(net)), made, dtype)


def language_model(dtype: str) -> Any:
    """An Embedding, a GRU of two layers in a submodule, a Linear."""
    torch = require("torch")
    torch.manual_seed(4)
    made = torch.nn.ModuleDict(
        {
            "table": torch.nn.Embedding(9, 4),
            "body": torch.nn.ModuleDict({"cell": torch.nn.GRU(4, 6, 2)}),
            "head": torch.nn.Linear(6, 9),
        }
    )
    return made.to(getattr(torch, dtype))


def test_embedding_and_decoder_are_named(dtype: str) -> None:
    torch = require("torch")
    made = language_model(dtype)
    net = convert.from_torch(made.state_dict(), decoder="head", embedding="table")
    assert (net.input_size, net.embedding_size, net.output_size) == (9, 4, 9)
    symbols = np.array([[3, 1, 4], [1, 5, 8]])
    hidden, _ = made["body"]["cell"](made["table"](torch.from_numpy(symbols.T)))
    expected = made["head"](hidden).detach().numpy().transpose(1, 0, 2)
    assert_close(np.asarray(net(symbols)[0]), expected, tolerance(dtype))
    back = convert.to_torch(net, rnn="body.cell", decoder="head", embedding="table")
    made.load_state_dict({key: torch.from_numpy(v) for key, v in back.items()})


def lstm(**options: Any) -> rnn.LSTM:
    net = rnn.LSTM(3, [4, 4], 2, **options)
    oracle.stir(net)
    return net


@pytest.mark.parametrize("form", ["own", "safetensors"])
def test_a_file_is_read_without_torch(form: str, tmp_path: Path, dtype: str) -> None:
    """Ours, and that of the safetensors package."""
    net, path = lstm(dtype=dtype), tmp_path / "net.safetensors"
    arrays = convert.to_torch(net, path if form == "own" else None)
    if form == "safetensors":
        require("safetensors.numpy").save_file(arrays, path)
    else:
        found = require("safetensors.numpy").load_file(path)
        assert found.keys() == arrays.keys()
    again = convert.from_torch(path, decoder="decoder")
    for name, m in net.parameters().items():
        np.testing.assert_array_equal(again[name].value, m.value, name)


@pytest.mark.parametrize("kind", ["float16", "bfloat16"])
def test_half_precision_widens_to_the_number(kind: str, tmp_path: Path) -> None:
    torch = require("torch")
    made = module("LSTM", "float32").to(getattr(torch, kind))
    path = tmp_path / "half.safetensors"
    require("safetensors.torch").save_file(made.state_dict(), path)
    expected = made.weight_hh_l0.detach().float().numpy()[:6]
    for source in (made.state_dict(), path):
        net = convert.from_torch(source)
        assert net.dtype == np.float32
        np.testing.assert_array_equal(net["layers.0.input.weight_h"].value, expected)


def test_a_pt_file_is_read_as_weights_alone(tmp_path: Path) -> None:
    torch = require("torch")
    made = module("GRU", "float32")
    torch.save(made.state_dict(), tmp_path / "net.pt")
    check_same(convert.from_torch(tmp_path / "net.pt"), made, "float32")
    ran = tmp_path / "ran"

    class Evil:
        def __reduce__(self) -> Any:
            return Path.touch, (ran,)

    torch.save({"weight_ih_l0": Evil()}, tmp_path / "evil.pt")
    with pytest.raises(FormatError, match=r"evil\.pt: no file of weights alone"):
        convert.from_torch(tmp_path / "evil.pt")
    assert not ran.exists()
    (tmp_path / "cut.pt").write_bytes((tmp_path / "net.pt").read_bytes()[:300])
    with pytest.raises(FormatError, match=r"cut\.pt"):
        convert.from_torch(tmp_path / "cut.pt")
    torch.save([1, 2], tmp_path / "list.pt")
    with pytest.raises(FormatError, match="must hold a state_dict but holds list"):
        convert.from_torch(tmp_path / "list.pt")


def test_a_pt_file_needs_a_torch_that_is_safe(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch = require("torch")
    monkeypatch.setattr(torch, "__version__", "2.5.1+cpu")
    with pytest.raises(ArgumentError, match=r"needs torch >= 2\.6 but this is 2\.5\.1"):
        convert.from_torch(tmp_path / "net.pt")


def test_a_pt_file_without_torch_is_refused_with_advice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(
        ArgumentError, match=r"net\.pt needs torch >= 2\.6; a .safetens"
    ):
        convert.from_torch("net.pt")


STATE = {
    "weight_ih_l0": np.ones((12, 2)),
    "weight_hh_l0": np.ones((12, 4)),
    "bias_ih_l0": np.ones(12),
    "bias_hh_l0": np.ones(12),
}
WITH_NAN = np.ones((12, 2))
WITH_NAN[3, 1] = np.nan
WRONG: dict[str, tuple[dict[str, Any], dict[str, Any], type[Exception], str]] = {
    "no module": (
        {"weight_ih_l0": None},
        {},
        ArgumentError,
        "there are none: give rnn",
    ),
    "two modules": (
        {"b.weight_ih_l0": 0},
        {},
        ArgumentError,
        "there are '', 'b': give",
    ),
    "other name": ({}, {"rnn": "a"}, ArgumentError, "has no a.weight_ih_l0"),
    "no weight": ({"weight_hh_l0": None}, {}, ArgumentError, "weight_hh_l0 is missing"),
    "half the biases": (
        {"bias_hh_l0": None},
        {},
        ArgumentError,
        "bias_hh_l0 is missing",
    ),
    "left over": ({"fc.weight": np.ones((2, 4))}, {}, ArgumentError, "about fc.weight"),
    "layer missing": (
        {"weight_ih_l2": np.ones((12, 4))},
        {},
        ArgumentError,
        "about weight_ih_l2",
    ),
    "no decoder": ({}, {"decoder": "fc"}, ArgumentError, "fc.weight is missing"),
    "gates": ({"weight_hh_l0": np.ones((8, 4))}, {}, ArgumentError, "has 8 rows for 4"),
    "no gates": ({"weight_hh_l0": np.ones((13, 4))}, {}, ArgumentError, "has 13 rows"),
    "rows": (
        {"weight_ih_l0": np.ones((9, 2))},
        {},
        ShapeError,
        "(12, any) but is (9, 2)",
    ),
    "bias": (
        {"bias_ih_l0": np.ones((12, 1))},
        {},
        ShapeError,
        "bias_ih_l0 must be (12)",
    ),
    "empty": (
        {"weight_hh_l0": np.ones((0, 0))},
        {},
        ShapeError,
        "weight_hh_l0 must be",
    ),
    "decoder": (
        {"fc.weight": np.ones((2, 5))},
        {"decoder": "fc"},
        ShapeError,
        "the decoder reads 5 numbers, but the top layer gives 4",
    ),
    "embedding": (
        {"e.weight": np.ones((9, 3))},
        {"embedding": "e"},
        ShapeError,
        "layer 0 reads 2 numbers, but 3 come from below",
    ),
    "second layer": (
        {name.replace("l0", "l1"): array for name, array in STATE.items()},
        {},
        ShapeError,
        "layer 1 reads 2 numbers, but 4 come from below",
    ),
    "integers": (
        {"bias_ih_l0": np.ones(12, int)},
        {},
        DTypeError,
        "bias_ih_l0 must hold",
    ),
    "NaN": ({"weight_ih_l0": WITH_NAN}, {}, FormatError, "weight_ih_l0[3, 1] is nan"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_state_dict_is_refused(case: str) -> None:
    change, options, error, words = WRONG[case]
    state = {key: v for key, v in {**STATE, **change}.items() if v is not None}
    with pytest.raises(error, match=r"^from_torch: ") as caught:
        convert.from_torch(state, **options)
    assert words in str(caught.value)


@pytest.mark.parametrize("source", [3, None, [1], b"x"])
def test_a_source_of_another_type_is_refused(source: Any) -> None:
    with pytest.raises(ArgumentTypeError, match="must be a state_dict or the path"):
        convert.from_torch(source)


def test_a_module_itself_is_refused_with_advice() -> None:
    with pytest.raises(ArgumentTypeError, match=r"give its state_dict\(\)"):
        convert.from_torch(module("LSTM", "float32"))


@pytest.mark.parametrize(
    ("net", "words"),
    [
        (rnn.GRU(2, 3, 1, reset="before"), "resets after the product, this one before"),
        (rnn.LSTM(2, [3, 4], 1), "layers are of one size, these of (3, 4)"),
        (rnn.GFLSTM(2, 3, 1), "no cell gflstm, only rnn, lstm, gru"),
        (rnn.LSTM(2, [3, 3], 1, input_to_all=True), "no input_to_all=True"),
        (rnn.LSTM(2, [3, 3], 1, all_to_output=True), "no all_to_output=True"),
    ],
    ids=str,
)
def test_what_pytorch_has_not_is_refused(net: rnn.Model, words: str) -> None:
    with pytest.raises(ArgumentError, match=r"^to_torch: ") as caught:
        convert.to_torch(net)
    assert words in str(caught.value)


def test_a_bias_is_not_left_out() -> None:
    with pytest.raises(ArgumentError, match="the biases of layer_l0 are not 0"):
        convert.to_torch(rnn.LSTM(2, 3, 1), bias=False)


def test_what_is_no_net_is_refused() -> None:
    bad: Any = 3
    with pytest.raises(ArgumentTypeError, match="to_torch: net must be a Model but is"):
        convert.to_torch(bad)
    text: Any = rnn.CharModel.create("abc")
    with pytest.raises(ArgumentTypeError, match=r"is CharModel; give its net, \.net$"):
        convert.to_torch(text)


@pytest.mark.parametrize("name", ["layers.0.input.gain", "temperature"])
def test_an_unknown_parameter_is_not_left_out(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nets of a later version may have more than this file's authors knew."""
    real = nets.arrays
    more = {name: np.ones((3, 1))}
    monkeypatch.setattr(nets, "arrays", lambda net: {**real(net), **more})
    with pytest.raises(RecurrentNNError, match=f"no place for {name}"):
        convert.to_torch(rnn.LSTM(2, 3, 1))
