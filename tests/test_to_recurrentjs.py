"""What RecurrentJS reads: the document is the one it wrote itself, or a refusal."""

import copy
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import oracle
import recurrentnn as rnn
from recurrentnn import compat, convert
from recurrentnn.convert import recurrentjs
from recurrentnn.errors import ArgumentError, ArgumentTypeError, NonFiniteError
from support import ROOT, assert_close, tolerance

GOLDEN: dict[str, Any] = json.loads(
    (ROOT / "tests" / "golden" / "recurrentjs.json").read_text(encoding="utf-8")
)["saved"]
KINDS = ["lstm", "rnn"]


def with_lists(document: dict[str, Any]) -> dict[str, Any]:
    """The document as it is when JavaScript's arrays are plain ones."""
    document = copy.deepcopy(document)
    for m in [*document["model"].values(), *document["solver"]["step_cache"].values()]:
        m["w"] = list(m["w"].values())
    return document


@pytest.mark.parametrize("kind", KINDS)
def test_what_the_original_saved_comes_back_to_the_bit(
    kind: str, tmp_path: Path
) -> None:
    """Model, solver and vocabulary, as an object and in a file."""
    saved = GOLDEN[kind]["document"]
    model, vocabulary, solver = convert.from_recurrentjs(saved)
    path = tmp_path / "net.json"
    document = convert.to_recurrentjs(model, path, vocabulary=vocabulary, solver=solver)
    assert document == with_lists(saved)
    assert json.loads(path.read_text(encoding="utf-8")) == document
    # The order in which the ancestor's own loops go.
    assert list(document["model"]) == list(saved["model"])
    assert list(document["vocab"]) == saved["vocab"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_net_of_ours_goes_there_and_back(kind: str, dtype: str) -> None:
    options = {"activation": "relu"} if kind == "rnn" else {}
    net = getattr(rnn, kind.upper())(
        7, [5, 3], 7, embedding_size=4, dtype=dtype, **options
    )
    oracle.stir(net)
    text = json.dumps(convert.to_recurrentjs(net))
    found, vocabulary, solver = convert.from_recurrentjs(text)
    assert (vocabulary, solver) == (None, None)
    for name, m in net.parameters().items():
        np.testing.assert_array_equal(found[name].value, m.value, name)
    symbols = np.array([[1, 6, 0, 3]])
    y, expected = np.asarray(found(symbols)[0]), np.asarray(net(symbols)[0])
    assert_close(y, expected, tolerance(dtype))


def test_a_live_solver_is_written_and_goes_on() -> None:
    """Two steps, one before the file and one after it, are two steps."""
    net, solver = convert.from_recurrentjs(GOLDEN["lstm"]["document"])[::2]
    assert solver is not None
    live = solver.start(net)
    for m in net.parameters().values():
        m.grad[...] = 0.3
    live.step(net, 0.01, 0.0, 5.0)
    document = json.loads(json.dumps(convert.to_recurrentjs(net, solver=live)))
    again, _, stored = convert.from_recurrentjs(document)
    assert stored is not None
    second = stored.start(again)
    for model, stepper in ((net, live), (again, second)):
        for m in model.parameters().values():
            m.grad[...] = 0.2
        stepper.step(model, 0.01, 0.0, 5.0)
    for name, m in net.parameters().items():
        np.testing.assert_array_equal(again[name].value, m.value, name)


def lstm(**options: Any) -> rnn.LSTM:
    return rnn.LSTM(3, [4, 4], 3, **{"embedding_size": 2, **options})


WORDS = rnn.Vocabulary("ab", boundary=True)
REFUSED: dict[str, tuple[Any, dict[str, Any], type[Exception], str]] = {
    "gru": (rnn.GRU(3, 4, 3, embedding_size=2), {}, ArgumentError, "no cell gru"),
    "gflstm": (rnn.GFLSTM(3, 4, 3), {}, ArgumentError, "no cell gflstm, only lstm"),
    "tanh": (
        rnn.RNN(3, 4, 3, embedding_size=2),
        {},
        ArgumentError,
        "one of relu units",
    ),
    "embedding": (lstm(embedding_size=None), {}, ArgumentError, "have an embedding"),
    "decoder": (rnn.LSTM(3, 4, None, embedding_size=2), {}, ArgumentError, "a decoder"),
    "to all": (lstm(input_to_all=True), {}, ArgumentError, "no input_to_all=True"),
    "no net": (3, {}, ArgumentTypeError, "net must be a Model but is int"),
    "vocabulary": (lstm(), {"vocabulary": "ab"}, ArgumentTypeError, "must be a Vocab"),
    "size": (
        lstm(),
        {"vocabulary": rnn.Vocabulary("abc", boundary=True)},
        ArgumentError,
        "the vocabulary has 4 symbols, the net 3",
    ),
    "boundary": (
        lstm(),
        {"vocabulary": rnn.Vocabulary("abc")},
        ArgumentError,
        "bounda",
    ),
    "emoji": (
        lstm(),
        {"vocabulary": rnn.Vocabulary("a\U0001f600", boundary=True)},
        ArgumentError,
        "is two characters in JavaScript",
    ),
    "solver": (lstm(), {"solver": 3}, ArgumentTypeError, "solver must be a Solver"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_recurrentjs_has_not_is_refused(case: str, tmp_path: Path) -> None:
    net, options, error, words = REFUSED[case]
    with pytest.raises(error, match=r"^to_recurrentjs: ") as caught:
        convert.to_recurrentjs(net, tmp_path / "net.json", **options)
    assert words in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_a_number_that_json_has_not_is_refused_with_its_place() -> None:
    net = lstm()
    bias = net["layers.1.forget.bias"]
    bias.value = np.array([[0.0], [0.0], [np.nan], [0.0]], np.float32)
    with pytest.raises(NonFiniteError, match=r"model\.bf1\.w\[2\] is nan"):
        convert.to_recurrentjs(net)


def test_both_packages_have_the_one_reader() -> None:
    assert convert.from_recurrentjs is compat.from_recurrentjs
    assert recurrentjs.Imported is compat.Imported
    assert convert.to_recurrentjs(lstm(), vocabulary=WORDS)["vocab"] == ["a", "b"]
