"""The optimizers: each changes weights by their gradients, one step at a time.

>>> import numpy as np
>>> from recurrentnn import LSTM, Graph
>>> net = LSTM(3, [8], 2)
>>> optimizer = AdamW(
...     1e-3, clip_norm=1.0, groups={"decoder.*": {"learning_rate": 1e-4}}
... )
>>> with Graph() as g:
...     y, state = net(np.ones((2, 5, 3)))
...     loss = g.squared_error(y, np.zeros((2, 10)))
>>> g.backward(loss)
>>> stats = optimizer.step(net)
>>> stats.clipped_fraction
0.0

In the equations w is a weight, L the learning rate, D the weight decay, t the number of
steps made, from 1, and g the gradient after clipping: first by the norm of all
gradients together, then each element by value. A gradient that is infinite or NaN is
refused by name, before anything is changed.

Options of every optimizer
--------------------------
learning_rate : float
    L. `optimizer.rate_factor`, 1 at first, multiplies it in every group: a schedule
    (`recurrentnn.schedules`) sets it before a step.
weight_decay : float
    D. "L2" adds D w to g; "decoupled" takes L D w from w, whatever g is. It spares
    biases, gains of norms and embeddings: there D is 0. A parameter outside a model is
    a bias if the last part of its name begins with "bias".
decay_all : bool
    Weight decay spares nothing.
clip_value : float, optional
    Largest magnitude of an element of the gradient.
clip_norm : float, optional
    Largest Euclidean norm of all gradients together.
groups : mapping, optional
    Other options for some parameters: ``{pattern: {option: value}}``. A parameter
    belongs to the first pattern that its name matches, where ``*`` stands for any
    characters. A group's `weight_decay` holds for all of the group. Clipping has no
    groups.

All options can be read and set as attributes, save `groups`.

Gradients add up until a step uses them: `step(net, passes=n)` steps by the mean over n
backward passes. `state(net)` gives what the optimizer remembers, as arrays and numbers
by name, and `restore(net, state)` takes it up. `config()` gives the arguments that make
an optimizer with the same options: ``Adam(**optimizer.config())``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self, TypeAlias, TypedDict, Unpack

from recurrentnn._recurrentnn import Optimizer

Groups: TypeAlias = Mapping[str, Mapping[str, float | bool]]


class Common(TypedDict, total=False):
    """The options of all optimizers that mean the same to each, all off unless said."""

    clip_value: float | None
    clip_norm: float | None
    decay_all: bool
    groups: Groups | None


class SGD(Optimizer):
    """Gradient descent with momentum: PyTorch's rule.

    ::

        g = g + D w
        b = momentum b + (1 - dampening) g      the first time: g
        w = w - L b                             nesterov: g + momentum b for b

    Without momentum nothing is remembered, and g is in the place of b.

    Parameters
    ----------
    momentum : float
        How much of the step before stays, in [0, 1).
    dampening : float
        How much of the gradient does not enter the momentum, in [0, 1).
    nesterov : bool
        Look one step of momentum ahead (Sutskever et al. 2013).

    Notes
    -----
    `help(recurrentnn.optimizers)` tells the other options. Weight decay is L2.
    """

    momentum: float
    dampening: float
    nesterov: bool

    def __new__(
        cls,
        learning_rate: float = 1e-3,
        *,
        momentum: float = 0.0,
        dampening: float = 0.0,
        nesterov: bool = False,
        weight_decay: float = 0.0,
        **options: Unpack[Common],
    ) -> Self:
        """An optimizer that has made no step."""
        return super().__new__(
            cls,
            "sgd",
            learning_rate=learning_rate,
            momentum=momentum,
            dampening=dampening,
            nesterov=nesterov,
            weight_decay=weight_decay,
            **options,
        )


class RMSProp(Optimizer):
    """Steps divided by the running root mean square of g (Tieleman and Hinton 2012).

    ::

        s = decay_rate s + (1 - decay_rate) g^2
        m = decay_rate m + (1 - decay_rate) g   centered (Graves 2013); else m = 0
        b = momentum b + g / (sqrt(s - m^2) + eps)
        w = w - L (b + D w)

    Parameters
    ----------
    decay_rate : float
        How much of the means stays, in [0, 1). They begin at 0, without correction.
    eps : float
        Keeps the quotient finite; it stands outside the root.
    momentum : float
        How much of the step before stays, in [0, 1).
    centered : bool
        Divide by the deviation from the mean gradient.

    Notes
    -----
    `help(recurrentnn.optimizers)` tells the other options. PyTorch's rule, save that
    weight decay is decoupled, where PyTorch's is L2.
    """

    decay_rate: float
    eps: float
    momentum: float
    centered: bool

    def __new__(
        cls,
        learning_rate: float = 1e-3,
        *,
        decay_rate: float = 0.95,
        eps: float = 1e-8,
        momentum: float = 0.0,
        centered: bool = False,
        weight_decay: float = 0.0,
        **options: Unpack[Common],
    ) -> Self:
        """An optimizer that has made no step."""
        return super().__new__(
            cls,
            "rmsprop",
            learning_rate=learning_rate,
            decay_rate=decay_rate,
            eps=eps,
            momentum=momentum,
            centered=centered,
            weight_decay=weight_decay,
            **options,
        )


class Adagrad(Optimizer):
    """Steps divided by the root of all squares so far (Duchi et al. 2011): PyTorch's.

    ::

        g = g + D w
        s = s + g^2                             from initial_square
        w = w - L / (1 + (t - 1) rate_decay) g / (sqrt(s) + eps)

    Parameters
    ----------
    rate_decay : float
        How the rate falls with the steps; PyTorch's `lr_decay`.
    initial_square : float
        Where the sums begin; PyTorch's `initial_accumulator_value`.
    eps : float
        Keeps the quotient finite.

    Notes
    -----
    `help(recurrentnn.optimizers)` tells the other options. Weight decay is L2.
    """

    rate_decay: float
    initial_square: float
    eps: float

    def __new__(
        cls,
        learning_rate: float = 1e-2,
        *,
        rate_decay: float = 0.0,
        initial_square: float = 0.0,
        eps: float = 1e-10,
        weight_decay: float = 0.0,
        **options: Unpack[Common],
    ) -> Self:
        """An optimizer that has made no step."""
        return super().__new__(
            cls,
            "adagrad",
            learning_rate=learning_rate,
            rate_decay=rate_decay,
            initial_square=initial_square,
            eps=eps,
            weight_decay=weight_decay,
            **options,
        )


class Adam(Optimizer):
    """Running means of g and of its square (Kingma and Ba 2015): PyTorch's rule.

    ::

        g = g + D w
        m = beta1 m + (1 - beta1) g
        v = beta2 v + (1 - beta2) g^2
        w = w - L (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + eps)

    Parameters
    ----------
    beta1, beta2 : float
        How much of the means stays, in [0, 1).
    eps : float
        Keeps the quotient finite.

    Notes
    -----
    `help(recurrentnn.optimizers)` tells the other options. Weight decay is L2; AdamW's
    is decoupled.
    """

    beta1: float
    beta2: float
    eps: float

    def __new__(
        cls,
        learning_rate: float = 1e-3,
        *,
        beta1: float = 0.9,
        beta2: float = 0.999,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        **options: Unpack[Common],
    ) -> Self:
        """An optimizer that has made no step."""
        return super().__new__(
            cls,
            "adam",
            learning_rate=learning_rate,
            beta1=beta1,
            beta2=beta2,
            eps=eps,
            weight_decay=weight_decay,
            **options,
        )


class AdamW(Optimizer):
    """Adam with decoupled weight decay (Loshchilov and Hutter 2019): PyTorch's rule.

    ::

        m = beta1 m + (1 - beta1) g
        v = beta2 v + (1 - beta2) g^2
        w = (1 - L D) w - L (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + eps)

    Parameters
    ----------
    beta1, beta2 : float
        How much of the means stays, in [0, 1).
    eps : float
        Keeps the quotient finite.

    Notes
    -----
    `help(recurrentnn.optimizers)` tells the other options.
    """

    beta1: float
    beta2: float
    eps: float

    def __new__(
        cls,
        learning_rate: float = 1e-3,
        *,
        beta1: float = 0.9,
        beta2: float = 0.999,
        eps: float = 1e-8,
        weight_decay: float = 0.01,
        **options: Unpack[Common],
    ) -> Self:
        """An optimizer that has made no step."""
        return super().__new__(
            cls,
            "adamw",
            learning_rate=learning_rate,
            beta1=beta1,
            beta2=beta2,
            eps=eps,
            weight_decay=weight_decay,
            **options,
        )


class NAdam(Optimizer):
    """Adam with Nesterov's momentum (Dozat 2016): PyTorch's rule.

    ::

        g = g + D w
        m = beta1 m + (1 - beta1) g
        v = beta2 v + (1 - beta2) g^2
        u = beta1 (1 - 0.96^(t momentum_decay) / 2)     u' is that of t + 1
        p = p u                                         from 1
        n = (1 - u) / (1 - p) g + u' / (1 - p u') m
        w = w - L n / (sqrt(v / (1 - beta2^t)) + eps)

    Parameters
    ----------
    beta1, beta2 : float
        How much of the means stays, in [0, 1).
    eps : float
        Keeps the quotient finite.
    momentum_decay : float
        How fast the momentum comes to its full size.

    Notes
    -----
    `help(recurrentnn.optimizers)` tells the other options. Weight decay is L2.
    """

    beta1: float
    beta2: float
    eps: float
    momentum_decay: float

    def __new__(
        cls,
        learning_rate: float = 2e-3,
        *,
        beta1: float = 0.9,
        beta2: float = 0.999,
        eps: float = 1e-8,
        momentum_decay: float = 4e-3,
        weight_decay: float = 0.0,
        **options: Unpack[Common],
    ) -> Self:
        """An optimizer that has made no step."""
        return super().__new__(
            cls,
            "nadam",
            learning_rate=learning_rate,
            beta1=beta1,
            beta2=beta2,
            eps=eps,
            momentum_decay=momentum_decay,
            weight_decay=weight_decay,
            **options,
        )


class Lion(Optimizer):
    """Steps of one size in the direction of a mean's sign (Chen et al. 2023).

    ::

        u = sign(beta1 m + (1 - beta1) g)       0 where the sum is 0
        w = w - L (u + D w)
        m = beta2 m + (1 - beta2) g

    Parameters
    ----------
    beta1 : float
        How much of the mean enters a step, in [0, 1).
    beta2 : float
        How much of the mean stays, in [0, 1).

    Notes
    -----
    `help(recurrentnn.optimizers)` tells the other options. Weight decay is decoupled.
    Every weight moves as far: choose `learning_rate` three to ten times smaller than
    Adam's, and `weight_decay` larger by as much.
    """

    beta1: float
    beta2: float

    def __new__(
        cls,
        learning_rate: float = 1e-4,
        *,
        beta1: float = 0.9,
        beta2: float = 0.99,
        weight_decay: float = 0.0,
        **options: Unpack[Common],
    ) -> Self:
        """An optimizer that has made no step."""
        return super().__new__(
            cls,
            "lion",
            learning_rate=learning_rate,
            beta1=beta1,
            beta2=beta2,
            weight_decay=weight_decay,
            **options,
        )


OPTIMIZERS: dict[str, type[Optimizer]] = {
    "sgd": SGD,
    "rmsprop": RMSProp,
    "adagrad": Adagrad,
    "adam": Adam,
    "adamw": AdamW,
    "nadam": NAdam,
    "lion": Lion,
}
