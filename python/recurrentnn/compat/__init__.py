"""RecurrentNN.jl's names, so that its programs port line by line.

    from recurrentnn.compat import (
        LSTM, Graph, Solver, backprop, forwardprop, randNNMat, softmax, step
    )

The names and the defaults are the ancestor's: float64, weights normal(0, 0.08),
forget bias 0, relu with derivative 1 at 0, a GRU that resets before the product,
gated feedback with one gate per unit. Rows count from 0. Everything stands on
`recurrentnn.Matrix`, `Graph` and `Model`, so a program may mix both vocabularies.

The ancestor's faults that are mended, and those that are kept by name, are listed in
`docs/porting.md`. RecurrentJS's names are in `recurrentnn.compat.recurrentjs`.
"""

from recurrentnn._recurrentnn import Graph, Solver
from recurrentnn.compat import recurrentjs
from recurrentnn.compat.matrices import NNMatrix, onesNNMat, randNNMat, softmax
from recurrentnn.compat.models import (
    GFGRU,
    GFLSTM,
    GRU,
    LSTM,
    RNN,
    Model,
    forwardprop,
)
from recurrentnn.compat.ops import (
    add,
    backprop,
    concat,
    eltmul,
    mul,
    relu,
    rowpluck,
    sigmoid,
    tanh,
)
from recurrentnn.compat.recurrentjs.document import Imported, from_recurrentjs
from recurrentnn.compat.solver import step
from recurrentnn.compat.stream import srand

__all__ = [
    "GFGRU",
    "GFLSTM",
    "GRU",
    "LSTM",
    "RNN",
    "Graph",
    "Imported",
    "Model",
    "NNMatrix",
    "Solver",
    "add",
    "backprop",
    "concat",
    "eltmul",
    "forwardprop",
    "from_recurrentjs",
    "mul",
    "onesNNMat",
    "randNNMat",
    "recurrentjs",
    "relu",
    "rowpluck",
    "sigmoid",
    "softmax",
    "srand",
    "step",
    "tanh",
]
