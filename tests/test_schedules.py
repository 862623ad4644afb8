"""Schedules against the reference, by hand, and what they refuse."""

import json
import math
from collections.abc import Callable
from typing import Any

import pytest

import recurrentnn as rnn
from cases import spread
from recurrentnn.reference import schedules as ref
from recurrentnn.schedules import (
    Constant,
    Cosine,
    Custom,
    Exponential,
    Linear,
    OneCycle,
    Plateau,
    Schedule,
    StepDecay,
    WarmUp,
    as_schedule,
)


def inverse(n: int) -> float:
    return 1 / (n + 2)


TWINS: list[tuple[Schedule, Callable[[int], float]]] = [
    (Constant(), ref.constant),
    (Constant(0.3), lambda n: ref.constant(n, 0.3)),
    (StepDecay(7), lambda n: ref.step_decay(n, 7)),
    (StepDecay(1, 0.9), lambda n: ref.step_decay(n, 1, 0.9)),
    (Exponential(0.95), lambda n: ref.exponential(n, 0.95)),
    (Linear(20), lambda n: ref.linear(n, 20)),
    (Linear(20, 0.5, 2.0), lambda n: ref.linear(n, 20, 0.5, 2.0)),
    (Cosine(20), lambda n: ref.cosine(n, 20)),
    (Cosine(20, 0.1), lambda n: ref.cosine(n, 20, 0.1)),
    (OneCycle(30), lambda n: ref.one_cycle(n, 30)),
    (OneCycle(30, 0.0), lambda n: ref.one_cycle(n, 30, 0.0)),
    (OneCycle(30, 1.0), lambda n: ref.one_cycle(n, 30, 1.0)),
    (
        OneCycle(30, 0.6, 0.2, 0.01, "linear"),
        lambda n: ref.one_cycle(n, 30, 0.6, 0.2, 0.01, "linear"),
    ),
    (WarmUp(5), lambda n: ref.warm_up(n, 5, ref.constant)),
    (
        WarmUp(5, OneCycle(20), 0.5),
        lambda n: ref.warm_up(n, 5, lambda k: ref.one_cycle(k, 20), 0.5),
    ),
    (
        WarmUp(5, inverse),
        lambda n: ref.warm_up(n, 5, lambda k: 1 / (k + 2)),
    ),
    (WarmUp(3, 0.5), lambda n: ref.warm_up(n, 3, lambda _: 0.5)),
]


@pytest.mark.parametrize(
    ("schedule", "twin"), TWINS, ids=[repr(s).partition(" at 0x")[0] for s, _ in TWINS]
)
def test_a_schedule_equals_the_reference(
    schedule: Schedule, twin: Callable[[int], float]
) -> None:
    for step in range(45):
        assert schedule(step) == pytest.approx(twin(step), rel=1e-12, abs=1e-15), step


def test_schedules_by_hand() -> None:
    assert [StepDecay(2, 0.5)(n) for n in range(5)] == [1, 1, 0.5, 0.5, 0.25]
    assert [Linear(4)(n) for n in range(6)] == [1, 0.75, 0.5, 0.25, 0, 0]
    assert [WarmUp(4)(n) for n in range(6)] == [0, 0.25, 0.5, 0.75, 1, 1]
    assert Cosine(4)(1) == pytest.approx((1 + math.sqrt(0.5)) / 2)
    cycle = OneCycle(10, 0.4, 0.1, 0.0, "linear")
    assert [cycle(n) for n in (0, 3, 9, 99)] == [0.1, 1.0, 0.0, 0.0]
    assert cycle(6) == pytest.approx(0.5)


PLATEAUS: list[dict[str, Any]] = [
    {},
    {"patience": 0, "factor": 0.5},
    {"patience": 2, "threshold": 0.2, "cooldown": 2},
    {"patience": 2, "threshold": 0.2, "relative": False, "least": 0.02},
    {"patience": 1, "larger_is_better": True},
    {"patience": 1, "larger_is_better": True, "relative": False, "threshold": 0.3},
]


@pytest.mark.parametrize("options", PLATEAUS, ids=str)
def test_plateau_equals_the_reference(options: dict[str, Any]) -> None:
    schedule = Plateau(**options)
    metrics: list[float] = []
    for step, metric in enumerate(spread(50, 1, -0.5, 2.0).ravel().tolist()):
        schedule.observe(metric)
        metrics.append(metric)
        expected = ref.plateau(metrics, **options)
        assert schedule(step) == pytest.approx(expected, rel=1e-12)
    assert schedule(50) < 1


def test_plateau_by_hand() -> None:
    schedule = Plateau(0.5, 1)
    found = []
    for metric in (3.0, 2.0, 2.0, 2.0, 2.0, 2.0, 1.0):
        schedule.observe(metric)
        found.append(schedule(0))
    assert found == [1, 1, 1, 0.5, 0.5, 0.25, 0.25]
    schedule = Plateau(0.5, 0, threshold=0.0)
    schedule.observe(2.0)
    schedule.observe(2.0)
    assert schedule(0) == 0.5, "as good is not better"


@pytest.mark.parametrize("wrapped", [False, True])
def test_what_a_schedule_remembers_goes_through_json(wrapped: bool) -> None:
    def make() -> Schedule:
        plateau = Plateau(0.5, 1, cooldown=1)
        return WarmUp(3, plateau) if wrapped else plateau

    metrics = spread(30, 1).ravel().tolist()
    for cut in (0, 1, 7, 20):
        whole, first, second = make(), make(), make()
        for metric in metrics[:cut]:
            whole.observe(metric)
            first.observe(metric)
        second.restore(json.loads(json.dumps(first.state())))
        for step, metric in enumerate(metrics[cut:]):
            whole.observe(metric)
            second.observe(metric)
            assert second(step) == whole(step)


def test_schedules_without_memory_have_an_empty_state() -> None:
    for schedule, _ in TWINS:
        assert schedule.state() == {}
        schedule.restore({})
        schedule.observe(1.0)
        with pytest.raises(rnn.ArgumentError, match="state"):
            schedule.restore({"factor": 1.0})


def test_a_state_that_does_not_fit_changes_nothing() -> None:
    schedule = Plateau(0.5, 0)
    for metric in (1.0, 2.0):
        schedule.observe(metric)
    state = schedule.state()
    wrong: list[tuple[Any, type[Exception]]] = [
        ({}, rnn.ArgumentError),
        ({**state, "more": 1}, rnn.ArgumentError),
        ({**state, "factor": 2.0}, rnn.ArgumentError),
        ({**state, "best": math.nan}, rnn.ArgumentError),
        ({**state, "bad": -1}, rnn.ArgumentError),
        ({**state, "cooling": 0.5}, rnn.ArgumentTypeError),
        (3, rnn.ArgumentTypeError),
    ]
    for given, error in wrong:
        with pytest.raises(error, match="Plateau: state"):
            schedule.restore(given)
        assert schedule.state() == state


REFUSED: list[tuple[Callable[[], object], str]] = [
    (lambda: Constant(-1.0), "factor"),
    (lambda: Constant(math.nan), "factor"),
    (lambda: StepDecay(0), "every"),
    (lambda: StepDecay(3, math.inf), "factor"),
    (lambda: Exponential(-0.5), "factor"),
    (lambda: Exponential(2.0)(5000), "too large"),
    (lambda: Linear(0), "steps"),
    (lambda: Linear(3, -1.0), "start"),
    (lambda: Cosine(0), "steps"),
    (lambda: Cosine(3, -1.0), "end"),
    (lambda: OneCycle(1), "steps"),
    (lambda: OneCycle(9, 1.5), "rising"),
    (lambda: OneCycle(9, shape="square"), "shape"),  # type: ignore[arg-type]
    (lambda: WarmUp(0), "steps"),
    (lambda: WarmUp(2, start=-1.0), "start"),
    (lambda: Custom(lambda _: math.nan)(3), "step 3"),
    (lambda: Custom(lambda _: -1.0)(3), "step 3"),
    (lambda: Plateau(1.0), "factor"),
    (lambda: Plateau(patience=-1), "patience"),
    (lambda: Plateau().observe(math.nan), "metric"),
    (lambda: Constant()(-1), "step"),
]


@pytest.mark.parametrize(("call", "named"), REFUSED, ids=[n for _, n in REFUSED])
def test_arguments_outside_their_domain_are_refused(
    call: Callable[[], object], named: str
) -> None:
    with pytest.raises(rnn.ArgumentError, match=named):
        call()


def test_arguments_of_the_wrong_type_are_refused() -> None:
    calls: list[Callable[[], object]] = [
        lambda: Constant("fast"),  # type: ignore[arg-type]
        lambda: StepDecay(2.5),  # type: ignore[arg-type]
        lambda: Custom(3),  # type: ignore[arg-type]
        lambda: WarmUp(2, "cosine"),  # type: ignore[arg-type]
        lambda: Constant()(0.5),  # type: ignore[arg-type]
        lambda: Constant()(True),
        lambda: Custom(lambda _: "much")(0),  # type: ignore[arg-type, return-value]
    ]
    for call in calls:
        with pytest.raises(rnn.ArgumentTypeError):
            call()


def test_anything_becomes_a_schedule() -> None:
    cosine = Cosine(3)
    assert as_schedule(cosine) is cosine
    assert as_schedule(0.5) == Constant(0.5)
    assert as_schedule(lambda step: step + 1.0)(3) == 4.0


def test_schedules_are_values() -> None:
    assert WarmUp(3, Cosine(5)) == WarmUp(3, Cosine(5)) != WarmUp(3, Cosine(6))
    assert eval(repr(WarmUp(3, OneCycle(5))), vars(rnn.schedules)) == WarmUp(
        3, OneCycle(5)
    )
