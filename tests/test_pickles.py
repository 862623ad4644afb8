"""Copies and pickles of every object go through bytes that are checked when read."""

import copy
import pickle
from typing import Any

import numpy as np
import pytest

import recurrentnn as rnn
import runs


def again(thing: Any) -> list[Any]:
    """Return copies made by every way there is."""
    made = [copy.copy(thing), copy.deepcopy(thing)]
    protocols = range(2, pickle.HIGHEST_PROTOCOL + 1)
    return [*made, *(pickle.loads(pickle.dumps(thing, p)) for p in protocols)]


@pytest.mark.parametrize("cell", runs.CELLS)
def test_a_net_comes_back_in_memory_of_its_own(cell: str, dtype: str) -> None:
    net = runs.net(cell, dtype=dtype)
    for made in again(net):
        assert type(made) is type(net)
        assert made.config() == net.config()
        for name, matrix in net.parameters().items():
            np.testing.assert_array_equal(made[name].value, matrix.value)
            assert not np.shares_memory(made[name].value, matrix.value)


class Named(rnn.LSTM):
    """A net of one's own, with attributes."""


def test_a_net_of_ones_own_class_keeps_class_and_attributes() -> None:
    net = Named(2, 3, 1)
    net.label = "mine"  # type: ignore[attr-defined]
    for made in again(net):
        assert type(made) is Named
        assert vars(made) == {"label": "mine"}


def test_a_character_model_goes_on_learning_as_it_would_have() -> None:
    options: dict[str, Any] = {"batch_size": 4, "seq_length": 9, "seed": 1}
    model = rnn.CharModel.create(runs.TEXT, hidden_sizes=6)
    model.learn(runs.TEXT, steps=5, **options)
    made = again(model)
    model.learn(runs.TEXT, steps=5, **options)
    for other in made:
        assert [r.loss for r in other.history] == [r.loss for r in model.history[:2]]
        other.learn(runs.TEXT, steps=5, **options)
        assert other.steps == 10
        for name, matrix in model.net.parameters().items():
            np.testing.assert_array_equal(other.net[name].value, matrix.value)


@pytest.mark.parametrize("boundary", [True, False])
def test_a_vocabulary_comes_back(boundary: bool) -> None:
    vocabulary = rnn.Vocabulary.from_text("naïve 🦀", boundary=boundary)
    for made in again(vocabulary):
        assert made == vocabulary
        assert made.boundary == boundary


@pytest.mark.parametrize("name", ["SGD", "RMSProp", "Adam", "AdamW", "Lion"])
def test_an_optimizer_comes_back_with_its_settings(name: str) -> None:
    """What it remembers is of matrices, which a copy has not: that is `state`."""
    optimizer = getattr(rnn, name)(
        0.25, clip_norm=2.0, groups={"decoder.*": {"learning_rate": 0.5}}
    )
    optimizer.rate_factor = 0.5
    for made in again(optimizer):
        assert type(made) is type(optimizer)
        assert made.config() == optimizer.config()
        assert made.rate_factor == 0.5


def test_a_state_comes_back() -> None:
    _, state = rnn.LSTM(2, 3, 1)(np.ones((4, 5, 2)))
    for made in again(state):
        np.testing.assert_array_equal(made.hidden[0], state.hidden[0])
        np.testing.assert_array_equal(made.cell[0], state.cell[0])


def test_a_damaged_pickle_is_refused() -> None:
    net = rnn.GRU(2, 3, 1)
    data = pickle.dumps(net)
    weights = net["decoder.weight"].value.tobytes()
    assert weights in data
    data = data.replace(weights, weights[::-1])
    with pytest.raises(rnn.FormatError, match="checksum"):
        pickle.loads(data)
