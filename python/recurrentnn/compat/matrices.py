"""`NNMatrix` and its relatives: constructors of a float64 `Matrix`.

The ancestor's fields `w` and `dw` are views of the matrix's value and gradient;
`n` and `d` are `rows` and `cols`.
"""

from numpy.typing import ArrayLike

from recurrentnn._recurrentnn import Graph, Matrix
from recurrentnn.compat.stream import next_seed
from recurrentnn.errors import ArgumentTypeError, ShapeError


def NNMatrix(
    n: int, d: int = 1, w: ArrayLike | None = None, dw: ArrayLike | None = None
) -> Matrix:
    """Return an (n, d) matrix of zeros, or of the values `w` and gradients `dw`.

    Raises
    ------
    ShapeError
        If `w` or `dw` is not (n, d). The ancestor took it and read past its end.
    """
    if w is None:
        m = Matrix.zeros(n, d, "float64")
    else:
        m = Matrix(w, "float64")
        if m.shape != (n, d):
            raise ShapeError(f"NNMatrix: w must be {n}x{d}, got {m.rows}x{m.cols}")
    if dw is not None:
        m.dw = dw
    return m


def randNNMat(n: int, d: int, std: float = 1.0, *, seed: int | None = None) -> Matrix:
    """Return an (n, d) matrix of normal(0, std) values.

    Without `seed` the values are the next of the stream (`recurrentnn.compat.srand`).
    """
    seed = next_seed() if seed is None else seed
    return Matrix.normal(n, d, 0.0, std, seed=seed, dtype="float64")


def onesNNMat(n: int, d: int) -> Matrix:
    """Return an (n, d) matrix of ones."""
    return Matrix.ones(n, d, "float64")


def softmax(m: Matrix) -> Matrix:
    """Return exp(m) / sum(exp(m)) over *all* elements, outside every graph.

    As in both ancestors the result has no history: the gradient of a cross-entropy
    is written by hand, `m.dw = p.w; m.dw[target] -= 1`. `Graph.softmax` goes column
    by column and is differentiated, and `Graph.softmax_cross_entropy` does both.

    Raises
    ------
    ArgumentTypeError
        If `m` is no Matrix.
    """
    if not isinstance(m, Matrix):
        kind = type(m).__name__
        raise ArgumentTypeError(f"softmax: m must be a Matrix, got {kind}")
    plain = Graph(recording=False)
    # By value: `m` may belong to a graph that is still open.
    column = Matrix(m.value.reshape((m.rows * m.cols, 1), order="F"), m.dtype)
    return plain.reshape(plain.softmax(column), m.rows, m.cols)
