"""The net's own equations, run on matrices without numbers that write ONNX nodes.

`recurrentnn.reference` and the cells of users compute with matrices through one
function, `Graph.apply(op, operands, attributes)`. Here is a graph whose `apply` writes
the node instead, so that no cell is written a second time. As there, a matrix is
(rows, batch): a column is one sample, and NumPy's broadcasting is ONNX's.
"""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np

from recurrentnn.convert.gates import Array
from recurrentnn.convert.onnx.builder import Builder
from recurrentnn.convert.onnx.ops import OPS as WRITERS
from recurrentnn.errors import ArgumentError
from recurrentnn.reference.graph import Graph
from recurrentnn.reference.matrix import Matrix
from recurrentnn.reference.ops import OPS
from recurrentnn.reference.shape import Shape


class Traced(Matrix):
    """A matrix that is a name in an ONNX graph.

    `cols` is 1 for what has a column a sample (`per_sample`); those columns come later.
    """

    def __init__(
        self, tracer: Tracer, name: str, shape: Shape, per_sample: bool
    ) -> None:
        super().__init__([])
        self._shape = shape
        self.tracer = tracer
        self.name = name
        self.per_sample = per_sample

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        """The ops that a Symbol has as methods and the reference has not."""
        if name in ("concat", "where"):
            return lambda *others: self.tracer.apply(name, self, *others)
        raise AttributeError(f"to_onnx: a matrix in a step has no {name} to export")


class Tracer(Graph):
    """Writes what is computed into a builder; the active graph while it does."""

    def __init__(self, builder: Builder, values: dict[str, Array]) -> None:
        super().__init__(recording=False)
        self.builder = builder
        self._values = values
        self.used: set[str] = set()
        # What a symbol's row of the embedding is: looked up before the Scan.
        self.row: Traced | None = None

    def parameter(self, name: str, rows: int, cols: int) -> Traced:
        """A parameter of the net, (rows, cols)."""
        value = self._values[name]
        if value.shape != (rows, cols):
            raise ArgumentError(
                f"to_onnx: {name} is {value.shape}, its cell says {(rows, cols)}"
            )
        self.used.add(name)
        self.builder.constant(value, name)
        return Traced(self, name, Shape(rows, cols), per_sample=False)

    def column(self, name: str, rows: int) -> Traced:
        """What goes into a step: `rows` numbers for each sample."""
        return Traced(self, name, Shape(rows, 1), per_sample=True)

    def apply(self, name: str, *arguments: object, **attributes: object) -> Traced:
        """Write the op down.

        Raises
        ------
        ArgumentError
            If ONNX export has no form of it.
        """
        table = getattr(arguments[0], "name", "")
        if self.row is not None and (name, table) == (
            "select_rows",
            "embedding.weight",
        ):
            return self.row
        if name not in WRITERS:
            raise ArgumentError(f"to_onnx: the step uses {name}, which is not exported")
        operands = OPS[name].operands
        count = len(arguments) if operands is None else operands
        matrices = [self._matrix(operand) for operand in arguments[:count]]
        writer, shape_of = WRITERS[name]
        bound = inspect.signature(writer).bind(
            self.builder, *(m.name for m in matrices), *arguments[count:], **attributes
        )
        per_sample = any(m.per_sample for m in matrices)
        shape = shape_of(
            name,
            [(m.rows, m.cols, m.per_sample) for m in matrices],
            *arguments[count:],
            **attributes,
        )
        output = writer(*bound.args, **bound.kwargs)
        return Traced(self, output, Shape(*shape), per_sample)

    def _matrix(self, operand: object) -> Traced:
        if isinstance(operand, Traced):
            return operand
        plain = operand if isinstance(operand, Matrix) else Matrix(operand)  # type: ignore[arg-type]
        value = np.array(plain.value, np.float64).reshape(plain.shape, order="F")
        name = self.builder.constant(value)
        return Traced(self, name, plain.shape, per_sample=False)
