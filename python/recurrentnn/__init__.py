"""Recurrent neural networks on CPUs: any cell, fast, from Python on a Rust core.

`recurrentnn.compat` has the names of RecurrentNN.jl and RecurrentJS, and
`recurrentnn.reference` the same library in pure Python, to read; `recurrentnn.convert`
brings weights from PyTorch, Keras and others, and takes them there.
"""

import importlib
from types import ModuleType

from recurrentnn import copies, data, schedules
from recurrentnn._recurrentnn import (
    ExponentialMovingAverage,
    Generator,
    Graph,
    Matrix,
    Model,
    Optimizer,
    Stream,
    Symbol,
    Vocabulary,
    __version__,
    beam_search,
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
from recurrentnn.optimizers import SGD, Adagrad, Adam, AdamW, Lion, NAdam, RMSProp
from recurrentnn.passages import Continuation
from recurrentnn.sampling import Sampling
from recurrentnn.scores import Score
from recurrentnn.state import State, Step, StepStats
from recurrentnn.training import History, Trainer
from recurrentnn.vectors import (
    gradients_to_vector,
    parameters_to_vector,
    vector_to_parameters,
)

__all__ = [
    "GFGRU",
    "GFLSTM",
    "GFRNN",
    "GRU",
    "LSTM",
    "RNN",
    "SGD",
    "Adagrad",
    "Adam",
    "AdamW",
    "ArgumentError",
    "ArgumentTypeError",
    "BusyError",
    "Cell",
    "CharModel",
    "Continuation",
    "DTypeError",
    "ExponentialMovingAverage",
    "Forecaster",
    "FormatError",
    "Generator",
    "GradcheckError",
    "Graph",
    "GraphError",
    "History",
    "InternalError",
    "Lion",
    "Matrix",
    "Model",
    "NAdam",
    "NonFiniteError",
    "Optimizer",
    "OutOfRangeError",
    "RMSProp",
    "RecurrentNNError",
    "Sampling",
    "Score",
    "ShapeError",
    "State",
    "Step",
    "StepStats",
    "Stream",
    "Symbol",
    "Trainer",
    "Vocabulary",
    "VocabularyError",
    "__version__",
    "beam_search",
    "bits_per_char",
    "bits_per_symbol",
    "data",
    "get_num_threads",
    "gradcheck",
    "gradients_to_vector",
    "load",
    "parameters_to_vector",
    "permutation",
    "perplexity",
    "schedules",
    "set_num_threads",
    "vector_to_parameters",
]

copies.register()


def __getattr__(name: str) -> ModuleType:
    """Import these packages when they are first asked for."""
    if name in ("compat", "convert", "reference"):
        return importlib.import_module(f"recurrentnn.{name}")
    raise AttributeError(f"module 'recurrentnn' has no attribute {name!r}")
