"""The cases of RNN, LSTM and GRU that ship with the onnx package, run by our nets.

Each gives X, the stacked W, R and B, and the Y that must come out. A net takes them as
its parameters. What our nets have no option for is listed by name, and nothing else.
"""

import importlib
import warnings
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pytest
from numpy.typing import NDArray

import recurrentnn as rnn
from recurrentnn.convert.gates import ONNX, Stack, unstack
from recurrentnn.convert.nets import Parts, build, fill
from support import assert_close, require, tolerance

onnx = require("onnx")

Array = NDArray[Any]

OPTIONS = rnn.LSTM(1, 1, 1).config()

# The cases that need an option; where our nets have it not, these are not run.
NEEDED = {
    "peepholes": ["test_lstm_with_peepholes"],
    "bidirectional": [
        "test_simple_rnn_bidirectional",
        "test_lstm_bidirectional",
        "test_gru_bidirectional",
    ],
}


def collected() -> dict[str, Any]:
    """The cases by name, of these three modules alone: others are slow and warn."""
    with warnings.catch_warnings():
        # Of NumPy, about what the package computes while it is imported.
        warnings.simplefilter("ignore")
        node = importlib.import_module("onnx.backend.test.case.node")
        for name in ("rnn", "lstm", "gru"):
            importlib.import_module(f"onnx.backend.test.case.node.{name}")
    found = {case.name: case for case in node._NodeTestCases}
    ours = ("RNN", "LSTM", "GRU")
    return {n: c for n, c in found.items() if c.model.graph.node[0].op_type in ours}


CASES = collected()


@dataclass
class Case:
    """A node with its inputs and expected outputs by their names in the standard."""

    cell: str
    attributes: dict[str, Any]
    inputs: dict[str, Array]
    outputs: dict[str, Array]

    @classmethod
    def read(cls, name: str) -> Self:
        case = CASES[name]
        node = case.model.graph.node[0]
        attributes = {
            a.name: onnx.helper.get_attribute_value(a) for a in node.attribute
        }
        given, expected = case.data_sets[0]
        return cls(
            node.op_type.lower(),
            attributes,
            dict(zip([i for i in node.input if i], given, strict=True)),
            dict(zip([o for o in node.output if o], expected, strict=True)),
        )

    @property
    def direction(self) -> str:
        return str(self.attributes.get("direction", b"forward"), "ascii")

    def needs(self) -> str:
        """The option that it takes, or ""."""
        if "P" in self.inputs:
            return "peepholes"
        return "bidirectional" if self.direction == "bidirectional" else ""

    def net(self) -> rnn.Model:
        """Our net with the node's weights."""
        weights, states = self.inputs["W"], self.inputs["R"]
        rows = weights.shape[1]
        biases = self.inputs.get("B", np.zeros((len(weights), 2 * rows), np.float32))
        layer = [
            Stack(w, r, b[:rows], b[rows:])
            for w, r, b in zip(weights, states, biases, strict=True)
        ]
        if "P" in self.inputs:
            return self.with_peepholes(layer[0])
        options: dict[str, Any] = {}
        if self.cell == "gru":
            after = self.attributes.get("linear_before_reset", 0)
            options["reset"] = "after" if after else "before"
        return build("test", Parts(self.cell, [layer], None, None, options), ONNX, None)

    def with_peepholes(self, stack: Stack) -> rnn.Model:
        """P is three columns, of the gates i, o and f."""
        units = self.inputs["R"].shape[2]
        options: dict[str, Any] = {"peepholes": True}
        net = rnn.LSTM(self.inputs["W"].shape[2], units, None, **options)
        values = unstack(stack, ONNX["lstm"], keeps_bias_h=False)
        columns = np.split(self.inputs["P"][0][:, None], 3)
        for gate, column in zip(("input", "output", "forget"), columns, strict=True):
            values[f"{gate}.peephole"] = column
        fill(net, {f"layers.0.{name}": array for name, array in values.items()})
        return net

    def run(self) -> dict[str, Array]:
        """Y (time, directions, batch, units), Y_h and Y_c, or as `layout` says."""
        batch_first = bool(self.attributes.get("layout", 0))
        backward = self.direction == "reverse"
        x = self.inputs["X"]
        xs = x if batch_first else x.transpose(1, 0, 2)
        ys, state = self.net()(xs[:, ::-1] if backward else xs)
        y = np.asarray(ys)[:, ::-1] if backward else np.asarray(ys)
        directions = len(state.hidden)
        y = y.reshape(*y.shape[:2], directions, -1)
        found = {"Y": y if batch_first else y.transpose(1, 2, 0, 3)}
        for name, vectors in (("Y_h", state.hidden), ("Y_c", state.cell)):
            if vectors:
                found[name] = np.stack(
                    [np.asarray(v) for v in vectors], axis=1 if batch_first else 0
                )
        return found


def test_all_cases_are_looked_at_and_only_these_need_an_option() -> None:
    assert len(CASES) == 18
    found: dict[str, list[str]] = {}
    for name in CASES:
        if option := Case.read(name).needs():
            found.setdefault(option, []).append(name)
    assert found == NEEDED


@pytest.mark.parametrize("name", CASES)
def test_a_case_of_the_standard(name: str) -> None:
    case = Case.read(name)
    option = case.needs()
    if option and option not in OPTIONS:
        make: Any = rnn.LSTM
        with pytest.raises(TypeError, match=option):
            make(1, 1, 1, **{option: True})
        return
    found = case.run()
    for output, expected in case.outputs.items():
        assert_close(found[output], expected, tolerance("float32"), output)
