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
    from .masks import Drop

Declare = Callable[[str, int, int], Matrix]
# h' and c'; None for a cell without.
NewState = tuple[Matrix, Matrix | None]


_ATTRIBUTES: dict[str, dict[str, float]] = {
    "elu": {"alpha": 1.0},
    "leaky_relu": {"slope": 0.01},
}


def activate(kind: str, z: Matrix) -> Matrix:
    """Return the nonlinearity of that name."""
    if kind == "linear":
        return z
    return apply(kind, z, **_ATTRIBUTES.get(kind, {}))


def normalise(z: Matrix, gain: Matrix, bias: Matrix) -> Matrix:
    """Return gain * (z - mean) / s + bias over the rows (Ba et al. 2016)."""
    return apply("layer_norm", z, gain, bias, eps=1e-5)


class Gate:
    """W x + U h + b, with peephole W x + U h + p * c + b: what goes into act.

    With layer normalisation it is gain * (z - mean) / s + b of z, the sum without b.

    Parameters `weight_x` (size, inputs), `weight_h` (size, states), `bias` (size, 1),
    perhaps `gain` and `peephole` (size, 1).
    """

    def __init__(
        self,
        declare: Declare,
        name: str,
        sizes: tuple[int, int, int],
        *,
        act: str = "sigmoid",
        layer_norm: bool = False,
        peephole: bool = False,
    ) -> None:
        size, inputs, states = sizes
        self.act = act
        self.weight_x = declare(f"{name}.weight_x", size, inputs)
        self.weight_h = declare(f"{name}.weight_h", size, states)
        self.bias = declare(f"{name}.bias", size, 1)
        self.gain = declare(f"{name}.gain", size, 1) if layer_norm else None
        self.peephole = declare(f"{name}.peephole", size, 1) if peephole else None

    def __call__(
        self, x: Matrix, h: Matrix, drop: Drop, c: Matrix | None = None
    ) -> Matrix:
        """Return the gate's value; c is what a peephole sees."""
        z = self.weight_x @ x + drop.weight(self.weight_h) @ h
        if self.peephole is not None and c is not None:
            z = z + self.peephole * c
        return self.finish(z)

    def finish(self, z: Matrix) -> Matrix:
        """Return the gate's value from its sum without b."""
        if self.gain is not None:
            return activate(self.act, normalise(z, self.gain, self.bias))
        return activate(self.act, z + self.bias)


class Cell:
    """A layer: where it stands, and how one tick goes."""

    # Whether there is a cell vector c beside the hidden vector h.
    has_cell: ClassVar[bool] = False

    def __init__(self, config: Config, layer: int) -> None:
        self.config = config
        self.layer = layer
        self.size = config.hidden_sizes[layer]
        self.inputs = config.inputs(layer)

    def step(self, x: Matrix, previous: State, drop: Drop) -> NewState:
        """Return h' and c' for x (inputs, batch) and the last tick of all layers."""
        raise NotImplementedError

    def gate(
        self,
        declare: Declare,
        name: str,
        act: str = "sigmoid",
        *,
        states: int | None = None,
        peephole: bool = False,
    ) -> Gate:
        """Return a gate that reads the layer's own h, or so many states."""
        own = self.config.hidden_rows[self.layer]
        return Gate(
            declare,
            name,
            (self.size, self.inputs, own if states is None else states),
            act=self.config.activations.get(name, act),
            layer_norm=self.config.layer_norm,
            peephole=peephole,
        )

    def activate(self, z: Matrix) -> Matrix:
        """Return act(z) of the simple cells."""
        if self.config.activation == "relu":
            return apply("relu", z, slope_at_zero=self.config.slope_at_zero)
        return activate(self.config.activation, z)


class Memory:
    """The memory cell of an LSTM.

    c' = f * c + i * n                 clipped to +-cell_clip
    h' = o * squash(c')                squash is tanh, or `activations["cell"]`
    h' = o * squash(normalised c')     with `layer_norm`
    """

    def __init__(self, declare: Declare, config: Config, size: int) -> None:
        self.config = config
        if config.layer_norm:
            self.gain = declare("cell.gain", size, 1)
            self.bias = declare("cell.bias", size, 1)

    def write(self, f: Matrix, c: Matrix, i: Matrix, n: Matrix) -> Matrix:
        """Return c'."""
        c, limit = f * c + i * n, self.config.cell_clip
        return c if limit is None else apply("clip", c, low=-limit, high=limit)

    def read(self, o: Matrix, c: Matrix) -> Matrix:
        """Return h'."""
        if self.config.layer_norm:
            c = normalise(c, self.gain, self.bias)
        return o * activate(self.config.activations.get("cell", "tanh"), c)


class RNN(Cell):
    """The simple recurrent net (Elman 1990).

    h' = act(W x + U h + b)
    """

    def __init__(self, declare: Declare, config: Config, layer: int) -> None:
        super().__init__(config, layer)
        self.hidden = self.gate(declare, "hidden", "linear")

    def step(self, x: Matrix, previous: State, drop: Drop) -> NewState:
        """Go one tick."""
        h = previous.hidden[self.layer]
        return self.activate(self.hidden(x, h, drop)), None


class LSTM(Cell):
    """Long short-term memory (Hochreiter, Schmidhuber 1997; Gers et al. 2000).

    i = sigma(W_i x + U_i h + b_i)    f = sigma(W_f x + U_f h + b_f)
    n = tanh(W_n x + U_n h + b_n)     o = sigma(W_o x + U_o h + b_o)
    c' = f * c + i * n                h' = o * tanh(c')

    peepholes        p_i * c and p_f * c in i and f, p_o * c' in o (Gers et al. 2000)
    coupled_gates    f = 1 - i (Greff et al. 2017)
    projection_size  h' = R (o * tanh(c')) (Sak et al. 2014)
    """

    has_cell = True

    def __init__(self, declare: Declare, config: Config, layer: int) -> None:
        super().__init__(config, layer)
        peephole = config.peepholes
        self.input = self.gate(declare, "input", peephole=peephole)
        if not config.coupled_gates:
            self.forget = self.gate(declare, "forget", peephole=peephole)
        self.candidate = self.gate(declare, "candidate", "tanh")
        self.output = self.gate(declare, "output", peephole=peephole)
        self.memory = Memory(declare, config, self.size)
        rows = config.projection_size
        if rows is not None:
            self.projection = declare("projection.weight", rows, self.size)

    def step(self, x: Matrix, previous: State, drop: Drop) -> NewState:
        """Go one tick."""
        h, c = previous.hidden[self.layer], previous.cell[self.layer]
        i = self.input(x, h, drop, c)
        f = 1.0 - i if self.config.coupled_gates else self.forget(x, h, drop, c)
        n = drop.recurrent(self.candidate(x, h, drop))
        c = self.memory.write(f, c, i, n)
        o = self.output(x, h, drop, c)
        h = self.memory.read(o, c)
        if self.config.projection_size is not None:
            h = self.projection @ h
        return h, c


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
        self.candidate = self.gate(declare, "candidate", "tanh")
        if self.config.reset == "after":
            self.bias_h = declare("candidate.bias_h", self.size, 1)

    def step(self, x: Matrix, previous: State, drop: Drop) -> NewState:
        """Go one tick."""
        h = previous.hidden[self.layer]
        r = self.reset(x, h, drop)
        z = self.update(x, h, drop)
        p = self.candidate
        if self.config.reset == "after":
            uh = drop.weight(p.weight_h) @ h + self.bias_h
            n = p.finish(p.weight_x @ x + r * uh)
        else:
            n = p(x, r * h, drop)
        return (1.0 - z) * drop.recurrent(n) + z * h, None


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
            sizes = (rows, inputs, states)
            self.gates.append(Gate(declare, f"feedback.{i}.gate", sizes))

    def __call__(self, x: Matrix, hidden: Sequence[Matrix], drop: Drop) -> Matrix:
        """Return F."""
        h_star = apply("concat", *hidden)
        return apply(
            "add",
            *(
                gate(x, h_star, drop) * (drop.weight(weight) @ h)
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
        return self.gate(declare, name, states=states)

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
        self.act = self.config.activations.get(name, "tanh")


class GFRNN(FeedbackCell):
    """The gated-feedback simple net; F as in `Feedback`.

    h' = act(W x + F + b)
    """

    def __init__(self, declare: Declare, config: Config, layer: int) -> None:
        super().__init__(config, layer)
        self.declare_candidate(declare, "hidden")

    def step(self, x: Matrix, previous: State, drop: Drop) -> NewState:
        """Go one tick."""
        fed = self.feedback(x, previous.hidden, drop)
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
        self.memory = Memory(declare, config, self.size)

    def step(self, x: Matrix, previous: State, drop: Drop) -> NewState:
        """Go one tick."""
        h, c = self.read_by_gates(previous), previous.cell[self.layer]
        i = self.input(x, h, drop)
        f = self.forget(x, h, drop)
        o = self.output(x, h, drop)
        fed = self.feedback(x, previous.hidden, drop)
        n = activate(self.act, self.weight_x @ x + fed + self.bias)
        c = self.memory.write(f, c, i, drop.recurrent(n))
        return self.memory.read(o, c), c


class GFGRU(FeedbackCell):
    """The gated-feedback GRU; F as in `Feedback`, r, z and h' as in `GRU`.

    n = tanh(W_n x + b_n + r * F)
    """

    def __init__(self, declare: Declare, config: Config, layer: int) -> None:
        super().__init__(config, layer)
        self.reset = self.unit_gate(declare, "reset")
        self.update = self.unit_gate(declare, "update")
        self.declare_candidate(declare, "candidate")

    def step(self, x: Matrix, previous: State, drop: Drop) -> NewState:
        """Go one tick."""
        h = self.read_by_gates(previous)
        r = self.reset(x, h, drop)
        z = self.update(x, h, drop)
        fed = self.feedback(x, previous.hidden, drop)
        n = activate(self.act, self.weight_x @ x + self.bias + r * fed)
        n = drop.recurrent(n)
        return (1.0 - z) * n + z * previous.hidden[self.layer], None


# The one list of cells: `Config` takes its names, `Model` its classes.
CELLS: dict[str, Callable[[Declare, Config, int], Cell]] = {
    cell.__name__.lower(): cell for cell in (RNN, LSTM, GRU, GFRNN, GFLSTM, GFGRU)
}
