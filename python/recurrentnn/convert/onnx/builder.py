"""ONNX nodes as they are written down, each by a call that gives its output's name."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import helper, numpy_helper

OPSET = 17
IR_VERSION = 9


class Builder:
    """A graph being written; the body of a Scan is one more that shares the constants.

    Attributes
    ----------
    dtype
        The element type of the net.
    """

    def __init__(self, dtype: np.dtype[Any], outer: Builder | None = None) -> None:
        self.dtype = dtype
        self.nodes: list[Any] = []
        self.constants: dict[str, Any] = {} if outer is None else outer.constants
        self._outer = outer
        self._count = 0

    def body(self) -> Builder:
        """An empty graph within this one: it sees this one's constants."""
        return Builder(self.dtype, outer=self)

    @property
    def element(self) -> int:
        """The element type as ONNX numbers it."""
        return int(helper.np_dtype_to_tensor_dtype(self.dtype))

    def fresh(self, stem: str) -> str:
        """A name that nothing has."""
        if self._outer is not None:
            return self._outer.fresh(stem)
        self._count += 1
        return f"{stem}.{self._count}"

    def node(self, op: str, *inputs: str, name: str = "", **attributes: object) -> str:
        """Write a node with one output."""
        output = name or self.fresh(op.lower())
        self.nodes.append(helper.make_node(op, inputs, [output], **attributes))
        return output

    def nodes_of(
        self, op: str, inputs: list[str], outputs: int, **attributes: object
    ) -> list[str]:
        """Write a node with several outputs."""
        names = [self.fresh(op.lower()) for _ in range(outputs)]
        self.nodes.append(helper.make_node(op, inputs, names, **attributes))
        return names

    def constant(self, value: NDArray[Any], name: str = "") -> str:
        """Keep an array, in the net's element type unless it holds integers."""
        array = np.array(value, order="C")
        if array.dtype.kind == "f":
            array = array.astype(self.dtype)
        name = name or self.fresh("constant")
        self.constants[name] = numpy_helper.from_array(array, name)
        return name

    def integers(self, *values: int) -> str:
        """A constant of axes, sizes or places."""
        return self.constant(np.array(values, np.int64))
