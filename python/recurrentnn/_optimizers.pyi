"""The optimizers of the compiled core: a part of its stub, no module."""

from collections.abc import Iterable, Mapping
from typing import Any, Self, TypeAlias, final

from numpy.typing import ArrayLike, NDArray
from typing_extensions import disjoint_base

from recurrentnn._recurrentnn import Matrix, Model
from recurrentnn.state import StepStats

_Parameters: TypeAlias = Model | Mapping[str, Matrix] | Iterable[Matrix]

@disjoint_base
class Optimizer:
    """A rule with its options, which are attributes. Use the subclasses in
    `recurrentnn.optimizers`.
    """

    def __new__(
        cls,
        rule: str,
        *,
        groups: Mapping[str, Mapping[str, float | bool]] | None = None,
        **settings: float | bool | None,
    ) -> Self: ...
    learning_rate: float
    weight_decay: float
    clip_value: float | None
    clip_norm: float | None
    decay_all: bool
    rate_factor: float  # multiplies the learning rates of all groups
    # By the mean gradient over so many backward passes.
    def step(self, parameters: _Parameters, *, passes: int = 1) -> StepStats: ...
    # What it remembers, and what makes one like it.
    def state(
        self, parameters: _Parameters
    ) -> dict[str, NDArray[Any] | float | int | str]: ...
    def restore(self, parameters: _Parameters, state: Mapping[str, Any]) -> None: ...
    def config(self) -> dict[str, Any]: ...

@final
class Solver:
    """The ancestors' rule: s = decay_rate*s + (1-decay_rate)*g^2; g = clip(g);
    w += -learning_rate*g/sqrt(s+eps) - weight_decay*w.
    """

    def __new__(cls, decay_rate: float = 0.999, eps: float = 1e-8) -> Self: ...
    @property
    def decay_rate(self) -> float: ...
    @property
    def eps(self) -> float: ...
    def step(
        self,
        parameters: _Parameters,
        learning_rate: float,
        weight_decay: float,
        clip_value: float,
    ) -> StepStats: ...
    def state(
        self, parameters: _Parameters
    ) -> dict[str, NDArray[Any] | float | int | str]: ...
    def restore(self, parameters: _Parameters, state: Mapping[str, Any]) -> None: ...

@final
class ExponentialMovingAverage:
    """average = average + (1 - decay) (w - average); inside `with average:` the
    parameters have the averages for values.
    """

    def __new__(cls, parameters: _Parameters, decay: float = 0.999) -> Self: ...
    @property
    def decay(self) -> float: ...
    def update(self) -> None: ...
    def state(self) -> dict[str, NDArray[Any]]: ...
    def restore(self, state: Mapping[str, ArrayLike]) -> None: ...
    def __enter__(self) -> Self: ...
    def __exit__(self, *_exc: object) -> None: ...
