"""RecurrentNN.jl's models and `forwardprop`.

Each is a `recurrentnn` model with that package's defaults: float64, weights
normal(0, std), all biases 0, a linear decoder on the top layer. They differ from
`recurrentnn.RNN`, `LSTM`, ... in these defaults alone, and save to the same files.

In the GRUs the update gate is written the other way round. RecurrentNN.jl computes
h' = (1-u) h + u n with u = sigmoid(a); here h' = z h + (1-z) n, so z = 1 - u =
sigmoid(-a): the matrices of the gate `update` are the negatives of the ancestor's
`wux`, `wuh`, `bu`. Initial values and training are symmetric in that sign.
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self, TypeAlias

from recurrentnn import _recurrentnn
from recurrentnn._recurrentnn import Graph, Matrix
from recurrentnn.compat.stream import next_seed
from recurrentnn.errors import ArgumentTypeError
from recurrentnn.state import Step

# A step's result, the ancestor's (hidden, [cell,] output), or nothing before the first.
Previous: TypeAlias = Step | Sequence[Any] | None


class Model(_recurrentnn.Model):
    """What the ancestor's models share: use a subclass.

    Parameters
    ----------
    inputsize, hiddensizes, outputsize
        Rows of x, of each layer's h, and of the output.
    std
        Standard deviation of the initial weights.
    seed
        Without it the weights are the next of the stream (`recurrentnn.compat.srand`).
    """

    _cell: ClassVar[str] = ""
    _options: ClassVar[Mapping[str, Any]] = {}

    def __new__(
        cls,
        inputsize: int,
        hiddensizes: int | Sequence[int],
        outputsize: int,
        std: float = 0.08,
        *,
        seed: int | None = None,
    ) -> Self:
        """Make a net with its initial weights."""
        if not cls._cell:
            raise ArgumentTypeError("Model: make an RNN, LSTM, GRU, GFLSTM or GFGRU")
        return super().__new__(
            cls,
            cls._cell,
            inputsize,
            hiddensizes,
            outputsize,
            seed=next_seed() if seed is None else seed,
            dtype="float64",
            init="normal",
            std=std,
            **cls._options,
        )

    @property
    def matrices(self) -> list[Matrix]:
        """All parameters in the order of `parameters()`, for `step` and the like."""
        return list(self.parameters().values())


class RNN(Model):
    """h' = relu(Wx x + Wh h + b), with derivative 1 at 0."""

    _cell = "rnn"
    _options: ClassVar = {"activation": "relu", "slope_at_zero": 1.0}


class LSTM(Model):
    """c' = f*c + i*n, h' = o*tanh(c'); the forget bias starts at 0."""

    _cell = "lstm"
    _options: ClassVar = {"forget_bias": 0.0}


class GRU(Model):
    """n = tanh(Wx x + Wh (r*h) + b), h' = z*h + (1-z)*n: resets before the product."""

    _cell = "gru"
    _options: ClassVar = {"reset": "before"}


class GFLSTM(Model):
    """LSTM whose candidate reads every layer's h through a gate per unit.

    n = tanh(Wx x + b + sum_i g_i * (U_i h_i)). Layer sizes may differ, as they could
    not in the ancestor, where every U_i was square.
    """

    _cell = "gflstm"
    _options: ClassVar = {"forget_bias": 0.0, "gate": "vector"}


class GFGRU(Model):
    """GRU whose candidate reads every layer's h through a gate per unit.

    n = tanh(Wx x + b + r * sum_i g_i * (U_i h_i)): unlike this package's `GRU`, and as
    in the ancestor and the paper, it resets after the products. Layer sizes may differ.
    """

    _cell = "gfgru"
    _options: ClassVar = {"gate": "vector"}


def forwardprop(g: Graph, model: Model, x: Matrix, prev: Previous = None) -> Step:
    """Advance `model` by one tick in graph `g`.

    Every model returns `(hidden, cell, output)`, so that `prev[-1]` is the output; in
    the ancestor the RNN and the GRUs returned two fields and the LSTMs three.

    Parameters
    ----------
    x
        (inputsize, batch).
    prev
        The result of the tick before. For the first tick `None`, or the ancestor's
        `([], [], output)`.
    """
    return model.forward(g, x, _as_step(prev))


def _as_step(prev: Previous) -> Step | None:
    if prev is None or isinstance(prev, Step):
        return prev
    hidden, *cell, output = prev
    if len(hidden) == 0:
        return None
    return Step(tuple(hidden), tuple(cell[0]) if cell else (), output)
