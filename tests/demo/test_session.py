"""The thread that learns: its phases, what acts at once, and what it survives."""

import json
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import recurrentnn as rnn
from live import PATIENCE, SMALL, TEXT, Live
from recurrentnn.builtin_text import Text
from recurrentnn.demo.files import read_upload
from recurrentnn.demo.lesson import Lesson, settings_of
from recurrentnn.demo.race import SETTINGS
from recurrentnn.demo.session import MOST_WAITING, Session
from recurrentnn.demo.snapshot import Cursor
from recurrentnn.errors import ArgumentError
from recurrentnn.models import MODELS
from recurrentnn.optimizers import OPTIMIZERS
from recurrentnn.training import Callback, Update


@pytest.fixture
def session() -> Iterator[Session]:
    """One that has a net and waits."""
    found = Session(TEXT)
    found.start()
    found.learn(SMALL).result(PATIENCE)
    found.pause().result(PATIENCE)
    yield found
    found.close()


def steps(session: Session, count: int) -> None:
    """So many updates; each ends by itself."""
    for _ in range(count):
        before = session.board.step
        session.resume(single=True).result(PATIENCE)
        while session.board.phase != "paused":
            session.ask(lambda: None).result(PATIENCE)
        assert session.board.step == before + 1


def weights(language: Any) -> dict[str, Any]:
    return {n: m.value.copy() for n, m in language.net.parameters().items()}


def test_single_steps_are_the_trainers_own() -> None:
    """Five of them, one by one, have the bits of five by the library's `Trainer`."""
    alone = Lesson.begin(SMALL, TEXT)
    trainer = alone.trainer(Callback())
    assert alone.train is not None
    trainer.fit(alone.train, alone.held_out, steps=5)
    session = Session(TEXT)
    session.start()
    try:
        session.ask(lambda: session._take(Lesson.begin(SMALL, TEXT), "paused")).result()
        steps(session, 5)
        found = weights(session.copied().result())
    finally:
        session.close()
    for name, value in weights(alone.language).items():
        np.testing.assert_array_equal(found[name], value, name)


def test_pause_stops_the_counter_and_resume_goes_on(session: Session) -> None:
    step = session.board.step
    before = weights(session.copied().result())
    assert session.board.phase == "paused"
    session.ask(lambda: None).result(PATIENCE)
    assert session.board.step == step
    for name, value in weights(session.copied().result()).items():
        np.testing.assert_array_equal(before[name], value, name)
    session.resume().result(PATIENCE)
    while session.board.step < step + 20:
        session.ask(lambda: None).result(PATIENCE)
    assert session.board.phase == "learning"


def test_the_rate_acts_on_the_next_update(session: Session) -> None:
    """At a rate of next to nothing the weights stay; at a larger one they do not."""
    session.set_rate(1e-30).result(PATIENCE)
    assert session.board.rate == 1e-30
    before = weights(session.copied().result())
    steps(session, 1)
    same = weights(session.copied().result())
    session.set_rate(0.1).result(PATIENCE)
    steps(session, 1)
    moved = weights(session.copied().result())
    for name, value in before.items():
        np.testing.assert_array_equal(same[name], value, name)
    assert any((moved[name] != value).any() for name, value in before.items())


def test_of_rates_that_wait_the_last_is_set(session: Session) -> None:
    """A slider that is dragged does not hold up what comes after it."""
    began, go = threading.Event(), threading.Event()

    def wait() -> None:
        began.set()
        go.wait(PATIENCE)

    session.ask(wait)
    began.wait(PATIENCE)
    for number in range(1, 2 * MOST_WAITING):
        last = session.set_rate(number / 1000)
    go.set()
    last.result(PATIENCE)
    assert session.board.rate == (2 * MOST_WAITING - 1) / 1000
    session.set_rate(0.5).result(PATIENCE)
    assert session.board.rate == 0.5


def test_what_is_shown_while_it_pauses_is_of_the_net_of_now(session: Session) -> None:
    """A single step, too, is followed by what the net writes after it."""
    steps(session, 1)
    for _ in range(3):
        steps(session, 1)
        session.pause().result(PATIENCE)
        assert session.board.greedy is not None
        assert session.board.greedy["step"] == session.board.step


def test_a_model_that_is_loaded_has_its_loss(session: Session) -> None:
    steps(session, 40)
    file = session.saved().result(PATIENCE)
    session.load(*read_upload(file)).result(PATIENCE)
    now, _ = session.board.now(Cursor(lesson=session.board.lesson))
    assert now["loss"] == now["points"][-1][1] > 0


def test_a_race_begins_with_a_net_that_has_learnt_nothing(session: Session) -> None:
    session.learn(SETTINGS).result(PATIENCE)
    session.pause().result(PATIENCE)
    steps(session, 1)
    assert session.board.race is not None
    file = session.saved().result(PATIENCE)
    session.load(*read_upload(file)).result(PATIENCE)
    steps(session, 1)
    assert session.board.race is None


def test_the_temperature_acts_on_the_next_sample(session: Session) -> None:
    """Next to zero the sample is the greedy line, at a high one it is none."""
    session.set_temperature(1e-6)
    session.ask(session._write).result(PATIENCE)
    cold = session.board._samples.entries[-1]["text"]
    assert session.board.greedy is not None
    assert cold == session.board.greedy["text"]
    session.set_temperature(50.0)
    session.ask(session._write).result(PATIENCE)
    assert session.board._samples.entries[-1]["text"] != cold


def test_numbers_that_run_away_end_in_a_message(session: Session) -> None:
    """The thread lives, the weights are the last good ones, and learning can go on."""
    relu = {"cell": "rnn", "model.activation": "relu", "optimizer": "sgd"}
    session.learn({**SMALL, **relu, "clip_value": 0, "learning_rate": 1e20}).result()
    while session.board.phase != "paused":
        session.ask(lambda: None).result(PATIENCE)
    assert session.board.error is not None
    assert "Lower the learning rate" in session.board.error
    found = weights(session.copied().result())
    assert all(np.isfinite(value).all() for value in found.values())
    session.learn(SMALL).result(PATIENCE)
    assert session.board.error is None
    session.pause().result(PATIENCE)
    steps(session, 1)


def test_a_bug_in_showing_does_not_end_the_thread(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(session.board, "update", broken)
    session.resume().result(PATIENCE)
    while session.board.phase != "paused":
        session.ask(lambda: None).result(PATIENCE)
    assert session.board.error == "RuntimeError: a bug"
    monkeypatch.undo()
    session.resume(single=True).result(PATIENCE)
    steps(session, 1)


@pytest.mark.parametrize("cell", MODELS)
def test_every_cell_learns_and_is_looked_into(cell: str, session: Session) -> None:
    session.learn({**SMALL, "cell": cell, "hidden_sizes": "6,5"}).result(PATIENCE)
    session.pause().result(PATIENCE)
    steps(session, 1)
    facts = session.board.facts
    assert facts["net"]["cell"] == cell
    assert [layer[0] for layer in facts["signals"]] == [
        {"name": "hidden", "units": 6},
        {"name": "hidden", "units": 5},
    ]


@pytest.mark.parametrize("rule", OPTIMIZERS)
def test_every_optimizer_learns(rule: str, session: Session) -> None:
    session.learn({**SMALL, "optimizer": rule}).result(PATIENCE)
    session.pause().result(PATIENCE)
    steps(session, 1)
    assert session._lesson is not None
    assert type(session._lesson.optimizer) is OPTIMIZERS[rule]


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "cell": ({"cell": "transformer"}, "'transformer' is not one of"),
    "a part": ({"hidden_sizes": "8,x"}, "is not a list of sizes"),
    "an option": ({"model.gate": "vector"}, "no option of lstm"),
    "a value": ({"model.dropout": 1.5}, "dropout"),
    "together": ({"lines": True, "unit": "bytes"}, "--lines are of chars"),
    "rate": ({"learning_rate": -1}, "-1"),
    "beta": ({"optimizer": "adam", "optimizer.beta1": 1.0}, "beta1"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_the_command_refuses_leaves_all_as_it_was(
    case: str, session: Session
) -> None:
    settings, words = REFUSED[case]
    lesson = session.board.lesson
    with pytest.raises(ArgumentError) as refused:
        session.learn({**SMALL, **settings})
    assert words in str(refused.value)
    assert session.board.lesson == lesson
    steps(session, 1)


def test_a_text_in_another_script_and_a_tiny_one(session: Session) -> None:
    """What is held out of a text that is too short for it is nothing."""
    session.set_text(Text("длина\nдюны\n", "tiny"))
    session.learn({**SMALL, "validation_fraction": 0.05}).result(PATIENCE)
    session.pause().result(PATIENCE)
    steps(session, 2)
    assert session._lesson is not None
    assert session._lesson.held_out is None


def test_a_text_of_too_many_symbols_is_refused(session: Session) -> None:
    session.set_text(Text("".join(map(chr, range(0x4E00, 0x4E00 + 11_000))), "all"))
    with pytest.raises(ArgumentError, match="different symbols"):
        session.learn({**SMALL, "lines": False})
    session.learn({"lines": False, "max_symbols": 50, "hidden_sizes": "4"}).result()


def test_saved_and_loaded_it_is_the_same_net_and_goes_on(session: Session) -> None:
    """Settings, counts, curve and the optimizer's memory are those of the file."""
    settings = {**SMALL, "optimizer": "adam", "optimizer.beta1": 0.8}
    session.learn({**settings, "model.forget_bias": 0.5}).result(PATIENCE)
    session.pause().result(PATIENCE)
    steps(session, 3)
    data = session.saved().result(PATIENCE)
    greedy = session.board.greedy
    steps(session, 2)
    expected = weights(session.copied().result())
    session.learn(SMALL).result(PATIENCE)
    session.load(*read_upload(data)).result(PATIENCE)
    assert session.board.phase == "paused"
    assert greedy is not None
    assert session.board.greedy is not None
    assert session.board.greedy["text"] != ""
    assert session.board.facts["settings"]["optimizer.beta1"] == 0.8
    assert session.board.facts["settings"]["model.forget_bias"] == 0.5
    assert session.board._curve.entries
    steps(session, 2)
    for name, value in weights(session.copied().result()).items():
        np.testing.assert_array_equal(value, expected[name], name)


def test_a_net_that_cannot_read_the_text_says_so(session: Session) -> None:
    other = rnn.CharModel.create("xyz\nzyx", lines=True, hidden_sizes=4)
    session.load(other, {}, {}).result(PATIENCE)
    with pytest.raises(ArgumentError, match="cannot learn the text"):
        session.resume().result(PATIENCE)
    assert session.board.greedy is not None


@pytest.mark.parametrize(
    "settings",
    [
        "[]",
        "{",
        '{"cell": []}',
        '{"output": "/tmp/x", "resume": true}',
        '{"set": 3}',
        '{"set": {"model": 3}}',
        '{"hidden_sizes": "9999999"}',
        '{"seed": 1e999}',
        "[" * 100_000,
    ],
)
def test_settings_in_a_file_are_not_believed(settings: str) -> None:
    assert settings_of({"settings": settings}) == {}


def test_settings_of_the_command_are_understood() -> None:
    given = {
        "cell": "gru",
        "hidden_sizes": [16, 8],
        "steps": 3,
        "set": {"model": {"reset": "before"}, "optimizer": {"eps": 1e-6}},
    }
    assert settings_of({"settings": json.dumps(given)}) == {
        "cell": "gru",
        "hidden_sizes": "16,8",
        "model.reset": "before",
        "optimizer.eps": 1e-6,
    }


def test_too_many_requests_are_refused_at_once() -> None:
    """One that is not served yet: nothing piles up."""
    session = Session(TEXT)
    for _ in range(MOST_WAITING):
        session.ask(lambda: None)
    with pytest.raises(ArgumentError, match="too much is waiting"):
        session.ask(lambda: None)
    session.start()
    session.close()
    with pytest.raises(ArgumentError, match="has ended"):
        session.pause()


def test_an_update_is_told_with_its_own_numbers() -> None:
    """Over the updates of a record they make up the record's."""
    lesson = Lesson.begin(SMALL, TEXT)
    told: list[Update] = []

    class Ear(Callback):
        def on_update(self, _trainer: Any, update: Update) -> bool:
            told.append(update)
            return len(told) == 50

    trainer = lesson.trainer(Ear())
    assert lesson.train is not None
    history = trainer.fit(lesson.train, steps=1000)
    assert trainer.run.step == len(told) == 50
    first, rest = history[0], history[-1]
    assert first.loss == pytest.approx(told[0].loss)
    symbols = sum(one.symbols for one in told[1:])
    mean = sum(one.loss * one.symbols for one in told[1:]) / symbols
    assert rest.loss == pytest.approx(mean)
    norms = [one.grad_norm for one in told[1:]]
    assert rest.grad_norm == pytest.approx(sum(norms) / len(norms))


def test_two_pages_see_one_session_and_a_lost_one_comes_back_with_all() -> None:
    with Live(SMALL) as live, live.tab() as one, live.tab() as two:
        one.until("now", lambda m: m["step"] > 30)
        step = one.paused()["step"]
        assert two.until("now", lambda m: m["phase"] == "paused")["step"] == step
        two.say("temperature", value=0.5)
        assert one.until("now", lambda m: m["temperature"] == 0.5)["tabs"] == 2
        assert live.post("/text?name=mine", "to be\n" * 5).json()["symbols"] == 6
        changed = {"name": "mine", "edition": 2, "characters": 30, "symbols": 6}
        assert one.until("now", lambda m: m["text"] == changed)["step"] == step
        live.session.set_text(TEXT)
        with live.tab() as again:
            hello = again.hear()
            now = again.hear()
    assert hello["type"] == "hello"
    assert hello["text"]["name"] == TEXT.source
    assert now["step"] == now["points"][-1][0] == step
    assert now["points"][0][0] == 1
    assert set(now["whole"]) == {"points", "held_out", "samples"}
    assert now["samples"][0]["step"] == 0
    assert now["held_out"]
    assert 0 < now["loss"] < 10


def test_of_many_looks_inside_the_last_is_answered() -> None:
    with Live(SMALL) as live, live.tab() as tab:
        what = {"text": "the cat", "layer": 0, "signal": "hidden", "first": 0}
        for number in range(2 * MOST_WAITING):
            tab.say("look", id=number, **what)
        tab.say("weights", id=1000, name="decoder.bias")
        tab.until("looked", lambda m: m["id"] == 2 * MOST_WAITING - 1)
        tab.say("look", id=1001, **what)
        assert tab.until("looked")["id"] == 1001
        assert tab.paused()["step"] > 0


def test_a_continuation_comes_letter_by_letter_and_can_be_silenced() -> None:
    text = Text("яжю€😀\n" * 200, "wide letters")
    settings = {"lines": False, "unit": "bytes", "hidden_sizes": "8"}
    with Live(settings, text) as live, live.tab() as tab:
        tab.paused()
        tab.say("continue", id=1, prompt="яж", length=40)
        pieces = [tab.until("letters")]
        while not pieces[-1]["done"]:
            pieces.append(tab.until("letters"))
        assert len(pieces) > 5
        assert {piece["id"] for piece in pieces} == {1}
        tab.say("continue", id=2, prompt="", length=5000)
        tab.until("letters")
        tab.say("silence", id=2)
        tab.until("letters", lambda m: m["done"])
        tab.say("continue", id=3, prompt="x", length=1)
        assert tab.until("letters")["done"]
