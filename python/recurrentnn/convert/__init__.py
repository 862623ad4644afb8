"""Weights that travel: from and to PyTorch, Keras, ONNX, RecurrentJS and NumPy.

>>> from recurrentnn import LSTM, convert
>>> net = LSTM(3, [4, 4], 2)
>>> state_dict = convert.to_torch(net)
>>> list(state_dict)[:2], state_dict["rnn.weight_ih_l0"].shape
(['rnn.weight_ih_l0', 'rnn.weight_hh_l0'], (16, 3))
>>> again = convert.from_torch(state_dict, decoder="decoder")
>>> again.summary() == net.summary()
True

What a format cannot express is refused by name, never left out. `docs/converting.md`
has an example of each. `read` and `write` go by a file's suffix.
"""

from recurrentnn.convert.formats import FORMATS, read, write
from recurrentnn.convert.keras import from_keras, to_keras
from recurrentnn.convert.npz import from_npz, to_npz
from recurrentnn.convert.onnx import to_onnx
from recurrentnn.convert.pytorch import from_torch, to_torch
from recurrentnn.convert.recurrentjs import from_recurrentjs, to_recurrentjs

__all__ = [
    "FORMATS",
    "from_keras",
    "from_npz",
    "from_recurrentjs",
    "from_torch",
    "read",
    "to_keras",
    "to_npz",
    "to_onnx",
    "to_recurrentjs",
    "to_torch",
    "write",
]
