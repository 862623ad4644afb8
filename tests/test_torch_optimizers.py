"""The same rules and schedules in PyTorch, where it has them."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

import recurrentnn as rnn
from cases import spread
from recurrentnn import schedules
from support import assert_close, require, tolerance

torch = require("torch")

# Options of ours that have another name there.
NAMES = {
    "learning_rate": "lr",
    "decay_rate": "alpha",
    "rate_decay": "lr_decay",
    "initial_square": "initial_accumulator_value",
}

# Ours, PyTorch's, and rows of options. RMSProp's weight decay is not PyTorch's.
RULES: dict[str, tuple[str, str, list[dict[str, Any]]]] = {
    "sgd": (
        "SGD",
        "SGD",
        [
            {"learning_rate": 0.02},
            {"learning_rate": 0.02, "weight_decay": 0.1},
            {"learning_rate": 0.02, "momentum": 0.9, "weight_decay": 0.1},
            {"learning_rate": 0.02, "momentum": 0.9, "dampening": 0.3},
            {"learning_rate": 0.02, "momentum": 0.9, "nesterov": True},
        ],
    ),
    "rmsprop": (
        "RMSProp",
        "RMSprop",
        [
            {"learning_rate": 1e-3, "decay_rate": 0.95, "eps": 1e-8},
            {"learning_rate": 0.02, "decay_rate": 0.9, "eps": 1e-4},
            {"learning_rate": 0.02, "decay_rate": 0.9, "eps": 1e-3, "momentum": 0.8},
            {"learning_rate": 0.02, "decay_rate": 0.9, "eps": 1e-3, "centered": True},
            {
                "learning_rate": 0.02,
                "decay_rate": 0.9,
                "eps": 1e-3,
                "centered": True,
                "momentum": 0.8,
            },
        ],
    ),
    "adagrad": (
        "Adagrad",
        "Adagrad",
        [
            {},
            {"learning_rate": 0.1, "eps": 1e-4, "weight_decay": 0.1},
            {"rate_decay": 0.1, "initial_square": 0.2},
        ],
    ),
    "adam": (
        "Adam",
        "Adam",
        [{}, {"learning_rate": 0.1, "eps": 1e-4, "weight_decay": 0.1}, {"betas": 0.8}],
    ),
    "adamw": (
        "AdamW",
        "AdamW",
        [{}, {"learning_rate": 0.1, "eps": 1e-4, "weight_decay": 0.1}, {"betas": 0.8}],
    ),
    "nadam": (
        "NAdam",
        "NAdam",
        [
            {},
            {"learning_rate": 0.1, "eps": 1e-4, "weight_decay": 0.1},
            {"betas": 0.8, "momentum_decay": 0.1},
        ],
    ),
}


def rows() -> Iterator[Any]:
    for rule, (ours, theirs, options) in RULES.items():
        for number, row in enumerate(options):
            yield pytest.param(ours, theirs, row, id=f"{rule} {number}")


def both(options: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The options as ours and as PyTorch's; "betas" stands for both of them."""
    ours = dict(options)
    theirs = {NAMES.get(name, name): value for name, value in options.items()}
    if "betas" in options:
        beta = ours.pop("betas")
        ours |= {"beta1": beta, "beta2": beta**2}
        theirs["betas"] = (beta, beta**2)
    return ours, theirs


@pytest.fixture
def _double() -> Iterator[None]:
    """PyTorch keeps NAdam's product of momenta in its default precision."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(before)


@pytest.mark.usefixtures("_double")
@pytest.mark.parametrize("clip", [None, "value", "norm"])
@pytest.mark.parametrize(("ours", "theirs", "options"), list(rows()))
def test_a_rule_equals_pytorch_over_50_steps(
    ours: str, theirs: str, options: dict[str, Any], clip: str | None, dtype: str
) -> None:
    starts = [spread(4, 3), spread(5, 1, shift=1), spread(1, 1, shift=2)]
    matrices = [rnn.Matrix(start, dtype=dtype) for start in starts]
    tensors = [torch.tensor(s, dtype=getattr(torch, dtype)) for s in starts]
    our_options, their_options = both(options)
    if clip is not None:
        our_options[f"clip_{clip}"] = 0.3
    optimizer = getattr(rnn, ours)(**our_options)
    peer = getattr(torch.optim, theirs)(tensors, **their_options)
    for n in range(50):
        for k, (matrix, tensor) in enumerate(zip(matrices, tensors, strict=True)):
            gradient = spread(*matrix.shape, -1.0, 1.0, shift=10 * n + k).astype(dtype)
            matrix.grad = gradient
            tensor.grad = torch.tensor(gradient)
        if clip == "value":
            torch.nn.utils.clip_grad_value_(tensors, 0.3)
        elif clip == "norm":
            # As clip_grad_norm_, which divides by the norm + 1e-6.
            norm = torch.cat([tensor.grad.flatten() for tensor in tensors]).norm()
            for tensor in tensors:
                tensor.grad *= min(1.0, 0.3 / norm.item())
        optimizer.step(matrices)
        peer.step()
    for matrix, tensor in zip(matrices, tensors, strict=True):
        assert_close(matrix.value, tensor.detach(), tolerance(dtype), ours)


def test_usual_options_are_pytorchs_but_where_told() -> None:
    # RMSProp's decay rate is the ancestors' and char-rnn's.
    differs = {"RMSProp": {"learning_rate", "decay_rate"}}
    for ours, theirs, _ in RULES.values():
        usual = getattr(torch.optim, theirs)([torch.zeros(1)]).defaults
        config = getattr(rnn, ours)().config()
        if "betas" in usual:
            assert usual["betas"] == (config["beta1"], config["beta2"])
        for name, value in config.items():
            there = NAMES.get(name, name)
            if there in usual and name not in differs.get(ours, ()):
                assert usual[there] == value, (ours, name)


def test_moving_averages_equal_pytorchs() -> None:
    matrix = rnn.Matrix(spread(4, 3), dtype="float64")
    module = torch.nn.Linear(3, 4, bias=False).double()
    module.weight.data = torch.tensor(spread(4, 3))
    swa = torch.optim.swa_utils
    peer = swa.AveragedModel(module, multi_avg_fn=swa.get_ema_multi_avg_fn(0.9))
    average = rnn.ExponentialMovingAverage([matrix], 0.9)
    peer.update_parameters(module)  # the first time it copies
    for n in range(20):
        matrix.value = spread(4, 3, shift=n)
        module.weight.data = torch.tensor(spread(4, 3, shift=n))
        average.update()
        peer.update_parameters(module)
    found = average.state()["parameter 0"]
    assert_close(found, peer.module.weight.detach(), tolerance("float64"), "average")


S = torch.optim.lr_scheduler
Peer = Callable[[Any], Any]

SCHEDULES: list[tuple[schedules.Schedule, Peer]] = [
    (schedules.Constant(0.5), lambda o: S.ConstantLR(o, 0.5, total_iters=1000)),
    (schedules.StepDecay(7, 0.3), lambda o: S.StepLR(o, 7, 0.3)),
    (schedules.Exponential(0.9), lambda o: S.ExponentialLR(o, 0.9)),
    (schedules.Linear(30, 0.2, 0.7), lambda o: S.LinearLR(o, 0.2, 0.7, 30)),
    (schedules.Cosine(49, 0.1), lambda o: S.CosineAnnealingLR(o, 49, 0.1)),
    (schedules.OneCycle(50), lambda o: S.OneCycleLR(o, 1.0, 50)),
    (
        schedules.OneCycle(50, 0.4, 0.1, 0.001, "linear"),
        lambda o: S.OneCycleLR(
            o,
            1.0,
            50,
            pct_start=0.4,
            div_factor=10,
            final_div_factor=100,
            anneal_strategy="linear",
        ),
    ),
    (
        schedules.Custom(lambda step: 1 / (1 + step)),
        lambda o: S.LambdaLR(o, lambda step: 1 / (1 + step)),
    ),
    (
        schedules.WarmUp(10, schedules.Cosine(39), 0.2),
        lambda o: S.SequentialLR(
            o, [S.LinearLR(o, 0.2, 1.0, 10), S.CosineAnnealingLR(o, 39)], [10]
        ),
    ),
]


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize(
    ("schedule", "make"), SCHEDULES, ids=[repr(s).split("(")[0] for s, _ in SCHEDULES]
)
def test_a_schedule_equals_pytorch(schedule: schedules.Schedule, make: Peer) -> None:
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=1.0)
    peer = make(optimizer)
    for step in range(50):
        rate = optimizer.param_groups[0]["lr"]
        assert schedule(step) == pytest.approx(rate, rel=1e-12, abs=1e-15)
        optimizer.step()
        if step < 49:
            peer.step()


@pytest.mark.parametrize("larger_is_better", [False, True])
@pytest.mark.parametrize("relative", [False, True])
@pytest.mark.parametrize("cooldown", [0, 3])
def test_plateau_equals_pytorch(
    relative: bool, larger_is_better: bool, cooldown: int
) -> None:
    schedule = schedules.Plateau(
        0.5,
        2,
        threshold=0.1,
        relative=relative,
        larger_is_better=larger_is_better,
        cooldown=cooldown,
        least=0.01,
    )
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=1.0)
    peer = S.ReduceLROnPlateau(
        optimizer,
        "max" if larger_is_better else "min",
        0.5,
        2,
        0.1,
        "rel" if relative else "abs",
        cooldown,
        0.01,
    )
    for step, metric in enumerate(spread(60, 1, 0.5, 2.0).ravel().tolist()):
        schedule.observe(metric)
        peer.step(metric)
        assert schedule(step) == pytest.approx(optimizer.param_groups[0]["lr"])
    assert schedule(60) == 0.01
