"""ONNX: a net as a model that ONNX Runtime and others run.

`builder.py` writes nodes, `layers.py` a plain net as ONNX's RNN, LSTM and GRU,
`scan.py` any net as a Scan whose body is traced (`traced.py`) from the cell's own
equations, op by op (`ops.py`); `export.py` puts inputs and outputs around them.
"""

import os

from recurrentnn._recurrentnn import Model
from recurrentnn.convert.nets import expect_net, refuse


def to_onnx(
    net: Model,
    path: str | os.PathLike[str] | None = None,
    *,
    stateful: bool = True,
    symbols: bool | None = None,
) -> bytes:
    r"""The net as an ONNX model (opset 17), and as a file if told.

    Plain float32 nets become ONNX's RNN, LSTM and GRU, one node a layer; all others
    (gated feedback, cells of your own, further connections, float64) a Scan.

    ================  =========================  =======================================
    inputs            `x` or `symbols`           (batch, time, features), (batch, time)
    \                 `hidden_0`, `cell_0`, ..   (batch, units), one per layer
    outputs           `output`                   (batch, time, outputs)
    \                 `hidden_0_next`, ..        as they came in
    ================  =========================  =======================================

    Batch and time are free. Symbols are int64. Outputs of one call are the inputs of
    the next.

    Parameters
    ----------
    path
        The `.onnx` file to write.
    stateful
        False: no states in or out; each call starts at zero, or, with
        `learned_state`, there.
    symbols
        Whether a net without embedding reads symbols (as one-hot) instead of features.

    Returns
    -------
    bytes
        The model; `onnxruntime.InferenceSession` takes them.

    Raises
    ------
    ArgumentError
        Naming what the net has that ONNX or this export has not; or if `onnx` is not
        installed (``pip install recurrentnn[onnx]``).
    """
    expect_net("to_onnx", net)
    try:
        from recurrentnn.convert.onnx.export import export
    except ModuleNotFoundError as error:
        if error.name != "onnx":
            raise
        refuse("to_onnx", "needs the package onnx: pip install recurrentnn[onnx]")
    return export(net, path, stateful=stateful, symbols=symbols)
