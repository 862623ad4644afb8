"""The same library, slowly: pure Python, standard library only, float64.

It is the oracle of the tests, and it is meant to be read. Begin with `ops/`, where
every op's value stands beside its derivative; go on with `graph.py`, whose backward
pass is a loop of three lines; then `cells.py`, the six recurrent cells as their
equations. Names are those of the library, files those of the Rust core, except that
the core keeps a file per op, cell and optimizer: here `ops/` groups the ops by kind
(elementwise, arithmetic, columns, losses, reductions, shaping), and `cells.py` and
`optim.py` hold all of theirs.

Here a matrix's `value` and `grad`, like `w` and `dw`, are flat lists, column by column:
element (i, j) is `value[j * rows + i]`, where the library has arrays (rows, cols).
`tolist()` gives nested rows.

Errors are Python's own: ValueError for shapes and options, TypeError, IndexError,
RuntimeError for a graph in the wrong state, ArithmeticError for numbers not finite.

Examples
--------
>>> from recurrentnn import reference as ref
>>> net = ref.LSTM(3, [4], 3, seed=1)
>>> optimizer = ref.RMSProp(learning_rate=0.05)
>>> symbols, next_symbols = [0, 1, 2, 0, 1], [1, 2, 0, 1, 2]
>>> for _ in range(60):
...     with ref.Graph() as g:
...         logits, _ = net(symbols)
...         loss = logits.softmax_cross_entropy(next_symbols)
...     g.backward(loss)
...     stats = optimizer.step(net)
>>> loss.item() < 0.01
True
>>> net.generate([0], 5, greedy=True)[0]
[1, 2, 0, 1, 2]
"""

from . import init, random, schedules, series
from .average import ExponentialMovingAverage
from .cells import CELLS
from .data import Batch, alphabet, documents, streams, words
from .gradcheck import gradcheck
from .graph import Graph, active_graph, apply
from .matrix import Matrix
from .metrics import bits_per_char, bits_per_symbol, perplexity
from .model import GFGRU, GFLSTM, GFRNN, GRU, LSTM, RNN, Model
from .ops import OPS
from .optim import SGD, Adagrad, Adam, AdamW, Lion, NAdam, RMSProp, Solver
from .random import permutation
from .sample import Hypothesis, beam_search, score
from .sampling import Sampling
from .shape import Shape
from .state import State, Step, StepStats
from .text import Vocabulary
from .training import early_stop, suggested_rate, weighted_cross_entropy
from .unroll import truncated, unroll

__all__ = [
    "CELLS",
    "GFGRU",
    "GFLSTM",
    "GFRNN",
    "GRU",
    "LSTM",
    "OPS",
    "RNN",
    "SGD",
    "Adagrad",
    "Adam",
    "AdamW",
    "Batch",
    "ExponentialMovingAverage",
    "Graph",
    "Hypothesis",
    "Lion",
    "Matrix",
    "Model",
    "NAdam",
    "RMSProp",
    "Sampling",
    "Shape",
    "Solver",
    "State",
    "Step",
    "StepStats",
    "Vocabulary",
    "active_graph",
    "alphabet",
    "apply",
    "beam_search",
    "bits_per_char",
    "bits_per_symbol",
    "documents",
    "early_stop",
    "gradcheck",
    "init",
    "permutation",
    "perplexity",
    "random",
    "schedules",
    "score",
    "series",
    "streams",
    "suggested_rate",
    "truncated",
    "unroll",
    "weighted_cross_entropy",
    "words",
]
