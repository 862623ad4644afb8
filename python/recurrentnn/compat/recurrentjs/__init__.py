"""RecurrentJS's names: `from recurrentnn.compat import recurrentjs as R`.

Its defaults are float64, weights uniform(-0.08, 0.08), biases 0, relu with derivative
0 at 0. A model is a dict from the ancestor's names (`Wix0`, ...) to matrices. `m.w` and
`m.dw` are (n, d) arrays, where the ancestor's were flat: `m.w[i]` means the same in a
column, and `m.w[row, col]` replaces `m.get(row, col)`.

The faults that are mended, and those kept, are listed in `docs/porting.md`.
"""

from recurrentnn.compat.matrices import softmax
from recurrentnn.compat.recurrentjs.graph import Graph
from recurrentnn.compat.recurrentjs.matrices import Mat, RandMat
from recurrentnn.compat.recurrentjs.nets import (
    forwardLSTM,
    forwardRNN,
    initLSTM,
    initRNN,
)
from recurrentnn.compat.recurrentjs.sampling import maxi, randi, samplei
from recurrentnn.compat.recurrentjs.solver import Solver

__all__ = [
    "Graph",
    "Mat",
    "RandMat",
    "Solver",
    "forwardLSTM",
    "forwardRNN",
    "initLSTM",
    "initRNN",
    "maxi",
    "randi",
    "samplei",
    "softmax",
]
