"""`Graph`: the ancestor's ops as methods, over a `recurrentnn.Graph`."""

from recurrentnn import _recurrentnn
from recurrentnn._recurrentnn import Matrix


class Graph:
    """Runs ops and records them for `backward`, unless `needs_backprop` is false.

    The recording itself is `graph`, with every op of `recurrentnn.Graph`. Shapes are
    checked, where `add` and `eltmul` of the ancestor compared lengths and took a 2x3
    for a 3x2; a column, a row or a 1x1 operand broadcasts in them.
    """

    def __init__(self, needs_backprop: bool = True) -> None:
        self.graph = _recurrentnn.Graph(needs_backprop)

    def backward(self) -> None:
        """Propagate the gradients written into `dw` back to every leaf.

        Raises
        ------
        GraphError
            When called twice: the ancestor then doubled the gradients in silence.
        """
        self.graph.backward()

    def rowPluck(self, m: Matrix, ix: int) -> Matrix:
        """Return row `ix` of `m` as a (d, 1) column."""
        return self.graph.select_rows(m, [ix])

    def tanh(self, m: Matrix) -> Matrix:
        """Return tanh(m)."""
        return self.graph.tanh(m)

    def sigmoid(self, m: Matrix) -> Matrix:
        """Return 1 / (1 + exp(-m))."""
        return self.graph.sigmoid(m)

    def relu(self, m: Matrix) -> Matrix:
        """Return max(0, m), with derivative 0 at 0."""
        return self.graph.relu(m)

    def mul(self, m1: Matrix, m2: Matrix) -> Matrix:
        """Return the matrix product m1 m2."""
        return self.graph.matmul(m1, m2)

    def add(self, m1: Matrix, m2: Matrix) -> Matrix:
        """Return m1 + m2."""
        return self.graph.add(m1, m2)

    def eltmul(self, m1: Matrix, m2: Matrix) -> Matrix:
        """Return the elementwise product."""
        return self.graph.mul(m1, m2)
