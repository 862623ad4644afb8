"""Optimizers: a rule for one number; walking the parameters is written once, above it.

Both rules divide by the running root mean square of the gradient (Tieleman and Hinton,
2012). They differ in where they clip, where eps stands and what decay means.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

from .ieee import divide, total
from .matrix import Matrix
from .params import Parameters, is_bias, named
from .shape import expect
from .state import StepStats

MeanSquares = WeakKeyDictionary[Matrix, list[float]]
# (w, s, gradient, whether weight decay applies) -> new w, new s, whether g was clipped
Rule = Callable[[float, float, float, bool], tuple[float, float, bool]]


@dataclass
class RMSProp:
    """The modern rule: PyTorch's, where the two coincide.

    g = clip(gradient)                  by norm over all matrices, then by value
    s = decay_rate s + (1 - decay_rate) g^2
    w = w - learning_rate (g / (sqrt(s) + eps) + weight_decay w)

    Attributes
    ----------
    learning_rate, decay_rate, eps
        As in the rule; eps stands outside the root.
    weight_decay
        Decoupled; spares biases, that is a parameter whose last part of the name
        begins with "bias", unless `decay_biases`.
    clip_value
        Largest magnitude of an element of g.
    clip_norm
        Largest Euclidean norm of all gradients together.
    """

    learning_rate: float = 1e-3
    decay_rate: float = field(default=0.95, kw_only=True)
    eps: float = field(default=1e-8, kw_only=True)
    weight_decay: float = field(default=0.0, kw_only=True)
    clip_value: float | None = field(default=None, kw_only=True)
    clip_norm: float | None = field(default=None, kw_only=True)
    decay_biases: bool = field(default=False, kw_only=True)
    _state: MeanSquares = field(
        default_factory=WeakKeyDictionary, init=False, repr=False
    )

    def step(self, parameters: Parameters) -> StepStats:
        """Change every parameter once and zero the gradients used; see `_step`."""
        _expect_not_negative("RMSProp", "learning_rate", self.learning_rate)
        _expect_not_negative("RMSProp", "eps", self.eps)
        _expect_not_negative("RMSProp", "weight_decay", self.weight_decay)
        _expect_decay_rate("RMSProp", self.decay_rate)
        _expect_positive("RMSProp", "clip_value", self.clip_value)
        _expect_positive("RMSProp", "clip_norm", self.clip_norm)
        limit = math.inf if self.clip_value is None else self.clip_value

        def rule(
            w: float, s: float, gradient: float, decays: bool
        ) -> tuple[float, float, bool]:
            g = min(max(gradient, -limit), limit)
            s = self.decay_rate * s + (1.0 - self.decay_rate) * g * g
            # With eps 0, a weight that never had a gradient stays.
            direction = g and divide(g, math.sqrt(s) + self.eps)
            if decays:
                direction += self.weight_decay * w
            return w - self.learning_rate * direction, s, g != gradient

        return _step(
            "RMSProp", parameters, self._state, rule, self.clip_norm, self.decay_biases
        )


@dataclass
class Solver:
    """The rule of RecurrentJS and RecurrentNN.jl.

    s = decay_rate s + (1 - decay_rate) g^2         the gradient before clipping
    w = w - learning_rate clip(g) / sqrt(s + eps) - weight_decay w

    eps stands inside the root; the decay is not scaled by the rate, and spares nothing.
    """

    decay_rate: float = 0.999
    eps: float = 1e-8
    _state: MeanSquares = field(
        default_factory=WeakKeyDictionary, init=False, repr=False
    )

    def step(
        self,
        parameters: Parameters,
        learning_rate: float,
        weight_decay: float,
        clip_value: float,
    ) -> StepStats:
        """Change every parameter once and zero the gradients used; see `_step`."""
        _expect_not_negative("Solver", "learning_rate", learning_rate)
        _expect_not_negative("Solver", "weight_decay", weight_decay)
        _expect_not_negative("Solver", "eps", self.eps)
        _expect_decay_rate("Solver", self.decay_rate)
        _expect_positive("Solver", "clip_value", clip_value)

        def rule(
            w: float, s: float, gradient: float, _decays: bool
        ) -> tuple[float, float, bool]:
            s = self.decay_rate * s + (1.0 - self.decay_rate) * gradient * gradient
            g = min(max(gradient, -clip_value), clip_value)
            moved = g and divide(learning_rate * g, math.sqrt(s + self.eps))
            return w - moved - weight_decay * w, s, g != gradient

        return _step("Solver", parameters, self._state, rule)


def _step(
    name: str,
    parameters: Parameters,
    state: MeanSquares,
    rule: Rule,
    clip_norm: float | None = None,
    decay_biases: bool = True,
) -> StepStats:
    """Walk the parameters twice: a pass that reads, then a pass that changes.

    A matrix that comes twice counts once; one without a gradient has the gradient 0.

    Raises
    ------
    ArithmeticError
        If a gradient is not finite; nothing is changed.
    RuntimeError
        If a recording that used a parameter waits for its backward pass; nothing is
        changed.
    """
    names = named(parameters)
    for m, label in names.items():
        waits = any(r.open and not r.differentiated for r in m.used_by)
        expect(
            not waits,
            f"{name}: {label} was used by a recording whose backward has not run; "
            "run it, or clear the graph",
            RuntimeError,
        )
        for k, g in enumerate(m.grad if m.has_grad else []):
            expect(
                math.isfinite(g),
                f"{name}: gradient of {label} is {g} at ({k % m.rows}, {k // m.rows})",
                ArithmeticError,
            )
    norm = math.sqrt(total(g * g for m in names if m.has_grad for g in m.grad))
    scale = clip_norm / norm if clip_norm is not None and norm > clip_norm else 1.0

    elements = clipped = 0
    for m, label in names.items():
        decays = decay_biases or not is_bias(label)
        s = state.setdefault(m, [0.0] * m.shape.size)
        for k, g in enumerate(m.grad if m.has_grad else [0.0] * m.shape.size):
            m.value[k], s[k], was_clipped = rule(m.value[k], s[k], g * scale, decays)
            clipped += was_clipped
        elements += m.shape.size
        m.zero_grad()
    return StepStats(norm, clipped / elements if elements else 0.0)


def _expect_not_negative(name: str, setting: str, x: float) -> None:
    expect(
        0.0 <= x < math.inf,
        f"{name}: {setting} must be finite and not negative but is {x}",
    )


def _expect_decay_rate(name: str, x: float) -> None:
    expect(0.0 <= x < 1.0, f"{name}: decay_rate must be in [0, 1) but is {x}")


def _expect_positive(name: str, setting: str, x: float | None) -> None:
    expect(
        x is None or 0.0 < x < math.inf,
        f"{name}: {setting} must be finite and above 0 but is {x}",
    )
