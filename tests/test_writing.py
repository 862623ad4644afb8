"""What a text model writes: prompts, stops, streams, branches, many at once."""

import itertools
import os
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import ArrayLike, NDArray

import oracle
import recurrentnn as rnn
from constant import net_of
from recurrentnn.data import Alphabet
from recurrentnn.generation import Writer
from recurrentnn.text_model import TextModel

TEXT = "the cat sat on the mat,\nand the rat ran at the cat. naïve “ä”\n"


def running() -> rnn.CharModel:
    model = rnn.CharModel.create(TEXT, hidden_sizes=[12], dtype="float64")
    oracle.stir(model.net, 1.0)
    return model


def of_lines() -> rnn.CharModel:
    model = rnn.CharModel.create(TEXT, lines=True, hidden_sizes=[12], dtype="float64")
    oracle.stir(model.net, 1.0)
    return model


class Bytes:
    """A vocabulary of all bytes."""

    def encode(self, text: str) -> NDArray[np.int64]:
        return np.frombuffer(text.encode(), dtype=np.uint8).astype(np.int64)

    def decode(self, symbols: ArrayLike) -> bytes:
        return bytes(np.asarray(symbols).tolist())

    def __len__(self) -> int:
        return 256


class ByteModel(Writer):
    """A net of bytes; with `text`, it writes that, over and over."""

    def __init__(self, text: bytes = b"") -> None:
        self.vocabulary = Bytes()  # type: ignore[assignment]
        if not text:
            self.net = rnn.GRU(256, [8], 256, dtype="float64", seed=3)
            oracle.stir(self.net, 1.0)
            return
        # One unit per byte of the text, on when that byte was the last: a byte may not
        # come twice.
        assert len(set(text)) == len(text)
        self.net = rnn.RNN(256, [len(text)], 256, dtype="float64")
        for matrix in self.net.parameters().values():
            matrix.value[...] = 0.0
        for place, byte in enumerate(text):
            following = text[(place + 1) % len(text)]
            self.net["layers.0.hidden.weight_x"].value[place, byte] = 50.0
            self.net["decoder.weight"].value[following, place] = 50.0


@pytest.fixture(params=["running", "lines", "bytes"])
def model(request: pytest.FixtureRequest) -> Writer:
    made: dict[str, Callable[[], Writer]] = {
        "running": running,
        "lines": of_lines,
        "bytes": ByteModel,
    }
    return made[request.param]()


OPTIONS: list[dict[str, Any]] = [
    {},
    {"temperature": 0.7, "top_k": 12},
    {"top_p": 0.9, "repetition_penalty": 1.2, "repetition_window": 8},
    {"stop": ["at", "e"]},
    {"banned": "aeo", "min_p": 0.05},
    {"greedy": True},
]


@pytest.mark.parametrize("options", OPTIONS)
def test_pieces_put_together_are_the_whole(
    model: Writer, options: dict[str, Any]
) -> None:
    whole, _ = model.generate("the ", 80, seed=4, **options)
    pieces = list(model.stream_text("the ", 80, seed=4, **options))
    assert "".join(pieces) == whole
    assert "" not in pieces
    # With nothing to wait for, every code point comes by itself.
    if "stop" not in options and not isinstance(model, ByteModel):
        assert all(len(piece) == 1 for piece in pieces)


@pytest.mark.parametrize("options", OPTIONS)
def test_what_goes_on_from_a_place_is_what_would_have_followed(
    model: Writer, options: dict[str, Any]
) -> None:
    options = {name: value for name, value in options.items() if name != "stop"}
    whole, _ = model.generate("the ", 60, seed=4, **options)
    text, place = model.generate("the ", 23, seed=4, **options)
    second, place = model.generate(length=0, start=place, **options)
    third, place = model.generate(length=17, start=place, **options)
    fourth = "".join(model.stream_text(length=20, start=place, **options))
    if not model.lines:
        assert text + second + third + fourth == whole
    else:
        # Behind its end, another line begins.
        assert whole.startswith(text)


def test_a_prompt_may_come_in_two_parts() -> None:
    lm = running()
    whole, _ = lm.generate("the cat ", 30, greedy=True, repetition_penalty=1.3)
    _, place = lm.generate("the ", 0, greedy=True)
    rest, _ = lm.generate("cat ", 30, start=place, greedy=True, repetition_penalty=1.3)
    assert rest == whole


@pytest.mark.parametrize("count", [1, 2, 7])
def test_samples_of_many_are_the_same_however_many(model: Writer, count: int) -> None:
    many = model.sample_many(count, "the ", 50, seed=9, top_p=0.95)
    assert many == model.sample_many(7, "the ", 50, seed=9, top_p=0.95)[:count]
    assert many[0] == model.sample("the ", 50, seed=9, top_p=0.95)
    assert len(set(many)) == count
    assert all(text.startswith("the ") for text in many)


def test_branches_of_a_place_begin_with_what_would_have_followed(
    model: Writer,
) -> None:
    text, place = model.generate("the ", 20, seed=2)
    branches = model.branch(place, 5, 30)
    following, after = model.generate(length=30, start=place)
    assert branches[0][0] == following
    assert len({branch for branch, _ in branches}) == 5
    assert model.branch(place, 5, 30)[3][0] == branches[3][0], "the place was changed"
    more, _ = model.generate(length=10, start=branches[3][1])
    if not model.lines:
        assert branches[3][0] + more == model.branch(place, 5, 40)[3][0]
        assert after.position == 50
        assert text
    other = model.branch(place, 5, 30, seed=77)
    assert [t for t, _ in other] != [t for t, _ in branches]


def test_what_is_drawn_is_the_address_of_seed_and_sample() -> None:
    lm = running()
    [_, second] = lm.sample_many(2, "the ", 40, seed=5)
    own, _ = lm.generate("the ", 40, start=rnn.Continuation(seed=5, sample=1))
    assert "the " + own == second


def test_a_stop_text_ends_it_and_is_not_written() -> None:
    lm = running()
    whole, _ = lm.generate("the ", 200, seed=3)
    for stop in (whole[20:22], whole[31:36], whole[5]):
        expected = whole[: whole.index(stop)]
        assert lm.generate("the ", 200, seed=3, stop=stop)[0] == expected
        assert "".join(lm.stream_text("the ", seed=3, stop=stop)) == expected
    either = [whole[40:44], whole[30:33]]
    cut = min(whole.index(stop) for stop in either)
    assert lm.generate("the ", 200, seed=3, stop=either)[0] == whole[:cut]


def test_a_function_may_end_it() -> None:
    lm = running()
    whole, _ = lm.generate("the ", 100, seed=3)
    seen = []

    def enough(text: str) -> bool:
        seen.append(text)
        return len(text) == 20

    text, place = lm.generate("the ", 100, seed=3, stop=enough)
    assert text == whole[:20]
    assert seen == [whole[: n + 1] for n in range(20)]
    assert lm.generate(length=80, start=place)[0] == whole[20:]
    assert "".join(lm.stream_text("the ", seed=3, stop=enough)) == whole[:20]


def test_a_function_ends_each_of_many_by_itself() -> None:
    lm = running()

    def enough(text: str) -> bool:
        return text.count("a") == 2

    many = lm.sample_many(6, "the ", 300, seed=1, stop=enough)
    whole = lm.sample_many(6, "the ", 300, seed=1)
    for text, all_of_it in zip(many, whole, strict=True):
        end = [i for i, c in enumerate(all_of_it[4:]) if c == "a"][:2]
        assert text == all_of_it[: 4 + end[1] + 1] if len(end) == 2 else all_of_it


def test_only_allowed_characters_are_written_and_no_banned_ones(
    model: Writer,
) -> None:
    allowed, _ = model.generate("the ", 60, allowed="cat ")
    assert set(allowed) <= set("cat ")
    banned, _ = model.generate("the ", 300, banned="aet ")
    assert not set(banned) & set("aet ")
    assert set(model.beam("the ", 6, width=3, allowed="at")[0].text[4:]) <= set("at")


def test_a_line_may_end_though_only_some_characters_are_allowed() -> None:
    lm = of_lines()
    lines = lm.sample_many(30, "", 400, allowed="t")
    assert set("".join(lines)) <= {"t"}
    assert min(map(len, lines)) < 400
    with pytest.raises(rnn.ArgumentError, match="allowed and banned"):
        running().generate("the ", 5, allowed="")


@pytest.mark.parametrize("option", ["allowed", "banned", "stop"])
def test_what_it_cannot_write_is_refused_alike(option: str) -> None:
    """By a vocabulary, and by an alphabet that would read it as the unknown symbol."""
    alphabet = Alphabet.of("a cat sat", max_size=9)
    unknown = TextModel(rnn.GRU(len(alphabet), 3, len(alphabet)), alphabet)
    for lm in (running(), of_lines(), unknown):
        given: Any = {option: "aXtYX" if option != "stop" else ["at", "Xa", "Y"]}
        found = "'Xa', 'Y'" if option == "stop" else "'X', 'Y'"
        words = f"generate: {option} has {found}, which the model cannot write"
        with pytest.raises(rnn.VocabularyError, match=words):
            lm.generate("at", 5, **given)
        if option != "stop":
            with pytest.raises(rnn.VocabularyError, match=words):
                lm.beam("at", 5, **given)
    # The unknown symbol has a character of its own.
    text = unknown.generate("at", 5, allowed="\ufffd")[0]
    assert text == "\ufffd" * 5


def test_the_end_of_a_line_is_a_place_from_which_the_next_one_begins() -> None:
    lm = of_lines()
    line, place = lm.generate("the ", 1000, seed=6)
    assert len(line) < 1000
    assert place.last == (rnn.Vocabulary.BOUNDARY,)
    following, _ = lm.generate(length=1000, start=place)
    assert "\n" not in line + following


def test_unknown_characters_of_a_prompt() -> None:
    lm = running()
    with pytest.raises(rnn.VocabularyError, match="X"):
        lm.generate("the Xcat", 5)
    skipped, _ = lm.generate("the Xc§at", 20, unknown="skip")
    assert skipped == lm.generate("the cat", 20)[0]
    replaced, _ = lm.generate("theXcat", 20, unknown="replace")
    assert replaced == lm.generate("the cat", 20)[0]
    assert lm.sample("the Xcat", 20, unknown="skip").startswith("the Xcat")
    with pytest.raises(rnn.ArgumentError, match="unknown must be 'error', 'skip'"):
        lm.generate("the", 5, unknown="ignore")  # type: ignore[arg-type]
    bare = rnn.CharModel.create("ab", hidden_sizes=[3])
    with pytest.raises(rnn.VocabularyError, match="neither"):
        bare.generate("aXb", 5, unknown="replace")


def test_a_prompt_may_be_a_file(tmp_path: Path) -> None:
    lm, path = running(), tmp_path / "prompt.txt"
    path.write_bytes("the “cat”\r\n".encode())
    assert lm.sample(path, 30) == lm.sample("the “cat”\n", 30)
    with pytest.raises(OSError, match="absent"):
        lm.sample(tmp_path / "absent", 30)
    with pytest.raises(rnn.ArgumentTypeError, match="text: must be a string"):
        lm.sample(7, 30)  # type: ignore[arg-type]
    assert isinstance(path, os.PathLike)


def test_a_prompt_may_be_longer_than_what_is_written() -> None:
    lm = running()
    assert lm.sample(TEXT * 5, 3)[: len(TEXT) * 5] == TEXT * 5
    assert lm.sample(TEXT, 0) == TEXT


@pytest.mark.parametrize("text", ["aé€😀", "xyz", "é", "😀"])
def test_bytes_are_handed_out_as_whole_code_points(text: str) -> None:
    lm = ByteModel(text.encode())
    first, last = text[0], text[-1]
    pieces = lm.stream_text(last, greedy=True)
    assert list(itertools.islice(pieces, 3 * len(text))) == list(text) * 3
    size = len(text.encode())
    for length in range(3 * size):
        cut = (text.encode() * 4)[:length].decode(errors="ignore")
        begun, place = lm.generate(last, length, greedy=True)
        assert begun == cut
        rest, _ = lm.generate(length=4 * size - length, start=place, greedy=True)
        assert begun + rest == text * 4
    assert first in text


def test_bytes_that_are_no_utf8_are_replaced() -> None:
    pieces = list(ByteModel(b"a\xff\xe2\x82").stream_text("a", 8, greedy=True))
    assert "".join(pieces) == "\ufffd\ufffda\ufffd\ufffda"
    written = list(ByteModel().stream_text("a", 2000))
    assert "".join(written).encode().decode() == "".join(written)


def test_endless_text_can_be_left_at_any_time() -> None:
    lm = running()
    pieces = lm.stream_text("the ", seed=4)
    assert isinstance(pieces, Iterator)
    begun = "".join(itertools.islice(pieces, 30))
    assert begun == lm.generate("the ", 30, seed=4)[0]


def test_wrong_options_are_refused_at_the_call_not_at_the_first_piece() -> None:
    lm = running()
    with pytest.raises(rnn.ArgumentError, match="top_p"):
        lm.stream_text("the ", top_p=2.0)
    with pytest.raises(TypeError, match="topp"):
        lm.generate("the ", topp=2.0)  # type: ignore[call-arg]
    with pytest.raises(rnn.ArgumentTypeError, match="stop must be"):
        lm.generate("the ", stop=[3])  # type: ignore[list-item]
    with pytest.raises(rnn.VocabularyError, match="X"):
        lm.generate("the ", stop="X")
    with pytest.raises(rnn.ArgumentTypeError, match="start must be"):
        lm.generate("the ", start="there")  # type: ignore[arg-type]
    with pytest.raises(rnn.ArgumentError, match="count"):
        lm.sample_many(0, "the ")
    with pytest.raises(rnn.ArgumentError, match="length"):
        lm.generate("the ", -1)


def test_a_beam_writes_the_prompt_and_the_most_probable() -> None:
    lm = of_lines()
    found = lm.beam("the ", 12, width=5)
    assert [f.score for f in found] == sorted((f.score for f in found), reverse=True)
    greedy = lm.beam("the ", 12, width=1, length_penalty=0.0)
    assert greedy[0].text == lm.greedy("the ", 12)
    # Of many short ones, the END is likely enough to be reached behind a letter.
    found = lm.beam("", 3, width=400, length_penalty=0.0)
    ended = [f for f in found if f.ended and f.text.strip()]
    assert len(ended) > 3
    for one in ended:
        np.testing.assert_allclose(lm.score(one.text).total, one.log_probability)
    whole = running().beam("the ", 8, width=3)[0]
    own = running().score(whole.text[4:], prompt="the ")
    np.testing.assert_allclose(own.total, whole.log_probability)
    assert whole.score == whole.log_probability / 8


def test_one_symbol_can_be_written_for_ever() -> None:
    lm = rnn.CharModel(net_of([0.0]), rnn.Vocabulary("a"))
    assert lm.sample("a", 5) == "aaaaaa"
    assert lm.score("aaa").bits == 0.0


def test_a_stream_keeps_nothing_of_what_it_handed_out() -> None:
    lm = rnn.CharModel(net_of([0.0, 1.0]), rnn.Vocabulary("ab"))
    pieces = lm.stream_text("a", stop="aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")
    sizes = []
    tracemalloc.start()
    try:
        for _ in range(3):
            assert len("".join(itertools.islice(pieces, 3000))) >= 3000
            sizes.append(tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()
    assert sizes[2] - sizes[1] < 2000
