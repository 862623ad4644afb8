"""The six nets: stacked cells with an optional embedding in front and a decoder behind.

A sequence goes through a call, a single tick through `forward`. A call takes features,
(batch, time, features) or (time, features), or symbols, integers (batch, time) or
(time,). Outside any graph it gives an array (batch, time, outputs) and a `State` of
arrays (batch, size); inside `with Graph():` a `Matrix`, outputs x (batch*time), whose
column b*time + t is tick t of sample b, and a `State` of matrices (size, batch).

>>> from recurrentnn import Graph
>>> net = LSTM(65, [20, 20], 65, embedding_size=8)
>>> logits, state = net([[3, 1, 4], [1, 5, 9]])  # (batch, time)
>>> logits.shape, state.hidden[0].shape
((2, 3, 65), (2, 20))
>>> prev = net.forward(Graph(), 3)  # then net.forward(graph, 1, prev)
>>> prev.output.shape
(65, 1)

Letters of the equations: x is the layer's input, (I, batch); h, c are the layer's
hidden and cell vectors of the tick before, (H, batch), h' and c' of this tick; W is
`G.weight_x`, (H, I), U is `G.weight_h`, (H, H), b is `G.bias`, (H, 1), of the gate G in
the subscript; * is elementwise. Layer j's parameters are named `layers.j.G.weight_x`
and so on; before them comes `embedding.weight`, (symbols, embedding_size), if there is
an embedding, after them `decoder.weight`, (output_size, top), and `decoder.bias`.

Options of every net
--------------------
input_size : int
    Features per tick, or the number of symbols.
hidden_sizes : int or sequence of int
    Units per layer, from the bottom up. Sizes may differ.
output_size : int or None
    Rows of the decoder's output; None for no decoder: the output is what it would read,
    the top layer's h' (with `all_to_output` those of all layers).
embedding_size : int, optional
    Inputs are symbols, looked up in a trained embedding of this size. Without it,
    symbols are one-hot.
seed : int
    The same seed gives the same bits.
dtype : "float32" or "float64"
init : "glorot", "normal" or "uniform"
    "glorot": W and decoder Glorot-uniform, U orthogonal. "normal": N(0, std), as in
    RecurrentNN.jl. "uniform": U(-std, std), as in RecurrentJS. Biases start at 0.
std : float
    Spread of "normal" and "uniform".
input_to_all : bool
    Every layer also reads the net's input, below its own.
all_to_output : bool
    The decoder reads the hidden vectors of all layers.
learned_state : bool
    The state that a row begins with, where it is given none, and after a reset, is a
    parameter: `layers.j.initial_hidden`, (H, 1), and so on for every state vector,
    after the layer's gates. It starts at 0.

Options of RNN, LSTM, GRU and cells of your own
-----------------------------------------------
bidirectional : bool
    Every layer has a second direction, which goes from each row's own end to its
    beginning, with parameters `layers.j.reverse.G.weight_x` and so on after those of
    the first. States are (layer 0 forward, layer 0 reverse, layer 1 forward, ..), as in
    PyTorch. Such a net has neither ticks nor streams: it needs the whole sequence.
merge : "concat", "sum", "mean" or "none"
    What the layer above and the decoder read of h' of both directions: forward and
    reverse one below the other, their sum, or half of it. "none" is for a net without
    decoder: its output is a pair, forward and reverse; inner layers concatenate.

`help(recurrentnn.options)` tells of dropout and its kin, layer normalisation,
peepholes, projection, residual connections and what else there is.

Options of the gated-feedback nets
----------------------------------
gate : "scalar" or "vector"
    One gate per pair of layers and sample (Chung et al. 2015), or one per unit
    (RecurrentNN.jl).
all_to_gates : bool
    The unit gates read the hidden vectors of all layers.
paper : bool
    All three further connections of the paper's published models at once.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Literal, Self, TypeAlias, Unpack

from numpy.typing import DTypeLike

from recurrentnn._recurrentnn import Model, load_model, unpack_model
from recurrentnn.cell import Cell
from recurrentnn.errors import ArgumentTypeError, FormatError
from recurrentnn.feedback_models import GFGRU, GFLSTM, GFRNN
from recurrentnn.options import Activation, GRUOptions, LSTMOptions, RNNOptions

if TYPE_CHECKING:
    from recurrentnn._recurrentnn import _Parts as Parts

Init: TypeAlias = Literal["glorot", "normal", "uniform"]
FeedbackGate: TypeAlias = Literal["scalar", "vector"]
Merge: TypeAlias = Literal["concat", "sum", "mean", "none"]


class RNN(Model):
    """Plain recurrent net (Elman 1990).

    ``h' = act(W x + U h + b)``, gate ``hidden``.

    Parameters
    ----------
    activation : str
        One of `recurrentnn.options.Activation`. The ancestors' RNN is "relu".
    slope_at_zero : float
        relu's derivative at exactly 0: 0 as in RecurrentJS, 1 as in RecurrentNN.jl.

    Notes
    -----
    `help(recurrentnn.models)` and `help(recurrentnn.options)` tell the other options.
    PyTorch's `nn.RNN` has two biases that are only ever added; this has their sum.
    """

    def __new__(
        cls,
        input_size: int,
        hidden_sizes: int | Sequence[int],
        output_size: int | None,
        *,
        embedding_size: int | None = None,
        activation: Activation = "tanh",
        slope_at_zero: float = 0.0,
        input_to_all: bool = False,
        all_to_output: bool = False,
        bidirectional: bool = False,
        merge: Merge = "concat",
        learned_state: bool = False,
        init: Init = "glorot",
        std: float = 0.08,
        seed: int = 0,
        dtype: DTypeLike = "float32",
        **options: Unpack[RNNOptions],
    ) -> Self:
        """A net with fresh parameters."""
        return super().__new__(
            cls,
            "rnn",
            input_size,
            hidden_sizes,
            output_size,
            embedding_size=embedding_size,
            activation=activation,
            slope_at_zero=slope_at_zero,
            input_to_all=input_to_all,
            all_to_output=all_to_output,
            bidirectional=bidirectional,
            merge=merge,
            learned_state=learned_state,
            init=init,
            std=std,
            seed=seed,
            dtype=dtype,
            **options,
        )


class LSTM(Model):
    """Long short-term memory (Hochreiter & Schmidhuber 1997; Gers et al. 2000).

    ::

        i = sigmoid(W_input x + U_input h + b_input)
        f = sigmoid(W_forget x + U_forget h + b_forget)
        n = tanh(W_candidate x + U_candidate h + b_candidate)
        o = sigmoid(W_output x + U_output h + b_output)
        c' = f * c + i * n
        h' = o * tanh(c')

    Parameters
    ----------
    forget_bias : float
        Start value of b_forget. 1 remembers from the start (Jozefowicz et al. 2015);
        the ancestors have 0.

    Notes
    -----
    `help(recurrentnn.models)` and `help(recurrentnn.options)` tell the other options.
    PyTorch's `nn.LSTM` is the same with its two biases added and its gates in the same
    order.
    """

    def __new__(
        cls,
        input_size: int,
        hidden_sizes: int | Sequence[int],
        output_size: int | None,
        *,
        embedding_size: int | None = None,
        forget_bias: float = 1.0,
        input_to_all: bool = False,
        all_to_output: bool = False,
        bidirectional: bool = False,
        merge: Merge = "concat",
        learned_state: bool = False,
        init: Init = "glorot",
        std: float = 0.08,
        seed: int = 0,
        dtype: DTypeLike = "float32",
        **options: Unpack[LSTMOptions],
    ) -> Self:
        """A net with fresh parameters."""
        return super().__new__(
            cls,
            "lstm",
            input_size,
            hidden_sizes,
            output_size,
            embedding_size=embedding_size,
            forget_bias=forget_bias,
            input_to_all=input_to_all,
            all_to_output=all_to_output,
            bidirectional=bidirectional,
            merge=merge,
            learned_state=learned_state,
            init=init,
            std=std,
            seed=seed,
            dtype=dtype,
            **options,
        )


class GRU(Model):
    """Gated recurrent unit (Cho et al. 2014).

    ::

        r = sigmoid(W_reset x + U_reset h + b_reset)
        z = sigmoid(W_update x + U_update h + b_update)
        n = tanh(W x + b + r * (U h + d))       reset="after", d is candidate.bias_h
        n = tanh(W x + U (r * h) + b)           reset="before"
        h' = (1 - z) * n + z * h

    Parameters
    ----------
    reset : "after" or "before"
        Whether the reset gate acts after the recurrent product (PyTorch, cuDNN) or
        before it (Cho et al. 2014, RecurrentNN.jl).

    Notes
    -----
    `help(recurrentnn.models)` and `help(recurrentnn.options)` tell the other options.
    The update gate keeps the old state, as in PyTorch, ONNX and Keras; RecurrentNN.jl
    and Chung et al. write it the other way round: that negates W, U and b of the gate.
    """

    def __new__(
        cls,
        input_size: int,
        hidden_sizes: int | Sequence[int],
        output_size: int | None,
        *,
        embedding_size: int | None = None,
        reset: Literal["after", "before"] = "after",
        input_to_all: bool = False,
        all_to_output: bool = False,
        bidirectional: bool = False,
        merge: Merge = "concat",
        learned_state: bool = False,
        init: Init = "glorot",
        std: float = 0.08,
        seed: int = 0,
        dtype: DTypeLike = "float32",
        **options: Unpack[GRUOptions],
    ) -> Self:
        """A net with fresh parameters."""
        return super().__new__(
            cls,
            "gru",
            input_size,
            hidden_sizes,
            output_size,
            embedding_size=embedding_size,
            reset=reset,
            input_to_all=input_to_all,
            all_to_output=all_to_output,
            bidirectional=bidirectional,
            merge=merge,
            learned_state=learned_state,
            init=init,
            std=std,
            seed=seed,
            dtype=dtype,
            **options,
        )


def load(
    path: str | os.PathLike[str], cells: Iterable[type[Cell] | Cell] = ()
) -> Model:
    """The net in a model file, as an object of its public class.

    Parameters
    ----------
    path
        A file that `Model.save` or `CharModel.save` wrote; of the latter, the net.
    cells
        The classes, or objects, of cells of your own that the file may be made of. It
        holds names and parameters, which are checked against what the class registers.

    Returns
    -------
    Model
        An `RNN`, `LSTM`, `GRU`, `GFRNN`, `GFGRU` or `GFLSTM`, or a `Model` of your own
        cell.

    Raises
    ------
    FormatError
        The contents are not those of a model, or not those that the cell registers.
        Nothing in a file is ever run, and nothing is allocated on its word alone.
    ArgumentError
        The file is made of a cell that is not among `cells`, or carries other states.
    OSError
        The file cannot be read.
    """
    return read_model(path, cells)[0]


def read_model(
    path: str | os.PathLike[str], cells: Iterable[type[Cell] | Cell] = ()
) -> tuple[Model, dict[str, str], dict[str, Parts]]:
    """As `load`, with the text entries and the tensors that stand beside the model."""
    if not isinstance(cells, Iterable):
        kind = type(cells).__name__
        raise ArgumentTypeError(f"load: cells must be a list of cells but is {kind}")
    try:
        core, metadata, tensors = load_model(path, list(cells))
    except FormatError as error:
        raise FormatError(f"{os.fspath(path)}: {error}") from None
    return _public(core), metadata, tensors


def from_bytes(
    data: bytes,
    cells: Iterable[type[Cell] | Cell] = (),
    kind: type[Model] | None = None,
) -> Model:
    """As `load`, from the bytes of a file; by them copies and pickles are made.

    Parameters
    ----------
    data
        What `Model.to_bytes` gave.
    cells
        As `load` takes them.
    kind
        The class; None: the public class of the net's cell.
    """
    core, _, _ = unpack_model(data, list(cells))
    return _public(core, kind)


def unpack(
    data: bytes, cells: Iterable[type[Cell] | Cell] = ()
) -> tuple[Model, dict[str, str], dict[str, Parts]]:
    """As `read_model`, from the bytes of a file."""
    core, metadata, tensors = unpack_model(data, list(cells))
    return _public(core), metadata, tensors


def _public(core: Model, kind: type[Model] | None = None) -> Model:
    """The same net as an object of its public class."""
    kind = kind or MODELS.get(core.cell, Model)
    # The private form of the constructor.
    return Model.__new__(kind, core)  # type: ignore[arg-type, call-arg]


MODELS: dict[str, type[Model]] = {
    "rnn": RNN,
    "lstm": LSTM,
    "gru": GRU,
    "gfrnn": GFRNN,
    "gfgru": GFGRU,
    "gflstm": GFLSTM,
}
