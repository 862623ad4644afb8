"""Weighted, smoothed and incomplete losses against PyTorch and the reference."""

from typing import Any

import numpy as np
import pytest

import recurrentnn as rnn
from recurrentnn import reference as ref
from recurrentnn.training.losses import cross_entropy, pointwise
from support import assert_close, require, tolerance

rng = np.random.default_rng(5)
LOGITS = rng.normal(size=(4, 9)) * 2
TARGETS = rng.integers(0, 4, 9)
COUNTS = np.array([1, 1, 0, 1, 1, 1, 0, 1, 1], dtype=bool)
WEIGHTS = np.array([0.5, 2.0, 1.0, 0.25])

CASES: list[dict[str, Any]] = [
    {},
    {"class_weights": WEIGHTS},
    {"smoothing": 0.1},
    {"class_weights": WEIGHTS, "smoothing": 0.3},
]


@pytest.mark.parametrize("options", CASES)
def test_it_is_pytorchs(options: dict[str, Any], dtype: str) -> None:
    torch = require("torch")
    logits = rnn.Matrix(LOGITS, dtype=dtype)
    with rnn.Graph() as graph:
        loss = cross_entropy(graph, logits, TARGETS, COUNTS, **options)
    graph.backward(loss.mean)
    theirs = torch.tensor(LOGITS.T, dtype=getattr(torch, dtype), requires_grad=True)
    weight = options.get("class_weights")
    expected = torch.nn.functional.cross_entropy(
        theirs,
        torch.tensor(np.where(COUNTS, TARGETS, -100)),
        weight=None if weight is None else torch.tensor(weight, dtype=theirs.dtype),
        label_smoothing=options.get("smoothing", 0.0),
    )
    expected.backward()
    assert_close(loss.mean.item(), expected.item(), tolerance(dtype))
    assert_close(logits.grad, theirs.grad.numpy().T, tolerance(dtype, "gradient"))


@pytest.mark.parametrize("options", CASES)
def test_it_is_the_references(options: dict[str, Any]) -> None:
    with rnn.Graph() as graph:
        loss = cross_entropy(
            graph, rnn.Matrix(LOGITS, dtype="float64"), TARGETS, COUNTS, **options
        )
    weights = options.get("class_weights", np.ones(4))
    expected = ref.weighted_cross_entropy(
        LOGITS.T.tolist(),
        [int(t) if c else None for t, c in zip(TARGETS, COUNTS, strict=True)],
        weights.tolist(),
        options.get("smoothing", 0.0),
    )
    assert_close(loss.mean.item(), expected, 1e-12)


@pytest.mark.parametrize("kind", ["squared", "absolute", "huber"])
def test_what_is_left_out_has_no_gradient(kind: str) -> None:
    target = rng.normal(size=(2, 5))
    target[1, 3] = np.nan
    prediction = rnn.Matrix(rng.normal(size=(2, 5)), dtype="float64")
    with rnn.Graph() as graph:
        loss = pointwise(graph, kind, prediction, target)
    graph.backward(loss.mean)
    assert loss.weight == 9
    assert prediction.grad[1, 3] == 0
    assert np.count_nonzero(prediction.grad) == 9


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda g, m: cross_entropy(g, m, TARGETS, np.zeros(9, bool)), "none counts"),
        (
            lambda g, m: cross_entropy(g, m, TARGETS, COUNTS, np.ones(3)),
            "one for each of 4",
        ),
        (lambda g, m: cross_entropy(g, m, TARGETS, COUNTS, np.zeros(4)), "are 0"),
        (lambda g, m: pointwise(g, "squared", m, np.full((4, 9), np.nan)), "NaN"),
    ],
)
def test_a_mistake_is_named(call: Any, words: str) -> None:
    with rnn.Graph() as graph, pytest.raises(rnn.ArgumentError, match=words):
        call(graph, rnn.Matrix(LOGITS))
