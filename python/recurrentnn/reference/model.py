"""A model: an optional embedding, stacked cells, an optional linear decoder."""

import math
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from typing import Any, ClassVar, Self

from . import init, sample
from .cells import CELLS, Cell
from .config import Config
from .graph import Graph, active_graph, apply
from .masks import Call, Drop
from .matrix import Matrix
from .shape import expect
from .state import State, Step
from .unroll import Sequences, unroll


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
        for j in range(len(config.hidden_sizes)):
            declare = partial(self._declare_in, f"layers.{j}")
            self.layers.append(CELLS[config.cell](declare, config, j))
        if config.output_size is not None:
            weight = (
                self._embedding
                if config.tied_embedding
                else self._declare(
                    "decoder.weight", config.output_size, config.top_size
                )
            )
            self._decoder = weight, self._declare("decoder.bias", config.output_size, 1)

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

    def zero_state(self, batch: int) -> State:
        """Return the state before the first tick."""
        sizes = self._config.hidden_sizes
        hidden = tuple(Matrix.zeros(rows, batch) for rows in self._config.hidden_rows)
        if not self.layers[0].has_cell:
            return State(hidden)
        return State(hidden, tuple(Matrix.zeros(size, batch) for size in sizes))

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
        return self.tick(graph, x, prev, self.call(graph), 0)

    def call(self, graph: Graph) -> Call | None:
        """Begin a call: what it drops, if it is one in training."""
        if not (graph.recording and self.training and self._config.drops):
            return None
        numbers = {id(m): k for k, m in enumerate(self._parameters.values())}
        call = Call(self._config, self.dropout_step, numbers)
        self.dropout_step += 1
        return call

    def tick(
        self,
        graph: Graph,
        x: Matrix | Sequence[Any] | int,
        prev: Step | State | None,
        call: Call | None,
        number: int,
    ) -> Step:
        """Go one tick of a call, of that number within it."""
        config = self._config
        with graph:
            x = self._columns(x, call)
            state = self._state(prev, x.cols)
            layers = range(len(self.layers))
            drops = [Drop(config, call, j, number) for j in layers]
            read = state
            if config.cell in ("rnn", "gfrnn"):
                # They have no candidate to drop: h is, where the weights read it.
                pairs = zip(drops, state.hidden, strict=True)
                read = State(tuple(drop.recurrent(h) for drop, h in pairs))
            hidden: list[Matrix] = []
            cell: list[Matrix] = []
            up: list[Matrix] = []
            for j, layer in enumerate(self.layers):
                below = x if j == 0 else drops[j].below(up[j - 1])
                if j > 0 and config.input_to_all:
                    below = apply("concat", below, x)
                h, c = layer.step(below, read, drops[j])
                limit = config.hidden_clip
                if limit is not None:
                    h = apply("clip", h, low=-limit, high=limit)
                hidden.append(drops[j].hidden(state.hidden[j], h))
                if c is not None:
                    cell.append(drops[j].cell(state.cell[j], c))
                residual = config.residual and j > 0
                up.append(hidden[j] + up[j - 1] if residual else hidden[j])
            return Step(tuple(hidden), tuple(cell), self._decode(up))

    def _columns(self, x: Matrix | Sequence[Any] | int, call: Call | None) -> Matrix:
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
        zero = self.zero_state(batch)
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

    def _decode(self, up: list[Matrix]) -> Matrix:
        top = apply("concat", *up) if self._config.all_to_output else up[-1]
        if self._config.output_size is None:
            return top
        weight, bias = self._decoder
        return weight @ top + bias

    def __call__(
        self, x: Sequence[Any], state: State | None = None, *, time_major: bool = False
    ) -> tuple[Any, State]:
        """Run sequences.

        Parameters
        ----------
        x
            Nested lists: (batch, time, features) or (time, features) numbers, (batch,
            time) or (time,) symbols.
        state
            What an earlier call returned; None: zeros.
        time_major
            (time, batch, ...) in and out.

        Returns
        -------
        output, state
            Inside a graph, the output is a matrix, features x (batch*time), column
            b*time + t; outside, nested lists laid out as x.
        """
        sequences = Sequences.read(x, time_major)
        graph = active_graph()
        steps = unroll(self, graph or Graph(recording=False), sequences.ticks, state)
        last = steps[-1] if steps else self._state(state, sequences.batch)
        state = State(last.hidden, last.cell)
        outputs = [step.output for step in steps]
        if graph is None:
            return sequences.write(outputs), state
        return sequences.join(outputs), state

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
