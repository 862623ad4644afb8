"""The six cells, each as its equations.

In all of them x is the layer's input, h and c its hidden and cell vector one tick ago,
h' and c' the new ones; sigma is the sigmoid and * the elementwise product. `previous`
holds the last tick of *all* layers, which only gated feedback looks at.

A cell names its parameters through `declare(name, rows, cols)`; the order in which it
does is their order everywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, ClassVar

from .graph import apply
from .matrix import Matrix
from .state import State

if TYPE_CHECKING:
    from .config import Config

Declare = Callable[[str, int, int], Matrix]
# h' and c'; None for a cell without.
NewState = tuple[Matrix, Matrix | None]


class Gate:
    """W x + U h + b: what goes into a nonlinearity.

    Parameters `weight_x` (size, inputs), `weight_h` (size, states), `bias` (size, 1).
    """

    def __init__(
        self, declare: Declare, name: str, size: int, inputs: int, states: int
    ) -> None:
        self.weight_x = declare(f"{name}.weight_x", size, inputs)
        self.weight_h = declare(f"{name}.weight_h", size, states)
        self.bias = declare(f"{name}.bias", size, 1)

    def __call__(self, x: Matrix, h: Matrix) -> Matrix:
        """Return the sum."""
        return self.weight_x @ x + self.weight_h @ h + self.bias


class Cell:
    """A layer: where it stands, and how one tick goes."""

    # Whether there is a cell vector c beside the hidden vector h.
    has_cell: ClassVar[bool] = False

    def __init__(self, config: Config, layer: int) -> None:
        self.config = config
        self.layer = layer
        self.size = config.hidden_sizes[layer]
        self.inputs = config.inputs(layer)

    def step(self, x: Matrix, previous: State) -> NewState:
        """Return h' and c' for x (inputs, batch) and the last tick of all layers."""
        raise NotImplementedError

    def gate(self, declare: Declare, name: str) -> Gate:
        """Return a gate that reads the layer's own h."""
        return Gate(declare, name, self.size, self.inputs, self.size)

    def activate(self, z: Matrix) -> Matrix:
        """Return act(z), the tanh or relu of the simple cells."""
        if self.config.activation == "relu":
            return apply("relu", z, slope_at_zero=self.config.slope_at_zero)
        return z.tanh()


class RNN(Cell):
    """The simple recurrent net (Elman 1990).

    h' = act(W x + U h + b)
    """

    def __init__(self, declare: Declare, config: Config, layer: int) -> None:
        super().__init__(config, layer)
        self.hidden = self.gate(declare, "hidden")

    def step(self, x: Matrix, previous: State) -> NewState:
        """Go one tick."""
        h = previous.hidden[self.layer]
        return self.activate(self.hidden(x, h)), None


class LSTM(Cell):
    """Long short-term memory (Hochreiter, Schmidhuber 1997; Gers et al. 2000).

    i = sigma(W_i x + U_i h + b_i)    f = sigma(W_f x + U_f h + b_f)
    n = tanh(W_n x + U_n h + b_n)     o = sigma(W_o x + U_o h + b_o)
    c' = f * c + i * n                h' = o * tanh(c')
    """

    has_cell = True

    def __init__(self, declare: Declare, config: Config, layer: int) -> None:
        super().__init__(config, layer)
        self.input = self.gate(declare, "input")
        self.forget = self.gate(declare, "forget")
        self.candidate = self.gate(declare, "candidate")
        self.output = self.gate(declare, "output")

    def step(self, x: Matrix, previous: State) -> NewState:
        """Go one tick."""
        h, c = previous.hidden[self.layer], previous.cell[self.layer]
        i = self.input(x, h).sigmoid()
        f = self.forget(x, h).sigmoid()
        n = self.candidate(x, h).tanh()
        o = self.output(x, h).sigmoid()
        c_new = f * c + i * n
        return o * c_new.tanh(), c_new


class GRU(Cell):
    """The gated recurrent unit (Cho et al. 2014); z keeps the old state.

    r = sigma(W_r x + U_r h + b_r)    z = sigma(W_z x + U_z h + b_z)
    n = tanh(W_n x + b_n + r * (U_n h + c_n))     reset="after", as PyTorch
    n = tanh(W_n x + U_n (r * h) + b_n)           reset="before", as RecurrentNN.jl
    h' = (1 - z) * n + z * h

    RecurrentNN.jl and Chung et al. write z and 1 - z the other way round.
    """

    def __init__(self, declare: Declare, config: Config, layer: int) -> None:
        super().__init__(config, layer)
        self.reset = self.gate(declare, "reset")
        self.update = self.gate(declare, "update")
        self.candidate = self.gate(declare, "candidate")
        if self.config.reset == "after":
            self.bias_h = declare("candidate.bias_h", self.size, 1)

    def step(self, x: Matrix, previous: State) -> NewState:
        """Go one tick."""
        h = previous.hidden[self.layer]
        r = self.reset(x, h).sigmoid()
        z = self.update(x, h).sigmoid()
        p = self.candidate
        if self.config.reset == "after":
            n = (p.weight_x @ x + p.bias + r * (p.weight_h @ h + self.bias_h)).tanh()
        else:
            n = p(x, r * h).tanh()
        return (1.0 - z) * n + z * h, None


class Feedback:
    """Gated feedback (Chung et al. 2015): every layer i feeds this one.

    g_i = sigma(w_i x + u_i h* + b_i)     h* = the h of all layers, stacked
    F = sum_i g_i * (U_i h_i)

    A gate has one row (gate="scalar", the paper) or one per unit ("vector",
    RecurrentNN.jl). The paper's formula has no b_i; its author's code has.
    """

    def __init__(self, declare: Declare, config: Config, layer: int) -> None:
        size = config.hidden_sizes[layer]
        rows = 1 if config.gate == "scalar" else size
        inputs, states = config.inputs(layer), sum(config.hidden_sizes)
        self.weights: list[Matrix] = []
        self.gates: list[Gate] = []
        for i, source in enumerate(config.hidden_sizes):
            self.weights.append(declare(f"feedback.{i}.weight_h", size, source))
            self.gates.append(Gate(declare, f"feedback.{i}.gate", rows, inputs, states))

    def __call__(self, x: Matrix, hidden: Sequence[Matrix]) -> Matrix:
        """Return F."""
        h_star = apply("concat", *hidden)
        return apply(
            "add",
            *(
                gate(x, h_star).sigmoid() * (weight @ h)
                for gate, weight, h in zip(
                    self.gates, self.weights, hidden, strict=True
                )
            ),
        )


class FeedbackCell(Cell):
    """A cell whose candidate is fed by all layers: W x + b, and F somewhere."""

    def unit_gate(self, declare: Declare, name: str) -> Gate:
        """Return a gate that reads the layer's own h, or h* with `all_to_gates`."""
        everything = self.config.all_to_gates
        states = sum(self.config.hidden_sizes) if everything else self.size
        return Gate(declare, name, self.size, self.inputs, states)

    def read_by_gates(self, previous: State) -> Matrix:
        """Return what the unit gates read."""
        if self.config.all_to_gates:
            return apply("concat", *previous.hidden)
        return previous.hidden[self.layer]

    def declare_candidate(self, declare: Declare, name: str) -> None:
        """Name W, b and the parameters of F."""
        self.weight_x = declare(f"{name}.weight_x", self.size, self.inputs)
        self.bias = declare(f"{name}.bias", self.size, 1)
        self.feedback = Feedback(declare, self.config, self.layer)


class GFRNN(FeedbackCell):
    """The gated-feedback simple net; F as in `Feedback`.

    h' = act(W x + F + b)
    """

    def __init__(self, declare: Declare, config: Config, layer: int) -> None:
        super().__init__(config, layer)
        self.declare_candidate(declare, "hidden")

    def step(self, x: Matrix, previous: State) -> NewState:
        """Go one tick."""
        fed = self.feedback(x, previous.hidden)
        return self.activate(self.weight_x @ x + fed + self.bias), None


class GFLSTM(FeedbackCell):
    """The gated-feedback LSTM; F as in `Feedback`, i, f, o, c' and h' as in `LSTM`.

    n = tanh(W_n x + F + b_n)
    """

    has_cell = True

    def __init__(self, declare: Declare, config: Config, layer: int) -> None:
        super().__init__(config, layer)
        self.input = self.unit_gate(declare, "input")
        self.forget = self.unit_gate(declare, "forget")
        self.output = self.unit_gate(declare, "output")
        self.declare_candidate(declare, "candidate")

    def step(self, x: Matrix, previous: State) -> NewState:
        """Go one tick."""
        h, c = self.read_by_gates(previous), previous.cell[self.layer]
        i = self.input(x, h).sigmoid()
        f = self.forget(x, h).sigmoid()
        o = self.output(x, h).sigmoid()
        fed = self.feedback(x, previous.hidden)
        n = (self.weight_x @ x + fed + self.bias).tanh()
        c_new = f * c + i * n
        return o * c_new.tanh(), c_new


class GFGRU(FeedbackCell):
    """The gated-feedback GRU; F as in `Feedback`, r, z and h' as in `GRU`.

    n = tanh(W_n x + b_n + r * F)
    """

    def __init__(self, declare: Declare, config: Config, layer: int) -> None:
        super().__init__(config, layer)
        self.reset = self.unit_gate(declare, "reset")
        self.update = self.unit_gate(declare, "update")
        self.declare_candidate(declare, "candidate")

    def step(self, x: Matrix, previous: State) -> NewState:
        """Go one tick."""
        h = self.read_by_gates(previous)
        r = self.reset(x, h).sigmoid()
        z = self.update(x, h).sigmoid()
        fed = self.feedback(x, previous.hidden)
        n = (self.weight_x @ x + self.bias + r * fed).tanh()
        return (1.0 - z) * n + z * previous.hidden[self.layer], None


# The one list of cells: `Config` takes its names, `Model` its classes.
CELLS: dict[str, Callable[[Declare, Config, int], Cell]] = {
    cell.__name__.lower(): cell for cell in (RNN, LSTM, GRU, GFRNN, GFLSTM, GFGRU)
}
