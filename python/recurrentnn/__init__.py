"""Recurrent neural networks on CPUs: any cell, fast, from Python on a Rust core.

`recurrentnn.compat` has the names of RecurrentNN.jl and RecurrentJS, and
`recurrentnn.reference` the same library in pure Python, to read.
"""

import importlib
from types import ModuleType

from recurrentnn import data
from recurrentnn._recurrentnn import (
    Graph,
    Matrix,
    Model,
    RMSProp,
    Stream,
    Symbol,
    Vocabulary,
    __version__,
    get_num_threads,
    permutation,
    set_num_threads,
)
from recurrentnn.cell import Cell
from recurrentnn.char_model import CharModel
from recurrentnn.errors import (
    ArgumentError,
    ArgumentTypeError,
    BusyError,
    DTypeError,
    FormatError,
    GraphError,
    InternalError,
    NonFiniteError,
    OutOfRangeError,
    RecurrentNNError,
    ShapeError,
    VocabularyError,
)
from recurrentnn.feedback_models import GFGRU, GFLSTM, GFRNN
from recurrentnn.forecaster import Forecaster
from recurrentnn.gradcheck import GradcheckError, gradcheck
from recurrentnn.metrics import bits_per_char, bits_per_symbol, perplexity
from recurrentnn.models import GRU, LSTM, RNN, load
from recurrentnn.state import State, Step, StepStats

__all__ = [
    "GFGRU",
    "GFLSTM",
    "GFRNN",
    "GRU",
    "LSTM",
    "RNN",
    "ArgumentError",
    "ArgumentTypeError",
    "BusyError",
    "Cell",
    "CharModel",
    "DTypeError",
    "Forecaster",
    "FormatError",
    "GradcheckError",
    "Graph",
    "GraphError",
    "InternalError",
    "Matrix",
    "Model",
    "NonFiniteError",
    "OutOfRangeError",
    "RMSProp",
    "RecurrentNNError",
    "ShapeError",
    "State",
    "Step",
    "StepStats",
    "Stream",
    "Symbol",
    "Vocabulary",
    "VocabularyError",
    "__version__",
    "bits_per_char",
    "bits_per_symbol",
    "data",
    "get_num_threads",
    "gradcheck",
    "load",
    "permutation",
    "perplexity",
    "set_num_threads",
]


def __getattr__(name: str) -> ModuleType:
    """Import `compat` and `reference` when they are first asked for."""
    if name in ("compat", "reference"):
        return importlib.import_module(f"recurrentnn.{name}")
    raise AttributeError(f"module 'recurrentnn' has no attribute {name!r}")
