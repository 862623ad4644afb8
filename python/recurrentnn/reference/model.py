"""A model: an optional embedding, stacked cells, an optional linear decoder."""

import math
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from typing import Any, ClassVar, Self

from . import init, sample
from .cells import CELLS, Cell, NewState
from .config import Config
from .graph import Graph, active_graph, apply
from .masks import Call, Drop
from .matrix import Matrix
from .rows import Flags, cut
from .shape import expect
from .state import State, Step
from .unroll import Sequences, both_ways, one_way, row_by_row


class Model:
    """A recurrent net with its parameters.

    Parameters
    ----------
    cell, input_size, hidden_sizes, output_size, ...
        See `Config`; `hidden_sizes` may be one number, for one layer.
    paper
        Sets `input_to_all`, `all_to_output` and `all_to_gates`, as in the published
        models of Chung et al. (2015).

    Raises
    ------
    ValueError
        For a configuration out of its domain.
    """

    def __init__(
        self,
        cell: str,
        input_size: int,
        hidden_sizes: int | Sequence[int],
        output_size: int | None,
        *,
        embedding_size: int | None = None,
        seed: int = 0,
        init: str = "glorot",
        std: float = 0.08,
        forget_bias: float = 1.0,
        activation: str = "tanh",
        slope_at_zero: float = 0.0,
        reset: str = "after",
        gate: str = "scalar",
        input_to_all: bool = False,
        all_to_output: bool = False,
        all_to_gates: bool = False,
        bidirectional: bool = False,
        merge: str = "concat",
        learned_state: bool = False,
        paper: bool = False,
        **options: Any,  # noqa: ANN401
    ) -> None:
        sizes = (hidden_sizes,) if isinstance(hidden_sizes, int) else hidden_sizes
        self._config = config = Config(
            cell=cell,
            input_size=input_size,
            hidden_sizes=tuple(sizes),
            output_size=output_size,
            embedding_size=embedding_size,
            seed=seed,
            init=init,
            std=std,
            forget_bias=forget_bias,
            activation=activation,
            slope_at_zero=slope_at_zero,
            reset=reset,
            gate=gate,
            input_to_all=input_to_all or paper,
            all_to_output=all_to_output or paper,
            all_to_gates=all_to_gates or paper,
            bidirectional=bidirectional,
            merge=merge,
            learned_state=learned_state,
            **options,
        )
        self.training = True
        self.dropout_step = 0
        self._parameters: dict[str, Matrix] = {}
        if config.embedding_size is not None:
            self._embedding = self._declare(
                "embedding.weight", config.input_size, config.embedding_size
            )
        self.layers: list[Cell] = []
        self.reversed: list[Cell] = []
        self._initial: list[Matrix] = []
        for j in range(len(config.hidden_sizes)):
            self.layers.append(self._layer(f"layers.{j}", j))
            if config.bidirectional:
                self.reversed.append(self._layer(f"layers.{j}.reverse", j))
        if config.output_size is not None:
            weight = (
                self._embedding
                if config.tied_embedding
                else self._declare(
                    "decoder.weight", config.output_size, config.top_size
                )
            )
            self._decoder = weight, self._declare("decoder.bias", config.output_size, 1)

    def _layer(self, scope: str, j: int) -> Cell:
        declare = partial(self._declare_in, scope)
        cell = CELLS[self._config.cell](declare, self._config, j)
        if self._config.learned_state:
            sizes = {"hidden": self._config.hidden_rows[j], "cell": cell.size}
            for name in ("hidden", "cell")[: 1 + cell.has_cell]:
                self._initial.append(declare(f"initial_{name}", sizes[name], 1))
        return cell

    def _declare_in(self, scope: str, name: str, rows: int, cols: int) -> Matrix:
        return self._declare(f"{scope}.{name}", rows, cols)

    def _declare(self, name: str, rows: int, cols: int) -> Matrix:
        """Make the next parameter, named where it is used and nowhere else."""
        m = self._first_value(name, rows, cols, step=len(self._parameters))
        self._parameters[name] = m
        return m

    def _first_value(self, name: str, rows: int, cols: int, step: int) -> Matrix:
        config, seed = self._config, self._config.seed
        kind = name.rpartition(".")[2]
        if kind.startswith("initial_"):
            return init.constant(rows, cols, 0.0)
        if kind.startswith("bias"):
            forget = name.endswith(".forget.bias")
            return init.constant(rows, cols, config.forget_bias if forget else 0.0)
        if kind == "gain":
            return init.constant(rows, cols, 1.0)
        if kind == "peephole" and config.init == "glorot":
            return init.constant(rows, cols, 0.0)
        if config.init == "normal":
            return init.normal(rows, cols, 0.0, config.std, seed=seed, step=step)
        if config.init == "uniform":
            return init.uniform(
                rows, cols, -config.std, config.std, seed=seed, step=step
            )
        if name == "embedding.weight":
            std = 1.0 / math.sqrt(cols)
            return init.normal(rows, cols, 0.0, std, seed=seed, step=step)
        # A single row is no matrix whose columns could be orthogonal to anything.
        if kind == "weight_h" and rows > 1:
            return init.orthogonal(rows, cols, seed=seed, step=step)
        return init.glorot_uniform(rows, cols, seed=seed, step=step)

    @property
    def cell(self) -> str:
        """Name of the cell, one of `CELLS`."""
        return self._config.cell

    @property
    def input_size(self) -> int:
        """Features of an input, or number of symbols."""
        return self._config.input_size

    @property
    def hidden_sizes(self) -> tuple[int, ...]:
        """Units of each layer, the lowest first."""
        return self._config.hidden_sizes

    @property
    def output_size(self) -> int | None:
        """Rows of the decoder's output; None: no decoder."""
        return self._config.output_size

    @property
    def embedding_size(self) -> int | None:
        """Size of a symbol's vector; None: no embedding."""
        return self._config.embedding_size

    def config(self) -> dict[str, Any]:
        """Return the options it was built with."""
        return asdict(self._config)

    def parameters(self) -> dict[str, Matrix]:
        """Return name -> matrix in the one order; the same matrices each time."""
        return dict(self._parameters)

    def __getitem__(self, name: str) -> Matrix:
        return self._parameters[name]

    def zero_grad(self) -> None:
        """Set the gradients of all parameters to zero."""
        for m in self._parameters.values():
            m.zero_grad()

    def train(self, mode: bool = True) -> Self:
        """From now on calls inside a recording graph drop, or do not."""
        self.training = mode
        return self

    def eval(self) -> Self:
        """From now on calls drop nothing."""
        return self.train(mode=False)

    def summary(self) -> str:
        """Return a line per parameter: name, shape, number of elements."""
        lines = [f"{n}  {m.shape}  {m.shape.size}" for n, m in self._parameters.items()]
        count = sum(m.shape.size for m in self._parameters.values())
        return "\n".join([*lines, f"{count} numbers in {len(lines)} parameters"])

    def initial_state(self, batch: int) -> State:
        """Return the state before the first tick: zeros, or what is learned."""
        config, has_cell = self._config, self.layers[0].has_cell
        layers = zip(config.hidden_rows, config.hidden_sizes, strict=True)
        vectors = [
            Matrix.zeros(rows, batch)
            for layer in layers
            for _ in range(2 if config.bidirectional else 1)
            for rows in layer[: 1 + has_cell]
        ]
        if self._initial:
            pairs = zip(vectors, self._initial, strict=True)
            vectors = [zeros + initial for zeros, initial in pairs]
        if not has_cell:
            return State(tuple(vectors))
        return State(tuple(vectors[::2]), tuple(vectors[1::2]))

    def forward(
        self,
        graph: Graph,
        x: Matrix | Sequence[Any] | int,
        prev: Step | State | None = None,
    ) -> Step:
        """Go one tick.

        Parameters
        ----------
        graph
            Where to record it.
        x
            Features, (features, batch); or symbols, one per column.
        prev
            The last tick; None before the first.

        Raises
        ------
        ValueError
            If x or the state does not fit the model.
        IndexError
            If a symbol is not below `input_size`.
        TypeError
            If there are features where an embedding expects symbols.
        """
        expect(
            not self._config.bidirectional,
            "forward: a bidirectional net needs the whole sequence: call it",
        )
        return self.tick(graph, x, prev, self.call(graph), 0)

    def call(self, graph: Graph) -> Call | None:
        """Begin a call: what it drops, if it is one in training."""
        if not (graph.recording and self.training and self._config.drops):
            return None
        numbers = {id(m): k for k, m in enumerate(self._parameters.values())}
        call = Call(self._config, self.dropout_step, numbers)
        self.dropout_step += 1
        return call

    def drop(self, call: Call | None, state: int, tick: int) -> Drop:
        """Return what a call drops at that tick in the layer of that state."""
        return Drop(self._config, call, state, tick)

    def tick(
        self,
        graph: Graph,
        x: Matrix | Sequence[Any] | int,
        prev: Step | State | None,
        call: Call | None,
        number: int,
    ) -> Step:
        """Go one tick of a call, of that number within it."""
        with graph:
            x = self.columns(x, call)
            state = self._state(prev, x.cols)
            drops = [self.drop(call, j, number) for j in range(len(self.layers))]
            read = self._read(state, dict(enumerate(drops)))
            hidden: list[Matrix] = []
            cell: list[Matrix] = []
            up: list[Matrix] = []
            for j, layer in enumerate(self.layers):
                below = self.below(x, up, drops[j])
                new = layer.step(below, read, drops[j])
                h, c = self._settle(j, state, new, drops[j])
                hidden.append(h)
                if c is not None:
                    cell.append(c)
                up.append(self.hand_up(h, up))
            return Step(tuple(hidden), tuple(cell), self.decode(up))

    def _read(self, state: State, drops: dict[int, Drop]) -> State:
        """Return the state as cells read it: RNN and GFRNN have no candidate to drop.

        Their h is, where the weights read it.
        """
        hidden = list(state.hidden)
        if self._config.cell in ("rnn", "gfrnn"):
            for j, drop in drops.items():
                hidden[j] = drop.recurrent(hidden[j])
        return State(tuple(hidden), state.cell)

    def below(self, x: Matrix, up: Sequence[Matrix], drop: Drop) -> Matrix:
        """Return what a layer reads: the input, or what those below it hand up."""
        if not up:
            return x
        below = drop.below(up[-1])
        return apply("concat", below, x) if self._config.input_to_all else below

    def _settle(self, j: int, old: State, new: NewState, drop: Drop) -> NewState:
        """Return a layer's new state, clipped and under zoneout."""
        (h, c), limit = new, self._config.hidden_clip
        if limit is not None:
            h = apply("clip", h, low=-limit, high=limit)
        h = drop.hidden(old.hidden[j], h)
        return h, None if c is None else drop.cell(old.cell[j], c)

    def hand_up(self, h: Matrix, up: Sequence[Matrix]) -> Matrix:
        """Return what a layer hands up, from what those below it did."""
        return h + up[-1] if self._config.residual and up else h

    def columns(self, x: Matrix | Sequence[Any] | int, call: Call | None) -> Matrix:
        """Return what the lowest layer reads, (features, batch)."""
        symbols = _symbols(x)
        size, embedded = self._config.input_size, self._config.embedding_size
        if symbols is None:
            expect(
                embedded is None,
                "forward: a model with an embedding reads symbols, not features",
                TypeError,
            )
            columns = x if isinstance(x, Matrix) else Matrix(x)
            expect(
                columns.rows == size,
                f"forward: x must have {size} rows but is {columns.shape}",
            )
            return columns
        for symbol in symbols:
            expect(
                0 <= symbol < size,
                f"forward: x must be symbols below {size} but holds {symbol}",
                IndexError,
            )
        if embedded is not None:
            table = self._embedding if call is None else call.embedding(self._embedding)
            return apply("select_rows", table, indices=symbols)
        one_hot = [float(i == symbol) for symbol in symbols for i in range(size)]
        return Matrix.from_flat(size, len(symbols), one_hot)

    def _state(self, prev: Step | State | None, batch: int) -> State:
        zero = self.initial_state(batch)
        if prev is None:
            return zero
        for part in ("hidden", "cell"):
            given = [m.shape for m in getattr(prev, part)]
            expected = [m.shape for m in getattr(zero, part)]
            expect(
                given == expected,
                f"forward: {part} must be {list(map(str, expected))} "
                f"but is {list(map(str, given))}",
            )
        return State(prev.hidden, prev.cell)

    @property
    def output_rows(self) -> int:
        """Rows of the output."""
        return self._config.output_size or self._config.top_size

    def step_of(
        self, layer: int, way: int, x: Matrix, previous: State, drop: Drop
    ) -> State:
        """Go one tick of one direction of a layer; the other layers stay."""
        cell = (self.layers, self.reversed)[way][layer]
        new = cell.step(x, self._read(previous, {layer: drop}), drop)
        h, c = self._settle(layer, previous, new, drop)
        hidden, cells = list(previous.hidden), list(previous.cell)
        hidden[layer] = h
        if c is not None:
            cells[layer] = c
        return State(tuple(hidden), tuple(cells))

    def merge(self, forward: Matrix, reverse: Matrix) -> Matrix:
        """Return what becomes of the h of both directions of a layer."""
        if self._config.merge in ("concat", "none"):
            return apply("concat", forward, reverse)
        both = forward + reverse
        return both if self._config.merge == "sum" else both * 0.5

    def run(
        self, graph: Graph, ticks: Sequence[Any], state: State, call: Call | None
    ) -> tuple[list[Matrix], State]:
        """Return the outputs of all ticks of a call and the state after them."""
        if self._config.bidirectional:
            return both_ways(self, graph, ticks, state, call)
        steps = one_way(self, graph, ticks, state, call)
        end = State(steps[-1].hidden, steps[-1].cell) if steps else state
        return [step.output for step in steps], end

    def decode(self, up: list[Matrix]) -> Matrix:
        """Return the output from what the layers hand up."""
        top = apply("concat", *up) if self._config.all_to_output else up[-1]
        if self._config.output_size is None:
            return top
        weight, bias = self._decoder
        return weight @ top + bias

    def __call__(
        self,
        x: Sequence[Any],
        state: State | None = None,
        *,
        lengths: Sequence[int] | None = None,
        mask: Flags | None = None,
        reset: Flags | None = None,
        time_major: bool = False,
    ) -> tuple[Any, State]:
        """Run sequences.

        Parameters
        ----------
        x
            Nested lists: (batch, time, features) or (time, features) numbers, (batch,
            time) or (time,) symbols.
        state
            What an earlier call returned; None: the initial state.
        lengths
            Steps of each row.
        mask
            False for steps that are left out.
        reset
            True where the state is set to the initial state before the step.
        time_major
            (time, batch, ...) in and out.

        Returns
        -------
        output, state
            Inside a graph, the output is a matrix, features x (batch*time), column
            b*time + t; outside, nested lists laid out as x. 0 where no step is taken.
            A pair, forward and reverse, with `merge` "none".
        """
        sequences = Sequences.read(x, time_major)
        graph = active_graph()
        ticks, within = sequences.ticks, graph or Graph(recording=False)
        if lengths is None and mask is None and reset is None:
            with within:
                start = self._state(state, sequences.batch)
            outputs, state = self.run(within, ticks, start, self.call(within))
        else:
            masks = [sequences.flags(*f) for f in (("mask", mask), ("reset", reset))]
            rows = cut(sequences.batch, len(ticks), lengths, *masks)
            with within:
                outputs, state = row_by_row(self, within, ticks, state, rows)
        write = sequences.write if graph is None else sequences.join
        if self._config.merge != "none":
            return write(outputs), state
        height = outputs[0].rows // 2 if outputs else 0
        with within:
            halves = [
                [
                    apply("slice_rows", m, start=k * height, stop=(k + 1) * height)
                    for m in outputs
                ]
                for k in (0, 1)
            ]
        return (write(halves[0]), write(halves[1])), state

    generate = sample.generate


def _symbols(x: Matrix | Sequence[Any] | int) -> list[int] | None:
    """Return x as symbols, or None if it holds features."""
    if isinstance(x, int):
        return [x]
    if isinstance(x, Matrix) or not all(isinstance(symbol, int) for symbol in x):
        return None
    return list(x)


class _OneCell(Model):
    """What the six classes below share: `Model` without its first argument."""

    _cell: ClassVar[str]

    def __init__(
        self,
        input_size: int,
        hidden_sizes: int | Sequence[int],
        output_size: int | None,
        **options: Any,  # noqa: ANN401
    ) -> None:
        super().__init__(self._cell, input_size, hidden_sizes, output_size, **options)


class RNN(_OneCell):
    """A model of `cells.RNN`."""

    _cell = "rnn"


class LSTM(_OneCell):
    """A model of `cells.LSTM`."""

    _cell = "lstm"


class GRU(_OneCell):
    """A model of `cells.GRU`."""

    _cell = "gru"


class GFRNN(_OneCell):
    """A model of `cells.GFRNN`."""

    _cell = "gfrnn"


class GFLSTM(_OneCell):
    """A model of `cells.GFLSTM`."""

    _cell = "gflstm"


class GFGRU(_OneCell):
    """A model of `cells.GFGRU`."""

    _cell = "gfgru"
