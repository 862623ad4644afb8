"""Optimizers: a rule for one number; walking the parameters is written once, above it.

A rule is a method `move(w, g, memory)`: it gives the new weight and changes what is
remembered of it, a dictionary of numbers that are 0 at first. `memory["t"]` is the
number of steps made, this one counted. `g` is clipped already, and
`memory["unclipped"]` is what it was before `clip_value`; `self` has the options
of the weight's group, its learning rate multiplied by the factor of a schedule and its
weight decay 0 where there is none.
"""

import math
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import Any, Self
from weakref import WeakKeyDictionary

from .ieee import divide, total
from .matrix import Matrix
from .params import Parameters, is_spared, named
from .shape import expect
from .state import StepStats

Memory = defaultdict[str, float]


@dataclass
class Optimizer:
    """What all optimizers have.

    Attributes
    ----------
    learning_rate, weight_decay
        As in the rules.
    clip_value
        Largest magnitude of an element of g.
    clip_norm
        Largest Euclidean norm of all gradients together; comes before `clip_value`.
    decay_all
        Weight decay reaches biases, gains of norms and embeddings too.
    groups
        Other options by patterns of names.
    rate_factor
        Multiplies the learning rates.
    """

    learning_rate: float = 1e-3
    weight_decay: float = field(default=0.0, kw_only=True)
    clip_value: float | None = field(default=None, kw_only=True)
    clip_norm: float | None = field(default=None, kw_only=True)
    decay_all: bool = field(default=False, kw_only=True)
    groups: Mapping[str, Mapping[str, Any]] = field(default_factory=dict, kw_only=True)
    rate_factor: float = field(default=1.0, init=False)
    _memories: WeakKeyDictionary[Matrix, list[Memory]] = field(
        default_factory=WeakKeyDictionary, init=False, repr=False
    )

    def step(self, parameters: Parameters, *, passes: int = 1) -> StepStats:
        """Change every parameter once and zero the gradients used.

        A matrix that comes twice counts once; one without a gradient has the gradient
        0. The gradients are sums over `passes` backward passes, of which the mean
        counts.

        Raises
        ------
        ArithmeticError
            If a gradient is not finite; nothing is changed.
        RuntimeError
            If a recording that used a parameter waits for its backward pass; nothing is
            changed.
        """
        self.check()
        names = named(parameters)
        self._expect_ready(names)
        gradients = {
            m: [g / passes for g in m.grad] if m.has_grad else [0.0] * m.shape.size
            for m in names
        }
        norm = math.sqrt(total(g * g for m in names for g in gradients[m]))
        clips = self.clip_norm is not None and norm > self.clip_norm
        scale = (self.clip_norm or 0.0) / norm if clips else 1.0
        limit = math.inf if self.clip_value is None else self.clip_value

        elements = clipped = 0
        for m, label in names.items():
            options = self._options(label)
            memories = self._memories.setdefault(
                m, [defaultdict(float) for _ in range(m.shape.size)]
            )
            for k, gradient in enumerate(gradients[m]):
                scaled = gradient * scale
                g = min(max(scaled, -limit), limit)
                clipped += g != scaled
                memories[k]["t"] += 1
                memories[k]["unclipped"] = scaled
                m.value[k] = options.move(m.value[k], g, memories[k])
            elements += m.shape.size
            m.zero_grad()
        return StepStats(norm, clipped / elements if elements else 0.0)

    def move(self, w: float, g: float, memory: Memory) -> float:
        """Give the weight that follows `w`."""
        raise NotImplementedError

    def check(self) -> None:
        """Raise ValueError for an option outside its domain."""
        for name, value in vars(self).items():
            if name in ("clip_value", "clip_norm"):
                fits, rule = value is None or 0 < value < math.inf, "above 0"
            elif name in ("momentum", "dampening", "decay_rate", "beta1", "beta2"):
                fits, rule = 0 <= value < 1, "in [0, 1)"
            elif isinstance(value, float | int):
                fits, rule = 0 <= value < math.inf, "finite and not negative"
            else:
                continue
            kind = type(self).__name__.lstrip("_")
            expect(fits, f"{kind}: {name} must be {rule} but is {value}")

    def _options(self, name: str) -> Self:
        """Options of the parameter of that name."""
        found = next((p for p in self.groups if fnmatchcase(name, p)), None)
        group = self.groups[found] if found is not None else {}
        options = replace(self, **group)
        options.learning_rate *= self.rate_factor
        decays = options.decay_all or "weight_decay" in group or not is_spared(name)
        options.weight_decay = options.weight_decay if decays else 0.0
        return options

    def _expect_ready(self, names: dict[Matrix, str]) -> None:
        kind = type(self).__name__.lstrip("_")
        for m, label in names.items():
            waits = any(r.open and not r.differentiated for r in m.used_by)
            expect(
                not waits,
                f"{kind}: {label} was used by a recording whose backward has not run; "
                "run it, or clear the graph",
                RuntimeError,
            )
            for k, g in enumerate(m.grad if m.has_grad else []):
                expect(
                    math.isfinite(g),
                    f"{kind}: gradient of {label} is {g} "
                    f"at ({k % m.rows}, {k // m.rows})",
                    ArithmeticError,
                )


@dataclass
class SGD(Optimizer):
    """Momentum, its Nesterov form, or neither."""

    momentum: float = field(default=0.0, kw_only=True)
    dampening: float = field(default=0.0, kw_only=True)
    nesterov: bool = field(default=False, kw_only=True)

    def move(self, w: float, g: float, memory: Memory) -> float:
        """Follow the gradients, with the momentum of those before."""
        g += self.weight_decay * w
        if self.momentum == 0:
            return w - self.learning_rate * g
        if memory["t"] == 1:
            memory["b"] = g
        else:
            memory["b"] = self.momentum * memory["b"] + (1 - self.dampening) * g
        ahead = g + self.momentum * memory["b"]
        return w - self.learning_rate * (ahead if self.nesterov else memory["b"])


@dataclass
class RMSProp(Optimizer):
    """PyTorch's rule, save that weight decay is decoupled."""

    decay_rate: float = field(default=0.95, kw_only=True)
    eps: float = field(default=1e-8, kw_only=True)
    momentum: float = field(default=0.0, kw_only=True)
    centered: bool = field(default=False, kw_only=True)

    def move(self, w: float, g: float, memory: Memory) -> float:
        """Divide by the root mean square, or by the standard deviation."""
        keep = self.decay_rate
        memory["s"] = keep * memory["s"] + (1 - keep) * g * g
        memory["m"] = keep * memory["m"] + (1 - keep) * g
        spread = memory["s"] - memory["m"] ** 2 if self.centered else memory["s"]
        root = math.sqrt(max(spread, 0.0)) + self.eps
        memory["b"] = self.momentum * memory["b"] + _over(g, root)
        return w - self.learning_rate * (memory["b"] + self.weight_decay * w)


@dataclass
class Adagrad(Optimizer):
    """PyTorch's rule."""

    learning_rate: float = 1e-2
    rate_decay: float = field(default=0.0, kw_only=True)
    initial_square: float = field(default=0.0, kw_only=True)
    eps: float = field(default=1e-10, kw_only=True)

    def move(self, w: float, g: float, memory: Memory) -> float:
        """Divide by the root of the sum of all squares."""
        g += self.weight_decay * w
        if memory["t"] == 1:
            memory["s"] = self.initial_square
        memory["s"] += g * g
        rate = self.learning_rate / (1 + (memory["t"] - 1) * self.rate_decay)
        return w - rate * _over(g, math.sqrt(memory["s"]) + self.eps)


@dataclass
class Adam(Optimizer):
    """PyTorch's rule."""

    beta1: float = field(default=0.9, kw_only=True)
    beta2: float = field(default=0.999, kw_only=True)
    eps: float = field(default=1e-8, kw_only=True)

    def move(self, w: float, g: float, memory: Memory) -> float:
        """Divide the mean gradient by the root mean square, both corrected."""
        g += self.weight_decay * w
        return w - self.learning_rate * self._ratio(g, memory)

    def _ratio(self, g: float, memory: Memory) -> float:
        memory["m"] = self.beta1 * memory["m"] + (1 - self.beta1) * g
        memory["v"] = self.beta2 * memory["v"] + (1 - self.beta2) * g * g
        mean = memory["m"] / (1 - self.beta1 ** memory["t"])
        square = memory["v"] / (1 - self.beta2 ** memory["t"])
        return _over(mean, math.sqrt(square) + self.eps)


@dataclass
class AdamW(Adam):
    """Adam with decoupled weight decay, PyTorch's rule."""

    weight_decay: float = field(default=0.01, kw_only=True)

    def move(self, w: float, g: float, memory: Memory) -> float:
        """Shrink the weight, then move it as Adam does."""
        w -= self.learning_rate * self.weight_decay * w
        return w - self.learning_rate * self._ratio(g, memory)


@dataclass
class NAdam(Optimizer):
    """PyTorch's rule."""

    learning_rate: float = 2e-3
    beta1: float = field(default=0.9, kw_only=True)
    beta2: float = field(default=0.999, kw_only=True)
    eps: float = field(default=1e-8, kw_only=True)
    momentum_decay: float = field(default=4e-3, kw_only=True)

    def move(self, w: float, g: float, memory: Memory) -> float:
        """Look one step of momentum ahead of Adam."""
        g += self.weight_decay * w
        t = memory["t"]
        memory["m"] = self.beta1 * memory["m"] + (1 - self.beta1) * g
        memory["v"] = self.beta2 * memory["v"] + (1 - self.beta2) * g * g
        now, ahead = self._momentum(t), self._momentum(t + 1)
        memory["p"] = now * (memory["p"] if t > 1 else 1.0)
        mean = (1 - now) / (1 - memory["p"]) * g
        mean += ahead / (1 - memory["p"] * ahead) * memory["m"]
        root = math.sqrt(memory["v"] / (1 - self.beta2**t)) + self.eps
        return w - self.learning_rate * _over(mean, root)

    def _momentum(self, t: float) -> float:
        return self.beta1 * (1 - math.pow(0.96, t * self.momentum_decay) / 2)


@dataclass
class Lion(Optimizer):
    """The sign of a mean (Chen et al. 2023, algorithm 2)."""

    learning_rate: float = 1e-4
    beta1: float = field(default=0.9, kw_only=True)
    beta2: float = field(default=0.99, kw_only=True)

    def move(self, w: float, g: float, memory: Memory) -> float:
        """Go one learning rate in the direction of the sign."""
        mean = self.beta1 * memory["m"] + (1 - self.beta1) * g
        memory["m"] = self.beta2 * memory["m"] + (1 - self.beta2) * g
        sign = (mean > 0) - (mean < 0)
        return w - self.learning_rate * (sign + self.weight_decay * w)


@dataclass
class _Solver(Optimizer):
    decay_rate: float = field(default=0.999, kw_only=True)
    eps: float = field(default=1e-8, kw_only=True)

    def move(self, w: float, g: float, memory: Memory) -> float:
        keep, unclipped = self.decay_rate, memory["unclipped"]
        memory["s"] = keep * memory["s"] + (1 - keep) * unclipped * unclipped
        moved = _over(self.learning_rate * g, math.sqrt(memory["s"] + self.eps))
        return w - moved - self.weight_decay * w


@dataclass
class Solver:
    """The rule of RecurrentJS and RecurrentNN.jl.

    s = decay_rate s + (1 - decay_rate) g^2         the gradient before clipping
    w = w - learning_rate clip(g) / sqrt(s + eps) - weight_decay w

    eps stands inside the root; the decay is not scaled by the rate, and spares nothing.
    """

    decay_rate: float = 0.999
    eps: float = 1e-8
    _rule: _Solver = field(
        default_factory=lambda: _Solver(decay_all=True), init=False, repr=False
    )

    def step(
        self,
        parameters: Parameters,
        learning_rate: float,
        weight_decay: float,
        clip_value: float,
    ) -> StepStats:
        """Change every parameter once and zero the gradients; see `Optimizer.step`."""
        rule = self._rule
        rule.decay_rate, rule.eps = self.decay_rate, self.eps
        rule.learning_rate, rule.weight_decay = learning_rate, weight_decay
        rule.clip_value = clip_value
        return rule.step(parameters)


def _over(x: float, root: float) -> float:
    # With eps 0, a weight that never had a gradient stays.
    return x and divide(x, root)
