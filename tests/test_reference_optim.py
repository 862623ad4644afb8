"""The oracle's optimizers, held against steps by hand."""

import math
from typing import Any

import pytest

from recurrentnn import reference as ref

EXACT = 1e-14


def single(value: float, gradient: float) -> ref.Matrix:
    m = ref.Matrix(value)
    m.grad = [gradient]
    return m


def test_rmsprop_steps_by_hand() -> None:
    w = single(2.0, -3.0)
    optimizer = ref.RMSProp(0.1, decay_rate=0.9, eps=0.01, weight_decay=0.5)
    stats = optimizer.step([w])
    first = 2.0 - 0.1 * (-3.0 / (math.sqrt(0.9) + 0.01) + 0.5 * 2.0)
    assert w.item() == pytest.approx(first, rel=EXACT, abs=EXACT)
    assert w.grad == [0.0]
    assert stats == (3.0, 0.0)
    w.grad = [1.0]
    optimizer.step([w])
    root = math.sqrt(0.9 * 0.9 + 0.1)
    second = first - 0.1 * (1.0 / (root + 0.01) + 0.5 * first)
    assert w.item() == pytest.approx(second, rel=EXACT, abs=EXACT)


def test_rmsprop_clips_the_norm_before_the_values() -> None:
    a, b = single(0.0, 30.0), single(0.0, 40.0)
    optimizer = ref.RMSProp(0.1, decay_rate=0.0, eps=1.0, clip_norm=5.0, clip_value=3.5)
    stats = optimizer.step({"a": a, "b": b, "again": a})
    assert a.item() == pytest.approx(-0.1 * 3.0 / 4.0, rel=EXACT, abs=EXACT)
    assert b.item() == pytest.approx(-0.1 * 3.5 / 4.5, rel=EXACT, abs=EXACT)
    assert stats == (50.0, 0.5)


def test_the_ancestors_rule_by_hand() -> None:
    w = single(2.0, -30.0)
    stats = ref.Solver(0.9, 1e-4).step([w], 0.1, 0.01, 5.0)
    expected = 2.0 + 0.1 * 5.0 / math.sqrt(90.0 + 1e-4) - 0.02
    assert w.item() == pytest.approx(expected, rel=EXACT, abs=EXACT)
    assert stats == (30.0, 1.0)


def test_weight_decay_spares_what_is_named_a_bias() -> None:
    def decayed(parameters: Any, **options: Any) -> list[float]:
        ref.RMSProp(0.1, weight_decay=0.5, **options).step(parameters)
        found = parameters.values() if isinstance(parameters, dict) else parameters
        return [m.item() for m in found]

    names = ("w", "x.bias", "x.bias_h", "bias.w")
    ones = {name: ref.Matrix(1.0) for name in names}
    assert decayed(ones) == [0.95, 1.0, 1.0, 0.95]
    assert decayed(dict(ones), decay_all=True) == [0.9025, 0.95, 0.95, 0.9025]
    assert decayed([ref.Matrix(1.0)]) == [0.95]


def test_a_matrix_without_gradient_still_forgets() -> None:
    w = single(0.0, 1.0)
    optimizer = ref.RMSProp(1.0, decay_rate=0.5, eps=0.0)
    optimizer.step([w])
    optimizer.step([w])
    w.grad = [1.0]
    before = w.item()
    optimizer.step([w])
    # s = 0.5, 0.25, 0.625
    assert before - w.item() == pytest.approx(
        1.0 / math.sqrt(0.625), rel=EXACT, abs=EXACT
    )
    untouched = ref.Matrix(1.0)
    optimizer.step([untouched])
    assert untouched.item() == 1.0


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_step_with_a_gradient_that_is_no_number_changes_nothing(bad: float) -> None:
    good, broken = single(1.0, 1.0), single(2.0, bad)
    parameters = {"a": good, "b": broken}
    named = r"gradient of b is \w+ at \(0, 0\)"
    with pytest.raises(ArithmeticError, match=named):
        ref.RMSProp().step(parameters)
    with pytest.raises(ArithmeticError, match=named):
        ref.Solver().step(parameters, 0.1, 0.0, 5.0)
    assert (good.item(), good.grad, broken.item()) == (1.0, [1.0], 2.0)


def test_stepping_between_forward_and_backward_is_an_error() -> None:
    w = ref.Matrix(1.0)
    graph = ref.Graph()
    loss = graph.square(w)
    optimizer = ref.RMSProp()
    with pytest.raises(RuntimeError, match="parameter 0 was used by a recording"):
        optimizer.step([w])
    graph.backward(loss)
    optimizer.step([w])
    graph = ref.Graph()
    graph.square(w)
    graph.clear()
    optimizer.step([w])


@pytest.mark.parametrize(
    "options",
    [
        {"learning_rate": -1.0},
        {"decay_rate": 1.0},
        {"eps": math.nan},
        {"clip_norm": 0.0},
    ],
)
def test_settings_out_of_their_domain_are_named(options: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=f"RMSProp: {next(iter(options))} must be"):
        ref.RMSProp(**options).step([])  # type: ignore[arg-type]
