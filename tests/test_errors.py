"""Every wrong call raises the right exception, says why, and leaves all as it was."""

import builtins
from pathlib import Path
from typing import NamedTuple

import pytest

import recurrentnn as rnn
import wrong_objects
import wrong_ops
from wrong_world import World


class Wrong(NamedTuple):
    """A row of the tables."""

    call: str
    error: str
    words: tuple[str, ...]


def rows(*modules: object) -> list[Wrong]:
    """Read the tables: call | exception | words."""
    read = []
    for module in modules:
        for name, table in vars(module).items():
            if name.isupper():
                for line in table.strip().splitlines():
                    call, error, words = line.rsplit("|", 2)
                    read.append(
                        Wrong(call.strip(), error.strip(), tuple(words.split()))
                    )
    return read


WRONG = rows(wrong_ops, wrong_objects)


def test_there_are_at_least_150_wrong_calls_and_no_two_the_same() -> None:
    assert len(WRONG) >= 150
    assert len({wrong.call for wrong in WRONG}) == len(WRONG)


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: wrong.call)
def test_a_wrong_call_says_why_and_changes_nothing(
    wrong: Wrong, tmp_path: Path
) -> None:
    world = World(tmp_path)
    names = world.names()
    before = world.fingerprint()
    expected = getattr(rnn, wrong.error, None) or getattr(builtins, wrong.error)
    with pytest.raises(expected) as caught:
        # The row's text is its name in the report; a lambda has none.
        eval(wrong.call, names)
    assert type(caught.value) is not rnn.InternalError
    message = str(caught.value)
    for word in wrong.words:
        assert word in message, f"{word!r} is not in {message!r}"
    if expected in vars(rnn).values():
        assert ": " in message, "a message names the op, then a colon"
    assert world.fingerprint() == before


@pytest.mark.parametrize(
    ("error", "builtin"),
    [
        ("ShapeError", ValueError),
        ("DTypeError", TypeError),
        ("ArgumentError", ValueError),
        ("ArgumentTypeError", TypeError),
        ("OutOfRangeError", IndexError),
        ("GraphError", RuntimeError),
        ("BusyError", RuntimeError),
        ("NonFiniteError", ArithmeticError),
        ("VocabularyError", ValueError),
        ("FormatError", ValueError),
        ("InternalError", RuntimeError),
    ],
)
def test_an_exception_of_ours_is_the_builtin_a_user_would_catch(
    error: str, builtin: type[Exception]
) -> None:
    assert issubclass(getattr(rnn, error), builtin)
    assert issubclass(getattr(rnn, error), rnn.RecurrentNNError)
