"""What is seen inside a net is what is there."""

from typing import Any

import numpy as np
import pytest

import recurrentnn as rnn
from live import TEXT
from recurrentnn.data import Alphabet
from recurrentnn.demo import look
from recurrentnn.errors import ArgumentError, NonFiniteError
from recurrentnn.models import MODELS
from recurrentnn.text_model import TextModel


def language(**options: Any) -> rnn.CharModel:
    chosen: dict[str, Any] = {"lines": False, "hidden_sizes": [6, 5]} | options
    return rnn.CharModel.create(TEXT.text, **chosen)


@pytest.mark.parametrize("cell", MODELS)
def test_values_are_the_nets_own(cell: str) -> None:
    """All signals of all layers, as `Model.activations` has them."""
    lm = language(cell=cell)
    text = TEXT.text[:40]
    expected = lm.net.activations(lm.vocabulary.encode(text))
    seen = {"output"}
    for layer, found in enumerate(look.signals(lm.net)):
        for signal in found:
            name = f"layers.{layer}.{signal['name']}"
            seen.add(name)
            answer = look.look(lm, text, layer, signal["name"])
            assert answer["text"] == list(text)
            assert answer["units"] == signal["units"] == expected[name].shape[1]
            np.testing.assert_allclose(answer["values"], expected[name], atol=5.1e-4)
            for row, best in zip(expected[name], answer["strongest"], strict=True):
                units = [unit for unit, _ in best]
                order = np.abs(row)[units]
                assert (np.diff(order) <= 0).all()
                assert order[-1] >= np.abs(np.delete(row, units)).max(initial=0)
    assert seen == set(expected)


def test_what_comes_next_is_the_nets_distribution() -> None:
    """The most probable first, as `score` has it."""
    lm = language()
    text = TEXT.text[:30]
    found = look.look(lm, text, 0, "hidden")["next"]
    logs = lm.score(text).log_probabilities
    for best, follows, log in zip(found, text[1:], logs, strict=False):
        shares = dict(map(tuple, best))
        assert list(shares.values()) == sorted(shares.values(), reverse=True)
        if follows in shares:
            assert shares[follows] == pytest.approx(np.exp(log), abs=1e-3)


def test_lines_are_read_each_by_itself() -> None:
    """Behind its START, which is shown as a line's end."""
    lm = language(lines=True)
    one, two = TEXT.text.split("\n")[:2]
    both = look.look(lm, f"{one}\n\n{two}", 1, "cell")
    alone = look.look(lm, two, 1, "cell")
    assert both["text"] == ["\n", *one, "\n", *two]
    assert both["values"][len(one) + 1 :] == alone["values"]


@pytest.mark.parametrize("gate", ["scalar", "vector"])
def test_gates_say_which_layer_listens_to_which(gate: str) -> None:
    """Row: who listens; column: to whom; the mean over a gate's units."""
    lm = language(cell="gflstm", hidden_sizes=[4, 3, 2], cell_options={"gate": gate})
    text = TEXT.text[:9]
    expected = lm.net.activations(lm.vocabulary.encode(text))
    found = np.array(look.look(lm, text, 0, "hidden")["gates"])
    assert found.shape == (9, 3, 3)
    for into in range(3):
        for source in range(3):
            values = expected[f"layers.{into}.feedback.{source}.gate"].mean(axis=1)
            np.testing.assert_allclose(found[:, into, source], values, atol=5.1e-4)
    assert look.look(language(), text, 0, "hidden")["gates"] is None


def test_an_answer_is_not_larger_than_its_limit() -> None:
    lm = language(hidden_sizes=[500])
    text = (TEXT.text * 9)[: look.MOST_SYMBOLS]
    found = look.look(lm, text, 0, "hidden")
    assert found["units"] == 500
    assert sum(map(len, found["values"])) <= look.MOST_VALUES
    part = look.look(lm, text, 0, "hidden", first=450)
    assert len(part["values"][0]) == 50
    whole = look.look(lm, text[:20], 0, "hidden")["values"]
    np.testing.assert_allclose(part["values"][5], whole[5][450:], atol=1.1e-3)
    with pytest.raises(ArgumentError, match="at most 1000 symbols"):
        look.look(lm, text + "a", 0, "hidden")
    with pytest.raises(ArgumentError, match="first must be from 0 to 499"):
        look.look(lm, "a", 0, "hidden", first=500)


def test_unknown_characters_are_read_somehow() -> None:
    lm = language()
    assert look.look(lm, "\u4e2d", 0, "hidden")["text"] == [" "]
    bare = rnn.CharModel.create("abab", hidden_sizes=3)
    assert look.look(bare, "a\u4e2db", 0, "hidden")["text"] == ["a", "b"]
    with pytest.raises(ArgumentError, match="must not be empty"):
        look.look(bare, "\u4e2d", 0, "hidden")


@pytest.mark.parametrize("unit", ["bytes", "words"])
def test_bytes_and_words_are_looked_into(unit: str) -> None:
    raw = TEXT.text.encode() if unit == "bytes" else TEXT.text
    code = Alphabet.of(raw, unit, max_size=20)
    lm = TextModel(rnn.GRU(len(code), 4, len(code)), code)
    found = look.look(lm, TEXT.text[:30], 0, "hidden")
    assert all(isinstance(symbol, str) for symbol in found["text"])
    assert len(found["text"]) == len(found["values"])


def test_weights_are_means_of_blocks() -> None:
    net = language(hidden_sizes=[300]).net
    value = net["layers.0.input.weight_h"].value.astype(float)
    found = look.weigh(net, "layers.0.input.weight_h")
    assert (found["rows"], found["columns"]) == (300, 300)
    small = np.array(found["values"])
    assert small.shape == (128, 128)
    edges = np.append(np.arange(128) * 300 // 128, 300)
    block = value[edges[3] : edges[4], edges[127] : edges[128]]
    assert small[3, 127] == pytest.approx(block.mean(), abs=1e-4)
    assert (found["low"], found["high"]) == (value.min(), value.max())
    bias = look.weigh(net, "decoder.bias")
    assert np.shape(bias["values"]) == (net.output_size, 1)


def test_numbers_that_are_none_are_said() -> None:
    lm = language()
    weight = lm.net["decoder.weight"]
    weight.value = np.full(weight.shape, np.nan, np.float32)
    with pytest.raises(NonFiniteError, match="infinite or NaN"):
        look.look(lm, "a", 0, "hidden")
    with pytest.raises(NonFiniteError, match="infinite or NaN"):
        look.weigh(lm.net, "decoder.weight")
