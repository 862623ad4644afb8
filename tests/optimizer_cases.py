"""The table of optimizers: every rule with each of its options, once at least."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import recurrentnn as rnn
from recurrentnn import compat


@dataclass(frozen=True, eq=False)
class OptimizerCase:
    """One rule with its options; `arguments` go to every step after the model."""

    optimizer: str
    about: str
    options: dict[str, Any] = field(default_factory=dict)
    arguments: tuple[float, ...] = ()

    @property
    def name(self) -> str:
        return f"{self.optimizer}: {self.about}"


FOR_EVERY_RULE: tuple[tuple[str, dict[str, Any]], ...] = (
    ("as it comes", {}),
    ("learning rate", {"learning_rate": 0.05}),
    ("weight decay", {"weight_decay": 0.1}),
    ("weight decay of all", {"weight_decay": 0.1, "decay_all": True}),
    ("clipped by value", {"clip_value": 0.05}),
    ("clipped by norm", {"clip_norm": 0.1}),
    ("norm not reached", {"clip_norm": 1e6}),
    ("norm first, then value", {"clip_norm": 0.5, "clip_value": 0.05}),
    (
        "groups",
        {
            "learning_rate": 0.02,
            "weight_decay": 0.1,
            "groups": {
                "w.*_h": {"weight_decay": 0.3},
                "w.*": {"learning_rate": 0.01, "decay_all": True},
            },
        },
    ),
)

MEANS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("betas", {"beta1": 0.7, "beta2": 0.8}),
    ("no memory", {"beta1": 0.0, "beta2": 0.0}),
    ("large eps", {"eps": 0.1}),
    ("no eps", {"eps": 0.0}),
)

FOR_ONE_RULE: dict[str, tuple[tuple[str, dict[str, Any]], ...]] = {
    "sgd": (
        ("momentum", {"momentum": 0.9}),
        ("dampening", {"momentum": 0.9, "dampening": 0.3}),
        ("dampening without momentum", {"dampening": 0.3}),
        ("nesterov", {"momentum": 0.9, "nesterov": True, "weight_decay": 0.1}),
    ),
    "rmsprop": (
        ("decay rate", {"decay_rate": 0.5}),
        ("no memory", {"decay_rate": 0.0}),
        ("large eps", {"eps": 0.1}),
        ("momentum", {"momentum": 0.9, "weight_decay": 0.1}),
        # A mean near the root of the mean square would show rounding alone.
        ("centered", {"centered": True, "eps": 1e-3}),
        ("all of it", {"centered": True, "momentum": 0.5, "eps": 1e-3}),
    ),
    "adagrad": (
        ("rate decay", {"rate_decay": 0.1}),
        ("initial square", {"initial_square": 0.5}),
        ("large eps", {"eps": 0.1}),
        ("no eps", {"eps": 0.0}),
    ),
    "adam": MEANS,
    "adamw": MEANS,
    "nadam": (*MEANS, ("momentum decay", {"momentum_decay": 0.1})),
    "lion": (("betas", {"beta1": 0.7, "beta2": 0.8}),),
}

FOR_THE_SOLVER = (
    OptimizerCase("solver", "as it comes", {}, (0.01, 1e-6, 5.0)),
    OptimizerCase("solver", "clipped", {}, (0.01, 1e-6, 0.05)),
    OptimizerCase(
        "solver", "decay", {"decay_rate": 0.9, "eps": 1e-4}, (0.01, 0.1, 5.0)
    ),
)


def _cases() -> Iterator[OptimizerCase]:
    for rule, rows in FOR_ONE_RULE.items():
        for about, options in FOR_EVERY_RULE + rows:
            yield OptimizerCase(rule, about, options)
    yield from FOR_THE_SOLVER


OPTIMIZERS: tuple[OptimizerCase, ...] = tuple(_cases())

OPTIMIZER_CLASSES = {
    "sgd": "SGD",
    "rmsprop": "RMSProp",
    "adagrad": "Adagrad",
    "adam": "Adam",
    "adamw": "AdamW",
    "nadam": "NAdam",
    "lion": "Lion",
    "solver": "Solver",
}


def public(name: str) -> Callable[..., Any]:
    """The class that users get; the ancestors' rule stands in `compat`."""
    return getattr(compat if name == "Solver" else rnn, name)  # type: ignore[no-any-return]
