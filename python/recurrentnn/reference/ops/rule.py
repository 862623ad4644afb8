"""What an op is: a value and, beside it, its derivative.

A rule gets matrices and attributes and returns the output together with the function
that carries the output's gradient back into the gradients of the operands. It adds to
them, so that `op(x, x)` needs no special case.
"""

from collections.abc import Callable
from dataclasses import dataclass

from recurrentnn.reference.matrix import Matrix
from recurrentnn.reference.shape import Shape, expect

Backward = Callable[[], None]
Rule = Callable[..., tuple[Matrix, Backward]]


@dataclass(frozen=True)
class Op:
    """A row of the table of ops.

    Attributes
    ----------
    name
        The name in messages, in the graph and in the compiled core.
    operands
        How many leading arguments are matrices; None: all of them, however many.
    rule
        (operands, attributes) -> (output, backward).
    """

    name: str
    operands: int | None
    rule: Rule


def op(operands: int | None = 1) -> Callable[[Rule], Op]:
    """Make an op of a rule; a trailing underscore spares a builtin of that name."""
    return lambda rule: Op(rule.__name__.rstrip("_"), operands, rule)


def elementwise(formula: Callable[..., tuple[float, float]]) -> Op:
    """Make an op of x, attributes -> (y, dy/dx)."""

    def rule(m: Matrix, *args: float, **attributes: float) -> tuple[Matrix, Backward]:
        # One call with no element behind it: bad attributes are refused even then.
        formula(0.0, *args, **attributes)
        pairs = [formula(x, *args, **attributes) for x in m.value]
        out = Matrix.from_flat(m.rows, m.cols, [y for y, _ in pairs])

        def backward() -> None:
            for k, (_, slope) in enumerate(pairs):
                m.grad[k] += out.grad[k] * slope

        return out, backward

    rule.__doc__ = formula.__doc__
    return Op(formula.__name__.rstrip("_"), 1, rule)


def broadcast_shape(name: str, *operands: Matrix) -> Shape:
    """Return the shape that all operands broadcast to."""
    shape = operands[0].shape
    for m in operands[1:]:
        joint = shape.broadcast(m.shape)
        if joint is None:
            raise ValueError(f"{name}: shapes {shape} and {m.shape} do not broadcast")
        shape = joint
    return shape


def broadcast_indices(m: Matrix, shape: Shape) -> list[int]:
    """Return, for each element of the shape, the element of `m` it comes from."""
    down = 1 if m.rows > 1 else 0
    right = m.rows if m.cols > 1 else 0
    return [j * right + i * down for j in range(shape.cols) for i in range(shape.rows)]


def expect_equal_shapes(name: str, first: Matrix, *others: Matrix) -> None:
    """Raise unless all shapes are the first's."""
    for m in others:
        expect(
            m.shape == first.shape,
            f"{name}: operands must have one shape but are {first.shape} and {m.shape}",
        )
