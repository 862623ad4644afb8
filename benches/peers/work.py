"""What is computed: a net, a batch, and whether to train it; and what that costs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

Mode: TypeAlias = Literal["train", "infer", "step", "stream"]
Arrays: TypeAlias = dict[str, NDArray[Any]]

# Rows of W and U together, in units of a layer's size.
GATES = {
    "rnn": 1,
    "lstm": 4,
    "gru": 3,
    "gflstm": 4,
    "own-lstm": 4,
    "mgu": 2,
    "ln-lstm": 4,
}

# The cells that compute the same from parameters of the same names.
EQUATIONS = {"own-lstm": "lstm"}

# Steps whose outputs are compared where a side works one step at a time.
COMPARED_STEPS = 8


@dataclass(frozen=True)
class Work:
    """One net and what it is given.

    Attributes
    ----------
    cell
        A key of `GATES`. The RNN is the one with relu.
    hidden
        Units of each layer.
    mode
        "train": forward, cross-entropy, backward, RMSProp. "infer": forward over the
        sequence. "step": one step of it with the state going in and out as a value;
        "stream": the same through whatever the library has for streams.
    symbols
        How many there are, embedded in `inputs` numbers; None if the inputs are dense.
    outputs
        Rows of the decoder, or None for no decoder.
    """

    cell: str
    hidden: tuple[int, ...]
    batch: int
    time: int
    mode: Mode = "train"
    symbols: int | None = 100
    inputs: int = 128
    outputs: int | None = 100
    dtype: str = "float32"

    @property
    def key(self) -> str:
        """Name of this work in a record."""
        source = "dense" if self.symbols is None else f"{self.symbols} in"
        return (
            f"{self.mode} {self.cell} {'-'.join(map(str, self.hidden))} "
            f"B={self.batch} T={self.time} {source} {self.inputs} "
            f"to {self.outputs or 'hidden'} {self.dtype}"
        )

    @property
    def equations(self) -> str:
        """Equal for works whose numbers must agree."""
        cell = EQUATIONS.get(self.cell, self.cell)
        mode = "step" if self.mode == "stream" else self.mode
        return Work(**{**vars(self), "cell": cell, "mode": mode}).key

    @property
    def stepwise(self) -> bool:
        """Whether one run is a single step."""
        return self.mode in ("step", "stream")

    @property
    def ticks(self) -> int:
        """Steps times samples of one run."""
        return self.batch * (1 if self.stepwise else self.time)

    def data(self) -> tuple[NDArray[Any], NDArray[np.int64]]:
        """Inputs (batch, time) or (batch, time, inputs), and targets (batch, time)."""
        rng = np.random.default_rng(3)
        shape = (self.batch, self.time)
        targets = rng.integers(self.outputs or 1, size=shape)
        if self.symbols is not None:
            return rng.integers(self.symbols, size=shape), targets
        return rng.standard_normal((*shape, self.inputs)).astype(self.dtype), targets

    def _layers(self) -> list[tuple[int, int]]:
        """Weights of each layer that act on its input, and the others."""
        found = []
        width = self.inputs
        for size in self.hidden:
            on_input, on_state = (GATES[self.cell] * size * n for n in (width, size))
            if self.cell == "gflstm":  # U of the candidate is one for each layer
                total, count = sum(self.hidden), len(self.hidden)
                on_input += count * width
                on_state += (total - size) * size + count * total
            found.append((on_input, on_state))
            width = size
        return found

    def nominal_flops(self) -> float:
        """Of one run by the usual count: 6 (train) or 2 times weights times symbols."""
        weights = sum(map(sum, self._layers())) + self.hidden[-1] * (self.outputs or 0)
        return float(self._passes() * weights * self.ticks)

    def executed_flops(self) -> float:
        """Of one run's matrix products, the first of them once a symbol, then gathered.

        The gradient of dense inputs is not computed.
        """
        nominal = self.nominal_flops()
        on_input = self._layers()[0][0]
        if self.symbols is None:
            return nominal - (2 * on_input * self.ticks if self.mode == "train" else 0)
        gathered = max(0, self.ticks - self.symbols)
        return nominal - self._passes() * on_input * gathered

    def _passes(self) -> int:
        return 6 if self.mode == "train" else 2


class Missing(Exception):
    """A peer is not installed, or a library cannot do this work (yet)."""
