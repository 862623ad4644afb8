"""What every net can be told beyond its sizes: wiring, cells, and what training drops.

All are keyword arguments of the nets; one that a net would ignore is refused.

Wiring
------
residual : bool
    A layer hands up its hidden vector plus what the layer below handed up (Wu et al.
    2016); the lowest one just its own. The sizes of all layers must be equal.
tied_embedding : bool
    The decoder's weight is `embedding.weight` (Press & Wolf 2017), whose gradient is
    the sum of both uses. `output_size` must equal `input_size`, and `embedding_size`
    what the decoder reads.
hidden_clip, cell_clip : float, optional
    New hidden vectors, or memory cells c', are clipped to this magnitude; the gradient
    is 0 beyond.

Cells
-----
activations : dict, optional
    Nonlinearities by gate, `{"candidate": "relu", "output": "hard_sigmoid"}`, in place
    of the usual ones; "cell" is what squashes an LSTM's c'.
layer_norm : bool
    Of RNN, LSTM and GRU: gates are `act(gain * (z - mean) / s + b)` with z the sum of
    their products, mean and s those of the layer's units (Ba et al. 2016); an LSTM's c'
    is normalised before it is squashed. Parameters `G.gain`, `cell.gain`, `cell.bias`.
peepholes : bool
    Of LSTM: ``p * c`` in the sums of the input and forget gate, ``p * c'`` in that of
    the output gate (Gers & Schmidhuber 2000); `G.peephole` is p, (H, 1).
coupled_gates : bool
    Of LSTM: the forget gate is 1 - i (Greff et al. 2017).
projection_size : int, optional
    Of LSTM: h' = R (o * tanh(c')), with so many rows (Sak et al. 2014; `proj_size` of
    PyTorch); `projection.weight` is R.

What training drops
-------------------
Probabilities in [0, 1). They act in calls inside a recording graph while
`net.training` is True, as it is to begin with; `net.eval()` and `net.train()` set it.
Each such call draws its masks from the net's seed and `net.dropout_step`, which it
raises by one: nothing else goes into them but the mask, the sample, the tick and the
unit. What is kept is divided by the probability to be kept.

dropout : float
    Between layers (Zaremba et al. 2014), anew at every tick.
variational : bool
    Those masks, and those of recurrent dropout, are the same at all ticks of a call
    (Gal & Ghahramani 2016).
recurrent_dropout : float
    Of the candidate n: ``c' = f * c + i * d(n)``, ``h' = (1 - z) * d(n) + z * h``
    (Semeniuta et al. 2016), which never drops what is remembered. RNN and GFRNN have no
    candidate: there it drops h where the weights read it (Gal & Ghahramani 2016).
zoneout_hidden, zoneout_cell : float
    The probability that a hidden unit, or a memory cell, keeps its last value (Krueger
    et al. 2017). Where nothing is dropped, the expectation is taken.
weight_drop : float
    Of the recurrent weights, once a call (Merity et al. 2018).
embedding_dropout : float
    Of whole symbols in the embedding, once a call (Gal & Ghahramani 2016).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias, TypedDict

Activation: TypeAlias = Literal[
    "tanh",
    "relu",
    "sigmoid",
    "hard_sigmoid",
    "softplus",
    "elu",
    "leaky_relu",
    "gelu",
    "linear",
]


class Options(TypedDict, total=False):
    """Of every net."""

    residual: bool
    tied_embedding: bool
    hidden_clip: float | None
    dropout: float
    variational: bool
    recurrent_dropout: float
    zoneout_hidden: float
    weight_drop: float
    embedding_dropout: float


class RNNOptions(Options, total=False):
    """Of RNN."""

    layer_norm: bool


class GatedOptions(Options, total=False):
    """Of nets with gates."""

    activations: Mapping[str, Activation] | None


class GRUOptions(GatedOptions, total=False):
    """Of GRU."""

    layer_norm: bool


class MemoryOptions(GatedOptions, total=False):
    """Of nets with a memory cell."""

    cell_clip: float | None
    zoneout_cell: float


class LSTMOptions(MemoryOptions, total=False):
    """Of LSTM."""

    layer_norm: bool
    peepholes: bool
    coupled_gates: bool
    projection_size: int | None
