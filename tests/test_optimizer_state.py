"""What an optimizer remembers, saved and taken up; averages of weights."""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import oracle
import recurrentnn as rnn
from cases import spread
from optimizer_cases import OPTIMIZER_CLASSES, OPTIMIZERS, OptimizerCase, public
from recurrentnn import reference as ref
from support import assert_close, tolerance

MODERN = [name for name in OPTIMIZER_CLASSES.values() if name != "Solver"]


def gradients(net: rnn.Model, step: int) -> None:
    for k, matrix in enumerate(net.parameters().values()):
        matrix.grad = spread(*matrix.shape, -0.4, 0.4, shift=10 * step + k)


def copied(state: dict[str, Any]) -> dict[str, Any]:
    """As a file would give it back."""
    return {
        key: np.ascontiguousarray(value) if isinstance(value, np.ndarray) else value
        for key, value in state.items()
    }


@pytest.mark.parametrize("case", OPTIMIZERS, ids=lambda case: case.name)
def test_an_interruption_changes_no_bit(case: OptimizerCase, dtype: str) -> None:
    nets = [rnn.GRU(3, [4], 2, seed=2, dtype=dtype) for _ in range(2)]
    made = public(OPTIMIZER_CLASSES[case.optimizer])
    whole, cut = (made(**case.options) for _ in range(2))
    for step in range(12):
        if step in (0, 1, 5):
            state = copied(cut.state(nets[1]))
            cut = made(**case.options)
            cut.restore(nets[1], state)
        for net, optimizer in zip(nets, (whole, cut), strict=True):
            gradients(net, step)
            optimizer.step(net, *case.arguments)
    for name, matrix in nets[0].parameters().items():
        np.testing.assert_array_equal(matrix.value, nets[1][name].value)


def test_a_state_is_made_of_arrays_and_numbers_by_name() -> None:
    w = rnn.Matrix(spread(2, 3), dtype="float64")
    w.grad = np.arange(6.0).reshape(2, 3)
    optimizer = rnn.NAdam(momentum_decay=0.0)
    optimizer.rate_factor = 0.5
    assert optimizer.state({"w": w}) == {"optimizer": "nadam", "rate_factor": 0.5}
    optimizer.step({"w": w})
    state = optimizer.state({"w": w})
    assert list(state) == [
        "optimizer",
        "mean.w",
        "square.w",
        "steps.w",
        "product.w",
        "rate_factor",
    ]
    mean = state["mean.w"]
    assert isinstance(mean, np.ndarray)
    assert mean.flags.c_contiguous
    assert mean.dtype == np.float64
    assert_close(mean, 0.1 * np.arange(6.0).reshape(2, 3), 1e-15, "mean")
    assert state["steps.w"] == 1
    assert state["product.w"] == pytest.approx(0.45)
    # It is a copy.
    mean[...] = 7.0
    assert optimizer.state({"w": w})["mean.w"][0, 0] == 0.0  # type: ignore[index]


def test_a_restored_optimizer_forgets_what_the_state_has_not() -> None:
    w, fresh = (rnn.Matrix([[1.0]], dtype="float64") for _ in range(2))
    optimizer = rnn.SGD(0.1, momentum=0.5)
    before = optimizer.state([w])
    w.grad[...] = 1.0
    optimizer.step([w])
    optimizer.restore([w], before)
    w.value[...], w.grad[...], fresh.grad[...] = 1.0, 2.0, 2.0
    optimizer.step([w])
    rnn.SGD(0.1, momentum=0.5).step([fresh])
    assert w.item() == fresh.item()


def remembered() -> tuple[rnn.Adam, dict[str, rnn.Matrix], dict[str, Any]]:
    parameters = {name: rnn.Matrix(spread(2, 3)) for name in ("u", "w")}
    for matrix in parameters.values():
        matrix.grad[...] = 1.0
    optimizer = rnn.Adam()
    optimizer.step(parameters)
    return optimizer, parameters, dict(optimizer.state(parameters))


def broken() -> Iterator[Any]:
    _, _, state = remembered()
    nan = np.full((2, 3), math.nan)
    for about, key, value, error in [
        ("rule", "optimizer", "adamw", rnn.ArgumentError),
        ("no rule", "optimizer", None, rnn.ArgumentError),
        ("shape", "mean.w", np.zeros((3, 2)), rnn.ShapeError),
        ("shape of another", "square.u", np.zeros(5), rnn.ShapeError),
        ("no number", "mean.w", nan, rnn.ArgumentError),
        ("no array", "mean.w", "zeros", rnn.RecurrentNNError),
        ("without an array", "square.w", None, rnn.ArgumentError),
        ("without steps", "steps.w", None, rnn.ArgumentError),
        ("no steps", "steps.w", 0, rnn.ArgumentError),
        ("half a step", "steps.w", 0.5, rnn.ArgumentTypeError),
        ("negative steps", "steps.w", -1, rnn.ArgumentError),
        ("unknown parameter", "mean.v", np.zeros((2, 3)), rnn.ArgumentError),
        ("unknown memory", "momentum.w", np.zeros((2, 3)), rnn.ArgumentError),
        ("no kind", "w", 3, rnn.ArgumentError),
        ("product of Adam's", "product.w", 0.5, rnn.ArgumentError),
        ("factor", "rate_factor", -1.0, rnn.ArgumentError),
    ]:
        changed = {k: v for k, v in state.items() if k != key}
        if value is not None:
            changed[key] = value
        yield pytest.param(changed, error, id=about)
    yield pytest.param(3, rnn.ArgumentTypeError, id="no mapping")
    yield pytest.param({3: 4}, rnn.ArgumentTypeError, id="no names")


@pytest.mark.parametrize(("state", "error"), list(broken()))
def test_a_state_that_does_not_fit_changes_nothing(
    state: Any, error: type[Exception]
) -> None:
    optimizer, parameters, before = remembered()
    with pytest.raises(error, match="Adam"):
        optimizer.restore(parameters, state)
    after = optimizer.state(parameters)
    assert list(after) == list(before)
    for key, value in after.items():
        np.testing.assert_array_equal(value, before[key])


@pytest.mark.parametrize(
    "name", [n for n in OPTIMIZER_CLASSES.values() if n != "Solver"]
)
def test_config_makes_the_same_optimizer(name: str) -> None:
    made = public(name)
    optimizer = made(
        0.5, clip_norm=2.0, groups={"*.bias": {"weight_decay": 0.1, "decay_all": True}}
    )
    again = made(**optimizer.config())
    assert again.config() == optimizer.config()
    assert repr(again) == repr(optimizer)
    assert repr(eval(repr(optimizer), vars(rnn))) == repr(optimizer)


@pytest.mark.parametrize(
    "name", [n for n in OPTIMIZER_CLASSES.values() if n != "Solver"]
)
def test_the_mean_over_passes_is_a_step_of_the_mean(name: str) -> None:
    one, other = (rnn.RNN(2, [3], 2, dtype="float64") for _ in range(2))
    options = {"clip_norm": 0.5, "clip_value": 0.1}
    for step in range(3):
        gradients(one, step)
        for matrix in other.parameters().values():
            matrix.grad[...] = 0.0
        for k, matrix in enumerate(other.parameters().values()):
            for _ in range(4):
                matrix.grad += spread(*matrix.shape, -0.4, 0.4, shift=10 * step + k)
    expected = public(name)(**options).step(one)
    assert public(name)(**options).step(other, passes=4) == expected
    for key, matrix in one.parameters().items():
        np.testing.assert_array_equal(matrix.value, other[key].value)


def test_the_rate_factor_multiplies_the_rates_of_all_groups() -> None:
    u, w = (rnn.Matrix([[0.0]], dtype="float64") for _ in range(2))
    optimizer = rnn.SGD(0.5, groups={"u": {"learning_rate": 0.25}})
    assert optimizer.rate_factor == 1.0
    optimizer.rate_factor = 0.5
    u.grad[...], w.grad[...] = 1.0, 1.0
    optimizer.step({"u": u, "w": w})
    assert (u.item(), w.item()) == (-0.125, -0.25)
    with pytest.raises(rnn.ArgumentError, match="rate_factor"):
        optimizer.rate_factor = math.nan


def test_options_are_attributes() -> None:
    optimizer = rnn.SGD(0.5)
    assert {"momentum", "rate_factor", "step", "clip_norm"} <= set(dir(optimizer))
    with pytest.raises(rnn.ArgumentError, match="nesterov needs a momentum"):
        optimizer.nesterov = True
    optimizer.momentum = 0.5
    optimizer.nesterov = True
    assert optimizer.nesterov is True
    with pytest.raises(AttributeError, match="beta1"):
        optimizer.beta1 = 0.5  # type: ignore[attr-defined]
    with pytest.raises(AttributeError, match="no_such"):
        _ = optimizer.no_such  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "name", [n for n in OPTIMIZER_CLASSES.values() if n != "Solver"]
)
def test_threads_change_no_bit(name: str) -> None:
    def stepped(threads: int) -> Any:
        rnn.set_num_threads(threads)
        w = rnn.Matrix(spread(600, 500))
        optimizer = public(name)(weight_decay=0.1, clip_norm=1.0)
        for step in range(2):
            w.grad = spread(600, 500, -1.0, 1.0, shift=step)
            optimizer.step([w])
        return w.value.copy()

    before = rnn.get_num_threads()
    try:
        np.testing.assert_array_equal(stepped(1), stepped(2))
    finally:
        rnn.set_num_threads(before)


# --- averages ---------------------------------------------------------------


def test_an_average_equals_the_reference(dtype: str) -> None:
    net = rnn.LSTM(2, [3], 2, dtype=dtype)
    names = list(net.parameters())
    twins = {name: oracle.to_reference(net[name].value) for name in names}
    average, twin = (
        rnn.ExponentialMovingAverage(net, 0.9),
        ref.ExponentialMovingAverage(twins, 0.9),
    )
    for step in range(10):
        for k, name in enumerate(names):
            net[name].value = spread(*net[name].shape, shift=step + k)
            twins[name].value = net[name].value.astype(float).ravel("F").tolist()
        average.update()
        twin.update()
    trained = {name: net[name].value.copy() for name in names}
    with average as inside, twin:
        assert inside is average
        for name in names:
            expected = oracle.value(twins[name])
            assert_close(net[name].value, expected, tolerance(dtype), name)
            assert not np.array_equal(net[name].value, trained[name])
    for name in names:
        np.testing.assert_array_equal(net[name].value, trained[name])


def test_an_error_inside_puts_the_weights_back() -> None:
    w = rnn.Matrix([[1.0]])
    average = rnn.ExponentialMovingAverage({"w": w}, 0.5)
    w.value[...] = 3.0
    average.update()
    found = []

    def fail() -> None:
        with average:
            found.append(w.item())
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert found == [2.0]
    assert w.item() == 3.0


def test_an_average_is_not_touched_while_it_is_used() -> None:
    w = rnn.Matrix([[1.0]])
    average = rnn.ExponentialMovingAverage([w])
    state = average.state()
    with average:
        for call in (
            average.update,
            average.state,
            lambda: average.restore(state),
            average.__enter__,
        ):
            with pytest.raises(rnn.GraphError, match="with average"):
                call()
    average.update()


def test_an_average_is_saved_and_taken_up() -> None:
    net = rnn.RNN(2, [3], 2)
    average, other = (rnn.ExponentialMovingAverage(net, 0.5) for _ in range(2))
    for matrix in net.parameters().values():
        matrix.value = 2 * matrix.value
    average.update()
    state = average.state()
    assert list(state) == list(net.parameters())
    other.restore(state)
    for name, array in other.state().items():
        np.testing.assert_array_equal(array, state[name])
    name = "decoder.weight"
    wrong: list[tuple[Any, type[Exception]]] = [
        ({**state, name: np.zeros((3, 2))}, rnn.ShapeError),
        ({**state, name: np.full((2, 3), math.nan)}, rnn.ArgumentError),
        ({k: v for k, v in state.items() if k != name}, rnn.ArgumentError),
        ({**state, "more": np.zeros(1)}, rnn.ArgumentError),
        ("state", rnn.ArgumentTypeError),
    ]
    for given, error in wrong:
        with pytest.raises(error, match="ExponentialMovingAverage: state"):
            other.restore(given)
        for key, array in other.state().items():
            np.testing.assert_array_equal(array, state[key])
