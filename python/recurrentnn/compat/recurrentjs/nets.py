"""`initLSTM`, `forwardLSTM`, `initRNN`, `forwardRNN`: a model is a dict of matrices.

Written with this package's `Graph` methods, op by op as in the ancestor; the models of
`recurrentnn` compute the same and are faster (`compat.from_recurrentjs` makes one).
"""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from recurrentnn._recurrentnn import Matrix
from recurrentnn.compat.recurrentjs.graph import Graph
from recurrentnn.compat.recurrentjs.layout import layout
from recurrentnn.compat.recurrentjs.matrices import Mat, RandMat
from recurrentnn.errors import ArgumentError

Net: TypeAlias = Mapping[str, Matrix]
Tick: TypeAlias = dict[str, Any]  # "h" and "c": a matrix per layer; "o": the output

_STD = 0.08


def initLSTM(
    input_size: int, hidden_sizes: Sequence[int], output_size: int
) -> dict[str, Matrix]:
    """Return a new LSTM: `Wix0, Wih0, bi0`, f, o and c, per layer; then `Whd, bd`."""
    return _init("lstm", input_size, hidden_sizes, output_size)


def initRNN(
    input_size: int, hidden_sizes: Sequence[int], output_size: int
) -> dict[str, Matrix]:
    """Return a new RNN: `Wxh0, Whh0, bhh0` per layer; then `Whd, bd`."""
    return _init("rnn", input_size, hidden_sizes, output_size)


def forwardLSTM(
    G: Graph,
    model: Net,
    hidden_sizes: Sequence[int],
    x: Matrix,
    prev: Tick | None = None,
) -> Tick:
    """Advance an LSTM by one tick; `prev` is the tick before, or {} or None.

    With gate_k = W_kx x + W_kh h + b_k, where x is the layer below's h':
    i, f, o = sigmoid(gate), n = tanh(gate_c), c' = f*c + i*n, h' = o*tanh(c').
    The output is Whd h' + bd of the top layer.

    Returns
    -------
    dict
        {"h": [h' per layer], "c": [c' per layer], "o": output}

    Raises
    ------
    ArgumentError
        If `model` lacks a matrix, or `prev` has another number of layers.
    """
    hidden: list[Matrix] = []
    cell: list[Matrix] = []
    h_prevs = _state(prev, "h", hidden_sizes, x)
    c_prevs = _state(prev, "c", hidden_sizes, x)
    for d, (h, c) in enumerate(zip(h_prevs, c_prevs, strict=True)):
        below = hidden[-1] if hidden else x
        gates = {
            k: _affine(G, model, (f"W{k}x{d}", f"W{k}h{d}", f"b{k}{d}"), below, h)
            for k in "ifoc"
        }
        i, f, o = (G.sigmoid(gates[k]) for k in "ifo")
        n = G.tanh(gates["c"])
        cell.append(G.add(G.eltmul(f, c), G.eltmul(i, n)))
        hidden.append(G.eltmul(o, G.tanh(cell[-1])))
    return {"h": hidden, "c": cell, "o": _decode(G, model, hidden[-1])}


def forwardRNN(
    G: Graph,
    model: Net,
    hidden_sizes: Sequence[int],
    x: Matrix,
    prev: Tick | None = None,
) -> Tick:
    """Advance an RNN by one tick; `prev` is the tick before, or {} or None.

    h' = relu(Wxh x + Whh h + bhh), where x is the layer below's h'. The output is
    Whd h' + bd of the top layer. Errors as `forwardLSTM`.

    Returns
    -------
    dict
        {"h": [h' per layer], "o": output}
    """
    hidden: list[Matrix] = []
    for d, h in enumerate(_state(prev, "h", hidden_sizes, x)):
        below = hidden[-1] if hidden else x
        names = (f"Wxh{d}", f"Whh{d}", f"bhh{d}")
        hidden.append(G.relu(_affine(G, model, names, below, h)))
    return {"h": hidden, "o": _decode(G, model, hidden[-1])}


def _init(
    generator: str, input_size: int, hidden_sizes: Sequence[int], output_size: int
) -> dict[str, Matrix]:
    entries = layout(generator, input_size, hidden_sizes, output_size)
    return {
        entry.name: Mat(entry.rows, entry.cols)
        if entry.is_bias
        else RandMat(entry.rows, entry.cols, 0.0, _STD)
        for entry in entries
    }


def _state(
    prev: Tick | None, key: str, hidden_sizes: Sequence[int], x: Matrix
) -> Sequence[Matrix]:
    """Return the matrices of `prev`, or zeros for as many samples as `x` has."""
    state = prev[key] if prev else [Mat(size, x.cols) for size in hidden_sizes]
    if len(state) != len(hidden_sizes) or len(state) == 0:
        raise ArgumentError(
            f"prev: {key!r} has {len(state)} matrices, "
            f"hidden_sizes has {len(hidden_sizes)}; both need one per layer"
        )
    return state


def _affine(
    G: Graph, model: Net, names: tuple[str, str, str], x: Matrix, h: Matrix
) -> Matrix:
    """Return Wx x + Wh h + b for the three matrices called `names`."""
    weight_x, weight_h, bias = (_matrix(model, name) for name in names)
    return G.add(G.add(G.mul(weight_x, x), G.mul(weight_h, h)), bias)


def _decode(G: Graph, model: Net, h: Matrix) -> Matrix:
    return G.add(G.mul(_matrix(model, "Whd"), h), _matrix(model, "bd"))


def _matrix(model: Net, name: str) -> Matrix:
    if name not in model:
        raise ArgumentError(f"model: has no matrix {name!r}")
    return model[name]
