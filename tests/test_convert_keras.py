"""Keras's arrays, both ways, against what Keras computed (golden/make_keras.py)."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import recurrentnn as rnn
from recurrentnn import convert
from recurrentnn.errors import (
    ArgumentError,
    ArgumentTypeError,
    DTypeError,
    FormatError,
    ShapeError,
)
from support import ROOT, assert_close, tolerance

Array = NDArray[Any]

HAS_DIRECTIONS = "bidirectional" in rnn.LSTM(1, 1, 1).config()


def golden() -> dict[str, Array]:
    path = ROOT / "tests" / "golden" / "keras.npz"
    with np.load(path, allow_pickle=False) as file:
        return dict(file)


GOLDEN = golden()
CASES = sorted({name.rpartition(".")[0] for name in GOLDEN})
# Keras on JAX computes in float32, whatever our net does with its arrays.
BOUND = tolerance("float32")


def weights_of(case: str) -> list[Array]:
    count = sum(name.startswith(f"{case}.w") for name in GOLDEN)
    return [GOLDEN[f"{case}.w{i}"] for i in range(count)]


def options_of(case: str) -> dict[str, Any]:
    """What `from_keras` has to be told."""
    return {
        "embedding": "text" in case,
        "decoder": "text" in case,
        "bias": "nobias" not in case,
        "bidirectional": "both" in case,
        "reset": "before" if "before" in case else "after",
        "activation": "relu" if "relu" in case else "tanh",
    }


def test_all_cases_are_there() -> None:
    """Five layers: with bias, without, both ways, as text."""
    assert len(CASES) == 5 * 4


@pytest.mark.parametrize("case", CASES)
def test_the_arrays_give_kerass_output_and_come_back(case: str, dtype: str) -> None:
    """Back they are the same arrays, but for a GRU's two biases, whose sum is."""
    weights, options = weights_of(case), options_of(case)
    if options["bidirectional"] and not HAS_DIRECTIONS:
        with pytest.raises(ArgumentError, match="has no bidirectional yet"):
            convert.from_keras(weights, **options)
        return
    assert convert.from_keras(weights, **options).dtype == np.float32
    net = convert.from_keras(weights, dtype=dtype, **options)
    x = GOLDEN[f"{case}.x"]
    x = x if "text" in case else x.astype(dtype)
    y = np.asarray(net(x)[0])
    assert y.dtype == dtype
    assert_close(y, GOLDEN[f"{case}.y"], BOUND)
    back = convert.to_keras(net, bias=options["bias"])
    assert [w.shape for w in back] == [w.shape for w in weights]
    for i, (found, given) in enumerate(zip(back, weights, strict=True)):
        two_biases = found.ndim == 2 and len(found) == 2 and "gru-after" in case
        if (
            not two_biases
            or "embedding" in case
            or i % 3 != (2 + options["embedding"]) % 3
        ):
            np.testing.assert_array_equal(found, given, f"{i}")
            continue
        units = found.shape[1] // 3
        np.testing.assert_array_equal(found[:, 2 * units :], given[:, 2 * units :])
        assert_close(found.sum(0), given.sum(0), BOUND)
        assert not found[1, : 2 * units].any()
    again = convert.from_keras(back, **options)
    np.testing.assert_array_equal(np.asarray(again(x)[0]), y)


def test_the_two_grus_are_different_nets() -> None:
    """The shape of the bias tells them apart, whatever was said."""
    for case, reset in (
        ("gru-after", "after"),
        ("gru-before", "before"),
    ):
        net = convert.from_keras(weights_of(case))
        assert net.config()["reset"] == reset
    without = weights_of("gru-before-nobias")
    mistaken = convert.from_keras(without, bias=False, reset="after")
    y = np.asarray(mistaken(GOLDEN["gru-before-nobias.x"])[0])
    assert np.abs(y - GOLDEN["gru-before-nobias.y"]).max() > 0.01


def spoiled(at: int, array: Any) -> list[Any]:
    weights: list[Any] = weights_of("lstm-text")
    weights[at] = array
    return weights


TEXT = {"embedding": True, "decoder": True}
NAN = np.ones((7, 2))
NAN[2, 1] = np.inf
WRONG: dict[str, tuple[Any, dict[str, Any], type[Exception], str]] = {
    "not a list": (3, {}, ArgumentTypeError, "must be a list of arrays but is int"),
    "an array": (np.ones(3), {}, ArgumentTypeError, "but is ndarray"),
    "nothing": ([], {}, ArgumentError, "expected 3 arrays a layer and 0 around them"),
    "nothing around": ([], TEXT, ArgumentError, "no arrays for the decoder"),
    "around unsaid": (weights_of("lstm-text")[:8], {}, ArgumentError, "are 8"),
    "no bias unsaid": (weights_of("lstm-nobias"), {}, ArgumentError, "are 4"),
    "gates": (
        [np.ones((2, 8)), np.ones((4, 8)), np.ones(8)],
        {},
        ArgumentError,
        "weights[1].T has 8 rows for 4 units",
    ),
    "kernel": (spoiled(1, np.ones((2, 19))), TEXT, ShapeError, "weights[1], a kernel,"),
    "recurrent": (spoiled(5, np.ones((5, 12))), TEXT, ShapeError, "weights[5], a rec"),
    "bias": (spoiled(3, np.ones((2, 20))), TEXT, ShapeError, "weights[3], a bias,"),
    "dense": (
        spoiled(8, np.ones(6)),
        TEXT,
        ShapeError,
        "weights[8], a bias, must be (7)",
    ),
    "top": (
        spoiled(7, np.ones((4, 7))),
        TEXT,
        ShapeError,
        "the decoder reads 4 numbers",
    ),
    "embedding": (spoiled(0, np.ones((7, 3))), TEXT, ShapeError, "layer 0 reads 2"),
    "integers": (spoiled(0, np.ones((7, 2), int)), TEXT, DTypeError, "weights[0] must"),
    "infinite": (spoiled(0, NAN), TEXT, FormatError, "weights[0][2, 1] is inf"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_arrays_are_refused(case: str) -> None:
    weights, options, error, words = WRONG[case]
    with pytest.raises(error, match=r"^from_keras: ") as caught:
        convert.from_keras(weights, **options)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("net", "words"),
    [
        (rnn.GFGRU(2, 3, 1), "no cell gfgru"),
        (rnn.RNN(2, [3, 3], 1, input_to_all=True), "no input_to_all=True"),
        (rnn.RNN(2, [3, 3], 1, all_to_output=True), "no all_to_output=True"),
    ],
    ids=str,
)
def test_what_keras_has_not_is_refused(net: rnn.Model, words: str) -> None:
    with pytest.raises(ArgumentError, match=r"^to_keras: ") as caught:
        convert.to_keras(net)
    assert words in str(caught.value)


def test_a_bias_is_not_left_out() -> None:
    with pytest.raises(ArgumentError, match="the biases of layer 0 are not 0"):
        convert.to_keras(rnn.LSTM(2, 3, 1), bias=False)
