"""Misuse of cells of one's own: every mistake is an error that says what to do."""
# ruff: noqa: ARG001, ARG005

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import recurrentnn as rnn
from recurrentnn.cell import CellState, Parameters

Step = Callable[[Any, Any, Any, Any], Any]


def build(_: Any, p: Parameters, inputs: int, size: int) -> None:
    p.gate("forget", inputs, size)


def model(step: Step, **members: Any) -> rnn.Model:
    kind: type[rnn.Cell] = type(
        "Odd", (rnn.Cell,), {"build": build, "step": step, **members}
    )
    return rnn.Model(kind, 3, 4, 2)


def hidden(result: Callable[[Any, Any, Any], Any]) -> Step:
    return lambda _, p, x, s: s.replace(hidden=result(p, x, s))


array = np.ones((4, 1))
WRONG: list[tuple[Step, type[Exception], str]] = [
    (
        hidden(lambda p, x, s: x if s.hidden else s.hidden),
        rnn.GraphError,
        "recorded once",
    ),
    (hidden(lambda p, x, s: max(s.hidden, s.hidden)), rnn.GraphError, "compare"),
    (hidden(lambda p, x, s: x if s.hidden == 0 else 2 * x), rnn.GraphError, "compare"),
    (hidden(lambda p, x, s: s.hidden * float(x)), rnn.GraphError, "recorded once"),
    (hidden(lambda p, x, s: s.hidden * int(x)), rnn.GraphError, "recorded once"),
    (hidden(lambda p, x, s: list(s.hidden)), rnn.GraphError, "elements"),
    (hidden(lambda p, x, s: s.hidden[0]), rnn.GraphError, "slice_rows"),
    (hidden(lambda p, x, s: len(s.hidden)), rnn.GraphError, "length"),
    (hidden(lambda p, x, s: s.hidden.value), rnn.GraphError, "no value"),
    (hidden(lambda p, x, s: s.hidden * array), rnn.ArgumentTypeError, "ndarray.*build"),
    (hidden(lambda p, x, s: array * s.hidden), rnn.ArgumentTypeError, "ndarray.*build"),
    (hidden(lambda p, x, s: np.asarray(s.hidden)), rnn.GraphError, "array"),
    (hidden(lambda p, x, s: np.tanh(s.hidden)), TypeError, "ufunc"),
    (
        hidden(lambda p, x, s: s.hidden + rnn.Matrix(array)),
        rnn.ArgumentTypeError,
        "is Matrix.*build",
    ),
    (hidden(lambda p, x, s: s.hidden + True), rnn.ArgumentTypeError, "bool"),
    (hidden(lambda p, x, s: s.hidden.maximum(0)), rnn.ArgumentError, "no number"),
    (hidden(lambda p, x, s: s.hidden.transpose()), rnn.GraphError, "transpose: mixes"),
    (hidden(lambda p, x, s: s.hidden * s.hidden.sum()), rnn.GraphError, "sum: mixes"),
    (
        hidden(lambda p, x, s: s.hidden.dropout(0.5, 1)),
        rnn.GraphError,
        "dropout: mixes",
    ),
    (
        hidden(lambda p, x, s: p.forget.bias),
        rnn.ShapeError,
        "must be 4xbatch but is 4x1",
    ),
    (hidden(lambda p, x, s: x), rnn.ShapeError, "must be 4xbatch but is 3xbatch"),
    (hidden(lambda p, x, s: x + s.hidden), rnn.ShapeError, "3xbatch.*4xbatch"),
    (hidden(lambda p, x, s: p.forget), rnn.ArgumentTypeError, "Symbol but is Gate"),
    (hidden(lambda p, x, s: 0.5), rnn.ArgumentTypeError, "Symbol but is float"),
    (hidden(lambda p, x, s: p.forgte), AttributeError, "no parameter forgte.*forget"),
    (hidden(lambda p, x, s: p.forget.w), AttributeError, "forget.w; .*weight_x"),
    (
        hidden(lambda p, x, s: s.cell),
        AttributeError,
        "no state cell; it carries hidden",
    ),
    (lambda _, p, x, s: s.replace(cell=x), rnn.ArgumentError, "no state cell"),
    (lambda _, p, x, s: s.hidden, rnn.ArgumentTypeError, "returned Symbol"),
    (lambda _, p, x, s: None, rnn.ArgumentTypeError, "returned None"),
    (lambda _, p, x, s: p.add("late", 1, 1), rnn.GraphError, "for build to do"),
    (lambda _, p, x, s: 1 / 0, ZeroDivisionError, "division"),
]


@pytest.mark.parametrize(("step", "error", "words"), WRONG)
def test_a_wrong_step_is_refused_in_words(
    step: Step, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        model(step)


def keep(_: Any, p: Any, x: Any, s: CellState) -> CellState:
    return s


@pytest.mark.parametrize(
    ("register", "error", "words"),
    [
        (lambda p: (p.add("w", 1, 1), p.gate("w", 3, 4)), rnn.ArgumentError, "twice"),
        (lambda p: p.add("w.x", 1, 1), rnn.ArgumentError, "cannot be"),
        (lambda p: p.add("_w", 1, 1), rnn.ArgumentError, "cannot be"),
        (lambda p: p.add("", 1, 1), rnn.ArgumentError, "cannot be"),
        (lambda p: p.add("gate", 1, 1), rnn.ArgumentError, "cannot be"),
        (lambda p: p.add("class", 1, 1), rnn.ArgumentError, "cannot be"),
        (lambda p: p.add(3, 1, 1), rnn.ArgumentTypeError, "string but is int"),
        (lambda p: p.add("w", 0, 1), rnn.ShapeError, "w must not be 0x1"),
        (
            lambda p: p.add("w", 1.5, 1),
            rnn.ArgumentTypeError,
            "rows must be an integer",
        ),
        (lambda p: p.add("w", 1, -1), rnn.ArgumentError, "cols must be"),
        (
            lambda p: p.add("w", 1, 1, "wieght"),
            rnn.ArgumentError,
            "role must be one of",
        ),
        (
            lambda p: p.add("w", 1, 1, init="one"),
            rnn.ArgumentError,
            "init must be one of",
        ),
        (lambda p: p.add("w", 1, 1, init=(1, 0)), rnn.ArgumentError, r"\(low, high\)"),
        (lambda p: p.add("w", 1, 1, init=(1,)), rnn.ArgumentError, r"\(low, high\)"),
        (lambda p: p.add("w", 1, 1, init=np.inf), rnn.ArgumentError, "finite"),
        (lambda p: p.add("w", 1, 1, init=[1]), rnn.ArgumentTypeError, "init must be"),
    ],
)
def test_a_wrong_registration_is_refused_in_words(
    register: Callable[[Any], Any], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        model(keep, build=lambda _, p, inputs, size: register(p))


class Kept(rnn.Cell):
    build = build
    step = keep


def test_what_is_no_cell_is_refused_in_words() -> None:
    for state, error in (
        ("hidden", rnn.ArgumentTypeError),
        (["hidden"], rnn.ArgumentTypeError),
        ((), rnn.ArgumentError),
        (("cell",), rnn.ArgumentError),
        (("hidden", "hidden"), rnn.ArgumentError),
        (("hidden", "output"), rnn.ArgumentError),
        (("hidden", "count"), rnn.ArgumentError),
        (("hidden", "a b"), rnn.ArgumentError),
    ):
        with pytest.raises(error, match="Odd"):
            model(keep, state=state)
    with pytest.raises(rnn.ArgumentError, match="must define build"):
        model(keep, build=rnn.Cell.build)
    with pytest.raises(rnn.ArgumentError, match="must define step"):
        model(rnn.Cell.step)

    class Needy(Kept):
        def __init__(self, factor: float) -> None:
            self.factor = factor

    with pytest.raises(rnn.ArgumentTypeError, match=r"give an object, Needy\(\.\.\.\)"):
        rnn.Model(Needy, 3, 4, 2)
    assert repr(rnn.Model(Needy(0.5), 3, 4, 2)) == "Model(Needy(factor=0.5), 3, [4], 2)"
    for option in ({"forget_bias": 0.0}, {"reset": "before"}, {"paper": True}):
        with pytest.raises(rnn.ArgumentError, match="means nothing to cell"):
            rnn.Model(Kept, 3, 4, 2, **option)


def test_a_symbol_is_of_no_use_after_its_step() -> None:
    kept: list[Any] = []

    def step(_: Any, p: Any, x: rnn.Symbol, s: CellState) -> CellState:
        kept.append((p, s.hidden))
        return s.replace(hidden=s.hidden + kept[0][1])

    model(step)
    parameters, symbol = kept[0]
    with pytest.raises(rnn.GraphError, match="recorded before"):
        symbol.tanh()
    with pytest.raises(rnn.GraphError, match="for build to do"):
        parameters.add("late", 1, 1)
    with pytest.raises(rnn.GraphError, match="another step"):
        model(step)
