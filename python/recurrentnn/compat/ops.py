"""RecurrentNN.jl's ops: functions of a graph, named as in its src/graph.jl.

`mul` is the matrix product and `eltmul` the elementwise one. Shapes are checked; the
ancestor's `add` and `eltmul` looped over the first operand's shape and read past the
end of a smaller one. A column, a row or a 1x1 operand broadcasts.
"""

from recurrentnn._recurrentnn import Graph, Matrix


def backprop(g: Graph) -> None:
    """Propagate the gradients written into `dw` back to every leaf of `g`.

    Raises
    ------
    GraphError
        When called twice: the ancestor then doubled the gradients in silence.
    """
    g.backward()


def rowpluck(g: Graph, m: Matrix, ix: int) -> Matrix:
    """Return row `ix` of `m`, counted from 0, as a (cols, 1) column."""
    return g.select_rows(m, [ix])


def concat(g: Graph, *ms: Matrix) -> Matrix:
    """Return `ms` below one another."""
    return g.concat(*ms)


def tanh(g: Graph, m: Matrix) -> Matrix:
    """Return tanh(m)."""
    return g.tanh(m)


def sigmoid(g: Graph, m: Matrix) -> Matrix:
    """Return 1 / (1 + exp(-m))."""
    return g.sigmoid(m)


def relu(g: Graph, m: Matrix) -> Matrix:
    """Return max(0, m). The derivative at 0 is 1 as in the ancestor, not 0."""
    return g.relu(m, slope_at_zero=1.0)


def mul(g: Graph, m1: Matrix, m2: Matrix | float) -> Matrix:
    """Return the matrix product m1 m2; with a number, m1 times that number."""
    if isinstance(m2, Matrix):
        return g.matmul(m1, m2)
    return g.scale(m1, m2)


def add(g: Graph, m: Matrix, *ms: Matrix | float) -> Matrix:
    """Return the sum of matrices, left to right; with one number, m plus that."""
    if len(ms) == 1 and not isinstance(ms[0], Matrix):
        return g.shift(m, ms[0])
    return g.add(m, *ms)


def eltmul(g: Graph, m1: Matrix, m2: Matrix) -> Matrix:
    """Return the elementwise product."""
    return g.mul(m1, m2)
