"""The net as an ONNX model, time-major; with its states in and out for single steps."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from peers import layout
from peers.work import Arrays, Missing, Work

OPERATORS: dict[str, tuple[str, dict[str, Any]]] = {
    "rnn": ("RNN", {"activations": ["Relu"]}),
    "lstm": ("LSTM", {}),
    "gru": ("GRU", {"linear_before_reset": 1}),
}


def build(work: Work, parameters: Arrays) -> bytes:
    """Return the model's bytes."""
    if work.cell not in OPERATORS:
        raise Missing(f"ONNX has no operator for {work.cell}")
    model = _Model(work)
    stacked = layout.stack(parameters, layout.plan(work, layout.ONNX_ORDER))
    now = "x"
    if work.symbols is not None:
        now = model.node("Gather", [model.constant(stacked["embedding"]), now])
    for layer in range(len(work.hidden)):
        now = model.layer(layer, now, stacked)
    if work.outputs is not None:
        weight = model.constant(np.ascontiguousarray(stacked["decoder.weight"].T))
        now = model.node("MatMul", [now, weight])
        now = model.node("Add", [now, model.constant(stacked["decoder.bias"])])
    return model.bytes(now)


class _Model:
    def __init__(self, work: Work) -> None:
        self.work = work
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self.time = 1 if work.stepwise else work.time
        if work.symbols is None:
            shape, kind = [self.time, work.batch, work.inputs], TensorProto.FLOAT
        else:
            shape, kind = [self.time, work.batch], TensorProto.INT64
        self.inputs = [helper.make_tensor_value_info("x", kind, shape)]
        self.outputs: list[Any] = []

    def constant(self, value: Any) -> str:
        name = f"constant{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(value, name))
        return name

    def node(self, operator: str, inputs: list[str], **attributes: Any) -> str:
        name = f"node{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, inputs, [name], **attributes))
        return name

    def layer(self, number: int, x: str, stacked: Arrays) -> str:
        operator, attributes = OPERATORS[self.work.cell]
        size = self.work.hidden[number]
        prefix = f"layers.{number}."
        bias = stacked[prefix + "bias"]
        # ONNX has two biases: ours is the first; the GRU's candidate has the second.
        second = np.zeros_like(bias)
        if self.work.cell == "gru":
            second[2 * size :] = stacked[prefix + "bias_h"]
        names = ["weight_x", "weight_h"]
        inputs = [x, *(self.constant(stacked[prefix + n][None]) for n in names)]
        inputs.append(self.constant(np.concatenate([bias, second])[None]))
        outputs = [f"layer{number}"]
        if self.work.stepwise:
            inputs.append("")  # the sequences' lengths: all of it
            for letter in "hc" if self.work.cell == "lstm" else "h":
                shape = [1, self.work.batch, size]
                for names, where in ((inputs, "in"), (outputs, "out")):
                    names.append(f"{letter}{number}_{where}")
                    info = helper.make_tensor_value_info(
                        names[-1], TensorProto.FLOAT, shape
                    )
                    (self.inputs if where == "in" else self.outputs).append(info)
        self.nodes.append(
            helper.make_node(operator, inputs, outputs, hidden_size=size, **attributes)
        )
        # (time, directions, batch, size)
        axis = self.constant(np.array([1]))
        return self.node("Squeeze", [outputs[0], axis])

    def bytes(self, result: str) -> bytes:
        width = self.work.outputs or self.work.hidden[-1]
        shape = [self.time, self.work.batch, width]
        y = helper.make_tensor_value_info(result, TensorProto.FLOAT, shape)
        graph = helper.make_graph(
            self.nodes, "net", self.inputs, [y, *self.outputs], self.constants
        )
        model = helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9
        )
        onnx.checker.check_model(model)
        return bytes(model.SerializeToString())
